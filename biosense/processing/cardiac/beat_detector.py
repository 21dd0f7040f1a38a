"""Follow the beats of one filtered signal: find them, time them, say how sure they are."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from biosense.core.errors import BadInput
from biosense.core.types import Bools, Floats
from biosense.processing.cardiac.beat_confidence import BeatConfidence
from biosense.processing.cardiac.beat_decision import AdaptiveThresholds, Beat, PeakCandidate
from biosense.processing.cardiac.beat_rows import BeatRow
from biosense.processing.signal.peak_tracker import PeakTracker, parabolic_peak

VALLEY_S = 0.3  # how far before a beat the envelope must have been low


class _View(NamedTuple):
    """Hold what the signal is like about a peak of the envelope; places count from its buffer."""

    first: int
    last: int
    highest: int
    lowest: int
    slope: float
    least: float
    ok: float


@dataclass
class BeatDetector:
    """Turn a filtered signal and its envelope into beats.

    Parameters
    ----------
    sfreq
        Rate, Hz.
    hold
        A peak counts when the envelope stays below it for so many samples.
    delay
        Samples by which the envelope peaks after the beat.
    light_delay
        Samples by which the filtered signal lies behind the raw one, not necessarily whole.
    reach
        The fiducial is searched so many samples around the envelope's peak, delay removed.
    around
        Samples on either side of the fiducial that make up the shape of a beat; all of them must
        have come by the time of the confirmation, or the results would depend on chunks.
    either_sign
        True where the deflection of a beat may go either way (ECG): the polarity is learned.
    """

    sfreq: float
    hold: int
    delay: int
    light_delay: float
    reach: int
    around: int
    either_sign: bool
    thresholds: AdaptiveThresholds = field(default_factory=AdaptiveThresholds)
    confidence: BeatConfidence = field(default_factory=BeatConfidence)

    def __post_init__(self) -> None:
        if self.hold + self.delay < self.reach + self.around:
            needed = (self.reach + self.around - self.delay) / self.sfreq
            raise BadInput(
                f"hold={self.hold / self.sfreq:.3f} s confirms a beat before its shape is "
                f"complete; {needed:.3f} s or more is needed"
            )
        self._tracker = PeakTracker(self.hold)
        self._up = self._down = 0.0
        self._inverted = False
        self._valley = round(VALLEY_S * self.sfreq)
        self._expected = 0
        self.prime(0)

    @property
    def latency(self) -> float:
        """Longest time from a beat to its confirmation, seconds; late beats excepted."""
        return (self.reach + self.delay + self.hold) / self.sfreq

    def prime(self, first: int) -> None:
        """Begin anew at sample `first`; thresholds, polarity and shape are kept."""
        self._tracker.reset()
        self._light = self._envelope = np.empty(0)
        self._ok: Bools = np.empty(0, bool)
        self._expected = first

    def push(self, light: Floats, envelope: Floats, ok: Bools) -> list[BeatRow]:
        """Take the next samples, shape (n,) each; return the beats that they settle."""
        self._light = np.concatenate([self._light, light])
        self._envelope = np.concatenate([self._envelope, envelope])
        self._ok = np.concatenate([self._ok, ok])
        first, self._expected = self._expected, self._expected + len(light)
        rows: list[BeatRow] = []
        found = self._tracker.push(envelope, first)
        views = self._views([at for at, _, _ in found])
        for (at, height, known), view in zip(found, views, strict=True):
            rows += self._judged(view, at, height, known / self.sfreq)
        keep = self.hold + max(self.delay + self.reach + self.around, self._valley) + 3
        self._light, self._envelope = self._light[-keep:], self._envelope[-keep:]
        self._ok = self._ok[-keep:]
        return rows

    def close(self, known: float) -> list[BeatRow]:
        """Return the beat that waited for confirmation when the stream broke off, if complete."""
        pending = self._tracker.close()
        if pending is None or pending[0] - self.delay + self.reach >= self._expected:
            return []
        (view,) = self._views([pending[0]])
        return self._judged(view, *pending, known)

    def _views(self, ats: list[int]) -> list[_View]:
        """Look at the signal about peaks of the envelope: at all at once, which is cheaper."""
        if not ats:
            return []
        origin = self._expected - len(self._light)
        ends = np.array(ats) - origin
        centres = ends - self.delay
        # What lies before the first sample is as if it were that one.
        places = np.maximum(centres[:, None] + np.arange(-self.reach, self.reach + 1), 0)
        nearby, rows = self._light[places], np.arange(len(ats))
        highest = places[rows, nearby.argmax(axis=1)]
        lowest = places[rows, nearby.argmin(axis=1)]
        slopes = np.abs(nearby[:, 1:] - nearby[:, :-1]).max(axis=1)
        before = np.maximum(ends[:, None] + np.arange(-self._valley, 1), 0)
        least = self._envelope[before].min(axis=1)
        count = np.concatenate(([0], np.cumsum(self._ok)))
        start = np.maximum(np.minimum(highest, lowest) - self.around, 0)
        stop = np.minimum(np.maximum(highest, lowest) + self.around + 1, len(self._ok))
        ok = (count[stop] - count[start]) / (stop - start)
        columns = (places[:, 0], places[:, -1], highest, lowest, slopes, least, ok)
        return [_View(*row) for row in zip(*(column.tolist() for column in columns), strict=True)]

    def _judged(self, view: _View, at: int, height: float, known: float) -> list[BeatRow]:
        candidate = self._candidate(view, at - self.delay, height, known)
        beats = self.thresholds.judge(candidate) if candidate is not None else []
        if beats and self.either_sign:
            self._learn_polarity(beats)
        return [self._row(beat) for beat in beats]

    def _candidate(
        self, view: _View, centre: int, height: float, known: float
    ) -> PeakCandidate | None:
        if view.last - view.first < 2:
            return None
        peaks = (view.highest, view.lowest)
        # Right behind a gap this may be a transient, or the flank of a beat that fell into it.
        inverted = self._inverted
        if self.either_sign and self.confidence.fresh:
            inverted = bool(self._light[view.highest] < -self._light[view.lowest])
        if peaks[int(inverted)] <= self.light_delay:
            return None
        return PeakCandidate(
            time=centre / self.sfreq,
            known=known,
            height=height,
            slope=view.slope,
            fiducials=self._fiducials(view),
            shapes=tuple([self._shape(peak) for peak in peaks[: 1 + self.either_sign]]),
            ok=view.ok,
            contrast=height / max(view.least, 1e-300),
        )

    def _shape(self, peak: int) -> Floats:
        """Cut out the signal around a peak; nothing where the signal begins or ends in it."""
        start, stop = peak - self.around, peak + self.around + 1
        return self._light[start:stop] if 0 <= start <= stop <= len(self._light) else np.empty(0)

    def _fiducials(self, view: _View) -> tuple[tuple[float, float], ...]:
        """Return time and height of the highest point, and of the lowest if that may be a beat."""
        nearby = self._light[view.first : view.last + 1]
        first = view.first + self._expected - len(self._light)
        up = self._fiducial(nearby, view.highest - view.first, first)
        if not self.either_sign:
            return (up,)
        return up, self._fiducial(-nearby, view.lowest - view.first, first)

    def _fiducial(self, values: Floats, peak: int, first: int) -> tuple[float, float]:
        at, height = parabolic_peak(values, peak)
        return (first + at - self.light_delay) / self.sfreq, height

    def _learn_polarity(self, beats: list[Beat]) -> None:
        """Prefer the larger deflection, with inertia, so that a biphasic QRS does not flicker."""
        fresh = self.confidence.fresh
        for number, beat in enumerate(beats):
            (_, up), (_, down) = beat.candidate.fiducials
            weight = 1 / (number + 1) if fresh else 0.1
            self._up += weight * (up - self._up)
            self._down += weight * (down - self._down)
        inertia = 1.0 if fresh else 1.5
        larger, smaller = (self._up, self._down) if self._inverted else (self._down, self._up)
        if larger > inertia * smaller:
            self._inverted = not self._inverted

    def _row(self, beat: Beat) -> BeatRow:
        candidate = beat.candidate
        if self.either_sign and self.confidence.is_turned(candidate.shapes, self._inverted):
            self._inverted = not self._inverted
            self._up, self._down = self._down, self._up
            self.confidence.turn()
        time, amplitude = candidate.fiducials[self._inverted]
        trust = self.confidence.rate(beat, candidate.shapes[self._inverted], amplitude)
        if self.either_sign and self.confidence.moved:
            self._follow_lead(candidate)
        return BeatRow(time, amplitude, trust, beat.known, float(beat.late))

    def _follow_lead(self, candidate: PeakCandidate) -> None:
        """Take the polarity from a beat of the new lead; what it looks like there is learned."""
        (_, self._up), (_, self._down) = candidate.fiducials
        if self._inverted != (self._down > self._up):
            self._inverted = not self._inverted
            self.confidence.reset()
