"""The colour of a pulse: does a swing of the skin look like blood, and where is blood hidden."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from biosense.core.types import Bools, Floats
from biosense.processing.rppg.spectrum import (
    NO_PEAK,
    BandSpectrum,
    Complexes,
    PulsePeak,
    around_rate,
    peak_of,
)

ABSORPTION = np.array([0.33, 0.77, 0.53])  # of a pulse in R, G, B: de Haan & van Leest 2014
_BLOOD = ABSORPTION / np.linalg.norm(ABSORPTION)
_SHADE = np.ones(3) / np.sqrt(3)  # brighter and darker: 18 degrees away from blood, no more
_LOADING = 0.002  # of the mean noise: what the colour of real blood may differ by
_LINE_HZ = 0.035  # half width in which the colour of a line is measured
_MISMATCH = 0.03  # of the power of a line: the colour of blood is known to about 15 %
_TRIES = 3
LEAST_LIKENESS = 0.45


@dataclass(frozen=True)
class ColourPeak:
    """Hold the pulse that the colours of a window show, and how much it looks like blood.

    Parameters
    ----------
    peak
        Rate, SNR and amplitude.
    likeness
        Squared cosine of the angle between the colour of the swing and that of blood, in units of
        the noise (adaptive coherence estimator [1]_): 1 for blood, below 0.4 for coloured light.

    References
    ----------
    .. [1] S. Kraut and L. L. Scharf, "The CFAR adaptive subspace detector is a scale-invariant
       GLRT," IEEE Transactions on Signal Processing 47(9), 2538-2541, 1999.
    """

    peak: PulsePeak
    likeness: float


class ColourSearch:
    """Search the colours of a window for swings in the colour of blood.

    The mix of R, G, B that passes blood and least of everything else ([1]_, with the noise measured
    outside the candidate's own lines) is the one with the best SNR: where nothing moves it uses all
    three channels, where something swings it cancels that. A candidate that does not look like
    blood becomes noise, and the next one is tried.

    Parameters
    ----------
    spectrum
        Spectra of waves among which are the colour changes.
    columns
        Which of them are R, G, B.

    References
    ----------
    .. [1] G. de Haan and A. van Leest, "Improved motion robustness of remote-PPG by using the blood
       volume pulse signature," Physiological Measurement 35(9), 1913-1926, 2014.

    Examples
    --------
    >>> swing = 0.002 * np.sin(2 * np.pi * 1.2 * np.arange(300) / 30)
    >>> noise = 0.0003 * np.random.default_rng(0).standard_normal((300, 3))
    >>> spectrum = BandSpectrum.of(np.outer(swing, ABSORPTION) + noise, 30.0)
    >>> found = ColourSearch(spectrum, slice(0, 3)).best()
    >>> round(found.peak.bpm), found.likeness > 0.9
    (72, True)
    >>> spectrum = BandSpectrum.of(np.outer(swing, [-1.0, 1.0, -1.0]) + noise, 30.0)  # a lamp
    >>> ColourSearch(spectrum, slice(0, 3)).likeness(72.0) < 0.1
    True
    """

    def __init__(self, spectrum: BandSpectrum, columns: slice) -> None:
        self._spectrum = spectrum
        self._colours: Complexes = spectrum.values[:, columns]
        self._scale = float(spectrum.scale[columns][0])
        weighted = self._colours * np.sqrt(spectrum.gain)[:, None]
        self._parts = np.einsum("ki,kj->kij", weighted, weighted.conj()).real
        self._whole: Floats = self._parts.sum(axis=0)

    def best(self) -> ColourPeak:
        """Return the best candidate that looks like blood, or the last one tried."""
        away: Bools = np.zeros(len(self._parts), bool)
        found = ColourPeak(NO_PEAK, 0.0)
        if not np.trace(self._whole) > 0:
            return found
        guess = self._peak(self._whole, away)
        for _ in range(_TRIES):
            if not np.isfinite(guess.bpm):
                return found
            found = self._refined(guess, away)
            if found.likeness >= LEAST_LIKENESS or not np.isfinite(found.peak.bpm):
                return found
            away = away | (np.abs(self._spectrum.frequency - found.peak.bpm / 60) <= 0.15)
            guess = self._peak(self._whole, away)
        return found

    def likeness(self, bpm: float) -> float:
        """Return how much the swing at a rate looks like blood, 0 to 1.

        It is 0 where the swing looks more like a change of brightness.
        """
        noise = self._noise(bpm)
        line = np.abs(self._spectrum.frequency - bpm / 60) <= _LINE_HZ
        noise *= line.sum() / len(self._parts)
        swing = self._parts[line].sum(axis=0) - noise
        noise += _MISMATCH * np.trace(np.maximum(swing, 0.0)) * np.eye(3)
        directions = np.column_stack([_BLOOD, _SHADE])
        whitened = np.linalg.solve(noise, np.column_stack([directions, swing]))
        mixes, total = whitened[:, :2], float(np.trace(whitened[:, 2:]))
        if not total > 0:
            return 0.0
        passed = np.einsum("im,ij,jm->m", mixes, swing, mixes)
        blood, shade = passed / (np.einsum("im,im->m", directions, mixes) * total)
        return float(np.clip(blood, 0.0, 1.0)) if blood > shade else 0.0

    def _refined(self, guess: PulsePeak, away: Bools) -> ColourPeak:
        peak = self._peak(self._noise(guess.bpm), away)
        if not np.isfinite(peak.bpm):
            return ColourPeak(peak, 0.0)
        return ColourPeak(peak, self.likeness(peak.bpm))

    def _noise(self, bpm: float) -> Floats:
        own = around_rate(self._spectrum.frequency, bpm / 60)
        noise = self._whole - self._parts[own].sum(axis=0)
        noise *= len(own) / max(int((~own).sum()), 1)
        loaded: Floats = noise + (_LOADING * np.trace(noise) / 3 + 1e-30) * np.eye(3)
        return loaded

    def _peak(self, noise: Floats, away: Bools) -> PulsePeak:
        mix = np.linalg.solve(noise + 1e-12 * np.trace(noise) * np.eye(3), _BLOOD)
        mix /= mix @ _BLOOD
        return peak_of(self._spectrum, self._colours @ mix, self._scale, away)
