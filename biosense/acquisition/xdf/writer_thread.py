"""The thread that brings items to the disk, and tries again what the disk refused."""

from __future__ import annotations

import errno
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import TypeVar

from biosense.acquisition.stream_xml import Description
from biosense.acquisition.xdf.append_file import FULL
from biosense.acquisition.xdf.backlog import Backlog
from biosense.acquisition.xdf.disk_errors import SLOW_S, DiskErrors
from biosense.acquisition.xdf.events import EVENTS
from biosense.acquisition.xdf.item_writer import ItemWriter
from biosense.acquisition.xdf.writer import XdfWriter
from biosense.core.clock import Clock
from biosense.core.types import Chunk, Event, Record, StreamInfo

_T = TypeVar("_T")


@dataclass(frozen=True)
class NewStream:
    """Announce a stream that appeared during the recording."""

    info: StreamInfo
    extra_desc: Description | str


class WriterLoop:
    """Write what waits, one item after the other, and sync every second.

    What the disk refuses stays in memory and is tried again until it is taken: a disk that is
    freed, or plugged in again, costs nothing. Syncs run beside the writing, so that a disk that
    takes seconds for one holds up nothing that a killed process would lose.

    Parameters
    ----------
    writer
        The file.
    backlog
        What waits.
    trouble
        Who reports errors of the disk.
    clock
        Session time, by which syncs are due.
    real_clock
        Real time, by which a disk is slow.
    sync_every, retry_every
        Seconds between two syncs, and between two trials of what was refused.
    """

    def __init__(
        self,
        writer: XdfWriter,
        backlog: Backlog[Record | NewStream],
        errors: DiskErrors,
        *,
        clock: Clock,
        real_clock: Clock,
        sync_every: float,
        retry_every: float,
    ) -> None:
        self.items = ItemWriter(writer)
        self.written = 0
        self._writer = writer
        self._backlog = backlog
        self._errors = errors
        self._clock = clock
        self._real_clock = real_clock
        self._sync_every = sync_every
        self._retry_every = retry_every
        self._broken = False  # the file must be opened anew before anything else
        self._failed_since: float | None = None
        self._sync_since: float | None = None

    def run(self) -> None:
        """Write until the backlog is closed and empty, then finish the file."""
        try:
            self._write_all()
        except Exception as fault:
            self._errors.fault(f"the recorder stopped by a fault of its own: {fault!r}")
            raise
        finally:
            self._backlog.close()
            self._finish()

    def check_delay(self) -> None:
        """Say so if the disk is slow; from any thread, since this one may hang in it."""
        syncing = self._writer.file.syncing and self._sync_since is not None
        sync_delay = self._real_clock.now() - (self._sync_since or 0.0) if syncing else 0.0
        self._errors.late(max(self._backlog.age(), sync_delay), self._backlog.bytes)

    def _write_all(self) -> None:
        due = self._clock.now() + self._sync_every
        while True:
            item = self._backlog.first(max(0.0, due - self._clock.now()))
            if item is not None and self._try(self._write, item):
                self._backlog.done()
                self.written += 1
            elif self._backlog.closed.is_set():
                return
            elif item is not None:
                self._backlog.closed.wait(self._retry_every)
            if self._clock.now() >= due:
                self._sync()
                # After an error, a sync shows that it is over.
                wait = self._sync_every if self._failed_since is None else self._retry_every
                due = self._clock.now() + wait

    def _write(self, item: Record | NewStream) -> None:
        if isinstance(item, NewStream):
            self.items.announce(item.info, item.extra_desc)
        else:
            self.items.write(item)

    def _sync(self) -> None:
        self._try(lambda _: self._mark_and_sync(), None)
        self.check_delay()

    def _mark_and_sync(self) -> None:
        self._writer.boundary()
        file = self._writer.file
        if not file.end_sync():
            return
        if not file.is_in_place():
            self._revive()
        elif self._sync_since is not None and self._backlog.age() < SLOW_S:
            self._recovered()
        file.begin_sync()
        self._sync_since = self._real_clock.now()

    def _revive(self) -> None:
        gone = f"{self._writer.path} was deleted or moved, or its disk was taken away"
        self._refused(FileNotFoundError(errno.ENOENT, gone))
        self._broken = False  # as long as the open file takes data it gets them
        with suppress(OSError):  # looked at again at the next sync
            self._writer.file.revive()

    def _recovered(self) -> None:
        since, self._failed_since = self._failed_since, None
        self._errors.over(0.0 if since is None else self._real_clock.now() - since)

    def _try(self, work: Callable[[_T], None], argument: _T) -> bool:
        try:
            if self._broken:
                self._writer.file.revive()
                self._broken = False
            work(argument)
        except OSError as error:
            self._refused(error)
            return False
        return True

    def _refused(self, error: OSError) -> None:
        self._broken = self._broken or error.errno not in FULL
        if self._failed_since is None:
            self._failed_since = self._real_clock.now()
        self._sync_since = None
        self._errors.refused(
            f"the disk refuses data: {error}; {self._writer.path} is valid up to byte "
            f"{self._writer.size}; what comes now waits in memory: free space, or bring it back"
        )

    def _finish(self) -> None:
        is_here = self._writer.file.is_in_place()
        if self._try(lambda _: self.items.finish(), None):
            if is_here and not len(self._backlog):
                self._recovered()
        else:
            with suppress(OSError):
                self._writer.file.close()
        for name, count in waiting_samples(self._backlog).items():
            self._errors.lose(name, count, self._backlog.bytes, final=True)


def waiting_samples(backlog: Backlog[Record | NewStream]) -> Counter[str]:
    """Count the samples, events and measurements that wait, by stream."""
    counts: Counter[str] = Counter()
    for item in backlog.items():
        name = EVENTS.name if isinstance(item, Event) else item.info.name
        counts[name] += item.n if isinstance(item, Chunk) else 1
    return counts
