"""Gaps of a regular stream: where samples are missing, told from late ones and from packets."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from biosense.core.grid import longest_step
from biosense.core.types import Floats, Ints

_NEAR_S = 1.0  # late samples are looked for so far around a step,
_NEAR_PACKETS = 8.0  # or so many packets,
_AROUND_S = 20.0  # and at most so far, within which packets are recognised as well
_FEWEST = 4  # wide steps that may be those between packets


@dataclass(frozen=True)
class Gap:
    """Tell that `missing` samples are absent between two samples, at `start` and at `stop`."""

    start: float
    stop: float
    missing: int


@dataclass
class GapFinder:
    """Find the gaps of one stream from the times of its samples, whatever stamped them.

    A step of more than 3 sample intervals (and 25 ms) between two samples is where a gap may be. It
    is one if samples are missing, that is if the samples behind it come late for good: sample n is
    held against n / sfreq, and the earliest of those within 1 s (or 8 packets) before the step
    against the earliest of those behind it. A sender that stalls and then delivers what it held
    back makes no gap, and neither do packets whose samples bear the time of their arrival: the
    samples of a packet make up for the step to it. Among such packets, which come as they like,
    what is missing must also be longer than half of the usual interval between them.

    Parameters
    ----------
    sfreq
        Nominal rate, Hz.

    Examples
    --------
    >>> finder = GapFinder(100.0)
    >>> finder.push(np.concatenate([np.arange(100), np.arange(150, 300)]) / 100)
    >>> finder.finish()
    [Gap(start=0.99, stop=1.5, missing=50)]
    >>> packets = GapFinder(100.0)
    >>> packets.push(np.repeat([0.5, 1.0, 1.5, 3.0, 3.5, 4.0], 50))
    >>> packets.finish()
    [Gap(start=1.5, stop=3.0, missing=100)]
    """

    sfreq: float
    gaps: list[Gap] = field(default_factory=list, init=False)
    _parts: list[Floats] = field(default_factory=list, init=False, repr=False)
    _times: Floats = field(default_factory=lambda: np.zeros(0), init=False, repr=False)
    _decided: float = field(default=-np.inf, init=False, repr=False)  # time of the last step judged
    _floor: float = field(default=-np.inf, init=False, repr=False)  # end of the last gap

    @property
    def missing(self) -> int:
        """Samples missing in all gaps found so far."""
        return sum(gap.missing for gap in self.gaps)

    def push(self, times: Floats) -> None:
        """Take the next session times, shape (n,), rising."""
        if len(times):
            self._parts.append(times)
            if times[-1] - self._parts[0][0] > _AROUND_S:  # seldom: deciding costs a copy
                self._decide(float(times[-1]) - _AROUND_S)

    def finish(self) -> list[Gap]:
        """Decide on what is left, and return all gaps."""
        self._decide(np.inf)
        return self.gaps

    def _decide(self, until: float) -> None:
        """Judge the steps up to a time: all that may speak for them has been seen."""
        self._times = times = np.concatenate([self._times, *self._parts])
        self._parts = []
        wide = np.flatnonzero(np.diff(times) > longest_step(self.sfreq)) + 1
        due = wide[(times[wide] > self._decided) & (times[wide] <= until)]
        for step in due.tolist():
            self._judge(step, wide)
        if len(times):
            self._decided = min(until, float(times[-1]))
            newest = times[max(int(np.searchsorted(times, until, "right")) - 1, 0)]
            self._times = times[np.searchsorted(times, newest - _AROUND_S) :]

    def _judge(self, step: int, wide: Ints) -> None:
        times = self._times
        start, stop = float(times[step - 1]), float(times[step])
        packet, is_crowded = self._packets(stop, wide)
        near = float(np.clip(_NEAR_PACKETS * packet, _NEAR_S, _AROUND_S))
        first = int(np.searchsorted(times, max(start - near, self._floor)))
        last = int(np.searchsorted(times, stop + near, "right"))
        late = times[first:last] - np.arange(first, last) / self.sfreq
        rise = float(late[step - first :].min() - late[: step - first].min())
        is_gap = rise + 1 / self.sfreq > longest_step(self.sfreq)
        if is_gap and not (is_crowded and rise < packet / 2):
            self.gaps.append(Gap(start, stop, round(rise * self.sfreq)))
            self._floor = stop  # behind a gap, all samples are late against those before it

    def _packets(self, time: float, wide: Ints) -> tuple[float, bool]:
        """Return the usual interval between packets (0: there are none), and whether the samples
        of a packet stand closer than they were taken.
        """
        times = self._times
        steps = wide[np.abs(times[wide] - time) <= _AROUND_S]
        if len(steps) < _FEWEST:
            return 0.0, False
        interval = float(np.median(np.diff(times[steps])))
        spans = times[steps[1:] - 1] - times[steps[:-1]]
        crowded = np.median(spans - (np.diff(steps) - 1) / self.sfreq / 2) < 0
        return interval, bool(crowded) or bool(np.median(np.diff(steps)) == 1)
