"""Disks that are full, slow or gone, made of the system calls of this process."""

from __future__ import annotations

import errno
import os
import threading
from pathlib import Path
from queue import SimpleQueue

import numpy as np
import pytest

from biosense.acquisition.xdf.recorder import Recorder
from biosense.core.clock import SystemClock
from biosense.core.errors import RecordingFailed
from biosense.core.types import Chunk, Event, Modality, StreamInfo

EEG = StreamInfo("eeg", Modality.EEG, ("a", "b"), 100.0, "uV", "amp-1", "float32", True, "EEG")


def eeg(start: float, n: int = 10) -> Chunk:
    return Chunk.of(EEG, start + np.arange(n) / 100.0, np.arange(2 * n).reshape(n, 2))


class Disk:
    """Stand between this process and its files: full, dead, slow in writing or in syncing."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.free: float = float("inf")
        self.error = 0
        self.sync_error = 0
        self.writing, self.syncing = threading.Event(), threading.Event()
        self.writing.set()
        self.syncing.set()
        self._write, self._sync = os.write, os.fsync
        monkeypatch.setattr(os, "write", self.write)
        monkeypatch.setattr(os, "fdatasync", self.sync, raising=False)

    def write(self, file: int, data: bytes) -> int:
        assert self.writing.wait(10)
        if self.error or self.free <= 0:
            raise OSError(self.error or errno.ENOSPC, os.strerror(self.error or errno.ENOSPC))
        taken = self._write(file, data[: int(min(self.free, len(data)))])
        self.free -= taken
        return taken

    def sync(self, file: int) -> None:
        assert self.syncing.wait(10)
        if self.error or self.sync_error:
            raise OSError(self.error or self.sync_error, "Input/output error")
        self._sync(file)


class Patient:
    """A clock of real time that is set by hand."""

    def __init__(self) -> None:
        self.time = 50.0

    def now(self) -> float:
        return self.time


class Listening:
    """A recorder on a fast heartbeat, and what it says of its disk."""

    def __init__(self, folder: Path, **options: object) -> None:
        self.said: list[str] = []
        self._news: SimpleQueue[str] = SimpleQueue()
        self.recorder = Recorder(
            folder,
            [EEG],
            clock=SystemClock(),
            sync_every=0.005,
            retry_every=0.001,
            on_failure=self._failure,
            on_event=self._event,
            **options,  # type: ignore[arg-type]
        )

    def hear(self, words: str) -> str:
        """Wait until something with these words is said, and return it."""
        while True:
            text = self._news.get(timeout=10)
            if words in text:
                return text

    def written(self) -> None:
        """Wait until nothing waits to be written."""
        still = threading.Event()
        while self.recorder.backlog:
            still.wait(0.001)

    def _failure(self, failure: RecordingFailed) -> None:
        self._tell(f"failure: {failure}")

    def _event(self, event: Event) -> None:
        self._tell(f"{event.kind}: {event.text}")

    def _tell(self, text: str) -> None:
        self.said.append(text)
        self._news.put(text)
