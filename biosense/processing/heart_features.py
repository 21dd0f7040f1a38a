"""Clean intervals between beats and summarise them: heart rate, its variability, its change."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from statistics import median

import numpy as np

from biosense.core.types import Bools, Floats

HEART_CHANNELS = (
    "heart_rate",
    "heart_rate_30",
    "ibi",
    "rmssd_30",
    "sdnn_60",
    "pnn50_60",
    "heart_rate_slope",
    "heart_rate_delta",
    "amplitude_delta",
    "amplitude_sd_30",
)
SHORTEST_S, LONGEST_S = 0.3, 2.0  # 200 to 30 beats per minute
TOLERANCE = 0.25  # of the median of the last 5 accepted intervals (Malik rule, a little wider)
BREAK_S = 0.1  # a longer gap may hide a beat: no interval across it
KEEP_S = 60.0


@dataclass
class IntervalFilter:
    """Accept or reject intervals between beats, with nothing but the past.

    An interval is accepted within 25 % of the median of the last 5 accepted ones. Three rejected in
    a row that agree with each other are a new rhythm, not artefacts: the third is accepted and the
    median starts from them.

    Examples
    --------
    >>> intervals = IntervalFilter()
    >>> [intervals.accept(seconds) for seconds in (0.8, 0.82, 0.4, 0.8, 0.5, 0.51, 0.5, 0.5)]
    [True, True, False, True, False, False, True, True]
    """

    _accepted: deque[float] = field(default_factory=lambda: deque(maxlen=5), repr=False)
    _rejected: deque[float] = field(default_factory=lambda: deque(maxlen=3), repr=False)

    def accept(self, seconds: float, *, doubtful: bool = False) -> bool:
        """Return whether an interval counts, and learn from it; a doubtful one sets no rhythm."""
        if not SHORTEST_S <= seconds <= LONGEST_S:
            self._rejected.clear()
            return False
        if _near(seconds, median(self._accepted or [seconds])):
            self._rejected.clear()
            self._accepted.append(seconds)
            return True
        if doubtful:
            self._rejected.clear()
            return False
        self._rejected.append(seconds)
        usual = median(self._rejected)
        if len(self._rejected) < 3 or not all(_near(one, usual, 0.15) for one in self._rejected):
            return False
        self._accepted = deque(self._rejected, maxlen=5)
        self._rejected.clear()
        return True


def _near(seconds: float, usual: float, tolerance: float = TOLERANCE) -> bool:
    return abs(seconds - usual) <= tolerance * usual


@dataclass
class Rhythm:
    """Keep the last minute of beats and compute features of it.

    Beats that hardly look like beats (confidence below `min_confidence`) are passed over; the
    interval that spans one counts only if it fits the rhythm.
    """

    min_confidence: float = 0.1

    def __post_init__(self) -> None:
        self._intervals = IntervalFilter()
        self._beats: deque[tuple[float, float, float]] = deque()  # time, amplitude, confidence
        # end, interval, difference to the interval before; NaN where there is none
        self._accepted: deque[tuple[float, float, float]] = deque()
        self._gaps: deque[float] = deque()
        self._last = -np.inf
        self._doubtful = False
        self._before = np.nan  # the interval that ended at the last beat, if it was accepted

    def add_gap(self, time: float) -> None:
        """Note that samples are missing just before `time`."""
        self._gaps.append(time)

    def add_beat(self, time: float, amplitude: float, confidence: float) -> None:
        """Take the next beat."""
        if confidence < self.min_confidence or time <= self._last:
            self._doubtful = True
            return
        interval = time - self._last
        broken = any(self._last < gap <= time for gap in self._gaps) or np.isinf(self._last)
        while self._gaps and self._gaps[0] <= time:
            self._gaps.popleft()
        self._last = time
        self._beats.append((time, amplitude, confidence))
        doubtful, self._doubtful = self._doubtful, False
        if not broken and self._intervals.accept(interval, doubtful=doubtful):
            self._accepted.append((time, interval, interval - self._before))
            self._before = interval
        else:
            self._before = np.nan

    def features(self, now: float) -> Floats:
        """Return `HEART_CHANNELS` at session time `now`, NaN where too little is known."""
        for kept in (self._beats, self._accepted):
            while kept and kept[0][0] <= now - KEEP_S:
                kept.popleft()
        ends, intervals, differences = _columns(self._accepted)
        rate = {s: _rate(intervals[ends > now - s], s) for s in (10.0, 30.0, 60.0)}
        return np.array(
            [
                rate[10.0],
                rate[30.0],
                float(intervals[-1]) if len(ends) and ends[-1] > now - 3.0 else np.nan,
                _rmssd(intervals, differences, ends > now - 30.0),
                *_spread(intervals, differences),
                _slope(ends, intervals, ends > now - 20.0),
                rate[10.0] - rate[60.0],
                *self._amplitude(now),
            ]
        )

    def quality(self, now: float) -> float:
        """Return how far the last 10 s can be believed: covered by intervals, and beats sure."""
        recent = [beat for beat in self._beats if beat[0] > now - 10.0]
        if len(recent) < 3 or recent[-1][0] < now - 3.0:
            return 0.0
        covered = sum(interval for end, interval, _ in self._accepted if end > now - 10.0)
        sure = sum(confidence for *_, confidence in recent) / len(recent)
        # A full window still lacks the interval under way and the time to confirm a beat.
        return min(1.0, covered / 8.0) * sure

    def _amplitude(self, now: float) -> tuple[float, float]:
        times, amplitudes, _ = _columns(self._beats)
        positive = amplitudes > 0
        times, logs = times[positive], np.log(amplitudes[positive])
        new = logs[times > now - 10.0]
        if len(times) == 0 or times[-1] - times[0] < 20.0 or len(new) < 4:
            return np.nan, np.nan
        return float(np.median(new) - np.median(logs)), float(logs[times > now - 30.0].std())


def _columns(rows: deque[tuple[float, float, float]]) -> tuple[Floats, Floats, Floats]:
    table = np.array(rows, np.float64).reshape(-1, 3)
    return table[:, 0], table[:, 1], table[:, 2]


def _rate(intervals: Floats, seconds: float) -> float:
    """Return beats per minute if accepted intervals fill half of the window (20 s of 60)."""
    filled = float(intervals.sum())
    if filled < min(0.5 * seconds, 20.0):
        return np.nan
    return 60.0 * len(intervals) / filled


def _rmssd(intervals: Floats, differences: Floats, recent: Bools) -> float:
    known = differences[recent]
    known = known[np.isfinite(known)]
    if intervals[recent].sum() < 20.0 or len(known) < 8:
        return np.nan
    return float(np.sqrt(np.mean(known**2)))


def _spread(intervals: Floats, differences: Floats) -> tuple[float, float]:
    """Return SDNN and pNN50 of the last minute."""
    known = differences[np.isfinite(differences)]
    if intervals.sum() < 40.0 or len(known) < 16:
        return np.nan, np.nan
    return float(intervals.std()), float(np.mean(np.abs(known) > 0.05))


def _slope(ends: Floats, intervals: Floats, recent: Bools) -> float:
    """Return the least-squares slope of the beat-by-beat heart rate, bpm per second."""
    times, rates = ends[recent], 60.0 / intervals[recent]
    if intervals[recent].sum() < 10.0:
        return np.nan
    centred = times - times.mean()
    return float(np.sum(centred * rates) / np.sum(centred**2))
