"""Heart features on the session grid, from whatever finds the beats: ECG or PPG."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import ClassVar, NamedTuple

import numpy as np

from biosense.core.connections import Connection
from biosense.core.grid import HOP, grid_time, sample_indices
from biosense.core.stage import Stage
from biosense.core.types import Chunk, Epoch, Ints, Modality, StreamInfo
from biosense.processing.cardiac.hrv_time import Moment
from biosense.processing.cardiac.pulse_transit import TRANSIT_CHANNELS, PulseTransit
from biosense.processing.cardiac.rhythm import BREAK_S, HEART_CHANNELS, TROUBLE, Rhythm
from biosense.processing.signal.grid_points import GridPoints

WINDOW_S = 10.0  # of the heart rate and of the quality
_MOST_OFFERED = 64  # beats that nobody takes are forgotten
BEATS = "beats"  # what `HeartFeatures` offers and takes: `HeartBeat`s
PULSE_CHANNELS = (*HEART_CHANNELS, *TRANSIT_CHANNELS)


class HeartBeat(NamedTuple):
    """Hold one beat of the heart.

    Parameters
    ----------
    time
        Session time, seconds.
    known
        Session time at which it was known, seconds.
    confidence
        0 to 1.
    """

    time: float
    known: float
    confidence: float


class _Point(NamedTuple):
    """Hold a point of the grid and what is known there."""

    k: int
    moment: Moment
    transit: tuple[float, ...]
    quality: float
    trouble: str


@dataclass
class HeartFeatures:
    """Compute heart rate, variability and pulse strength at every point of the session grid.

    A point uses only beats that were confirmed by then. Channels, with their trailing windows and
    what must be filled by accepted intervals before there is a value:

    ==================  ====================================================================
    heart_rate          60 / mean interval of 10 s, beats per minute (5 s)
    heart_rate_30       the same over 30 s (15 s)
    ibi                 last accepted interval, seconds, if it ended in the last 3 s
    rmssd_30            root mean square of successive differences, 30 s, seconds (20 s)
    sdnn_60, pnn50_60   SD of intervals, seconds; share of differences > 50 ms; 60 s (40 s)
    heart_rate_slope    trend of the beat-by-beat rate over 20 s, bpm per second (10 s)
    heart_rate_delta    heart rate of 10 s minus that of 60 s (20 s)
    amplitude_delta     log of median beat amplitude, 10 s against 60 s (20 s)
    amplitude_sd_30     SD of log amplitude over 30 s (20 s)
    ln_hf_60            ln of HF power (0.15 to 0.40 Hz) of intervals, s^2, 60 s (48 s)
    ln_lf_300           ln of LF power (0.04 to 0.15 Hz) of intervals, s^2, 300 s (240 s)
    ==================  ====================================================================

    Intervals are cleaned by `IntervalFilter`; none spans a gap longer than 0.1 s, and no difference
    spans a rejected beat. Definitions are those of the Task Force [1]_.

    Quality is the share of the last 10 s that accepted intervals fill, times the mean confidence
    of its beats, times the share of ok samples; 0 with fewer than 3 beats in 10 s or none for 3 s.
    The reason of an epoch is what lowers its quality below 0.7: "no beats", "noise", "gaps", or
    the kind of beats that spoil the rhythm ("ectopic beats", "missed beats": see `IntervalKind`).

    With `transit`, the channels of `PulseTransit` follow: the time from R peaks to these pulses.
    The R peaks are those that the pipeline of the ECG offers (see `core.connections`); a point uses
    those that were known by then and had been taken. Without any it has no value.

    Parameters
    ----------
    detector
        `RPeaks()` for ECG, `PulsePeaks()` for PPG.
    transit
        True for a pulse wave.
    hop
        Step of the grid, seconds.

    References
    ----------
    .. [1] Task Force of the European Society of Cardiology and the North American Society of Pacing
       and Electrophysiology, "Heart rate variability: standards of measurement, physiological
       interpretation and clinical use," Circulation 93(5), 1043-1065, 1996.

    Examples
    --------
    >>> from biosense.core.types import Modality
    >>> from biosense.processing.cardiac.rpeaks import RPeaks
    >>> info = StreamInfo("chest", Modality.ECG, ("ecg",), 200.0, "V")
    >>> ecg = np.zeros((200 * 12, 1))
    >>> ecg[100::160] = 1e-3
    >>> stage = HeartFeatures(RPeaks())
    >>> stage.start(info).channels[0]
    'heart_rate'
    >>> epoch = stage.push(Chunk.of(info, np.arange(200 * 12) / 200, ecg))[-1]
    >>> round(float(epoch.data[0]), 2), epoch.stop
    (75.0, 11.75)
    """

    offers: ClassVar[str] = BEATS

    detector: Stage[Chunk, Chunk]
    transit: bool = False
    hop: float = HOP
    _info: StreamInfo = field(init=False, repr=False)
    _sfreq: float = field(init=False, repr=False)
    _rhythm: Rhythm = field(init=False, repr=False)
    _cut: GridPoints = field(init=False, repr=False)
    _waiting: deque[HeartBeat] = field(init=False, repr=False)
    _amplitudes: deque[float] = field(init=False, repr=False)
    _transit: PulseTransit = field(init=False, repr=False)
    _r_peaks: deque[HeartBeat] = field(init=False, repr=False)
    _offered: deque[HeartBeat] = field(init=False, repr=False)
    _trusted: deque[tuple[int, int]] = field(init=False, repr=False)
    _sum: int = field(init=False, repr=False)
    _open: int = field(init=False, repr=False)
    _first: float | None = field(init=False, repr=False)
    _newest: int | None = field(init=False, repr=False)

    def start(self, info: StreamInfo) -> StreamInfo:
        """Start the detector and forget everything."""
        self.detector.start(info)
        self._info = replace(
            info,
            channels=PULSE_CHANNELS if self.transit else HEART_CHANNELS,
            sfreq=1.0 / self.hop,
            unit="",
            dtype="float64",
        )
        self._sfreq = info.sfreq
        self._rhythm = Rhythm()
        self._cut = GridPoints(info.sfreq, self.hop)
        self._waiting, self._amplitudes, self._trusted = deque(), deque(), deque()
        self._transit = PulseTransit()
        self._r_peaks = deque(maxlen=_MOST_OFFERED)
        self._offered = deque(maxlen=_MOST_OFFERED)
        self._sum, self._open, self._first, self._newest = 0, 0, None, None
        return self._info

    def push(self, item: Chunk) -> Sequence[Epoch]:
        """Return the features of the points that this chunk completed."""
        if item.n == 0:
            return []
        for beats in self.detector.push(item):
            for time, row in zip(beats.times.tolist(), beats.data.tolist(), strict=True):
                amplitude, confidence, known, _ = row
                beat = HeartBeat(time, known, confidence)
                self._waiting.append(beat)
                self._amplitudes.append(amplitude)
                self._offered.append(beat)
        valid = np.isfinite(item.data[:, 0])
        self._note_gaps(sample_indices(item)[valid])
        self._first = float(item.times[0]) if self._first is None else self._first
        trusted = np.concatenate([[0], np.cumsum(item.ok & valid)]).tolist()
        points, done = [], 0
        for stop, k in self._cut.cut(item.times):
            self._trust(k, self._open + trusted[stop] - trusted[done])
            self._open, done = 0, stop
            points.append(self._point(k))
        self._open += trusted[-1] - trusted[done]
        return self._epochs(points)

    def flush(self) -> Sequence[Epoch]:
        """Return nothing: beats that flushing would settle came after the last point."""
        return []

    @property
    def takes(self) -> Connection | None:
        """R peaks of the same heart, for a pulse wave."""
        return Connection(BEATS, Modality.ECG) if self.transit else None

    def offered(self) -> list[HeartBeat]:
        """Return the beats found since the last call."""
        found = [*self._offered]
        self._offered.clear()
        return found

    def take(self, items: Sequence[HeartBeat]) -> None:
        """Take R peaks of the same heart from another stream, in order."""
        self._r_peaks.extend(items)

    def _note_gaps(self, indices: Ints) -> None:
        if len(indices) == 0:
            return
        before = int(indices[0]) - 1 if self._newest is None else self._newest
        if int(indices[-1]) - before == len(indices):
            self._newest = int(indices[-1])
            return
        steps = np.diff(indices, prepend=before)
        for at in np.flatnonzero(steps - 1 > BREAK_S * self._sfreq):
            self._rhythm.add_gap(float(indices[at]) / self._sfreq)
        self._newest = int(indices[-1])

    def _point(self, k: int) -> _Point:
        """Take the beats that are known at a point, and return what is known by them."""
        now = grid_time(k, self.hop)
        while self._r_peaks and self._r_peaks[0].known <= now + 1e-9:
            beat = self._r_peaks.popleft()
            self._transit.add_heart(beat.time, beat.confidence)
        while self._waiting and self._waiting[0].known <= now + 1e-9:
            pulse, amplitude = self._waiting.popleft(), self._amplitudes.popleft()
            self._rhythm.add_beat(pulse.time, amplitude, pulse.confidence)
            self._transit.add_pulse(pulse.time, pulse.confidence)
        quality = self._rhythm.quality(now) * self._trusted_share(now)
        trouble = "" if quality > TROUBLE else self._rhythm.trouble(now) or "gaps"
        transit = self._transit.features(now) if self.transit else ()
        return _Point(k, self._rhythm.at(now), transit, quality, trouble)

    def _epochs(self, points: list[_Point]) -> list[Epoch]:
        """Return the features of points, which are computed together."""
        if not points:
            return []
        data = self._rhythm.features_at([point.moment for point in points])
        if self.transit:
            data = np.column_stack((data, [point.transit for point in points]))
        return [
            Epoch(self._info, k, at.now - WINDOW_S, at.now, row, quality, trouble)
            for (k, at, _, quality, trouble), row in zip(points, data, strict=True)
        ]

    def _trust(self, k: int, count: int) -> None:
        """Note how many of the samples up to a point are trusted, of 10 s."""
        self._trusted.append((k, count))
        self._sum += count
        oldest = k - round(WINDOW_S / self.hop)
        while self._trusted[0][0] <= oldest:
            self._sum -= self._trusted.popleft()[1]

    def _trusted_share(self, now: float) -> float:
        assert self._first is not None
        span = min(WINDOW_S, max(now - self._first, self.hop))
        return min(1.0, self._sum / (span * self._sfreq))
