"""Power of heart rate variability in the respiratory (HF) and the slow (LF) band."""

from __future__ import annotations

import numpy as np

from biosense.core.types import Floats

HF_HZ = (0.15, 0.40)  # Task Force of ESC/NASPE, Circulation 93:1043, 1996
LF_HZ = (0.04, 0.15)
HF_S, LF_S = 60.0, 300.0  # about ten periods of the slowest oscillation, as they ask for
FILLED = 0.8  # of the window; what is missing is not made up


def band_power(ends: Floats, intervals: Floats, band: tuple[float, float], window: float) -> float:
    """Return the power of intervals in a band, s^2, by the Fourier sum over uneven samples.

    No interval is interpolated, which would take power from the fast oscillations: the sum runs
    over the beats as they came (Deeming 1975; for frequencies far below the heart rate it is the
    periodogram of Lomb and Scargle). A line is taken out and a Hann window applied before.

    Parameters
    ----------
    ends
        Times at which accepted intervals ended, seconds, shape (n,), within the window.
    intervals
        Intervals, seconds, shape (n,).
    band
        Lowest and highest frequency, Hz; the highest belongs to the next band.
    window
        Length of the window, seconds: the frequencies are its harmonics.

    Returns
    -------
    float
        NaN where intervals fill less than 80 % of the window, or the heart beats too slowly for the
        band.

    Examples
    --------
    >>> ends = np.arange(1, 75) * 0.8
    >>> breathing = 0.8 + 0.03 * np.sin(2 * np.pi * 0.25 * ends)
    >>> round(1e6 * band_power(ends, breathing, HF_HZ, HF_S))  # ms^2; 30^2 / 2 in truth
    444
    """
    if intervals.sum() < FILLED * window or 0.5 * len(ends) < band[1] * intervals.sum():
        return np.nan
    centred = ends - ends.mean()
    slope = np.sum(centred * intervals) / np.sum(centred**2)
    place = (ends - ends[0]) / max(float(ends[-1] - ends[0]), 1e-9)
    taper = 0.5 - 0.5 * np.cos(2 * np.pi * place)
    taper /= np.sqrt(np.mean(taper**2))
    values = taper * (intervals - intervals.mean() - slope * centred)
    first, stop = (int(np.ceil(edge * window - 1e-9)) for edge in band)
    turned = values * np.exp(-2j * np.pi * first / window * centred)
    step = np.exp(-2j * np.pi / window * centred)  # to the next harmonic, cheaper than its exponent
    power = 0.0
    for _ in range(first, stop):
        power += float(np.abs(turned.sum()) ** 2)
        turned = turned * step
    return 2.0 * power / len(ends) ** 2 * _span_correction(centred, window)


def _span_correction(centred: Floats, window: float) -> float:
    """Return the share of the window that is sampled: harmonics of a longer one lie denser."""
    return float(min(1.0, (centred[-1] - centred[0]) / window))
