"""Where 32 electrodes of the 10-20 system sit on a round head."""

from __future__ import annotations

import numpy as np

from biosense.core.types import Floats

# Inclination from Cz and azimuth from the right ear towards the nose, degrees: the 32-electrode
# cap of the BioSemi coordinate sheet, in the channel order of DEAP.
_ANGLES = {
    "Fp1": (-92, -72), "AF3": (-74, -65), "F3": (-60, -51), "F7": (-92, -36),
    "FC5": (-72, -21), "FC1": (-32, -45), "C3": (-46, 0), "T7": (-92, 0),
    "CP5": (-72, 21), "CP1": (-32, 45), "P3": (-60, 51), "P7": (-92, 36),
    "PO3": (-74, 65), "O1": (-92, 72), "Oz": (92, -90), "Pz": (46, -90),
    "Fp2": (92, 72), "AF4": (74, 65), "Fz": (46, 90), "F4": (60, 51),
    "F8": (92, 36), "FC6": (72, 21), "FC2": (32, 45), "Cz": (0, 0),
    "C4": (46, 0), "T8": (92, 0), "CP6": (72, -21), "CP2": (32, -45),
    "P4": (60, -51), "P8": (92, -36), "PO4": (74, -65), "O2": (92, -72),
}  # fmt: skip

CHANNELS = tuple(_ANGLES)


def _place(inclination: float, azimuth: float) -> tuple[float, float, float]:
    theta, phi = np.radians([inclination, azimuth])
    return (
        float(np.sin(theta) * np.cos(phi)),
        float(np.sin(theta) * np.sin(phi)),
        float(np.cos(theta)),
    )


POSITIONS = {name: _place(*angles) for name, angles in _ANGLES.items()}
"""Right, front and up of each electrode on a head of radius 1."""


def spread_from(name: str, width: float) -> Floats:
    """Return how much of a source below electrode `name` each electrode sees, shape (32,).

    Parameters
    ----------
    name
        Electrode above the source.
    width
        Standard deviation of the spread in head radii.

    Examples
    --------
    >>> float(spread_from("Cz", 0.5)[CHANNELS.index("Cz")])
    1.0
    """
    places = np.array(list(POSITIONS.values()))
    squared = ((places - POSITIONS[name]) ** 2).sum(axis=1)
    spread: Floats = np.exp(-0.5 * squared / width**2)
    return spread
