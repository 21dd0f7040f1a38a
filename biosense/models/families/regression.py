"""What fits without gradient descent share: steps as rows, and the gain that shrinkage needs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from biosense.core.types import Floats, Ints
from biosense.models.evaluation.metrics import ccc

MAX_GAIN = 3.0
"""Beyond it the estimate is noise that would be blown up; below 1 there is no shrinkage."""


@dataclass(frozen=True, eq=False)
class Rows:
    """Hold the steps of some sequences: columns (n, columns), targets (n, 2), subject (n,)."""

    columns: Floats
    target: Floats
    subject: Floats


def mean_ccc(said: Floats, rows: Rows) -> float:
    """Return the CCC of each subject's steps, averaged over subjects and targets that vary."""
    values = [
        ccc(said[rows.subject == who, column], rows.target[rows.subject == who, column])
        for who in np.unique(rows.subject)
        for column in range(2)
    ]
    return float(np.nanmean(values)) if np.isfinite(values).any() else float("-inf")


def shares(size: Floats, owner: Ints, n: int) -> Tensor:
    """Return the share of each of n modalities in what its columns weigh; none is quite 0."""
    sums = np.bincount(owner, size, minlength=n)
    total = sums + 1e-3 * max(float(sums.sum()), 1e-12)
    return torch.from_numpy(total / total.sum()).float()


def spread_gain(said: Floats, target: Floats) -> tuple[float, float]:
    """Return the centre of estimates and what gives them the spread of the known targets."""
    known = np.isfinite(target)
    said, target = said[known], target[known]
    if len(said) < 2 or said.std() == 0 or np.cov(said, target)[0, 1] <= 0:
        return 0.0, 1.0
    return float(said.mean()), float(np.clip(target.std() / said.std(), 1.0, MAX_GAIN))


def rescale(said: Floats, centre: float, gain: float) -> Floats:
    """Spread estimates by a gain around a centre.

    Parameters
    ----------
    said
        Estimates of one target, (n,).
    centre, gain
        As `spread_gain` gives them.

    Returns
    -------
    Floats
        Of the same shape.
    """
    return centre + gain * (said - centre)
