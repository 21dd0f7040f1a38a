"""Power of heart rate variability in the respiratory (HF) and the slow (LF) band."""

from __future__ import annotations

import math

import numpy as np

from biosense.core.types import Floats

HF_HZ = (0.15, 0.40)  # Task Force of ESC/NASPE, Circulation 93:1043, 1996
LF_HZ = (0.04, 0.15)
HF_S, LF_S = 60.0, 300.0  # about ten periods of the slowest oscillation, as they ask for
STALE_S = 10.0  # a spectrum holds for so long after the last accepted interval
LEAST_POWER = 1e-9  # s^2: 0.03 ms, what the timing of beats scatters by at best
_ROOM = 2048  # beats; 300 s hold 1000 at most
FILLED = 0.8  # of the window; what is missing is not made up


class BeatSpectrum:
    """Keep the intervals of the last minutes, and the powers of both bands at the newest of them.

    Bands are those of the Task Force [2]_. The power of a band is the Fourier sum over the
    intervals as they came [1]_, at the harmonics of the window. None is interpolated, which would
    take power from the fast oscillations; for frequencies far below the heart rate the sum is the
    periodogram of Lomb and Scargle. A line is taken out and a Hann window applied before. How far
    the frequencies turn up to each beat is worked out once, when it comes.

    References
    ----------
    .. [1] T. J. Deeming, "Fourier analysis with unequally-spaced data," Astrophysics and Space
       Science 36, 137-158, 1975.
    .. [2] Task Force of the European Society of Cardiology and the North American Society of Pacing
       and Electrophysiology, "Heart rate variability: standards of measurement, physiological
       interpretation and clinical use," Circulation 93(5), 1043-1065, 1996.

    Examples
    --------
    >>> spectrum = BeatSpectrum()
    >>> for beat in range(1, 75):
    ...     spectrum.add(0.8 * beat, 0.8 + 0.03 * np.sin(2 * np.pi * 0.25 * 0.8 * beat))
    >>> round(1e6 * np.exp(spectrum.powers(60.0)[0])), spectrum.powers(60.0)[1]
    (444, nan)
    """

    def __init__(self) -> None:
        self._speeds = np.concatenate([_pulsation(HF_HZ, HF_S), _pulsation(LF_HZ, LF_S)])
        self._high = 2 * len(_pulsation(HF_HZ, HF_S))  # rows of turns of the upper band
        self._rows = np.empty((2 + 2 * len(self._speeds), _ROOM))  # end, interval, turns
        self._start = self._stop = 0
        self._origin = 0.0
        self._known: tuple[float, float] | None = None

    def add(self, end: float, interval: float) -> None:
        """Take the next accepted interval."""
        if self._start == self._stop:
            self._origin = end
        if self._stop == self._rows.shape[1]:
            kept = self._rows[:, self._start : self._stop]
            self._stop -= self._start
            self._rows = np.empty((len(kept), max(_ROOM, 2 * self._stop)))
            self._rows[:, : self._stop], self._start = kept, 0
        self._rows[:2, self._stop] = end, interval
        turns = np.exp(-1j * (self._speeds * (end - self._origin)))
        self._rows[2:, self._stop] = turns.view(np.float64)
        self._stop += 1
        while self._rows[0, self._start] <= end - LF_S:
            self._start += 1
        self._known = None

    def powers(self, now: float) -> tuple[float, float]:
        """Return ln of HF and LF power, s^2, of windows that end with the last accepted interval.

        Parameters
        ----------
        now
            Session time, seconds.

        Returns
        -------
        tuple of float
            HF over 60 s and LF over 300 s. NaN where intervals fill less than 80 % of the window,
            where the heart beats too slowly for the band, and 10 s after the last interval.
        """
        if self._start == self._stop or self._rows[0, self._stop - 1] <= now - STALE_S:
            return np.nan, np.nan
        if self._known is None:
            rows = self._rows[:, self._start : self._stop]
            recent = rows[:, int(rows[0].searchsorted(rows[0, -1] - HF_S, side="right")) :]
            high = _ln_power(recent[:2], HF_HZ, HF_S, recent[2 : 2 + self._high])
            low = _ln_power(rows[:2], LF_HZ, LF_S, rows[2 + self._high :])
            self._known = high, low
        return self._known


def _ln_power(beats: Floats, band: tuple[float, float], window: float, turns: Floats) -> float:
    """Return ln of the power of beats, (2, n): their ends and intervals."""
    ends, intervals = beats
    if not _is_enough(ends, intervals, band, window):
        return math.nan
    return math.log(max(_power(ends, intervals, turns, window), LEAST_POWER))


def _is_enough(ends: Floats, intervals: Floats, band: tuple[float, float], window: float) -> bool:
    filled = float(np.add.reduce(intervals))
    return filled >= FILLED * window and 0.5 * len(ends) >= band[1] * filled


def _pulsation(band: tuple[float, float], window: float) -> Floats:
    """Return the harmonics of a window in a band, radians per second."""
    first, stop = (int(np.ceil(edge * window - 1e-9)) for edge in band)
    pulsation: Floats = 2 * np.pi / window * np.arange(first, stop, dtype=np.float64)
    return pulsation


def _power(ends: Floats, intervals: Floats, turns: Floats, window: float) -> float:
    """Return the power at frequencies that have turned so far at each beat, (2 * frequencies, n).

    Turns are counted from any origin, real and imaginary parts side by side.
    """
    n = len(ends)
    centred = ends - np.add.reduce(ends) / n
    slope = np.dot(centred, intervals) / np.dot(centred, centred)
    span = float(ends[-1] - ends[0])
    taper = 0.5 - 0.5 * np.cos((2 * np.pi / max(span, 1e-9)) * (ends - ends[0]))
    values = taper * (intervals - np.add.reduce(intervals) / n - slope * centred)
    # Not as a matrix product: the threads of a linear algebra library cost more than they give.
    sums = np.vecdot(turns, values)
    power = float(np.dot(sums, sums)) / (float(np.dot(taper, taper)) / n)
    # The share of the window that is sampled: harmonics of a longer one lie denser.
    return 2.0 * power / n**2 * min(1.0, span / window)
