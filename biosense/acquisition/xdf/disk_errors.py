"""What is said of a disk that refuses data, is slow, or well again; and what it cost."""

from __future__ import annotations

import logging
import threading
from collections import Counter
from collections.abc import Callable

from biosense.core.clock import Clock
from biosense.core.errors import RecordingFailed
from biosense.core.types import Event, EventKind

_log = logging.getLogger(__name__)

SLOW_S = 3.0  # a disk that is late by less does so now and then, and costs nothing


class DiskErrors:
    """Report the errors of a disk, each kind once until it is over, and count what is lost.

    Every method may be called from any thread: the one that writes may hang in the disk.

    Parameters
    ----------
    on_failure
        Called when the disk refuses data and when samples are lost.
    on_event
        Called when the disk is slow, at each doubling of the delay, and when an error is over.
    clock
        Session time, for the events.
    limit
        Bytes that may wait in memory.

    Attributes
    ----------
    failing
        What is wrong now, empty if nothing is; slowness alone is no failure.
    lost
        Samples, events and measurements that were lost, by stream.

    Examples
    --------
    >>> from biosense.core.clock import SystemClock
    >>> logging.getLogger(__name__).setLevel(logging.CRITICAL + 1)
    >>> reported = []
    >>> errors = DiskErrors(reported.append, reported.append, SystemClock(), limit=1 << 20)
    >>> errors.refused("the disk is full")
    >>> errors.refused("the disk is full")
    >>> errors.over(seconds=2.5)
    >>> reported
    [RecordingFailed('the disk is full'), Event(...'the disk takes data again after 2.5 s: \
nothing was lost')]
    """

    def __init__(
        self,
        on_failure: Callable[[RecordingFailed], None],
        on_event: Callable[[Event], None],
        clock: Clock,
        limit: int,
    ) -> None:
        self.failing = ""
        self.lost: Counter[str] = Counter()
        self._on_failure = on_failure
        self._on_event = on_event
        self._clock = clock
        self._limit = limit
        self._lock = threading.RLock()
        self._lost_before = 0
        self._delay_said = 0.0

    def refused(self, reason: str) -> None:
        """Take note that the disk refused data."""
        with self._lock:
            if not self.failing:
                self._fail(reason)

    def fault(self, reason: str) -> None:
        """Take note of what ends the recording."""
        with self._lock:
            self._fail(reason)

    def lose(self, stream: str, n: int, waiting: int, *, final: bool = False) -> None:
        """Count what is lost: there is no memory left for it, or (final) the recording ends."""
        with self._lock:
            first = self.lost.total() == self._lost_before
            self.lost[stream] += n
            if first:
                why = self.failing or "the disk is too slow"
                when = "the recording ends" if final else f"{self._mib(waiting)} wait in memory"
                self._fail(f"samples are lost: {why}; {when}")

    def late(self, seconds: float, waiting: int) -> None:
        """Take note of how late the disk is, and of the bytes in memory."""
        with self._lock:
            if self.failing or seconds < max(SLOW_S, 2 * self._delay_said):
                return
            self._delay_said = seconds
            text = (
                f"the disk is {seconds:.1f} s behind: {self._mib(waiting)} wait in memory; a crash "
                "now would lose them"
            )
            self._report(EventKind.OVERRUN, text)

    def over(self, seconds: float = 0.0) -> None:
        """Take note that everything is on the disk; an error had lasted for some seconds."""
        with self._lock:
            if not self.failing and not self._delay_said:
                return
            lost = self.lost.total() - self._lost_before
            cost = f"{lost} samples were lost" if lost else "nothing was lost"
            well = "the disk takes data again" if self.failing else "the disk keeps up again"
            lasted = f" after {seconds:.1f} s" if seconds else ""
            self.failing, self._delay_said = "", 0.0
            self._lost_before = self.lost.total()
            self._report(EventKind.RECOVERED, f"{well}{lasted}: {cost}")

    def _fail(self, reason: str) -> None:
        self.failing = reason
        _log.critical("%s", reason)
        self._on_failure(RecordingFailed(reason))

    def _report(self, kind: EventKind, text: str) -> None:
        _log.warning("%s", text)
        self._on_event(Event(self._clock.now(), kind, "", text))

    def _mib(self, waiting: int) -> str:
        return f"{waiting / 2**20:.1f} of {self._limit / 2**20:.0f} MiB"
