"""What living skin conducts and how warm it is: one range and one conversion for everything."""

from __future__ import annotations

import numpy as np

from biosense.core.types import Floats

CONDUCTANCE_US = (0.05, 60.0)
"""Of a sample, microsiemens: below, an electrode is loose; above, nobody sweats [1]_.

.. [1] I. R. Kleckner et al., "Simple, transparent, and flexible automated quality assessment
   procedures for ambulatory electrodermal activity data," IEEE Transactions on Biomedical
   Engineering 65(7), 1460-1467, 2018.
"""
TEMPERATURE_C = (20.0, 42.0)
"""Of a sample, degrees Celsius: cold fingers to fever; rooms and batteries lie outside."""

LEVEL_US = (0.05, 100.0)
"""Of a whole signal, microsiemens: a median outside is of another unit, or not of skin. Wider than
for a sample, since it must not turn away a person; W. Boucsein (Electrodermal Activity, 2012) has
1 to 40."""
LEVEL_C = (10.0, 45.0)
"""Of a whole signal, degrees Celsius: a median outside is of another unit, or not of skin."""


def conductance_of(resistance: Floats) -> Floats:
    """Return conductance for resistance, in which skin conductance responses add up.

    Parameters
    ----------
    resistance
        Ohm, any shape.

    Returns
    -------
    Floats
        Siemens; NaN where resistance is zero, negative or NaN, which skin cannot have.

    Examples
    --------
    >>> conductance_of(np.array([2e5, -1.0])).tolist()
    [5e-06, nan]
    """
    return np.asarray(1.0 / np.where(resistance > 0, resistance, np.nan))
