"""Predictions that follow their targets as well as wanted, without any model."""

from __future__ import annotations

import numpy as np

from biosense.models.sequences import LabelledSequence
from biosense.studies.base import Prediction


def predictions(
    people: int = 10,
    trials: int = 3,
    n: int = 40,
    *,
    gain: float = 0.5,
    noise: float = 0.2,
    per_trial: bool = False,
    seed: int = 0,
    fit: int = 0,
) -> list[Prediction]:
    """Estimates that follow the target; `seed` makes the targets, `fit` the estimates."""
    truth, luck = np.random.default_rng(seed), np.random.default_rng([seed, fit + 1])
    made = []
    for person in range(people):
        bias = luck.normal(0, 0.1)
        for k in range(trials):
            y = np.clip(truth.normal(0, 0.3, 2) + truth.normal(0, 0.2, (n, 2)), -1, 1)
            if per_trial:
                y = np.tile(y[0], (n, 1))
            p = gain * y + bias + noise * luck.normal(size=(n, 2))
            time_s = 100.0 * k + np.arange(n) * 0.25
            sequence = LabelledSequence(
                f"p{person:02d}",
                time_s,
                {},
                {},
                y,
                f"c{k}",
                position=k,
                per_trial=per_trial,
            )
            made.append(Prediction(sequence, p, np.full((n, 2), noise), "f", fit))
    return made
