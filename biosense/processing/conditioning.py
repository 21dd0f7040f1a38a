"""What is done to features between a pipeline and a model: relative to the person, either way.

A checkpoint names its conditioning, so that a run treats features as its training did.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping

from biosense.core.registry import Registry
from biosense.core.types import Modality, StreamInfo
from biosense.processing.context import PersonContext
from biosense.processing.normalise import RunningNormalise
from biosense.processing.pipelines import fingerprints, schema

Conditioning = RunningNormalise | PersonContext

_HEART = {"heart_rate": (70.0, 10.0), "ibi": (-0.15, 0.15)}
_IN_CONTEXT: Mapping[Modality, Mapping[str, tuple[float, float]]] = {
    Modality.ECG: _HEART,
    Modality.PPG: _HEART,
    Modality.EDA: {
        "scl_log": (2.5, 0.7),
        "phasic": (-1.7, 0.9),
        "rise": (-2.1, 0.4),
        "scr_recent": (-2.0, 0.6),
    },
    Modality.EMG: {"zygomaticus": (0.0, 1.0), "corrugator": (0.0, 1.0)},
    Modality.TEMP: {"temp_level": (28.0, 4.0)},
}
"""What half a minute tells, with round values typical of people (as `PersonContext` sees features,
long tails as logarithms): they hold for the first seconds only, until the person's own do."""


def _person(modality: Modality) -> Conditioning:
    return RunningNormalise()


def _context(modality: Modality) -> Conditioning:
    typical = _IN_CONTEXT.get(modality, {})
    return PersonContext(tuple(typical), tuple(typical.values()))


CONDITIONINGS: Registry[Callable[[Modality], Conditioning]] = Registry(
    "conditioning", {"person": _person, "context": _context}
)


def conditioned_schema(name: str) -> dict[Modality, tuple[str, ...]]:
    """Return the names of the features of each modality behind a conditioning, in order.

    Parameters
    ----------
    name
        A key of `CONDITIONINGS`.

    Returns
    -------
    dict of Modality to tuple of str

    Examples
    --------
    >>> conditioned_schema("context")[Modality.TEMP][:2]
    ('temp_level.z.3', 'temp_level.start.3')
    """
    make = CONDITIONINGS[name]
    return {
        modality: make(modality).start(StreamInfo(modality, modality, names, 4.0)).channels
        for modality, names in schema().items()
    }


def conditioned_fingerprints(name: str) -> dict[Modality, str]:
    """Return the fingerprint of each modality's pipeline and conditioning together.

    Parameters
    ----------
    name
        A key of `CONDITIONINGS`.

    Returns
    -------
    dict of Modality to str
    """
    if name == "person":  # the only one that models knew at first: theirs are of the pipeline alone
        return fingerprints()
    make = CONDITIONINGS[name]
    return {
        modality: hashlib.sha256(f"{mark} {make(modality)!r}".encode()).hexdigest()[:16]
        for modality, mark in fingerprints().items()
    }
