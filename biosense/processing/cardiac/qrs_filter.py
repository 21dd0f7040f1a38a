"""Turn an ECG into an envelope of its QRS complexes, heard in three bands at once."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Sequence
from itertools import pairwise
from statistics import median

import numpy as np
from scipy import signal

from biosense.core.types import Floats
from biosense.processing.signal.peak_tracker import parabolic_peak
from biosense.processing.signal.small_chunk_filter import SmallChunkFilter

BANDS_HZ = ((5.0, 12.0), (10.0, 22.0), (18.0, 40.0))
MUSCLE_HZ = (45.0, 90.0)  # a QRS has little there
LIGHT_HZ = (0.5, 40.0)
SMOOTH_S = 0.1
PULSE_S = 0.012  # SD of the pulse that stands for a QRS where delays and gains are measured
_CALM, _LOUD = 2.0, 30.0  # over the muscles' usual energy: as a logarithm, and as a factor
_HEARD = 0.1  # least share of the highest band that is muscle
_TAKEN_OFF = 0.3  # of the energy of muscles in a band; 0.2 to 0.5 do as well
_SILENT = 1e-13  # amplitude of silence, and its share of a constant level: rounding is no beat


class QrsFilter:
    """Filter an ECG lightly, for the place of the R peak, and into an envelope of QRS energy.

    A QRS complex has energy in all of three bands at the same moment. Slipping electrodes have it
    in the low ones, muscles in the high ones; so the envelope is the geometric mean of the three,
    made to peak together, each weighed by how far its beats stand out (`BandWeights`). Bursts of
    muscle are heard above the QRS as well, where the rate reaches there.

    Parameters
    ----------
    sfreq
        Rate, Hz, 100 or more.
    """

    def __init__(self, sfreq: float) -> None:
        self._sfreq = sfreq
        self._light = _band(LIGHT_HZ, sfreq)
        self._bands = [_band(band, sfreq) for band in BANDS_HZ]
        highest = min(MUSCLE_HZ[1], 0.45 * sfreq)
        is_heard = highest >= 1.2 * MUSCLE_HZ[0]
        self._muscle = _band((MUSCLE_HZ[0], highest), sfreq) if is_heard else None
        self._windows = _windows(sfreq, self._light, self._bands, self._muscle)
        shares = [0.0] * len(BANDS_HZ)
        if self._muscle is not None:
            shares = _shares(sfreq, self._light, self._bands, self._muscle, self._windows)
        self._weights = BandWeights(sfreq, shares)
        self.prime(0.0)

    def prime(self, first: float) -> None:
        """Begin anew, as if the first value had been there for ever; weights are kept."""
        self._least = (_SILENT * max(1.0, abs(first))) ** 2
        self._light.prime(first)
        for band in self._bands:
            band.prime(0.0)
        if self._muscle is not None:
            self._muscle.prime(first)
        self._states = [np.zeros(len(window) - 1) for window in self._windows]

    def filter(self, values: Floats, first: int) -> tuple[Floats, Floats]:
        """Return the lightly filtered signal and the envelope, shape (n,) each.

        `first` is the position of the first value on the sample grid.
        """
        light = self._light.filter(values)
        parts = [band.filter(light) for band in self._bands]
        if self._muscle is not None:
            parts.append(self._muscle.filter(values))
        logs, muscle = [], np.zeros(len(values))
        for number, (part, window) in enumerate(zip(parts, self._windows, strict=True)):
            # The second coefficient keeps scipy off np.convolve, whose sums depend on the cutting.
            energy, self._states[number] = signal.lfilter(
                window, [1.0, 0.0], part * part, zi=self._states[number]
            )
            if number < len(BANDS_HZ):
                logs.append(np.log(np.maximum(energy, self._least)))
            else:
                muscle = np.where(energy > self._least, energy, 0.0)
        return light, np.exp(0.5 * self._weights.mean(logs, muscle, first))

    def measure_delay(self) -> tuple[int, float]:
        """Measure, on a pulse as wide as a QRS, how late envelope and light signal peak."""
        light, envelope = QrsFilter(self._sfreq).filter(_pulse(self._sfreq), 0)
        at = _pulse_at(self._sfreq)
        return int(np.argmax(envelope)) - at, parabolic_peak(light, int(np.argmax(light)))[0] - at


class BandWeights:
    """Weigh bands by how far what is high in them stands above what is common in them.

    The contrast of a band is the level that its energy exceeds 7 % of the time (beats) over the one
    that it exceeds 40 % of the time, in the last 8 s, cubed; moments at which muscles were loud are
    left out. Weights change every 0.25 s of the sample grid, by nothing but earlier samples; they
    are equal until 2 s are known.

    In a burst of muscle they change from sample to sample: what it brings into each band, as white
    noise would, is the least that is common there, and part of it is taken off. Bands are then
    compared with their own beats, so that a beat stays as high however they are weighed.

    Parameters
    ----------
    sfreq
        Rate, Hz.
    shares
        What white noise brings into each band, of what it brings into the band of muscles.
    """

    def __init__(self, sfreq: float, shares: Sequence[float]) -> None:
        self._every = round(0.04 * sfreq)
        self._step = round(0.25 * sfreq)
        self._shares = shares
        # Bands, and the median of the muscles' logarithm over 0.4 s: no QRS lasts half as long.
        self._ring = np.zeros((round(8.0 * sfreq / self._every), len(shares) + 1))
        self._recent: deque[float] = deque(maxlen=10)
        self._needed = round(2.0 * sfreq / self._every)
        self._seen = 0
        self._now = [1.0 / len(shares)] * len(shares)
        self._beats, self._common = [0.0] * len(shares), [0.0] * len(shares)
        self._scale, self._loud = 0.0, math.inf

    def mean(self, logs: list[Floats], muscle: Floats, first: int) -> Floats:
        """Return the weighted mean of the bands, shape (n,), whose first sample is at `first`.

        Takes the logarithms of the bands' energies, and the energy of the muscles, 0 in silence.
        """
        stop = first + len(muscle)
        edges = [first, *range((first // self._step + 1) * self._step, stop, self._step), stop]
        mean = np.empty(len(muscle))
        for start, end in pairwise(edges):
            if start % self._step == 0 and self._seen >= self._needed:
                self._update()
            here = slice(start - first, end - first)
            mean[here] = self._weighed([log[here] for log in logs], muscle[here])
            for at in range(-(-start // self._every) * self._every, end, self._every):
                heard = float(muscle[at - first])
                self._recent.append(math.log(heard) if heard > 0 else -math.inf)
                row = [*(log[at - first] for log in logs), median(self._recent)]
                self._ring[self._seen % len(self._ring)] = row
                self._seen += 1
        return mean

    def _weighed(self, logs: list[Floats], muscle: Floats) -> Floats:
        # A product with a matrix would add up in an order that depends on the cutting.
        mean = np.zeros(len(muscle))
        for weight, log in zip(self._now, logs, strict=True):
            mean += weight * log
        tense = np.flatnonzero(muscle > self._loud)
        # A QRS is loud as well, but far less than it is in the highest band.
        tense = tense[self._shares[-1] * muscle[tense] > _HEARD * np.exp(logs[-1][tense])]
        if len(tense):
            mean[tense] = self._despite([log[tense] for log in logs], muscle[tense] - self._loud)
        return mean

    def _despite(self, logs: list[Floats], muscle: Floats) -> Floats:
        """Return the weighted mean of samples at which muscles are so much too loud."""
        total = weights = np.zeros(len(muscle))
        parts = zip(logs, self._beats, self._common, self._shares, strict=True)
        for log, beat, common, share in parts:
            noise = share * muscle
            weight = _weight(beat - np.maximum(common, np.log(noise)))
            left = np.maximum(1.0 - _TAKEN_OFF * noise * np.exp(-log), 0.02)
            total = total + weight * (log + np.log(left) - beat)
            weights = weights + weight
        return np.asarray(total / weights + self._scale)

    def _update(self) -> None:
        known = self._ring[: self._seen]
        with np.errstate(invalid="ignore"):
            usual = float(np.quantile(known[:, -1], 0.25))
        if not math.isfinite(usual):
            usual = math.inf  # silence is no measure of what is loud
        calm = np.sort(known[known[:, -1] <= usual + _CALM, :-1], axis=0)
        common, beats = calm[int(0.6 * len(calm))], calm[int(0.93 * len(calm))]
        weights = _weight(beats - common)
        self._now = (weights / weights.sum()).tolist()
        self._beats, self._common = beats.tolist(), common.tolist()
        self._scale = sum(map(math.prod, zip(self._beats, self._now, strict=True)))
        self._loud = _LOUD * math.exp(usual)


def _weight(contrast: Floats) -> Floats:
    return np.asarray(np.exp(3.0 * np.clip(contrast, -20.0, 20.0)))


def _band(edges: tuple[float, float], sfreq: float) -> SmallChunkFilter:
    return SmallChunkFilter(signal.butter(2, edges, "bandpass", fs=sfreq, output="sos"))


def _windows(
    sfreq: float,
    light: SmallChunkFilter,
    bands: list[SmallChunkFilter],
    muscle: SmallChunkFilter | None,
) -> list[Floats]:
    """Return for each band a window that smooths it, brings a QRS to 1, and lets all peak together.

    Slow bands are late; the others are held back for as long. The last window is the muscles'.
    """
    window = signal.windows.triang(max(3, round(SMOOTH_S * sfreq)))
    pulse = light.filter(_pulse(sfreq))
    energies = [signal.lfilter(window, [1.0], band.filter(pulse) ** 2) for band in bands]
    latest = max(int(np.argmax(energy)) for energy in energies)
    windows = [
        np.concatenate([np.zeros(latest - int(np.argmax(energy))), window / energy.max()])
        for energy in energies
    ]
    if muscle is None:
        return windows
    muscle.prime(0.0)
    click = np.zeros(len(pulse))
    click[_pulse_at(sfreq)] = 1.0
    at = int(np.argmax(signal.lfilter(window, [1.0], muscle.filter(click) ** 2)))
    return [*windows, np.concatenate([np.zeros(max(0, latest - at)), window / window.sum()])]


def _shares(
    sfreq: float,
    light: SmallChunkFilter,
    bands: list[SmallChunkFilter],
    muscle: SmallChunkFilter,
    windows: list[Floats],
) -> list[float]:
    """Return the energy of white noise in each band over that in the band of muscles."""
    click = np.zeros(round(4.0 * sfreq))
    click[0] = 1.0
    for sections in (light, *bands, muscle):
        sections.prime(0.0)
    seen = light.filter(click)
    heard = float(np.sum(muscle.filter(click) ** 2))
    return [
        float(np.sum(band.filter(seen) ** 2) * window.sum()) / heard
        for band, window in zip(bands, windows, strict=False)
    ]


def _pulse(sfreq: float) -> Floats:
    n = np.arange(3 * _pulse_at(sfreq))
    width = max(PULSE_S * sfreq, 1.0)
    return np.asarray(np.exp(-0.5 * ((n - _pulse_at(sfreq)) / width) ** 2))


def _pulse_at(sfreq: float) -> int:
    return round(0.5 * sfreq)
