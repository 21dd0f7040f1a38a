"""What studies are made of: labelled data, folds, candidates, what they predict, scores."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from biosense.core.errors import BadInput
from biosense.core.types import Floats, Modality
from biosense.models.sequences import LabelledSequence

Values = Mapping[str, Mapping[str, float | None]]
"""Scores by target and name; None where there is nothing to score."""


@dataclass(frozen=True)
class Bounds:
    """Hold a value with its 95 % interval over people; no bounds for fewer than three."""

    value: float | None
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, eq=False)
class StudyData:
    """Hold the features of a data set, one sequence for each trial.

    Parameters
    ----------
    name
        Of the data set, a key of `DATASETS`.
    sequences
        Sorted by subject and position.
    features
        Names of the features of each modality.
    fingerprint
        Of data, configuration and code: equal fingerprints, equal features.
    subject_groups
        People who must stay on one side of a split (they were recorded together).
    stated_folds
        Fold of each subject where the data set's publishers gave one.
    notes
        What was left out and why.
    """

    name: str
    sequences: tuple[LabelledSequence, ...]
    features: Mapping[Modality, tuple[str, ...]]
    fingerprint: str
    subject_groups: Mapping[str, str] = field(default_factory=dict)
    stated_folds: Mapping[str, int] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not self.sequences:
            raise BadInput(f"{self.name!r} gave no sequence; its notes say why: {self.notes}")

    @property
    def subjects(self) -> tuple[str, ...]:
        """Everybody, sorted."""
        return tuple(sorted({sequence.subject for sequence in self.sequences}))


@dataclass(frozen=True, eq=False)
class Fold:
    """Hold one split: what is fitted, what chooses when to stop, and what is scored once.

    `validation` lies inside the training side: other subjects where these are held out, otherwise
    made by the same rule as `test` (other stimuli, later time).
    """

    name: str
    train: tuple[LabelledSequence, ...]
    validation: tuple[LabelledSequence, ...]
    test: tuple[LabelledSequence, ...]


@dataclass(frozen=True, eq=False)
class Prediction:
    """Hold what a candidate said of one test sequence.

    Parameters
    ----------
    sequence
        With its targets, which the candidate never saw.
    mean, sd
        Valence and arousal, (time, 2); `sd` NaN for a candidate without uncertainty.
    fold
        Name of the fold in which it was a test sequence.
    seed
        Of the fit.
    """

    sequence: LabelledSequence
    mean: Floats
    sd: Floats
    fold: str
    seed: int = 0


class Predictor(Protocol):
    """Something fitted: says valence and arousal of a sequence without looking at its targets."""

    def predict(self, sequence: LabelledSequence) -> tuple[Floats, Floats]:
        """Return mean and standard deviation, both (time, 2)."""
        ...


class Candidate(Protocol):
    """Something to be studied: a fusion family, one of its subsets, or a control.

    Candidates are pickled to workers: keep them small and frozen.
    """

    @property
    def name(self) -> str:
        """How tables call it."""
        ...

    def fit(
        self,
        train: Sequence[LabelledSequence],
        validation: Sequence[LabelledSequence],
        seed: int,
    ) -> Predictor:
        """Fit on the training side of a fold."""
        ...
