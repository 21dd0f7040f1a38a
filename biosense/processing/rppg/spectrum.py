"""Heart rate of a few seconds of pulse wave: the highest peak of a periodogram, how sharp it is."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from biosense.core.types import Bools, Floats

PULSE_BAND_HZ = (0.7, 3.5)  # 42 to 210 bpm
_AROUND_HZ = (0.1, 0.2)  # half widths around the rate and its double (de Haan & Jeanne 2013)
_ORDER = 2  # of the Butterworth band-pass whose gain the spectrum is multiplied with

Complexes = NDArray[np.complex128]


@dataclass(frozen=True)
class PulsePeak:
    """Hold what a window of a pulse wave says about its rate.

    Parameters
    ----------
    bpm
        Place of the highest peak, beats per minute; NaN where the spectrum has none in the band.
    snr_db
        Power at the peak and its double over the rest of the band. This is the *blind* SNR: it
        takes the peak that it found for the truth, so noise alone has a median of -4.3 dB, and 1 %
        of its windows lie above 0 dB.
    amplitude
        Peak-to-peak size of a sine wave with the power at the peak, in the unit of the wave.
    """

    bpm: float
    snr_db: float
    amplitude: float


NO_PEAK = PulsePeak(float("nan"), float("nan"), float("nan"))


@dataclass(frozen=True, eq=False)
class BandSpectrum:
    """Hold the Hann spectra of some waves in the pulse band.

    Parameters
    ----------
    frequency
        Of each bin, Hz, shape (K,).
    values
        Fourier transforms, shape (K, waves).
    scale
        Turns the summed power of a line into the mean square of its sine, shape (waves,).
    resolution
        Half width of the peak of a line, Hz.
    gain
        Squared gain of the band-pass, shape (K,); it is not in `values`.
    """

    frequency: Floats
    values: Complexes
    scale: Floats
    resolution: float
    gain: Floats

    @classmethod
    def of(cls, waves: Floats, sfreq: float) -> BandSpectrum:
        """Compute the spectra of waves, shape (n, waves); NaN where a sample is missing.

        The band-pass is applied as the gain of a Butterworth filter on the periodogram. In contrast
        to a filter of the stream it has nothing to settle behind a gap, and no delay.
        """
        n = len(waves)
        present = np.isfinite(waves)
        known = np.where(present, waves, 0.0)
        mean = known.sum(axis=0) / np.maximum(present.sum(axis=0), 1)
        taper = (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(n) / n))[:, None] * present
        size = 1 << int(np.ceil(np.log2(6 * n)))  # bins of about 1 bpm before interpolation
        first, last = (int(np.ceil(edge * size / sfreq)) for edge in PULSE_BAND_HZ)
        values = np.fft.rfft(((known - mean) * taper).T, size)[:, first - 1 : last + 2].T
        frequency = np.arange(first - 1, first - 1 + len(values)) * sfreq / size
        weight = np.maximum((taper**2).sum(axis=0), 1e-300)
        gain = _band_pass_gain(frequency)
        return cls(frequency, values, 2 / (size * weight), 2 * sfreq / n, gain)

    def peak(self, column: int, away: Bools | None = None) -> PulsePeak:
        """Return the highest peak of one wave."""
        return peak_of(self, self.values[:, column], float(self.scale[column]), away)


def peak_of(
    spectrum: BandSpectrum, values: Complexes, scale: float, away: Bools | None = None
) -> PulsePeak:
    """Return the highest peak of a wave.

    Parameters
    ----------
    spectrum
        Whose bins and gain count.
    values
        Fourier transform of the wave, shape (K,).
    scale
        As in `BandSpectrum`.
    away
        Bins in which the peak must not lie, shape (K,).

    Returns
    -------
    PulsePeak
        `NO_PEAK` where there is none.
    """
    frequency = spectrum.frequency
    raw: Floats = values.real**2 + values.imag**2
    power = raw * spectrum.gain
    at = _climb(raw, int(np.argmax(power if away is None else np.where(away, 0.0, power))))
    if at is None:
        return NO_PEAK
    rate = frequency[at] + _vertex(raw[at - 1 : at + 2]) * (frequency[1] - frequency[0])
    signal = around_rate(frequency, float(rate))
    inside = float(power[signal].sum())
    rest = max(float(power[~signal].sum()), 1e-12 * inside)
    # Mean square of a sine at the rate: the peak of a Hann window is 4 / n wide.
    lobe = float(raw[np.abs(frequency - rate) <= spectrum.resolution].sum())
    snr_db = 10 * float(np.log10(inside / rest))
    return PulsePeak(60 * float(rate), snr_db, float(np.sqrt(8 * lobe * scale)))


def around_rate(frequency: Floats, rate: float) -> Bools:
    """Tell which bins belong to a rate and its double [1]_.

    Parameters
    ----------
    frequency
        Of each bin, Hz, shape (K,).
    rate
        Hz.

    Returns
    -------
    Bools
        Shape (K,).

    References
    ----------
    .. [1] G. de Haan and V. Jeanne, "Robust pulse rate from chrominance-based rPPG," IEEE
       Transactions on Biomedical Engineering 60(10), 2878-2886, 2013.
    """
    near: Bools = np.abs(frequency - rate) <= _AROUND_HZ[0]
    near |= np.abs(frequency - 2 * rate) <= _AROUND_HZ[1]
    return near


def _band_pass_gain(frequency: Floats) -> Floats:
    """Return the squared gain of an analogue Butterworth band-pass."""
    low, high = PULSE_BAND_HZ
    detuning = (frequency**2 - low * high) / (frequency * (high - low))
    gain: Floats = 1 / (1 + detuning ** (2 * _ORDER))
    return gain


def _climb(raw: Floats, at: int) -> int | None:
    """Go up to the next top of the spectrum itself, None at an edge: the gain's slope moves tops by
    half a beat per minute near the ends of the band.
    """
    while 0 < at < len(raw) - 1:
        if raw[at - 1] > raw[at]:
            at -= 1
        elif raw[at + 1] > raw[at]:
            at += 1
        else:
            return at if raw[at] > 0 else None
    return None


def _vertex(power: Floats) -> float:
    """Offset in bins of the top of the parabola through the logarithms of three bins."""
    before, top, after = np.log(np.maximum(power, 1e-300))
    bend = before - 2 * top + after
    return float(0.5 * (before - after) / bend) if bend < 0 else 0.0
