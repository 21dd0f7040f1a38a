"""Stages that can be named: put into a pipeline by a preset, by settings or by `bs.pipeline`."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

from biosense.core.errors import BadInput
from biosense.core.registry import Registry
from biosense.core.stage import Stage
from biosense.core.types import Modality
from biosense.processing.eeg.asr import Asr
from biosense.processing.eeg.reference import Reference
from biosense.processing.signal.filters import BandPass, HighPass, LowPass, Notch

Place = Literal["signal", "features"]
PLACES: tuple[Place, ...] = ("signal", "features")

_METHODS = ("start", "push", "flush")


def _as_stage(part: Any) -> type[Stage[Any, Any]]:
    missing = [name for name in _METHODS if not callable(getattr(part, name, None))]
    if missing or not (isinstance(part, type) and hasattr(part, "__dataclass_fields__")):
        raise BadInput(
            f"got {part!r} as a stage, wanted a dataclass with {', '.join(_METHODS)}: its fields "
            "are the parameters (see biosense.core.stage.Stage)"
        )
    return part


STAGES: Registry[type[Stage[Any, Any]]] = Registry(
    "stage",
    {
        "asr": Asr,
        "band_pass": BandPass,
        "high_pass": HighPass,
        "low_pass": LowPass,
        "notch": Notch,
        "reference": Reference,
    },
    group="biosense.stages",
    adapt=_as_stage,
)
"""Stages that go beside those of a pipeline, by name."""

S = TypeVar("S", bound=type[Any])


def register_stage(name: str) -> Callable[[S], S]:
    """Register a stage, so that presets and `bs.pipeline` put it into a pipeline by name.

    It is known to the process that runs the decorator. For the command line, name the class in an
    entry point of the group "biosense.stages" of your package instead.

    Parameters
    ----------
    name
        What it is called by.

    Returns
    -------
    callable
        Decorates a dataclass that fits `biosense.core.stage.Stage`; gives it back.

    Raises
    ------
    BadInput
        The name is one of biosense's own, or the class is no stage.

    See Also
    --------
    biosense.testing.check_stage : Try whether a stage does what every stage promises.

    Notes
    -----
    `examples/plugins/own_stage.py` in biosense's repository is a template.
    """
    return lambda stage: STAGES.register(name, stage)


def make_stage(name: str, options: Iterable[tuple[str, Any]] = ()) -> Stage[Any, Any]:
    """Make a registered stage.

    Parameters
    ----------
    name
        A key of `STAGES`.
    options
        Its parameters, in pairs of name and value.

    Returns
    -------
    Stage
        Not yet started.

    Raises
    ------
    BadInput
        There is no such stage, or it does not take these options.

    Examples
    --------
    >>> make_stage("low_pass", [("cutoff", 40.0)])
    LowPass(cutoff=40.0, order=2)
    """
    make, given = STAGES[name], dict(options)
    try:
        inspect.signature(make).bind(**given)
    except TypeError as error:
        raise BadInput(f"stage {name!r} does not take the options {given}: {error}") from error
    return make(**given)


@dataclass(frozen=True)
class ExtraStage:
    """Say which stage the pipeline of a modality has beside its own.

    Parameters
    ----------
    modality
        Whose pipeline.
    name
        A key of `STAGES`.
    at
        "signal": on samples in SI units on their grid, before anything else is done to them;
        "features": on the features, at the end.
    options
        Parameters of the stage, in pairs of name and value.

    Raises
    ------
    BadInput
        There is no such modality or place.

    Examples
    --------
    >>> ExtraStage(Modality.ECG, "notch", options=(("frequency", 60.0),)).make()
    Notch(frequency=60.0, q=30.0, harmonics=1)
    """

    modality: Modality
    name: str
    at: Place = "signal"
    options: tuple[tuple[str, Any], ...] = ()

    def __post_init__(self) -> None:
        if self.modality not in set(Modality) or self.at not in PLACES:
            raise BadInput(
                f"stage {self.name!r} at {self.at!r} of {self.modality!r}; wanted "
                f"{' or '.join(PLACES)} of one of {', '.join(Modality)}"
            )
        object.__setattr__(self, "modality", Modality(self.modality))
        pairs = ((key, tuple(v) if isinstance(v, list) else v) for key, v in self.options)
        object.__setattr__(self, "options", tuple(pairs))  # JSON has lists only

    def make(self) -> Stage[Any, Any]:
        """Make the stage; raises as `make_stage`."""
        return make_stage(self.name, self.options)
