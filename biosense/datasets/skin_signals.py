"""Skin conductance and temperature of data sets: their units, and what cannot be of skin."""

from __future__ import annotations

import numpy as np

from biosense.core.skin import LEVEL_C, LEVEL_US, conductance_of
from biosense.core.types import Bools, Floats

_PER_UNIT = {"microsiemens": 1e-6, "nanosiemens": 1e-9, "ohm": 1.0, "kiloohm": 1e3}
_RESISTANCE = ("ohm", "kiloohm")
# Medians by which one unit is told from the next; between them skin has every value.
_BY_SIZE = (
    ("microsiemens", 0.01, LEVEL_US[1]),
    ("kiloohm", LEVEL_US[1], 1e4),
    ("ohm", 1e4, 1e8),
)


def unit_by_size(values: Floats) -> tuple[str, str]:
    """Tell the unit of conductance or resistance from its median, where no document does.

    Parameters
    ----------
    values
        As they are in the file, any shape.

    Returns
    -------
    unit : str
        As `conductance` takes it.
    note : str
        How it was told.

    Examples
    --------
    >>> unit_by_size(np.full(3, 2e5))
    ('ohm', 'eda: its unit is not documented; its median is 2e+05, taken as ohm')
    """
    finite = values[np.isfinite(values)]
    median = float(np.median(np.abs(finite))) if finite.size else float("nan")
    known = [unit for unit, low, high in _BY_SIZE if low <= median < high]
    unit = known[0] if known else "microsiemens"
    doubt = "" if known else ", though skin has no such value"
    said = f"its median is {median:.3g}, taken as {unit}{doubt}"
    return unit, f"eda: its unit is not documented; {said}"


def conductance(values: Floats, unit: str) -> tuple[Floats, Bools]:
    """Return skin conductance, and which of it can be.

    Parameters
    ----------
    values
        Conductance or resistance, any shape.
    unit
        "microsiemens", "nanosiemens", "ohm" or "kiloohm".

    Returns
    -------
    siemens : Floats
        NaN where the value is zero, negative or no number: skin has nothing of the kind.
    ok : Bools
        True elsewhere.

    Examples
    --------
    >>> [part.tolist() for part in conductance(np.array([2e5, -1.0]), "ohm")]
    [[5e-06, nan], [True, False]]
    """
    ok = np.isfinite(values) & (values > 0)
    scaled = np.where(ok, values, np.nan) * _PER_UNIT[unit]
    siemens = conductance_of(scaled) if unit in _RESISTANCE else scaled
    return np.asarray(siemens, dtype=np.float64), ok


def conductance_notes(where: str, siemens: Floats, ok: Bools) -> list[str]:
    """Say what skin conductance looks like, and what of it cannot be.

    Parameters
    ----------
    where
        Whose it is, the first words of every note.
    siemens, ok
        As `conductance` returns them.

    Returns
    -------
    list of str
        For people.

    Examples
    --------
    >>> conductance_notes("s01 eda", np.full(4, 2e-6), np.ones(4, bool))
    ['s01 eda: median 2 uS']
    """
    if not ok.any():
        return [f"{where}: no sample is above 0, none is trusted"]
    median = float(np.median(siemens[ok])) * 1e6
    low, high = LEVEL_US
    lines = [f"{where}: median {median:.3g} uS"]
    if not low <= median <= high:
        lines[0] += f", skin has {low:g} to {high:g}: its unit is not the one that is documented"
    beyond = np.mean((siemens[ok] * 1e6 < low) | (siemens[ok] * 1e6 > high))
    if beyond and low <= median <= high:
        lines.append(f"{where}: {beyond:.1%} of samples are outside of {low:g} to {high:g} uS")
    if not ok.all():
        lines.append(f"{where}: {1 - ok.mean():.1%} of samples are 0 or less, not trusted")
    return lines


def temperature_note(values: Floats) -> str:
    """Say if a temperature cannot be that of skin in degrees Celsius; empty where it can.

    Parameters
    ----------
    values
        As they are in the file, any shape.

    Returns
    -------
    str
        For people.

    Examples
    --------
    >>> temperature_note(np.full(3, 91.4))
    'temp: median 91.4, skin has 10 to 45 degC: its unit is not known'
    """
    finite = values[np.isfinite(values)]
    if not finite.size:
        return ""
    median, (low, high) = float(np.median(finite)), LEVEL_C
    if low <= median <= high:
        return ""
    return f"temp: median {median:.3g}, skin has {low:g} to {high:g} degC: its unit is not known"
