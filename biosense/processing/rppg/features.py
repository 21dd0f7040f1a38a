"""Heart rate from the camera with a gate in front: no number rather than a wrong one."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from biosense.core.camera_streams import HEAD_CHANNELS, RPPG_CHANNELS, RPPG_COLOURS, RPPG_REGIONS
from biosense.core.errors import BadInput
from biosense.core.grid import HOP, grid_time, sample_index, sample_indices
from biosense.core.types import Chunk, Epoch, Floats, StreamInfo
from biosense.processing.rppg.acceptance import (
    COLUMNS,
    HEAD,
    LIGHT_WAVE,
    WAVE,
    PulseDecision,
    judge,
)
from biosense.processing.rppg.methods import pos_wave
from biosense.processing.rppg.skin_colour import SkinColour, Waves, check_colours, window_samples
from biosense.processing.rppg.spectrum import NO_PEAK, BandSpectrum
from biosense.processing.signal.grid_points import GridPoints
from biosense.processing.signal.grid_ring import GridRing

RPPG_FEATURES = ("heart_rate", "heart_rate_delta", "pulse_amplitude", "snr_db", "confidence")
"""Heart rate (beats per minute), its distance from the mean of the last minute, ln of the
peak-to-peak pulse as a fraction of the mean colour, blind SNR, confidence."""

_MAX_STEP_BPM = 5.0  # within a second
_MEMORY_S = 60.0
_MEMORY_LEAST_S = 10.0
_SKIN_PIXELS = [
    RPPG_CHANNELS.index(f"{region}_pixels") for region in RPPG_REGIONS if region != "background"
]
# Logistic regression of "within 2 bpm" on seeds kept apart (benchmarks/rppg/calibrate.py):
# intercept, and what 1 dB of SNR, 1 of likeness and one agreeing method add.
_CONFIDENCE = (2.2, 0.41, 0.47, 0.24)
_MOST_SNR_DB = 8.0  # what is clearer is no surer
_UNSEEN = 0.5  # of the confidence stays where there is no background to look at


@dataclass
class RppgFeatures:
    """Turn the colour stream of a camera into heart rate and its confidence on the session grid.

    POS, then every `hop` the highest peak of the last `window` seconds of pulse. The last 1.6 s of
    it are what the frames so far say and not yet final, so that the rate lags the heart by half the
    window and no more.

    A rate is given only if skin was in view long and large enough, the blind SNR is high enough,
    the swing of the skin's colour looks like blood, the peak stayed within 5 bpm for a second, and
    neither the background (its colour or brightness) nor the head (place, size, tilt) swings at
    the same rate, its half or its double: coloured light and a head that sways in it look exactly
    like a pulse, and only an independent reference can tell. Otherwise everything but `snr_db` is
    NaN, the confidence, which is also the quality, is 0, and `reason` says why.

    The confidence is the share of rates within 2 bpm on a synthetic bench, no more than that.

    Parameters
    ----------
    window
        Seconds of pulse that a rate is read from.
    min_snr_db
        Blind SNR of POS from which on a rate is given; noise alone exceeds 1 dB in 0.2 % of
        windows.
    min_colour_snr_db
        Blind SNR from which on a rate is given that only the search by colour found.
    min_present
        Share of the window in which skin must be in view.
    min_pixels
        Pixels of skin that must be in view on average.
    hop
        Step of the session grid, seconds.

    Examples
    --------
    >>> info = StreamInfo("webcam", None, RPPG_COLOURS, 30.0)
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
    min_colour_snr_db: float = 2.0
    min_present: float = 0.95
    min_pixels: float = 1000.0
    hop: float = HOP
    verdict: PulseDecision = field(init=False, repr=False)  # on the newest epoch
    _info: StreamInfo = field(init=False, repr=False)
    _sfreq: float = field(init=False, repr=False)
    _n: int = field(init=False, repr=False)
    _colours: SkinColour = field(init=False, repr=False)
    _waves: GridRing = field(init=False, repr=False)
    _frames: GridRing = field(init=False, repr=False)
    _cut: GridPoints = field(init=False, repr=False)
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
        check_colours(info)
        self._sfreq = info.sfreq
        self._n = round(self.window * info.sfreq)
        length = window_samples(info.sfreq)
        self._colours = SkinColour(length, pos_wave)
        self._waves = GridRing(self._n + length, HEAD.start)
        self._frames = GridRing(self._n, 1 + len(HEAD))
        self._cut = GridPoints(info.sfreq, self.hop)
        self._peaks = deque()
        self._given = deque()
        self.verdict = PulseDecision(NO_PEAK, 0.0, 0, "no face")
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
        rows = np.full((frames.n, 1 + len(HEAD)), np.nan)
        rows[:, 0] = np.nansum(frames.data[:, _SKIN_PIXELS], axis=1)
        if frames.info.n_channels > len(RPPG_COLOURS):
            rows[:, 1:] = frames.data[:, -len(HEAD_CHANNELS) :]
        self._frames.put(sample_indices(frames), rows)
        for waves in self._colours.push(frames):
            self._waves.put(waves.indices, waves.rows)

    def _epoch(self, k: int) -> Epoch:
        stop = grid_time(k, self.hop)
        newest = sample_index(stop, self._sfreq)
        frames = self._frames.upto(newest, self._n)
        waves = self._window(newest, frames[:, 1:])
        pixels = frames[:, 0]
        present = min(float((pixels > 0).mean()), float(np.isfinite(waves[:, WAVE]).mean()))
        is_here = bool((pixels[-round(self._sfreq) :] > 0).any())
        verdict = PulseDecision(NO_PEAK, 0.0, 0, "gaps" if is_here else "no face")
        if present >= self.min_present:
            spectrum = BandSpectrum.of(waves, self._sfreq)
            verdict = judge(spectrum, self.min_snr_db, self.min_colour_snr_db)
            if np.nanmean(pixels) < self.min_pixels:
                verdict = replace(verdict, reason="too little skin")
        _remember(self._peaks, k, verdict.peak.bpm, round(1.0 / self.hop))
        if not (verdict.reason or self._is_steady(k)):
            verdict = replace(verdict, reason="jumps")
        self.verdict = verdict
        confidence = 0.0
        if not verdict.reason:
            lit = float(np.isfinite(waves[:, LIGHT_WAVE]).mean()) >= self.min_present
            confidence = _confidence(verdict) * present * (1.0 if lit else _UNSEEN)
        data = self._features(k, verdict, confidence)
        return Epoch(self._info, k, stop - self.window, stop, data, confidence, verdict.reason)

    def _window(self, newest: int, head: Floats) -> Floats:
        """Return the columns that `judge` looks at, shape (n, 12)."""
        waves = np.full((self._n, COLUMNS), np.nan)
        last = self._colours.unfinished()
        known = int(last.indices[0]) - 1 if len(last.indices) else newest
        waves[:, : HEAD.start] = self._final_and(last, newest, known)
        sizes = head[head[:, 2] > 0, 2]  # of a head; nothing has no size
        size = np.median(sizes) if len(sizes) else np.nan
        waves[:, HEAD.start :] = head / [size, size, size, 1.0]
        return waves

    def _final_and(self, last: Waves, newest: int, known: int) -> Floats:
        """Return the final waves, behind them those that the frames so far tell."""
        rows = np.full((self._n, HEAD.start), np.nan)
        final = self._waves.upto(known, min(self._n, self._waves.capacity))
        shift = newest - known
        if shift < self._n:
            rows[: self._n - shift] = final[shift:]
        at = last.indices - (newest - self._n + 1)
        inside = at >= 0
        rows[at[inside]] = last.rows[inside]
        return rows

    def _is_steady(self, k: int) -> bool:
        rates = [bpm for _, bpm in self._peaks]
        spans = (k - self._peaks[0][0]) * self.hop >= 1.0 - 1e-9
        return spans and bool(np.ptp(rates) <= _MAX_STEP_BPM)

    def _features(self, k: int, verdict: PulseDecision, confidence: float) -> Floats:
        peak = verdict.peak
        if confidence == 0:
            return np.array([np.nan, np.nan, np.nan, peak.snr_db, 0.0])
        _remember(self._given, k, peak.bpm, round(_MEMORY_S / self.hop))
        rates = [bpm for _, bpm in self._given]
        enough = len(rates) * self.hop >= _MEMORY_LEAST_S
        delta = peak.bpm - sum(rates) / len(rates) if enough else np.nan
        size = np.log(max(peak.amplitude, 1e-9))
        return np.array([peak.bpm, delta, size, peak.snr_db, confidence])


def _remember(memory: deque[tuple[int, float]], k: int, bpm: float, steps: int) -> None:
    memory.append((k, bpm))
    while k - memory[0][0] > steps:
        memory.popleft()


def confidence_terms(verdict: PulseDecision) -> tuple[float, float, float, float]:
    """Return what the confidence is a weighted sum of.

    Parameters
    ----------
    verdict
        Of a window.

    Returns
    -------
    tuple of float
        1, SNR (dB), likeness (0 to 1), number of methods that agree.
    """
    return 1.0, min(verdict.peak.snr_db, _MOST_SNR_DB), verdict.likeness, float(verdict.agreeing)


def _confidence(verdict: PulseDecision) -> float:
    terms = zip(_CONFIDENCE, confidence_terms(verdict), strict=True)
    return float(1 / (1 + np.exp(-sum(weight * term for weight, term in terms))))
