"""Find breaths in a smoothed respiration signal, from trough to peak."""

from __future__ import annotations

import math
from collections import deque
from statistics import median
from typing import NamedTuple

SHARE = 0.35  # of the usual swing, by which the signal has to turn back
LEAST_SHARE = 0.1  # of the usual swing: what is smaller in a pause of breathing is no breath
PAUSE_S = 10.0  # without a turn: breaths have become shallow, or stopped
FORGET_S = 60.0
SHORTEST_S = 1.0  # 60 breaths a minute


class Breath(NamedTuple):
    """Hold one breath.

    Parameters
    ----------
    peak
        Session time of its deepest point, seconds.
    depth
        Of the way in, in the unit of the signal.
    interval
        Since the peak before, seconds; NaN for the first one and where a gap lies between.
    inspiration
        Share of the interval from trough to peak; NaN as well.
    known_at
        Session time at which it was known, seconds.
    """

    peak: float
    depth: float
    interval: float
    inspiration: float
    known_at: float


class BreathFinder:
    """Follow the turns of the signal: a peak or trough counts once it is left by 35 % of a swing.

    The swing is the median of those of the last minute, and the range of the last 10 s before any
    is known or where the signal has not turned for 10 s.

    Parameters
    ----------
    rate
        Of the samples, Hz.
    delay
        Of the smoothing, seconds: taken off the times of peaks.

    Examples
    --------
    >>> import math
    >>> finder = BreathFinder(10.0, 0.0)
    >>> wave = [math.sin(2 * math.pi * 0.25 * n / 10) for n in range(200)]
    >>> breaths = [b for n, v in enumerate(wave) for b in finder.push(n, v)]
    >>> breaths[-1].peak, round(breaths[-1].depth, 2), round(breaths[-1].interval, 3)
    (17.0, 2.0, 4.0)
    """

    def __init__(self, rate: float, delay: float) -> None:
        self._rate, self._delay = rate, delay
        self._swings: deque[tuple[int, float]] = deque()
        self._usual: float | None = None
        self._recent: deque[float] = deque(maxlen=round(PAUSE_S * rate))
        self.reset()

    def reset(self) -> None:
        """Forget the last turn, as behind a gap; the usual swing is kept."""
        self._recent.clear()
        self._rising: bool | None = None
        self._low = self._high = (0, 0.0)
        self._turned = -1
        self._peak: tuple[int, float] | None = None
        self._trough: tuple[int, float] | None = None

    def push(self, at: int, value: float) -> list[Breath]:
        """Take the sample at position `at`; return the breath whose peak it confirms."""
        self._recent.append(value)
        if self._turned < 0:
            self._low = self._high = (at, value)
            self._turned = at
            return []
        if value > self._high[1]:
            self._high = (at, value)
        if value < self._low[1]:
            self._low = (at, value)
        least = self._least(at)
        if least <= 0:
            return []
        if self._rising is not False and self._high[1] - value > least:
            return self._at_peak(at, value)
        if self._rising is not True and value - self._low[1] > least:
            self._at_trough(at, value)
        return []

    def _least(self, at: int) -> float:
        """Return by how much the signal has to turn back; 0 while nobody knows."""
        while self._swings and self._swings[0][0] < at - FORGET_S * self._rate:
            self._swings.popleft()
            self._usual = None
        if self._usual is None:  # looked for again only where the swings have changed
            self._usual = median(size for _, size in self._swings) if self._swings else 0.0
        usual = self._usual
        if usual and at - self._turned < PAUSE_S * self._rate:
            return SHARE * usual
        if len(self._recent) < PAUSE_S * self._rate / 2:
            return 0.0
        return max(SHARE * (max(self._recent) - min(self._recent)), LEAST_SHARE * usual)

    def _at_trough(self, at: int, value: float) -> None:
        if self._rising is False:
            self._count(at, self._high[1] - self._low[1])
            self._trough = self._refined(self._low[0], at)
        self._rising, self._turned, self._high = True, at, (at, value)

    def _at_peak(self, at: int, value: float) -> list[Breath]:
        first, peak = self._rising is None, self._refined(self._high[0], at)
        depth = self._high[1] - self._low[1]
        if not first:
            self._count(at, depth)
        self._rising, self._turned, self._low = False, at, (at, value)
        before, trough = self._peak, self._trough
        if first or (before is not None and _gap(before, peak) < SHORTEST_S * self._rate):
            return []
        self._peak = peak
        interval = math.nan if before is None else _gap(before, peak) / self._rate
        share = math.nan
        if before is not None and trough is not None:
            share = _gap(trough, peak) / _gap(before, peak)
        time = (peak[0] + peak[1]) / self._rate - self._delay
        return [Breath(time, depth, interval, share, at / self._rate)]

    def _count(self, at: int, swing: float) -> None:
        if at - self._turned >= PAUSE_S * self._rate:
            self._swings.clear()  # breathing has become shallow: the deep breaths are no measure
        self._swings.append((at, swing))
        self._usual = None

    def _refined(self, place: int, now: int) -> tuple[int, float]:
        """Return a turn's place and the fraction of a sample to the top of the parabola there."""
        back = now - place
        if not 0 < back < len(self._recent) - 1:
            return place, 0.0
        before, top, after = (self._recent[-1 - back + step] for step in (-1, 0, 1))
        bend = before - 2 * top + after
        return place, 0.5 * (before - after) / bend if bend else 0.0


def _gap(one: tuple[int, float], other: tuple[int, float]) -> float:
    """Return by how many samples `other` lies behind `one`."""
    return other[0] - one[0] + (other[1] - one[1])
