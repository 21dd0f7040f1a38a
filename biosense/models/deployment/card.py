"""What a checkpoint says about itself, and whether the features at hand are those it knows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from biosense import __version__
from biosense.core.errors import CheckpointMismatch
from biosense.core.types import Modality
from biosense.models.evaluation.conformal import Intervals


@dataclass(frozen=True)
class Card:
    """Say what a model was trained on and how well it did there.

    Parameters
    ----------
    data
        What the training data were, in words.
    warning
        What the model must not be used for, in words; shown wherever the model is loaded.
    subjects, sequences, hours
        How much there was, validation included.
    validation_subjects
        Subjects held out: they chose the epoch and calibrated the variance.
    metrics
        Of the validation subjects, by target. Mildly optimistic for the reason just given.
    settings
        Of the training.
    intervals
        Calibrated on the validation subjects; None where they rated nothing, or nobody trained.
    person
        Whom the model was fitted to; empty for a model for everybody.
    """

    data: str = ""
    warning: str = ""
    subjects: int = 0
    sequences: int = 0
    hours: float = 0.0
    validation_subjects: tuple[str, ...] = ()
    metrics: Mapping[str, Mapping[str, float | None]] = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=dict)
    intervals: Intervals | None = None
    person: str = ""


@dataclass(frozen=True)
class CheckpointInfo:
    """Hold what a checkpoint says about itself besides its weights.

    Parameters
    ----------
    model
        Name in `MODELS`.
    settings
        Fields of the model's config.
    features
        Names of the features of each modality, in order.
    fingerprints
        `Pipeline.fingerprint` of the pipeline that made each modality's features.
    card
        What it was trained on.
    version
        Version of biosense that wrote it.
    conditioning
        What was done to the features behind the pipelines, by name.
    """

    model: str
    settings: Mapping[str, Any]
    features: Mapping[Modality, tuple[str, ...]]
    fingerprints: Mapping[Modality, str]
    card: Card
    version: str = __version__
    conditioning: str = "person"

    @property
    def hop(self) -> float:
        """Seconds between two steps."""
        return float(self.settings["hop"])


def check_compatible(
    info: CheckpointInfo,
    features: Mapping[Modality, Sequence[str]],
    fingerprints: Mapping[Modality, str],
) -> None:
    """Refuse features that a checkpoint was not trained on, naming every difference.

    A modality that the model knows and that is not at hand is absent, which every model bears; one
    that the model does not know is ignored.

    Parameters
    ----------
    info
        Of the checkpoint.
    features
        Names of the features at hand, by modality.
    fingerprints
        Of the pipelines at hand; a modality without one is not compared.

    Raises
    ------
    CheckpointMismatch
        Features are missing, extra or in another order, a pipeline differs, or there is no modality
        in common.

    Examples
    --------
    >>> info = CheckpointInfo("early", {}, {Modality.EDA: ("scl", "scr")}, {}, Card())
    >>> check_compatible(info, {Modality.EDA: ("scr", "scl")}, {})
    Traceback (most recent call last):
    biosense.core.errors.CheckpointMismatch: the checkpoint does not fit these features:
    eda: features are in another order: wanted ['scl', 'scr'], got ['scr', 'scl']
    """
    shared = [modality for modality in info.features if modality in features]
    if not shared:
        raise CheckpointMismatch(
            f"the checkpoint knows {_names(info.features)} and the features at hand are of "
            f"{_names(features)}: nothing in common"
        )
    problems = []
    for modality in shared:
        wanted, got = tuple(info.features[modality]), tuple(features[modality])
        problems += [f"{modality}: {text}" for text in _feature_problems(wanted, got)]
        known, other = info.fingerprints.get(modality, ""), fingerprints.get(modality, "")
        if known and other and known != other:
            problems.append(
                f"{modality}: the pipeline differs: trained with {known}, here it is {other}"
            )
    if problems:
        raise CheckpointMismatch(
            "\n".join(["the checkpoint does not fit these features:", *problems])
        )


def _feature_problems(wanted: tuple[str, ...], got: tuple[str, ...]) -> list[str]:
    missing = [name for name in wanted if name not in got]
    extra = [name for name in got if name not in wanted]
    problems = [f"features missing: {missing}"] if missing else []
    problems += [f"features that the model does not know: {extra}"] if extra else []
    if not problems and wanted != got:
        problems = [f"features are in another order: wanted {list(wanted)}, got {list(got)}"]
    return problems


def _names(modalities: Mapping[Modality, Any]) -> str:
    return ", ".join(modality.value for modality in modalities) or "no modality"
