"""Record a session: everything that happens goes to the disk first, in a thread of its own."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np

from biosense.acquisition.header_xml import header_xml
from biosense.acquisition.stream_xml import Description
from biosense.acquisition.xdf.append_file import sync_folder
from biosense.acquisition.xdf.backlog import LIMIT_BYTES, Backlog
from biosense.acquisition.xdf.disk_errors import DiskErrors
from biosense.acquisition.xdf.events import EVENTS
from biosense.acquisition.xdf.recording_folder import XDF_NAME, Sidecar, write_sidecar
from biosense.acquisition.xdf.sample_layout import SampleLayout
from biosense.acquisition.xdf.writer import XdfWriter
from biosense.acquisition.xdf.writer_thread import NewStream, WriterLoop, waiting_samples
from biosense.core.clock import Clock, SystemClock
from biosense.core.errors import BadInput, RecordingFailed
from biosense.core.types import Chunk, Event, Record, StreamInfo

_ITEM_BYTES = 500  # what an item takes in memory beside its samples, about
_TEXT_BYTES = 100


@dataclass(frozen=True)
class RecordingSummary:
    """Tell what a recording holds.

    `samples` and `lost` count by stream name; `lost` is what the disk did not take, and empty if
    all went well.
    """

    folder: Path
    bytes: int
    samples: Mapping[str, int]
    lost: Mapping[str, int]


class Recorder:
    """Write items to `folder`/recording.xdf as they come, and bring them to the disk every second.

    The headers of the streams are on the disk before the first sample is taken. Each stream keeps
    the sender's stamps; one that brings no clock measurements is in session time and says so by
    constant offsets of 0. A killed process loses what came in its last moments; a power failure
    loses what came since the last sync that ended, usually one second, and what the disk promised
    to keep and did not. The file is readable up to there.

    A disk that is full, slow or gone holds up nobody: what it does not take waits in memory and is
    tried again, in order, until it is taken. `on_failure` is called once per error, `on_event`
    when a disk is slow and when an error is over. Only when `memory` is used up, or at the end,
    samples are lost; they are counted, and that is said by `on_failure` too.

    `Chunk.ok` has no place in XDF: what a source does not trust it must say in its samples.

    Parameters
    ----------
    folder
        The folder of this recording (`new_folder`); it must not hold a recording yet.
    infos
        The streams that are known; others are added when they appear.
    clock
        Session time, for the interval between syncs.
    sidecar
        What recording.json says beside the streams.
    sync_every
        Seconds between syncs to the disk.
    retry_every
        Seconds between two trials of what the disk refused.
    memory
        Bytes that may wait for the disk.
    give_up_after
        Seconds without any progress after which `close` does not wait for the disk any longer.
    on_failure, on_event
        Called from the recorder's thread, or from the one that puts an item.
    real_clock
        Real time, by which a disk is slow; for tests.

    Raises
    ------
    RecordingFailed
        If the folder cannot be written, or holds a recording.

    Examples
    --------
    >>> import tempfile
    >>> info = StreamInfo("chest", None, ("ecg",), 130.0, dtype="float32")
    >>> with Recorder(Path(tempfile.mkdtemp()), [info], clock=SystemClock()) as recorder:
    ...     recorder.put(Chunk.of(info, [1.0, 1.5], [[3.0], [4.0]]))
    >>> recorder.close().samples
    {'chest': 2, 'biosense-events': 0}
    """

    def __init__(
        self,
        folder: Path,
        infos: Iterable[StreamInfo],
        *,
        clock: Clock,
        sidecar: Sidecar | None = None,
        sync_every: float = 1.0,
        retry_every: float = 0.5,
        memory: int = LIMIT_BYTES,
        give_up_after: float = 30.0,
        on_failure: Callable[[RecordingFailed], None] = lambda failure: None,
        on_event: Callable[[Event], None] = lambda event: None,
        real_clock: Clock | None = None,
    ) -> None:
        self.folder = folder
        real_clock = real_clock or SystemClock()
        self._give_up_after = give_up_after
        self._backlog: Backlog[Record | NewStream] = Backlog(real_clock, memory)
        self._errors = DiskErrors(on_failure, on_event, clock, memory)
        self._checked: set[StreamInfo] = set()
        self._summary: RecordingSummary | None = None
        started = datetime.now().astimezone()
        self._sidecar = sidecar or Sidecar()
        self._sidecar = replace(self._sidecar, started=self._sidecar.started or started)
        self._session_time = clock.now()
        with self._starting():
            self._writer = XdfWriter(folder / XDF_NAME, started=self._sidecar.started)
            self._writing = WriterLoop(
                self._writer,
                self._backlog,
                self._errors,
                clock=clock,
                real_clock=real_clock,
                sync_every=sync_every,
                retry_every=retry_every,
            )
            self._write_headers([*infos, EVENTS])
        self._thread = threading.Thread(target=self._run, name="recorder", daemon=True)
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    @property
    def backlog(self) -> int:
        """Items that wait to be written."""
        return len(self._backlog)

    @property
    def waiting_bytes(self) -> int:
        """Bytes that wait to be written."""
        return self._backlog.bytes

    @property
    def size(self) -> int:
        """Bytes written."""
        return self._writer.size

    @property
    def lost(self) -> int:
        """Samples, events and measurements that were lost."""
        return self._errors.lost.total()

    @property
    def failing(self) -> str:
        """What is wrong with the disk now; empty while it takes data."""
        return self._errors.failing

    def put(self, item: Record) -> None:
        """Hand over an item, from any thread; returns at once, order is kept.

        Raises
        ------
        BadInput
            If the item cannot be recorded as it is: a stamp that is not finite, data of another
            type than announced.
        RecordingFailed
            If the recording has ended.
        """
        self._check(item)
        self._hand_over(item)

    def add_stream(self, info: StreamInfo, extra_desc: Description | str = "") -> None:
        """Announce a stream that appeared during the recording; `extra_desc` joins its header."""
        header_xml(info, extra_desc=extra_desc)  # what cannot be written is refused here, at once
        self._hand_over(NewStream(info, extra_desc))

    def close(self) -> RecordingSummary:
        """Write all that waits, finish the file, and tell what is in it. Closing twice is fine."""
        self._backlog.close()
        written = -1
        while self._thread.is_alive() and written != self._writing.written:
            written = self._writing.written
            self._thread.join(self._give_up_after)
        if self._summary is None:
            for name, count in waiting_samples(self._backlog).items():
                self._errors.lose(name, count, self._backlog.bytes, final=True)
            self._errors.fault(
                f"the disk has taken nothing for {self._give_up_after:g} s and is not waited for "
                f"any longer: {self.lost} samples are not in {self.folder / XDF_NAME}"
            )
            self._summary = self._sum_up()
        return self._summary

    def _run(self) -> None:
        try:
            self._writing.run()
        finally:
            summary = self._sum_up()
            self._finish_sidecar(summary)
            self._summary = summary

    def _hand_over(self, item: Record | NewStream) -> None:
        size, is_data = _ITEM_BYTES, isinstance(item, Chunk) and not item.info.is_text
        if isinstance(item, Chunk):
            size += item.data.nbytes + item.times.nbytes * (1 if item.stamps is None else 2)
            size += _TEXT_BYTES * item.data.size * item.info.is_text
        try:
            # Markers, events and measurements are small, and cannot be made again: always taken.
            taken = self._backlog.put(item, size, always=not is_data)
        except EOFError:
            raise RecordingFailed(f"the recording in {self.folder} has ended already") from None
        if not taken and isinstance(item, Chunk):
            self._errors.lose(item.info.name, item.n, self._backlog.bytes)
        self._writing.check_delay()

    @contextmanager
    def _starting(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise RecordingFailed(
                f"cannot start a recording in {self.folder}: {error}; choose an empty folder on a "
                "disk with space"
            ) from error

    def _write_headers(self, infos: list[StreamInfo]) -> None:
        for info in infos:
            self._writing.items.announce(info)
        self._writer.boundary()
        self._writer.sync()
        sync_folder(self.folder)
        self._write_sidecar()

    def _write_sidecar(self, **more: object) -> None:
        streams = [info for info in self._writing.items.infos if info.name != EVENTS.name]
        write_sidecar(self.folder, self._sidecar, streams, session_time=self._session_time, **more)

    def _finish_sidecar(self, summary: RecordingSummary) -> None:
        finished = datetime.now().astimezone().isoformat()
        try:
            self._write_sidecar(finished=finished, samples=summary.samples, lost=summary.lost)
        except OSError as error:
            self._errors.refused(f"the sidecar of {self.folder} keeps its first state: {error}")

    def _sum_up(self) -> RecordingSummary:
        samples, lost = self._writing.items.samples, dict(self._errors.lost)
        return RecordingSummary(self.folder, self._writer.size, samples, lost)

    def _check(self, item: Record) -> None:
        if isinstance(item, Event):
            if not np.isfinite(item.time):
                raise BadInput(f"the time of event {item.text!r} must be finite, got {item.time}")
            return
        if item.info not in self._checked:
            header_xml(item.info)
            self._checked.add(item.info)
        if isinstance(item, Chunk):
            stamps = item.times if item.stamps is None else item.stamps
            SampleLayout(item.info).check(stamps, item.data)
        elif not np.isfinite([item.time, item.offset]).all():
            raise BadInput(f"a clock offset of {item.info.name!r} must be finite, got {item}")
