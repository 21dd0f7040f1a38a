"""Clean intervals between beats and summarise them: heart rate, its variability, its change."""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import dataclass

import numpy as np

from biosense.core.types import Floats
from biosense.processing.hrv_spectrum import HF_HZ, HF_S, LF_HZ, LF_S, band_power
from biosense.processing.intervals import IntervalFilter, IntervalKind
from biosense.processing.medians import row_medians
from biosense.processing.recent import Recent

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
    "ln_hf_60",
    "ln_lf_300",
)
BREAK_S = 0.1  # a longer gap may hide a beat: no interval across it
KEEP_S = 60.0
TROUBLE = 0.7
KINDS_KEPT = 64
STALE_S = 10.0  # a spectrum holds for so long after the last accepted interval
LEAST_POWER = 1e-9  # s^2: 0.03 ms, what the timing of beats scatters by at best


@dataclass
class Rhythm:
    """Keep the last minute of beats and compute features of it.

    Beats that hardly look like beats (confidence below `min_confidence`) are passed over; the
    interval that spans one counts only if it fits the rhythm.
    """

    min_confidence: float = 0.1

    def __post_init__(self) -> None:
        self._intervals = IntervalFilter()
        self._beats = Recent()  # time, amplitude, confidence
        # end, interval, difference to the interval before; NaN where there is none
        self._accepted = Recent()
        self._gaps: deque[float] = deque()
        self._last = -np.inf
        self._doubtful = False
        self._before = np.nan  # the interval that ended at the last beat, if it was accepted
        self._ahead = np.nan  # the one before an early beat, which may turn out to be none
        self._long: deque[tuple[float, float, float]] = deque()
        self._spectrum: tuple[float, float] | None = None
        self._kinds: deque[tuple[float, IntervalKind]] = deque(maxlen=KINDS_KEPT)

    def add_gap(self, time: float) -> None:
        """Note that samples are missing just before `time`."""
        self._gaps.append(time)

    def add_beat(self, time: float, amplitude: float, confidence: float) -> None:
        """Take the next beat."""
        if confidence < self.min_confidence or time <= self._last:
            self._doubtful = True
            return
        broken = any(self._last < gap <= time for gap in self._gaps) or np.isinf(self._last)
        while self._gaps and self._gaps[0] <= time:
            self._gaps.popleft()
        interval = np.nan if broken else time - self._last
        doubtful, self._doubtful = self._doubtful, False
        self._take(time, interval, amplitude, confidence, doubtful=doubtful)

    def add_interval(self, time: float, interval: float, confidence: float) -> None:
        """Take the next interval of a sensor that sends no signal, ended at `time`.

        Where beats are missing before it (`time` says so), no difference spans them.
        """
        if not (interval > 0 and time > self._last) or confidence < self.min_confidence:
            self._before = np.nan
            self._intervals.forget_early()
            return
        if not time - self._last - interval < max(0.3, 0.5 * interval):
            self._before = np.nan
            self._intervals.forget_early()
        if not self._take(time, interval, np.nan, confidence, doubtful=False):
            self._beats.replace((time, np.nan, 0.0))  # nothing but its interval speaks for it

    def _take(
        self, time: float, interval: float, amplitude: float, confidence: float, *, doubtful: bool
    ) -> bool:
        """Return whether the interval counts."""
        self._last = time
        self._beats.add((time, amplitude, confidence))
        if np.isnan(interval):
            self._before = np.nan
            self._intervals.forget_early()
            return False
        verdict = self._intervals.judge(interval, doubtful=doubtful)
        self._kinds.append((time, verdict.kind))
        seconds = verdict.seconds
        if seconds is None:
            # the piece that comes next may complete this one: keep what was before it
            if verdict.kind is not IntervalKind.EARLY:
                self._before = self._ahead = np.nan
            else:
                self._ahead, self._before = self._before, np.nan
            return False
        before = self._ahead if verdict.kind is IntervalKind.EXTRA else self._before
        accepted = (time, seconds, seconds - before)
        self._accepted.add(accepted)
        self._long.append(accepted)
        self._before, self._ahead = seconds, np.nan
        self._spectrum = None
        return True

    def features(self, now: float) -> Floats:
        """Return `HEART_CHANNELS` at session time `now`, NaN where too little is known."""
        for kept in (self._beats, self._accepted):
            kept.forget(now - KEEP_S)
        once, ends = self._accepted.once, self._accepted.newest
        rate = once("rate 10", now - 10.0, lambda rows: _rate(rows[:, 1], 10.0))
        rate_30 = once("rate 30", now - 30.0, lambda rows: _rate(rows[:, 1], 30.0))
        usual = once("rate 60", now - KEEP_S, lambda rows: _rate(rows[:, 1], KEEP_S))
        return np.array(
            [
                rate,
                rate_30,
                ends[1] if ends is not None and ends[0] > now - 3.0 else np.nan,
                once("rmssd", now - 30.0, _rmssd),
                *once("spread", now - KEEP_S, _spread),
                once("slope", now - 20.0, _slope),
                rate - usual,
                *self._amplitude(now),
                *self._powers(now),
            ]
        )

    def _powers(self, now: float) -> tuple[float, float]:
        """Return ln of HF and LF power, of windows that end with the last accepted interval."""
        if not self._long or self._long[-1][0] <= now - STALE_S:
            return np.nan, np.nan
        if self._spectrum is None:
            newest = self._long[-1][0]
            while self._long[0][0] <= newest - LF_S:
                self._long.popleft()
            ends, intervals, _ = np.array(self._long, np.float64).T.copy()
            recent = ends > newest - HF_S
            high = band_power(ends[recent], intervals[recent], HF_HZ, HF_S)
            low = band_power(ends, intervals, LF_HZ, LF_S)
            self._spectrum = (
                float(np.log(np.maximum(high, LEAST_POWER))),
                float(np.log(np.maximum(low, LEAST_POWER))),
            )
        return self._spectrum

    def trouble(self, now: float) -> str:
        """Say in a word or two what lowers the quality most; empty where nothing does much."""
        recent = self._beats.since(now - 10.0)
        if len(recent) < 3 or recent[-1][0] < now - 3.0:
            return "no beats"
        sure = sum(confidence for *_, confidence in recent) / len(recent)
        odd = Counter(
            kind
            for time, kind in self._kinds
            if time > now - 10.0 and kind is not IntervalKind.NORMAL
        )
        covered = sum(interval for _, interval, _ in self._accepted.since(now - 10.0))
        if sure < min(TROUBLE, covered / 8.0):
            return "noise"
        if covered / 8.0 < TROUBLE and odd:
            return f"{odd.most_common(1)[0][0]} beats"
        return ""

    def quality(self, now: float) -> float:
        """Return how far the last 10 s can be believed: covered by intervals, and beats sure."""
        recent = self._beats.since(now - 10.0)
        if len(recent) < 3 or recent[-1][0] < now - 3.0:
            return 0.0
        covered = sum(interval for _, interval, _ in self._accepted.since(now - 10.0))
        sure = sum(confidence for *_, confidence in recent) / len(recent)
        # A full window still lacks the interval under way and the time to confirm a beat.
        return min(1.0, covered / 8.0) * sure

    def _amplitude(self, now: float) -> tuple[float, float]:
        beats = self._beats
        middle, fewest, span = beats.once("amplitude", now - KEEP_S, _usual_amplitude)
        new, count = beats.once("new amplitude", now - 10.0, _median_amplitude)
        scatter = beats.once("amplitude scatter", now - 30.0, _amplitude_scatter)
        if fewest == 0 or span < 20.0 or count < 4:
            return np.nan, np.nan
        return new - middle, scatter


def _logs(beats: Floats) -> tuple[Floats, Floats]:
    """Return the times of beats that have an amplitude, and its logarithm."""
    positive = beats[:, 1] > 0
    return beats[positive, 0], np.log(beats[positive, 1])


def _usual_amplitude(beats: Floats) -> tuple[float, int, float]:
    times, logs = _logs(beats)
    if len(times) == 0:
        return np.nan, 0, 0.0
    return float(row_medians(logs)), len(times), float(times[-1] - times[0])


def _median_amplitude(beats: Floats) -> tuple[float, int]:
    _, logs = _logs(beats)
    return float(row_medians(logs)) if len(logs) else np.nan, len(logs)


def _amplitude_scatter(beats: Floats) -> float:
    _, logs = _logs(beats)
    return float(logs.std()) if len(logs) else np.nan


def _rate(intervals: Floats, seconds: float) -> float:
    """Return beats per minute if accepted intervals fill half of the window (20 s of 60)."""
    filled = float(intervals.sum())
    if filled < min(0.5 * seconds, 20.0):
        return np.nan
    return 60.0 * len(intervals) / filled


def _rmssd(rows: Floats) -> float:
    known = rows[:, 2]
    known = known[np.isfinite(known)]
    if rows[:, 1].sum() < 20.0 or len(known) < 8:
        return np.nan
    return float(np.sqrt(np.mean(known**2)))


def _spread(rows: Floats) -> tuple[float, float]:
    """Return SDNN and pNN50 of the last minute."""
    intervals, differences = rows[:, 1], rows[:, 2]
    known = differences[np.isfinite(differences)]
    if intervals.sum() < 40.0 or len(known) < 16:
        return np.nan, np.nan
    return float(intervals.std()), float(np.mean(np.abs(known) > 0.05))


def _slope(rows: Floats) -> float:
    """Return the least-squares slope of the beat-by-beat heart rate, bpm per second."""
    times, rates = rows[:, 0], 60.0 / rows[:, 1]
    if rows[:, 1].sum() < 10.0:
        return np.nan
    centred = times - times.mean()
    return float(np.sum(centred * rates) / np.sum(centred**2))
