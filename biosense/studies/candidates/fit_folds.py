"""Fit whole folds and ask their test sides, whose targets nobody is handed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from biosense.models.sequences import LabelledSequence
from biosense.studies.base import Candidate, Fold, Prediction, Predictor

Fit = Callable[[Fold, int], Predictor]
"""A fitting procedure: is handed a whole fold and a seed, as a runner has them."""


def fit_of(candidate: Candidate) -> Fit:
    """Return the plain fitting procedure of a candidate."""
    return lambda fold, seed: candidate.fit(fold.train, fold.validation, seed)


def predict_folds(fit: Fit, made: Sequence[Fold], seed: int = 0) -> list[Prediction]:
    """Fit each fold and ask its test side, whose targets are hidden.

    Examples
    --------
    >>> from biosense.testing.labelled_data import trial_offset_noise
    >>> from biosense.studies.splits.protocols import folds
    >>> from biosense.studies.candidates.lookup import TrainMean
    >>> made = folds(trial_offset_noise(6, 4), "subject", n_folds=3)
    >>> len(predict_folds(fit_of(TrainMean()), made))
    24
    """
    return [
        Prediction(sequence, *fitted.predict(blind(sequence)), fold.name, seed)
        for fold in made
        for fitted in [fit(fold, seed)]
        for sequence in fold.test
    ]


def blind(sequence: LabelledSequence) -> LabelledSequence:
    """Return the sequence without its targets, as a predictor should be handed it."""
    return replace(sequence, target=np.full_like(sequence.target, np.nan))
