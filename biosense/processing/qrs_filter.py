"""Turn an ECG into an envelope of its QRS complexes, heard in three bands at once."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from scipy import signal

from biosense.core.types import Floats
from biosense.processing.beat_track import parabolic_peak
from biosense.processing.sections import Sections

BANDS_HZ = ((5.0, 12.0), (10.0, 22.0), (18.0, 40.0))
LIGHT_HZ = (0.5, 40.0)
SMOOTH_S = 0.1
PULSE_S = 0.012  # SD of the pulse that stands for a QRS where delays and gains are measured
_SILENT = 1e-13  # amplitude of silence, and its share of a constant level: rounding is no beat


class QrsFilter:
    """Filter an ECG lightly, for the place of the R peak, and into an envelope of QRS energy.

    A QRS complex has energy in all of three bands at the same moment. Slipping electrodes have it
    in the low ones, muscles in the high ones; so the envelope is the geometric mean of the three,
    made to peak together, each weighed by how far its beats stand out (`BandWeights`).

    Parameters
    ----------
    sfreq
        Rate, Hz, 100 or more.
    """

    def __init__(self, sfreq: float) -> None:
        self._sfreq = sfreq
        self._weights = BandWeights(sfreq, len(BANDS_HZ))
        self._light = Sections(signal.butter(2, LIGHT_HZ, "bandpass", fs=sfreq, output="sos"))
        self._bands = [
            Sections(signal.butter(2, band, "bandpass", fs=sfreq, output="sos"))
            for band in BANDS_HZ
        ]
        self._windows = _windows(sfreq, self._light, self._bands)
        self.prime(0.0)

    def prime(self, first: float) -> None:
        """Begin anew, as if the first value had been there for ever; weights are kept."""
        self._least = (_SILENT * max(1.0, abs(first))) ** 2
        self._light.prime(first)
        for band in self._bands:
            band.prime(0.0)
        self._states = [np.zeros(len(window) - 1) for window in self._windows]

    def filter(self, values: Floats, first: int) -> tuple[Floats, Floats]:
        """Return the lightly filtered signal and the envelope, shape (n,) each.

        `first` is the position of the first value on the sample grid.
        """
        light = self._light.filter(values)
        logs = []
        for number, (band, window) in enumerate(zip(self._bands, self._windows, strict=True)):
            # The second coefficient keeps scipy off np.convolve, whose sums depend on the cutting.
            energy, self._states[number] = signal.lfilter(
                window, [1.0, 0.0], band.filter(light) ** 2, zi=self._states[number]
            )
            logs.append(np.log(np.maximum(energy, self._least)))
        return light, np.exp(0.5 * self._weights.mean(logs, first))

    def measure_delay(self) -> tuple[int, float]:
        """Measure, on a pulse as wide as a QRS, how late envelope and light signal peak."""
        light, envelope = QrsFilter(self._sfreq).filter(_pulse(self._sfreq), 0)
        at = _pulse_at(self._sfreq)
        return int(np.argmax(envelope)) - at, parabolic_peak(light, int(np.argmax(light)))[0] - at


class BandWeights:
    """Weigh bands by how far what is high in them stands above what is common in them.

    The contrast of a band is the level that its energy exceeds 7 % of the time (beats) over the one
    that it exceeds 40 % of the time, in the last 8 s, cubed. Weights change every 0.25 s of the
    sample grid, by nothing but earlier samples; they are equal until 2 s are known.

    Parameters
    ----------
    sfreq
        Rate, Hz.
    n
        Number of bands.
    """

    def __init__(self, sfreq: float, n: int) -> None:
        self._every = round(0.04 * sfreq)
        self._step = round(0.25 * sfreq)
        self._ring = np.zeros((round(8.0 * sfreq / self._every), n))
        self._needed = round(2.0 * sfreq / self._every)
        self._seen = 0
        self._now = np.full(n, 1.0 / n)

    def mean(self, logs: list[Floats], first: int) -> Floats:
        """Return the weighted mean of the bands, shape (n,), whose first sample is at `first`."""
        stop = first + len(logs[0])
        edges = [first, *range((first // self._step + 1) * self._step, stop, self._step), stop]
        mean = np.empty(len(logs[0]))
        for start, end in pairwise(edges):
            if start % self._step == 0 and self._seen >= self._needed:
                self._update()
            here = slice(start - first, end - first)
            # A product with a matrix would add up in an order that depends on the cutting.
            mean[here] = sum(
                weight * log[here] for weight, log in zip(self._now.tolist(), logs, strict=True)
            )
            for at in range(-(-start // self._every) * self._every, end, self._every):
                self._ring[self._seen % len(self._ring)] = [log[at - first] for log in logs]
                self._seen += 1
        return mean

    def _update(self) -> None:
        known = np.sort(self._ring[: self._seen], axis=0)
        common, high = known[int(0.6 * len(known))], known[int(0.93 * len(known))]
        contrast = np.exp(3.0 * np.minimum(high - common, 20.0))
        self._now = contrast / contrast.sum()


def _windows(sfreq: float, light: Sections, bands: list[Sections]) -> list[Floats]:
    """Return for each band a window that smooths it, brings a QRS to 1, and lets all peak together.

    Slow bands are late; the others are held back for as long.
    """
    window = signal.windows.triang(max(3, round(SMOOTH_S * sfreq)))
    pulse = light.filter(_pulse(sfreq))
    energies = [signal.lfilter(window, [1.0], band.filter(pulse) ** 2) for band in bands]
    latest = max(int(np.argmax(energy)) for energy in energies)
    return [
        np.concatenate([np.zeros(latest - int(np.argmax(energy))), window / energy.max()])
        for energy in energies
    ]


def _pulse(sfreq: float) -> Floats:
    n = np.arange(3 * _pulse_at(sfreq))
    width = max(PULSE_S * sfreq, 1.0)
    return np.asarray(np.exp(-0.5 * ((n - _pulse_at(sfreq)) / width) ** 2))


def _pulse_at(sfreq: float) -> int:
    return round(0.5 * sfreq)
