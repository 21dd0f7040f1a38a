"""Estimates of one sequence beside its targets, cut to what is scored."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from biosense.core.affect import TARGETS
from biosense.core.errors import BadInput
from biosense.core.types import Bools, Floats
from biosense.models.evaluation.metrics import ccc, mae, pearson, rmse
from biosense.models.sequences import LabelledSequence
from biosense.studies.base import Prediction

Key = tuple[str, int, str, float]


@dataclass(frozen=True)
class Agreement:
    """Hold CCC, Pearson's correlation, RMSE and MAE; NaN where there is nothing to score."""

    ccc: float
    pearson: float
    rmse: float
    mae: float

    @classmethod
    def of(cls, p: Floats, y: Floats) -> Agreement:
        """Score estimates against targets, (n,) each; pairs with a NaN are left out."""
        return cls(ccc(p, y), pearson(p, y), rmse(p, y), mae(p, y))


@dataclass(frozen=True, eq=False)
class Series:
    """Hold what is scored of one sequence: (k, 2) each, k = 1 where the whole has one rating.

    A rated trial's mean is that over its steps. So is its standard deviation: the errors of steps
    that share one rating do not average out.
    """

    subject: str
    position: int
    fold: str
    per_trial: bool
    mean: Floats
    sd: Floats
    target: Floats

    @cached_property
    def trial(self) -> tuple[Floats, Floats]:
        """Mean and target of the whole sequence, (2,) each, over the steps where both are known."""
        known = np.isfinite(self.mean) & np.isfinite(self.target)
        return _mean(self.mean, known), _mean(self.target, known)

    @cached_property
    def agreement(self) -> tuple[Agreement, ...]:
        """The scores of this sequence alone, in the order of `TARGETS`."""
        columns = range(len(TARGETS))
        return tuple(Agreement.of(self.mean[:, k], self.target[:, k]) for k in columns)


def series_of(prediction: Prediction, window_s: tuple[float, float] | None = None) -> Series:
    """Return what is scored of a prediction.

    Parameters
    ----------
    prediction
        Of one sequence.
    window_s
        Only steps in [start, stop) after the sequence's first; None: all.

    Raises
    ------
    BadInput
        Shapes of estimates and targets differ.
    """
    sequence, shape = prediction.sequence, prediction.sequence.target.shape
    if prediction.mean.shape != shape or prediction.sd.shape != shape:
        raise BadInput(
            f"prediction {prediction.mean.shape} and deviation {prediction.sd.shape} of "
            f"{sequence.subject!r} must have the shape of its target, {shape}"
        )
    keep = np.ones(sequence.n, bool)
    if window_s is not None:
        since = sequence.time - sequence.time[0]
        keep = (since > window_s[0] - 1e-9) & (since < window_s[1] - 1e-9)
    mean, sd, target = prediction.mean[keep], prediction.sd[keep], sequence.target[keep]
    if sequence.per_trial:
        rated = np.isfinite(target)
        mean, sd, target = (
            _mean(values, rated & np.isfinite(values))[None] for values in (mean, sd, target)
        )
    fold, per_trial = prediction.fold, sequence.per_trial
    return Series(sequence.subject, sequence.position, fold, per_trial, mean, sd, target)


def key_of(sequence: LabelledSequence) -> Key:
    """Return what tells a sequence from all others of a data set."""
    return sequence.subject, sequence.position, sequence.stimulus, float(sequence.time[0])


def training_threshold(train: Sequence[LabelledSequence]) -> tuple[float, float]:
    """Return what separates high from low: the median over the training trials, for each target."""
    trials = trial_targets(train)
    known = [column[np.isfinite(column)] for column in trials.T]
    valence, arousal = (float(np.median(column)) if len(column) else np.nan for column in known)
    return valence, arousal


def trial_targets(sequences: Sequence[LabelledSequence]) -> Floats:
    """Return the mean target of each sequence, (sequences, 2); NaN where nobody rated."""
    return np.array([_mean(s.target, np.isfinite(s.target)) for s in sequences]).reshape(-1, 2)


def _mean(values: Floats, known: Bools) -> Floats:
    """Average over the first axis where known; NaN where nothing is."""
    count = known.sum(0)
    total = np.where(known, values, 0.0).sum(0)
    return np.asarray(np.where(count > 0, total / np.maximum(count, 1), np.nan), np.float64)
