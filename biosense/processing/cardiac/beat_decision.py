"""Decide which peaks of an envelope are heart beats: candidates and adaptive thresholds.

A detector turns its signal into an envelope that rises at every beat. What follows is the same for
ECG and PPG, and a function of sample positions only: it cannot depend on chunks.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from statistics import median

from biosense.core.types import Floats

MOST_DOUBTS = 4
NOISY = 0.25  # height of noise over that of beats, from which on the rhythm counts in full
SHORT_GAP_S = 0.5  # hides one beat at most: timing statistics go on


@dataclass(frozen=True, slots=True, eq=False)
class PeakCandidate:
    """Hold one peak of the envelope, before anybody decided whether it is a beat.

    Parameters
    ----------
    time
        Session time of the peak, delay of the envelope removed, seconds.
    known
        Session time of the sample at which the peak was confirmed.
    height
        Envelope at the peak.
    slope
        Steepest slope of the signal around the peak.
    fiducials
        Time and height of the highest point of the signal nearby, and of its lowest point (with the
        sign turned) where a beat may go either way.
    shapes
        The signal around either fiducial, by which beats are compared; empty where it is cut off.
    ok
        Share of trusted samples around the peak.
    contrast
        Height over the lowest value of the envelope shortly before.
    """

    time: float
    known: float
    height: float
    slope: float
    fiducials: tuple[tuple[float, float], ...]
    shapes: tuple[Floats, ...]
    ok: float
    contrast: float


@dataclass(frozen=True, slots=True, eq=False)
class Beat:
    """Hold a candidate that was accepted.

    Parameters
    ----------
    candidate
        The peak.
    known
        Session time at which it was accepted, seconds; later than the candidate's if `late`.
    late
        True where it was found while learning or by searching back.
    snr
        Height of beats over that of noise at the time.
    """

    candidate: PeakCandidate
    known: float
    late: bool
    snr: float


@dataclass
class AdaptiveThresholds:
    """Decide which candidates are beats, with the adaptive thresholds of Pan and Tompkins.

    Differences to the paper [1]_: the envelope is an amplitude, not an energy, so the threshold
    lies at `fraction` = 0.35 between noise and signal; one envelope is judged, not two; a beat
    counts at most double its expected height; the RR mean is a median of the last 8; thresholds are
    learned again when there was no beat for `lost` seconds; thresholds are not halved for irregular
    rhythms. In noise the threshold depends on the time since the last beat: `early` times as high
    before half of the usual interval, `due` times when the next one is due; in a clean signal,
    where a premature beat is one, it does not. Where peaks halfway between beats were passed over
    four times in a row for that reason alone, every other beat may be missing: the usual interval
    is forgotten.

    Parameters
    ----------
    refractory
        Shortest time between two beats, seconds.
    t_wave
        Within this time of a beat, a peak with less than half the beat's slope is its T wave.
    learn
        Time of learning before the first decision, seconds.

    References
    ----------
    .. [1] J. Pan and W. J. Tompkins, "A real-time QRS detection algorithm," IEEE Transactions on
       Biomedical Engineering 32(3), 230-236, 1985.
    """

    refractory: float = 0.24
    t_wave: float = 0.36
    learn: float = 2.0
    fraction: float = 0.35
    search_back: float = 1.66
    lost: float = 3.0
    keep: float = 10.0
    early: float = 1.0
    due: float = 1.0

    def __post_init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Forget everything."""
        self._signal = self._noise = 0.0
        self._learned = False
        self._since: float | None = None
        self._last: PeakCandidate | None = None
        self._intervals: deque[float] = deque(maxlen=8)
        self._recent: deque[PeakCandidate] = deque(maxlen=64)
        self._doubted, self._doubts = False, 0

    @property
    def snr(self) -> float:
        """Height of beats over the height of what lies between them."""
        return self._signal / self._noise if self._noise > 0 else 0.0

    def gap(self, now: float, seconds: float) -> None:
        """Note that samples are missing before `now`; thresholds outlive all but a long gap."""
        if seconds < SHORT_GAP_S:
            return
        if seconds > self.keep:
            self.reset()
        self._since = now
        self._last = None
        self._recent.clear()

    def judge(self, candidate: PeakCandidate) -> list[Beat]:
        """Take the next candidate and return the beats that are known by it, in order of time."""
        if self._since is None:
            self._since = candidate.time
        reference = self._since if self._last is None else self._last.time
        if not self._learned or candidate.time - reference > self.lost:
            return self._learn(candidate)
        return [*self._look_back(candidate), *self._decide(candidate, candidate.known, late=False)]

    @property
    def _threshold(self) -> float:
        return self._noise + self.fraction * (self._signal - self._noise)

    def _learn(self, candidate: PeakCandidate) -> list[Beat]:
        """Collect candidates until thresholds can be set, then judge what was collected."""
        self._recent.append(candidate)
        while candidate.time - self._recent[0].time > self.learn + 0.5:
            self._recent.popleft()
        assert self._since is not None
        if candidate.known - self._since < self.learn or not self._set_thresholds():
            return []
        queue = [*self._recent]
        self._recent.clear()
        self._since = candidate.time
        beats: list[Beat] = []
        for queued in queue:
            beats += self._decide(queued, candidate.known, late=queued is not candidate)
        return beats

    def _set_thresholds(self) -> bool:
        heights = sorted((c.height for c in self._recent), reverse=True)
        if len(heights) < 2:
            return False
        # The second highest bounds the highest: one artefact must not set the scale.
        signal = min(heights[0], 2 * heights[1])
        if self._learned and signal < 0.02 * self._signal:
            return False  # what is left after a flat line is rounding, not a heart
        low = [height for height in heights if height < 0.4 * signal]
        self._signal, self._noise = signal, median(low) if low else 0.1 * signal
        self._learned = True
        return True

    def _decide(self, candidate: PeakCandidate, known: float, *, late: bool) -> list[Beat]:
        if self._last is not None:
            since = candidate.time - self._last.time
            if since < self.refractory:
                return []
            if since < self.t_wave and candidate.slope < 0.5 * self._last.slope:
                self._noise += 0.125 * (candidate.height - self._noise)
                return []
        if candidate.height < self._threshold * self._demand(candidate):
            self._doubted |= candidate.height >= self._threshold and self._is_midway(candidate)
            self._noise += 0.125 * (min(candidate.height, self._signal) - self._noise)
            self._recent.append(candidate)
            return []
        return [self._accept(candidate, known, late=late, weight=0.125)]

    def _demand(self, candidate: PeakCandidate) -> float:
        """Return by what factor a candidate must exceed the threshold for when it comes."""
        if self._last is None or len(self._intervals) < 4 or self.early == self.due:
            return 1.0
        share = (candidate.time - self._last.time) / median(self._intervals)
        factor = self.early + (self.due - self.early) * min(1.0, max(0.0, (share - 0.4) / 0.5))
        noisy = min(1.0, self._noise / max(self._signal, 1e-300) / NOISY)
        return 1.0 + noisy * (factor - 1.0)

    def _is_midway(self, candidate: PeakCandidate) -> bool:
        """Return whether the usual interval might be twice the true one, by this peak."""
        assert self._last is not None
        share = (candidate.time - self._last.time) / median(self._intervals)
        return 0.4 <= share <= 0.6

    def _accept(self, candidate: PeakCandidate, known: float, *, late: bool, weight: float) -> Beat:
        self._signal += weight * (min(candidate.height, 2 * self._signal) - self._signal)
        if self._last is not None:
            self._intervals.append(candidate.time - self._last.time)
        self._last = candidate
        self._doubts = self._doubts + 1 if self._doubted else 0
        self._doubted = False
        if self._doubts >= MOST_DOUBTS:
            self._intervals.clear()
            self._doubts = 0
        while self._recent and self._recent[0].time <= candidate.time:
            self._recent.popleft()
        return Beat(candidate, known, late, self.snr)

    def _look_back(self, candidate: PeakCandidate) -> list[Beat]:
        """Search the peaks taken for noise when a beat seems to be missing."""
        beats: list[Beat] = []
        while self._last is not None and len(self._intervals) >= 2:
            usual = median(self._intervals)
            first, last = self._last.time + 0.5 * usual, candidate.time - self.refractory
            if candidate.time - self._last.time <= self.search_back * usual:
                break
            missed = [
                c
                for c in self._recent
                if first < c.time < last
                and c.height > 0.5 * self._threshold
                and c.slope > 0.25 * self._last.slope
            ]
            if not missed:
                break
            best = max(missed, key=lambda c: c.height)
            beats.append(self._accept(best, candidate.known, late=True, weight=0.25))
        return beats
