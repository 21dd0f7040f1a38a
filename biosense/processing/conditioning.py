"""What is done to features between a pipeline and a model: relative to the person, in one of two ways.

A checkpoint names its conditioning, so that a run treats features as its training did.
"""

from __future__ import annotations

from collections.abc import Callable

from biosense.core.registry import Registry
from biosense.core.types import Modality, StreamInfo
from biosense.processing.context import PersonContext
from biosense.processing.normalise import RunningNormalise
from biosense.processing.pipelines import schema

Conditioning = RunningNormalise | PersonContext

_IN_CONTEXT = {
    Modality.ECG: ("heart_rate", "ibi"),
    Modality.PPG: ("heart_rate", "ibi"),
    Modality.EDA: (
        "scl_log",
        "scl_slope",
        "phasic",
        "rise",
        "scr_rate",
        "scr_amplitude",
        "scr_recent",
    ),
    Modality.EMG: ("zygomaticus", "corrugator"),
    Modality.TEMP: ("temp_level",),
}
"""What half a minute tells; features that need minutes by themselves gain nothing from context."""


def _person(modality: Modality) -> Conditioning:
    return RunningNormalise()


def _context(modality: Modality) -> Conditioning:
    return PersonContext(_IN_CONTEXT.get(modality, ()))


CONDITIONINGS: Registry[Callable[[Modality], Conditioning]] = Registry(
    "conditioning", {"person": _person, "context": _context}
)


def conditioned_schema(name: str) -> dict[Modality, tuple[str, ...]]:
    """Return the names of the features of each modality behind a conditioning, in order.

    >>> conditioned_schema("context")[Modality.TEMP][:2]
    ('temp_level.z.3', 'temp_level.start.3')
    """
    make = CONDITIONINGS[name]
    return {
        modality: make(modality).start(StreamInfo(modality, modality, names, 4.0)).channels
        for modality, names in schema().items()
    }
