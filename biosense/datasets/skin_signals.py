"""The unit of a skin signal, told from the size of its values where no document tells it."""

from __future__ import annotations

import numpy as np

from biosense.core.types import Floats

# Medians that living skin has, of conductance and of resistance.
_SKIN = (
    ("microsiemens", 0.01, 100.0),
    ("kiloohm", 100.0, 1e4),
    ("ohm", 1e4, 1e8),
)


def told_unit(values: Floats) -> tuple[str, str]:
    """Return the unit in which conductance or resistance of skin must be, and a note of it.

    >>> told_unit(np.full(3, 2e5))
    ('ohm', 'eda: its unit is not documented; its median is 2e+05, taken as ohm')
    """
    finite = values[np.isfinite(values)]
    median = float(np.median(np.abs(finite))) if finite.size else float("nan")
    known = [unit for unit, low, high in _SKIN if low <= median < high]
    unit = known[0] if known else "microsiemens"
    doubt = "" if known else ", though skin has no such value"
    said = f"its median is {median:.3g}, taken as {unit}{doubt}"
    return unit, f"eda: its unit is not documented; {said}"


def siemens(values: Floats, unit: str) -> Floats:
    """Return conductance in siemens; what skin cannot have, zero and less, becomes NaN.

    >>> siemens(np.array([2e5, -1.0]), "ohm").tolist()
    [5e-06, nan]
    """
    positive = np.where(values > 0, values, np.nan)
    if unit == "microsiemens":
        return np.asarray(positive * 1e-6, dtype=np.float64)
    return np.asarray(1.0 / (positive * (1e3 if unit == "kiloohm" else 1.0)), dtype=np.float64)
