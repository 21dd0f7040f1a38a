"""Clean intervals between beats and summarise them: heart rate, its variability, its change."""

from __future__ import annotations

import math
from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from biosense.core.types import Floats
from biosense.processing.cardiac.hrv_frequency import BeatSpectrum
from biosense.processing.cardiac.hrv_time import KEEP_S, Moment, of_amplitudes, of_intervals
from biosense.processing.cardiac.interval_filter import IntervalFilter, IntervalKind
from biosense.processing.cardiac.recent_beats import RecentBeats

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
TROUBLE = 0.7
KINDS_KEPT = 64


@dataclass
class Rhythm:
    """Keep the last minute of beats and compute features of it.

    Beats that hardly look like beats (confidence below `min_confidence`) are passed over; the
    interval that spans one counts only if it fits the rhythm.

    Parameters
    ----------
    min_confidence
        Beats below are passed over, 0 to 1.
    """

    min_confidence: float = 0.1

    def __post_init__(self) -> None:
        self._intervals = IntervalFilter()
        self._beats = RecentBeats()  # time, ln of the amplitude
        # end, interval, difference to the interval before; NaN where there is none
        self._accepted = RecentBeats()
        self._gaps: deque[float] = deque()
        self._last = -np.inf
        self._doubtful = False
        self._before = np.nan  # the interval that ended at the last beat, if it was accepted
        self._ahead = np.nan  # the one before an early beat, which may turn out to be none
        self._spectrum = BeatSpectrum()
        self._sure: deque[tuple[float, float]] = deque()  # time and confidence of beats, 10 s
        self._covered: deque[tuple[float, float]] = deque()  # end and length of intervals, 10 s
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
            self._sure[-1] = (time, 0.0)  # nothing but its interval speaks for it

    def _take(
        self, time: float, interval: float, amplitude: float, confidence: float, *, doubtful: bool
    ) -> bool:
        """Return whether the interval counts."""
        self._last = time
        self._beats.add((time, math.log(amplitude) if amplitude > 0 else np.nan, np.nan))
        self._sure.append((time, confidence))
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
        self._accepted.add((time, seconds, seconds - before))
        self._covered.append((time, seconds))
        self._spectrum.add(time, seconds)
        self._before, self._ahead = seconds, np.nan
        return True

    def at(self, now: float) -> Moment:
        """Note what is known at session time `now`, for `features_at`."""
        return Moment(now, self._beats.count, self._accepted.count, self._spectrum.powers(now))

    def features_at(self, moments: Sequence[Moment]) -> Floats:
        """Return `HEART_CHANNELS` at moments, NaN where too little is known, (k, features).

        They are those since the last call, and are computed together.
        """
        now = np.array([moment.now for moment in moments])
        since = now - KEEP_S
        accepted = self._accepted.before([moment.accepted for moment in moments], since)
        beats = self._beats.before([moment.beats for moment in moments], since)
        powers = np.array([moment.powers for moment in moments])
        for kept in (self._beats, self._accepted):
            kept.forget()
        columns = [*of_intervals(accepted, now), *of_amplitudes(beats, now), *powers.T]
        return np.column_stack(columns)

    def features(self, now: float) -> Floats:
        """Return `HEART_CHANNELS` at session time `now`, NaN where too little is known."""
        row: Floats = self.features_at([self.at(now)])[0]
        return row

    def trouble(self, now: float) -> str:
        """Say in a word or two what lowers the quality most; empty where nothing does much."""
        recent, covered = self._recent(now)
        if len(recent) < 3 or recent[-1][0] < now - 3.0:
            return "no beats"
        sure = sum([confidence for _, confidence in recent]) / len(recent)
        odd = Counter(
            kind
            for time, kind in self._kinds
            if time > now - 10.0 and kind is not IntervalKind.NORMAL
        )
        if sure < min(TROUBLE, covered / 8.0):
            return "noise"
        if covered / 8.0 < TROUBLE and odd:
            return f"{odd.most_common(1)[0][0]} beats"
        return ""

    def quality(self, now: float) -> float:
        """Return how far the last 10 s can be believed: covered by intervals, and beats sure."""
        recent, covered = self._recent(now)
        if len(recent) < 3 or recent[-1][0] < now - 3.0:
            return 0.0
        sure = sum([confidence for _, confidence in recent]) / len(recent)
        # A full window still lacks the interval under way and the time to confirm a beat.
        return min(1.0, covered / 8.0) * sure

    def _recent(self, now: float) -> tuple[deque[tuple[float, float]], float]:
        """Return time and confidence of the beats of 10 s, and what intervals cover of them."""
        for kept in (self._sure, self._covered):
            while kept and kept[0][0] <= now - 10.0:
                kept.popleft()
        return self._sure, sum([interval for _, interval in self._covered])
