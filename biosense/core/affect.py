"""What is estimated, from what, and the columns in which it is given out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from biosense.core.types import Floats, Modality

TARGETS = ("valence", "arousal")
"""What is rated and estimated, in this order everywhere: ratings, annotations, models, scores."""
ESTIMATE_VALUES = (*TARGETS, *(f"sd_{target}" for target in TARGETS))
"""Columns of every stream and table of estimates; weights of the modalities follow."""
WEIGHT_PREFIX = "weight_"
"""Before the name of a modality: the column of its weight."""


@dataclass(frozen=True, eq=False, slots=True)
class FusionInput:
    """Hold what all modalities know at one index of the session grid; absent ones are left out.

    Parameters
    ----------
    index
        k on the session grid.
    time
        End of the windows, k * hop, seconds of session time.
    data
        Features of each modality, shape (features,); NaN where one has no value.
    quality
        Of each modality, 0 to 1.
    """

    index: int
    time: float
    data: Mapping[Modality, Floats]
    quality: Mapping[Modality, float]


@dataclass(frozen=True)
class Estimate:
    """Hold valence and arousal at one moment, how sure they are, what carried them.

    Parameters
    ----------
    time
        Session time, seconds.
    valence, arousal
        In [-1, 1].
    sd_valence, sd_arousal
        Standard deviation of the error that the model expects.
    weight
        Share of each modality that is present, 0 to 1.
    """

    time: float
    valence: float
    arousal: float
    sd_valence: float
    sd_arousal: float
    weight: Mapping[Modality, float] = field(default_factory=dict)


def weights_of(values: Iterable[tuple[str, float]]) -> dict[str, float]:
    """Return the weight of each modality among the columns of an estimate.

    Parameters
    ----------
    values
        Names of columns with their values.

    Returns
    -------
    dict of str to float
        By modality.

    Examples
    --------
    >>> weights_of([("valence", 0.1), ("weight_ecg", 0.7)])
    {'ecg': 0.7}
    """
    prefix = WEIGHT_PREFIX
    return {name.removeprefix(prefix): at for name, at in values if name.startswith(prefix)}
