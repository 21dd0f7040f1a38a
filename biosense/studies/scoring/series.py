"""Predictions beside their targets, cut to what is scored: steps, or a value for a rated trial."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from biosense.core.errors import BadInput
from biosense.core.types import Floats
from biosense.models.sequences import LabelledSequence
from biosense.studies.base import Predicted

TARGETS = ("valence", "arousal")
"""Order of the last axis of means, standard deviations and targets."""

Key = tuple[str, int, str, float]


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

    @property
    def trial(self) -> tuple[Floats, Floats]:
        """Mean and target of the whole sequence, (2,) each, over the steps where both are known."""
        known = np.isfinite(self.mean) & np.isfinite(self.target)
        return _mean(self.mean, known), _mean(self.target, known)


def series_of(
    predicted: Sequence[Predicted], *, window_s: tuple[float, float] | None = None
) -> list[Series]:
    """Return what is scored, in the order of subject and position.

    Parameters
    ----------
    predicted
        Of one seed, every sequence once.
    window_s
        Only steps in [start, stop) after each sequence's first.

    Raises
    ------
    BadInput
        There are no predictions, a sequence occurs twice, or shapes do not fit.
    """
    if not predicted:
        raise BadInput("there are no predictions to score")
    ordered = sorted(predicted, key=lambda p: key_of(p.sequence))
    keys = [key_of(p.sequence) for p in ordered]
    twice = sorted({key for key, following in itertools.pairwise(keys) if key == following})
    if twice:
        raise BadInput(
            f"{len(twice)} sequences were predicted twice, the first {twice[0]}; score one seed at "
            "a time (`by_seed`), and each sequence in one fold"
        )
    return [_series(p, window_s) for p in ordered]


def key_of(sequence: LabelledSequence) -> Key:
    """Return what tells a sequence from all others of a data set."""
    return sequence.subject, sequence.position, sequence.stimulus, float(sequence.time[0])


def by_seed(predicted: Iterable[Predicted]) -> dict[int, list[Predicted]]:
    """Sort predictions by the seed of their fit."""
    seeds: dict[int, list[Predicted]] = {}
    for one in predicted:
        seeds.setdefault(one.seed, []).append(one)
    return dict(sorted(seeds.items()))


def training_threshold(train: Sequence[LabelledSequence]) -> tuple[float, float]:
    """Return what separates high from low: the median over the training trials, for each target."""
    trials = trial_targets(train)
    known = [column[np.isfinite(column)] for column in trials.T]
    valence, arousal = (float(np.median(column)) if len(column) else np.nan for column in known)
    return valence, arousal


def trial_targets(sequences: Sequence[LabelledSequence]) -> Floats:
    """Return the mean target of each sequence, (sequences, 2); NaN where nobody rated."""
    return np.array([_mean(s.target, np.isfinite(s.target)) for s in sequences]).reshape(-1, 2)


def _series(one: Predicted, window_s: tuple[float, float] | None) -> Series:
    sequence, shape = one.sequence, one.sequence.target.shape
    if one.mean.shape != shape or one.sd.shape != shape:
        raise BadInput(
            f"prediction {one.mean.shape} and deviation {one.sd.shape} of {sequence.subject!r} "
            f"must have the shape of its target, {shape}"
        )
    keep = np.ones(sequence.n, bool)
    if window_s is not None:
        since = sequence.time - sequence.time[0]
        keep = (since > window_s[0] - 1e-9) & (since < window_s[1] - 1e-9)
    mean, sd, target = one.mean[keep], one.sd[keep], sequence.target[keep]
    if sequence.per_trial:
        rated = np.isfinite(target)
        mean, sd, target = (
            _mean(values, rated & np.isfinite(values))[None] for values in (mean, sd, target)
        )
    return Series(
        sequence.subject, sequence.position, one.fold, sequence.per_trial, mean, sd, target
    )


def _mean(values: Floats, known: np.ndarray[tuple[int, ...], np.dtype[np.bool_]]) -> Floats:
    """Average over the first axis where known; NaN where nothing is."""
    count = known.sum(0)
    total = np.where(known, values, 0.0).sum(0)
    return np.asarray(np.where(count > 0, total / np.maximum(count, 1), np.nan), np.float64)
