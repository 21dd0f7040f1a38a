"""Heart rate from the camera with a gate in front: no number rather than a wrong one."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from biosense.core.camera_streams import RPPG_CHANNELS, RPPG_REGIONS
from biosense.core.errors import BadInput
from biosense.core.grid import HOP, grid_time, sample_index, sample_indices
from biosense.core.types import Chunk, Epoch, Floats, StreamInfo
from biosense.processing.grid_cut import GridCut
from biosense.processing.grid_ring import GridRing
from biosense.processing.pulse_rate import NO_PEAK, PulsePeak, find_pulse
from biosense.processing.rppg import Pos, pos_samples

RPPG_FEATURES = ("heart_rate", "heart_rate_delta", "pulse_amplitude", "snr_db", "confidence")
"""Heart rate (beats per minute), its distance from the mean of the last minute, ln of the
peak-to-peak pulse as a fraction of the mean colour, blind SNR, confidence."""

_SAME_RATE_BPM = 6.0  # what a 10 s window can tell apart
_REFERENCE_SNR_DB = 0.0
_REFERENCE_AMPLITUDE = 0.002  # of the mean colour, peak to peak; less light swing hides no pulse
_MAX_STEP_BPM = 5.0  # within a second
_MEMORY_S = 60.0
_MEMORY_LEAST_S = 10.0
_SKIN_PIXELS = [
    RPPG_CHANNELS.index(f"{region}_pixels") for region in RPPG_REGIONS if region != "background"
]


@dataclass
class RppgFeatures:
    """Turn the colour stream of a camera into heart rate and its confidence on the session grid.

    POS, then every `hop` the highest peak of the last `window` seconds of pulse. Epoch k uses the
    pulse that frames up to k * hop made final, which ends 1.57 s earlier (at 30 Hz), so that the
    rate lags the heart by half the window and 1.6 s.

    A rate is given only if skin was in view long and large enough, the blind SNR reaches
    `min_snr_db`, the peak stayed within 5 bpm for a second, and the background patch does not swing
    at the same rate, its half or its double: coloured light (a screen) looks exactly like a
    pulse, and only an independent reference can tell. Otherwise everything but `snr_db` is NaN and
    the confidence, which is also the quality, is 0.

    Parameters
    ----------
    window
        Seconds of pulse that a rate is read from.
    min_snr_db
        Blind SNR from which on a rate is given; noise alone exceeds 1 dB in 0.2 % of windows.
    min_present
        Share of the window in which skin must be in view.
    min_pixels
        Pixels of skin that must be in view on average.
    hop
        Step of the session grid, seconds.

    Examples
    --------
    >>> info = StreamInfo("webcam", None, RPPG_CHANNELS, 30.0)
    >>> times = np.arange(420) / 30
    >>> pulse = 0.003 * np.sin(2 * np.pi * 1.2 * times)[:, None] * [0.43, 1.0, 0.69]
    >>> noise = 0.0005 * np.random.default_rng(0).standard_normal((420, 12))
    >>> colour = np.tile([0.5, 0.4, 0.3], 4) * (1 + noise)
    >>> colour[:, :9] *= 1 - np.tile(pulse, 3)
    >>> frames = np.insert(colour, [3, 6, 9, 12], 2000.0, axis=1)
    >>> stage = RppgFeatures()
    >>> stage.start(info).channels[0]
    'heart_rate'
    >>> epoch = stage.push(Chunk.of(info, times, frames))[-1]
    >>> epoch.stop, round(float(epoch.data[0])), epoch.quality > 0.8
    (13.75, 72, True)
    """

    window: float = 10.0
    min_snr_db: float = 1.0
    min_present: float = 0.9
    min_pixels: float = 1000.0
    hop: float = HOP
    _info: StreamInfo = field(init=False, repr=False)
    _sfreq: float = field(init=False, repr=False)
    _n: int = field(init=False, repr=False)
    _pos: Pos = field(init=False, repr=False)
    _waves: GridRing = field(init=False, repr=False)
    _pixels: GridRing = field(init=False, repr=False)
    _cut: GridCut = field(init=False, repr=False)
    _peaks: deque[tuple[int, float]] = field(init=False, repr=False)
    _given: deque[tuple[int, float]] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        if self.window < 5 or not 0 < self.min_present <= 1:
            raise BadInput(
                f"window={self.window} s must be at least 5 s and min_present={self.min_present} "
                "within (0, 1]"
            )

    def start(self, info: StreamInfo) -> StreamInfo:
        """Check the channels and forget everything."""
        self._pos = Pos()
        self._pos.start(info)
        self._sfreq = info.sfreq
        self._n = round(self.window * info.sfreq)
        # The pulse of a window lies up to l - 1 frames before the frames of the window.
        self._waves = GridRing(self._n + pos_samples(info.sfreq), 2)
        self._pixels = GridRing(self._n, 1)
        self._cut = GridCut(info.sfreq, self.hop)
        self._peaks = deque()
        self._given = deque()
        self._info = replace(
            info, channels=RPPG_FEATURES, sfreq=1 / self.hop, unit="", dtype="float64"
        )
        return self._info

    def push(self, item: Chunk) -> Sequence[Epoch]:
        """Return an epoch for each point of the grid that the frames completed."""
        return self._cut.epochs(item, self._take, self._epoch)

    def flush(self) -> Sequence[Epoch]:
        """Return nothing: a point of the grid that no frame reached is not known."""
        return []

    def _take(self, frames: Chunk) -> None:
        pixels = np.nansum(frames.data[:, _SKIN_PIXELS], axis=1, keepdims=True)
        self._pixels.put(sample_indices(frames), pixels)
        for waves in self._pos.push(frames):
            self._waves.put(sample_indices(waves), waves.data)

    def _epoch(self, k: int) -> Epoch:
        stop = grid_time(k, self.hop)
        newest = sample_index(stop, self._sfreq)
        pixels = self._pixels.upto(newest, self._n)[:, 0]
        final = newest - (pos_samples(self._sfreq) - 1)
        waves = self._waves.upto(final, self._n)
        peak = find_pulse(waves[:, 0], self._sfreq)
        present = min(float((pixels > 0).mean()), float(np.isfinite(waves[:, 0]).mean()))
        self._remember(self._peaks, k, peak.bpm, 1.0)
        confidence = 0.0
        if present >= self.min_present and np.nanmean(pixels) >= self.min_pixels:
            confidence = self._confidence(k, peak, waves[:, 1]) * present
        data = self._features(k, peak, confidence)
        return Epoch(self._info, k, stop - self.window, stop, data, confidence)

    def _confidence(self, k: int, peak: PulsePeak, background: Floats) -> float:
        """Return 0 for a window that must not be reported."""
        steady = [bpm for _, bpm in self._peaks]
        spans = (k - self._peaks[0][0]) * self.hop >= 1.0 - 1e-9
        if not (peak.snr_db >= self.min_snr_db and spans and np.ptp(steady) <= _MAX_STEP_BPM):
            return 0.0
        reference = NO_PEAK
        seen = float(np.isfinite(background).mean()) >= self.min_present
        if seen:
            reference = find_pulse(background, self._sfreq)
        if _explains(reference, peak):
            return 0.0
        # 1/3 at 1 dB, 1 from 5 dB on: on the bench every reported window was right, so that the
        # slope is a choice, not a calibration.
        certainty = float(np.clip((peak.snr_db + 1.0) / 6.0, 0.0, 1.0))
        # Nothing can tell coloured light from a pulse without a background to look at.
        return certainty if seen else 0.5 * certainty

    def _features(self, k: int, peak: PulsePeak, confidence: float) -> Floats:
        if confidence == 0:
            return np.array([np.nan, np.nan, np.nan, peak.snr_db, 0.0])
        self._remember(self._given, k, peak.bpm, _MEMORY_S)
        rates = [bpm for _, bpm in self._given]
        enough = len(rates) * self.hop >= _MEMORY_LEAST_S
        delta = peak.bpm - sum(rates) / len(rates) if enough else np.nan
        size = np.log(max(peak.amplitude, 1e-9))
        return np.array([peak.bpm, delta, size, peak.snr_db, confidence])

    def _remember(
        self, memory: deque[tuple[int, float]], k: int, bpm: float, seconds: float
    ) -> None:
        memory.append((k, bpm))
        while (k - memory[0][0]) * self.hop > seconds + 1e-9:
            memory.popleft()


def _explains(reference: PulsePeak, peak: PulsePeak) -> bool:
    """Tell whether what the background does accounts for a peak in the skin."""
    least = min(_REFERENCE_AMPLITUDE, 0.5 * peak.amplitude)
    if not (reference.snr_db > _REFERENCE_SNR_DB and reference.amplitude >= least):
        return False
    return any(
        abs(peak.bpm - factor * reference.bpm) <= _SAME_RATE_BPM for factor in (0.5, 1.0, 2.0)
    )
