"""Record a session: everything that happens goes to the disk first, in a thread of its own."""

from __future__ import annotations

import logging
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from queue import Empty, SimpleQueue
from types import TracebackType
from typing import Self

import numpy as np

from biosense.acquisition.stream_xml import Description, header_xml
from biosense.acquisition.xdf.events import EVENTS
from biosense.acquisition.xdf.folder import XDF_NAME, Sidecar, write_sidecar
from biosense.acquisition.xdf.items import ItemWriter
from biosense.acquisition.xdf.layout import SampleLayout
from biosense.acquisition.xdf.writer import XdfWriter, sync_folder
from biosense.core.clock import Clock
from biosense.core.errors import BadInput, RecordingFailed
from biosense.core.types import Chunk, Event, Record, StreamInfo

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class RecordingSummary:
    """Tell what a recording holds.

    `samples` and `lost` count by stream name; `lost` is what the disk refused, and empty if all
    went well.
    """

    folder: Path
    bytes: int
    samples: Mapping[str, int]
    lost: Mapping[str, int]


@dataclass(frozen=True)
class _NewStream:
    info: StreamInfo
    extra_desc: Description | str


class Recorder:
    """Write items to `folder`/recording.xdf as they come, and bring them to the disk every second.

    The headers of the streams are on the disk before the first sample is taken. Each stream keeps
    the sender's stamps; one that brings no clock measurements is in session time and says so by
    constant offsets of 0. When the disk refuses data, `on_failure` is called once, what was
    written stays valid, what is refused is counted, and every later item is tried again, so that
    the recording goes on when the disk does.

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
        Seconds between syncs to the disk: a power failure loses at most this much.
    on_failure
        Called from the recorder's thread when the disk refuses data.

    Raises
    ------
    RecordingFailed
        If the folder cannot be written, or holds a recording.

    Examples
    --------
    >>> import tempfile
    >>> from biosense.core.clock import SystemClock
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
        on_failure: Callable[[RecordingFailed], None] = lambda failure: None,
    ) -> None:
        self.folder = folder
        self._clock = clock
        self._sync_every = sync_every
        self._on_failure = on_failure
        self._queue: SimpleQueue[Record | _NewStream | None] = SimpleQueue()
        self._gate = threading.Lock()
        self._checked: set[StreamInfo] = set()
        self._lost: Counter[str] = Counter()
        self._failing = False
        self._summary: RecordingSummary | None = None
        self._closed = False
        started = datetime.now().astimezone()
        self._sidecar = sidecar or Sidecar()
        self._sidecar = replace(self._sidecar, started=self._sidecar.started or started)
        self._session_time = clock.now()
        self._start([*infos, EVENTS])
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
        return self._queue.qsize()

    @property
    def size(self) -> int:
        """Bytes written."""
        return self._writer.size

    @property
    def lost(self) -> int:
        """Samples, events and measurements that the disk refused."""
        return sum(self._lost.values())

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
        self._hand_over(_NewStream(info, extra_desc))

    def close(self) -> RecordingSummary:
        """Write all that waits, finish the file, and tell what is in it. Closing twice is fine."""
        with self._gate:
            if not self._closed:
                self._queue.put(None)
            self._closed = True
        self._thread.join()
        if self._summary is None:
            self._summary = self._finish()
        return self._summary

    def _hand_over(self, item: Record | _NewStream) -> None:
        # The gate is held for a moment only: nothing can slip in behind the end of the recording.
        with self._gate:
            if self._closed or not self._thread.is_alive():
                raise RecordingFailed(f"the recording in {self.folder} has ended already")
            self._queue.put(item)

    def _start(self, infos: list[StreamInfo]) -> None:
        try:
            self._writer = XdfWriter(self.folder / XDF_NAME, started=self._sidecar.started)
            self._items = ItemWriter(self._writer)
            for info in infos:
                self._items.announce(info)
            self._writer.boundary()
            self._writer.sync()
            sync_folder(self.folder)
            self._write_sidecar()
        except OSError as error:
            raise RecordingFailed(
                f"cannot start a recording in {self.folder}: {error}; choose an empty folder on a "
                "disk with space"
            ) from error

    def _write_sidecar(self, **more: object) -> None:
        streams = [info for info in self._items.infos if info.name != EVENTS.name]
        write_sidecar(self.folder, self._sidecar, streams, session_time=self._session_time, **more)

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

    def _run(self) -> None:
        try:
            self._write_all()
        except Exception as fault:
            self._report(f"the recorder stopped by a fault of its own: {fault!r}")
            raise

    def _write_all(self) -> None:
        due = self._clock.now() + self._sync_every
        while True:
            try:
                item = self._queue.get(timeout=max(0.0, due - self._clock.now()))
                if item is None:
                    return
                self._guarded(item)
            except Empty:
                pass
            if self._clock.now() >= due:
                self._sync()
                due = self._clock.now() + self._sync_every

    def _guarded(self, item: Record | _NewStream) -> None:
        try:
            self._write(item)
        except OSError as error:
            name = EVENTS.name if isinstance(item, Event) else item.info.name
            self._lost[name] += item.n if isinstance(item, Chunk) else 1
            self._fail(error)

    def _sync(self) -> None:
        try:
            self._writer.boundary()
            self._writer.sync()
            self._failing = False
        except OSError as error:
            self._fail(error)

    def _fail(self, error: OSError) -> None:
        if not self._failing:
            self._failing = True
            self._report(
                f"the disk refuses data: {error}; {self.folder / XDF_NAME} is valid up to "
                f"byte {self._writer.size}; free space, every new item is tried again"
            )

    def _report(self, reason: str) -> None:
        _log.critical("%s", reason)
        self._on_failure(RecordingFailed(reason))

    def _write(self, item: Record | _NewStream) -> None:
        if isinstance(item, _NewStream):
            self._items.announce(item.info, item.extra_desc)
        else:
            self._items.write(item)

    def _finish(self) -> RecordingSummary:
        try:
            self._items.finish()
        except OSError as error:
            self._fail(error)
        samples, lost = self._items.samples, dict(self._lost)
        summary = RecordingSummary(self.folder, self._writer.size, samples, lost)
        try:
            self._write_sidecar(
                finished=datetime.now().astimezone().isoformat(),
                samples=samples,
                lost=lost,
            )
        except OSError as error:
            self._fail(error)
        return summary
