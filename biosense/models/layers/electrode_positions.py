"""Where electrodes sit on an ideal head, by their names: what a graph's distances start from."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

import torch
from torch import Tensor

from biosense.core.errors import BadInput

STEP = math.radians(18)  # 10 % of the half circle from nasion to inion
# Rows of the 10-10 system (Jasper 1958; Chatrian 1985), in steps from the vertex to the front. CB
# lies below the ring of Fp1, T7 and O1; here it is on it.
_ROWS: dict[str, float] = {"FP": 4, "AF": 3, "F": 2, "FC": 1, "FT": 1, "C": 0, "T": 0}
_ROWS |= {"CP": -1, "TP": -1, "P": -2, "PO": -3, "O": -4, "CB": -4.5}
_RING = 4  # steps from the vertex
_OLD = {"T3": "T7", "T4": "T8", "T5": "P7", "T6": "P8"}
_SITE = re.compile(r"(FP|AF|FC|FT|CP|TP|PO|CB|F|C|T|P|O)(Z|10|[1-9])")


def scalp_position(name: str) -> tuple[float, float, float]:
    """Return where a 10-10 electrode sits on the unit sphere.

    The system is that of [1]_ and [2]_.

    Parameters
    ----------
    name
        Such as "Fp1"; old names (T3, T4, T5, T6) and any case are understood.

    Returns
    -------
    tuple of float
        Right, front and up; the vertex is (0, 0, 1).

    Raises
    ------
    BadInput
        The name is none of the 10-10 system.

    References
    ----------
    .. [1] Jasper (1958). The ten-twenty electrode system of the International Federation.
           Electroencephalography and Clinical Neurophysiology 10.
    .. [2] Chatrian, Lettich, Nelson (1985). Ten percent electrode system for topographic studies of
           spontaneous and evoked EEG activities. American Journal of EEG Technology 25(2).

    Examples
    --------
    >>> [round(value, 2) for value in scalp_position("Cz")]
    [0.0, 0.0, 1.0]
    >>> scalp_position("T8")[0] > 0.9, scalp_position("O1")[1] < -0.8
    (True, True)
    """
    site = _SITE.fullmatch(_OLD.get(name.strip().upper(), name.strip().upper()))
    if site is None:
        raise BadInput(f"{name!r} is no electrode of the 10-10 system, whose names are like 'FC5'")
    row = _ROWS[site[1]]
    number = 0 if site[2] == "Z" else int(site[2])
    side = 1 if number % 2 == 0 else -1
    middle = (0.0, math.sin(row * STEP), math.cos(row * STEP))
    ring, azimuth = math.sin(_RING * STEP), row * STEP
    edge = (side * ring * math.cos(azimuth), ring * math.sin(azimuth), math.cos(_RING * STEP))
    # Sites 1, 3, 5, 7 of a row part the way to the ring in four; rows Fp and O lie on the ring.
    share = math.ceil(number / 2) / 4 if abs(row) < _RING or number == 0 else 1.0
    mixed = [a + share * (b - a) for a, b in zip(middle, edge, strict=True)]
    size = math.hypot(*mixed)
    return mixed[0] / size, mixed[1] / size, mixed[2] / size


def scalp_closeness(names: Sequence[str], spread: float = 0.5) -> Tensor:
    """Return how close electrodes are to each other: exp(-d^2 / 2 spread^2) of distances d.

    Parameters
    ----------
    names
        Of the 10-10 system.
    spread
        In radii of the head.

    Returns
    -------
    Tensor
        In (0, 1], (names, names).

    Examples
    --------
    >>> scalp_closeness(["Fp1", "Fp2", "Oz"]).argsort(1)[0].tolist()
    [2, 1, 0]
    """
    places = torch.tensor([scalp_position(name) for name in names])
    return torch.exp(-torch.cdist(places, places).square() / (2 * spread**2))
