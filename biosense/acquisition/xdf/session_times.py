"""Session times of a recorded stream: the same numbers that the live run had."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from biosense.acquisition.xdf.parse import Offset, SamplesChunk
from biosense.core.clock import RESET_S, ClockFit
from biosense.core.types import Bools, Chunk, Floats, StreamInfo

_AROUND = 4  # measurements on either side that one is held against
_APART_S = 60.0  # measurements of one recorder that follow each other are never so far off


@dataclass(frozen=True)
class ClockMeasurement:
    """Hold a clock measurement: add `offset` to the stream's stamps about `time`."""

    time: float
    offset: float


@dataclass
class StreamSummary:
    """Hold what a look through the file tells about one stream.

    `first` and `last` are the sender's stamps; `measured` are the clock measurements in the order
    of the file, None for those that cannot be; `resets` the indices of those at which the sender's
    clock had begun anew; `declared` is how many samples the footer promises.
    """

    info: StreamInfo
    samples: int = 0
    first: float = float("nan")
    last: float = float("nan")
    footer: bool = False
    declared: int | None = None
    measured: list[ClockMeasurement | None] = field(default_factory=list)
    resets: list[int] = field(default_factory=list)

    def take(self, samples: SamplesChunk) -> None:
        """Count samples."""
        if len(samples.stamps):
            if not self.samples:
                self.first = float(samples.stamps[0])
            self.samples += len(samples.stamps)
            self.last = float(samples.stamps[-1])

    def take_offset(self, offset: Offset) -> None:
        """Count a clock measurement."""
        self.measured.append(ClockMeasurement(offset.time, offset.offset))

    def find_resets(self) -> None:
        """Find the measurements that begin a new clock."""
        known = [(index, each) for index, each in enumerate(self.measured) if each is not None]
        offsets = np.array([each.offset for _, each in known])
        times = np.array([each.time for _, each in known])
        if (np.abs(np.diff(offsets)) <= RESET_S).all() and (np.diff(times) >= 0).all():
            return
        fit = ClockFit()
        self.resets = [index for index, each in known if fit.add(each.time, each.offset)]

    @property
    def offsets(self) -> int:
        """Number of usable clock measurements."""
        return sum(each is not None for each in self.measured)

    @property
    def own_clock(self) -> bool:
        """True where every measured offset is 0: the stamps are session times already."""
        return all(each is None or each.offset == 0.0 for each in self.measured)


@dataclass
class SessionClock:
    """Map one stream's stamps as the live run did.

    Other programs measure late: LabRecorder first after 5 s, and every 5 s. So in their files the
    first measurement counts from the start, and one that finds the sender's clock begun anew
    counts from the first stamp that is nearer to it than to the measurement before.
    """

    summary: StreamSummary
    foreign: bool = False
    fit: ClockFit = field(default_factory=ClockFit)
    _at: int = 0  # measurements of the file that have been passed
    _taken: int = 0  # ... and those that the fit knows, some before their turn

    def add(self) -> ClockMeasurement | None:
        """Take the next measurement of the file; None where it cannot be used."""
        self._at += 1
        self._take(self._at)
        return self.summary.measured[self._at - 1]

    def chunk(self, samples: SamplesChunk) -> Chunk:
        """Return samples with session times."""
        info, stamps = self.summary.info, samples.stamps
        ok: Bools = np.ones(len(stamps), np.bool_)
        if self.summary.own_clock:
            return Chunk(info, stamps, samples.data, ok)
        if np.isnan(self.fit.updated):
            self._take(self._first())
        cut = self._cut(stamps)
        times = self.fit.to_session(stamps[:cut])
        if cut < len(stamps):
            self._take(self._next_reset() + 1)
            times = np.concatenate([times, self.fit.to_session(stamps[cut:])])
        return Chunk(info, times, samples.data, ok, stamps)

    def _first(self) -> int:
        known = (index for index, each in enumerate(self.summary.measured, 1) if each is not None)
        return next(known, 0)

    def _next_reset(self) -> int:
        """Return the next reset if it is the very next measurement, else -1."""
        following = next((index for index in self.summary.resets if index >= self._taken), -1)
        between = self.summary.measured[self._taken : max(following, 0)]
        return -1 if any(each is not None for each in between) else following

    def _cut(self, stamps: Floats) -> int:
        """Return how many of the stamps come before the sender's clock began anew."""
        reset = self._next_reset() if self.foreign else -1
        if reset < 0:
            return len(stamps)
        new = self.summary.measured[reset]
        assert new is not None  # what cannot be used is no reset
        nearer = np.abs(stamps - new.time) < np.abs(stamps - self.fit.updated)
        return int(np.argmax(nearer)) if nearer.any() else len(stamps)

    def _take(self, count: int) -> None:
        for each in self.summary.measured[self._taken : count]:
            if each is not None:
                self.fit.add(each.time, each.offset)
        self._taken = max(self._taken, count)


def drop_impossible(order: Sequence[tuple[StreamSummary, int]]) -> None:
    """Drop the measurements of other programs that cannot be.

    LabRecorder writes whatever stands in memory when a measurement fails. Time and offset add up
    to the recorder's own time, which cannot be far from that of the measurements around it.

    Parameters
    ----------
    order
        Stream, and index of the measurement, in the order of the file.
    """
    found = [summary.measured[index] for summary, index in order]
    times = np.array([0.0 if each is None else each.time + each.offset for each in found])
    if len(times) < 3:
        return
    padded = np.concatenate([times[_AROUND:0:-1], times, times[-2 : -_AROUND - 2 : -1]])
    around = sliding_window_view(padded, len(padded) - len(times) + 1)
    far = np.abs(times - np.median(around, axis=1)) > _APART_S
    for number in np.flatnonzero(far).tolist():
        summary, index = order[number]
        summary.measured[index] = None
