"""May a pulse rate be told: references that must not swing with it, methods that should agree."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from biosense.processing.rppg.colour_search import LEAST_LIKENESS, ColourPeak, ColourSearch
from biosense.processing.rppg.spectrum import NO_PEAK, BandSpectrum, PulsePeak, peak_of

WAVE = 0
SKIN = slice(1, 4)
LIGHT_WAVE = 4
LIGHT = slice(5, 8)
HEAD = range(8, 12)
COLUMNS = 12
"""Columns of the waves that `judge` looks at: POS and colours of the skin, of the background, and
the head's x, y, size (in distances of the eyes) and roll (radians)."""

SAME_RATE_BPM = 6.0  # what a 10 s window can tell apart
_REFERENCE_SNR_DB = 0.0
_LEAST_LIGHT = 0.002  # of the mean colour, peak to peak; less light swing hides no pulse
_SEEN_LIGHT = 0.001  # of the mean brightness, peak to peak; less is not worth its noise
_MOST_LIGHT = 2.0  # of the skin's swing over the background's, where one lamp makes both
_LEAST_HEAD = 0.005  # of the distance of the eyes: the heart itself moves the head by less
# A reference at half or twice the rate explains a swing only if that does not look like blood:
# an overtone of motion or light has the colour of shading, gloss or lamp.
_SURE_LIKENESS = 0.8


@dataclass(frozen=True)
class PulseDecision:
    """Hold the best peak of a window, and why it is not told (empty: it may be).

    Parameters
    ----------
    peak
        The peak.
    likeness
        How much its colour is that of blood, 0 to 1.
    agreeing
        How many of POS, CHROM, green and the search by colour have their peak there, 0 to 4.
    reason
        What speaks against it.
    """

    peak: PulsePeak
    likeness: float
    agreeing: int
    reason: str


def judge(spectrum: BandSpectrum, min_snr_db: float, min_colour_snr_db: float) -> PulseDecision:
    """Choose the peak of a window and say whether it may be told.

    POS decides where its peak is clear and looks like blood; otherwise the search by colour, which
    sees weaker pulses and those beside a stronger swing of light.

    Parameters
    ----------
    spectrum
        Of the waves of a window, whose columns are as named above.
    min_snr_db
        Blind SNR that POS needs.
    min_colour_snr_db
        Blind SNR that the search by colour needs; it chooses its colours to suit, so noise comes
        further.

    Returns
    -------
    PulseDecision
    """
    pos = spectrum.peak(WAVE)
    skin = _without_light(spectrum)
    search = ColourSearch(skin, SKIN)
    best = search.best()
    likeness = search.likeness(pos.bpm) if np.isfinite(pos.bpm) else 0.0
    others = (pos, _chrom(skin), skin.peak(2), best.peak)
    if pos.snr_db >= min_snr_db and likeness >= LEAST_LIKENESS:
        return _verdict(spectrum, ColourPeak(pos, likeness), others)
    if best.peak.snr_db >= min_colour_snr_db and best.likeness >= LEAST_LIKENESS:
        return _verdict(spectrum, best, others)
    weak = not pos.snr_db >= min_snr_db
    return PulseDecision(pos, likeness, 0, "weak pulse" if weak else "not the colour of blood")


def _without_light(spectrum: BandSpectrum) -> BandSpectrum:
    """Take off the skin what its brightness shares with the background's: lamps light both."""
    light = spectrum.values[:, LIGHT].mean(axis=1)
    swing = peak_of(spectrum, light, float(spectrum.scale[LIGHT_WAVE]))
    if not (swing.snr_db > _REFERENCE_SNR_DB and swing.amplitude >= _SEEN_LIGHT):
        return spectrum  # its noise would only be added
    white = spectrum.values[:, SKIN].mean(axis=1)
    share = float(np.vdot(light, white).real / np.vdot(light, light).real)
    share = min(max(share, 0.0), _MOST_LIGHT)
    values = spectrum.values.copy()
    values[:, SKIN] -= share * light[:, None]
    return replace(spectrum, values=values)


def _verdict(
    spectrum: BandSpectrum, found: ColourPeak, others: tuple[PulsePeak, ...]
) -> PulseDecision:
    agreeing = sum(abs(other.bpm - found.peak.bpm) <= SAME_RATE_BPM for other in others)
    return PulseDecision(found.peak, found.likeness, agreeing, _explanation(spectrum, found))


def _explanation(spectrum: BandSpectrum, found: ColourPeak) -> str:
    """Name what swings at the same rate, its half or its double besides the skin, if any."""
    light = spectrum.values[:, LIGHT].mean(axis=1)
    brightness = peak_of(spectrum, light, float(spectrum.scale[LIGHT_WAVE]))
    least = min(_LEAST_LIGHT, 0.5 * found.peak.amplitude)
    # Brightness alone is no colour: it has not made what is sure to look like blood.
    is_shade = found.likeness < _SURE_LIKENESS and _same_rate(brightness, found, least)
    if is_shade or _same_rate(spectrum.peak(LIGHT_WAVE), found, least):
        return "light swings"
    if any(_same_rate(spectrum.peak(column), found, _LEAST_HEAD) for column in HEAD):
        return "head moves"
    return ""


def _same_rate(reference: PulsePeak, found: ColourPeak, least: float) -> bool:
    if not (reference.snr_db > _REFERENCE_SNR_DB and reference.amplitude >= least):
        return False
    factors = (1.0,) if found.likeness >= _SURE_LIKENESS else (0.5, 1.0, 2.0)
    return any(abs(found.peak.bpm - factor * reference.bpm) <= SAME_RATE_BPM for factor in factors)


def _chrom(spectrum: BandSpectrum) -> PulsePeak:
    """Return the peak of CHROM tuned over the whole window."""
    red, green, blue = spectrum.values[:, SKIN].T
    first, second = 3 * red - 2 * green, 1.5 * red + green - 1.5 * blue
    power = float(np.vdot(second, second).real)
    if not power > 0:
        return NO_PEAK
    tuned = first - np.sqrt(float(np.vdot(first, first).real) / power) * second
    return peak_of(spectrum, tuned, float(spectrum.scale[WAVE]))
