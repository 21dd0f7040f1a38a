"""A disk that says no: reported, counted, and the recording goes on when the disk does."""

import errno
import os
import threading
from pathlib import Path

import numpy as np
import pytest
import pyxdf

from biosense.acquisition.xdf import writer as writer_module
from biosense.acquisition.xdf.reader import XdfReader, load
from biosense.acquisition.xdf.recorder import Recorder
from biosense.core.errors import RecordingFailed
from biosense.core.types import Chunk, Event, EventKind, Item, Modality, StreamInfo

EEG = StreamInfo("eeg", Modality.EEG, ("a", "b"), 100.0, "uV", "amp-1", "float32", True, "EEG")


class StoppedClock:
    def now(self) -> float:
        return 100.0


def eeg(start: float, n: int = 10) -> Chunk:
    return Chunk.of(EEG, start + np.arange(n) / 100.0, np.arange(2 * n).reshape(n, 2))


class FullDisk:
    """Let the operating system refuse data, or take it again, at the lowest level."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.free: float = float("inf")
        self._write = os.write
        monkeypatch.setattr(writer_module.os, "write", self.write)

    def write(self, file: int, data: bytes) -> int:
        if self.free <= 0:
            raise OSError(errno.ENOSPC, "No space left on device")
        taken = self._write(file, data[: int(min(self.free, len(data)))])
        self.free -= taken
        return taken


class InStep:
    """Put items one by one: each is done with before the next is put."""

    def __init__(self, recorder: Recorder, monkeypatch: pytest.MonkeyPatch) -> None:
        self._recorder = recorder
        self._done = threading.Semaphore(0)
        self._guarded = recorder._guarded
        monkeypatch.setattr(recorder, "_guarded", self._write)

    def put(self, item: Item) -> None:
        self._recorder.put(item)
        assert self._done.acquire(timeout=10)

    def _write(self, item: Item) -> None:
        self._guarded(item)
        self._done.release()


def test_a_full_disk_is_reported_once_and_what_was_written_stays_valid(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk = FullDisk(monkeypatch)
    failures: list[RecordingFailed] = []
    recorder = Recorder(tmp_path, [EEG], clock=StoppedClock(), on_failure=failures.append)
    step = InStep(recorder, monkeypatch)
    step.put(eeg(1.0))
    disk.free = 50  # a part of the next chunk still fits
    for second in range(2, 7):
        step.put(eeg(float(second)))
    step.put(Event(7.0, EventKind.INFO, "", "still here"))
    summary = recorder.close()
    assert summary.lost == {"eeg": 50, "biosense-events": 1}
    assert summary.samples == {"eeg": 10, "biosense-events": 0}
    assert len(failures) == 1
    assert "No space left" in str(failures[0])
    streams, _ = pyxdf.load_xdf(tmp_path / "recording.xdf")
    assert len(streams[0]["time_stamps"]) == 10
    assert XdfReader(tmp_path).damage == ()


def test_the_recording_goes_on_when_the_disk_has_space_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk = FullDisk(monkeypatch)
    recorder = Recorder(tmp_path, [], clock=StoppedClock())
    disk.free = 20  # not even the header of the new stream fits
    step = InStep(recorder, monkeypatch)
    step.put(eeg(1.0))
    disk.free = float("inf")
    step.put(eeg(2.0))
    assert recorder.close().lost == {"eeg": 10}
    assert load(tmp_path).stream("eeg").times.tolist() == eeg(2.0).times.tolist()
    assert XdfReader(tmp_path).complete
