"""Scores of continuous estimates: CCC, Pearson, RMSE, MAE per sequence and pooled; coverage.

Conventions, fixed and tested because public scorers disagree on them: population moments
(denominator n) in float64; a constant that equals a constant target scores CCC 1, any other
constant 0; pairs with a NaN are left out; no pairs at all give NaN.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from biosense.core.errors import BadInput
from biosense.core.types import Floats

COVERAGE_LEVELS = (0.5, 0.8, 0.9, 0.95)
GAUSSIAN_QUANTILES = {0.5: 0.674490, 0.8: 1.281552, 0.9: 1.644854, 0.95: 1.959964}  # of |N(0, 1)|


def ccc(prediction: Floats, target: Floats) -> float:
    """Return the concordance correlation coefficient [1]_.

    Parameters
    ----------
    prediction, target
        Shape (n,); pairs with a NaN are left out.

    Returns
    -------
    float
        In [-1, 1]; NaN without any pair.

    Raises
    ------
    BadInput
        They are no vectors of equal length.

    References
    ----------
    .. [1] Lin (1989). A concordance correlation coefficient to evaluate reproducibility. Biometrics
           45(1).

    Examples
    --------
    >>> ccc(np.array([1.0, 2.0, 3.0]), np.array([1.0, 2.0, 3.0]))
    1.0
    >>> ccc(np.zeros(3), np.array([1.0, 2.0, 3.0]))
    0.0
    """
    p, y = _pairs(prediction, target)
    if len(p) == 0:
        return math.nan
    if np.ptp(p) == 0 or np.ptp(y) == 0:
        return float(np.array_equal(p, y))
    scale = max(np.ptp(p), np.ptp(y), abs(p.mean() - y.mean()))  # keeps squares from underflowing
    bias = (p.mean() - y.mean()) / scale
    p, y = (p - p.mean()) / scale, (y - y.mean()) / scale
    return float(2 * np.mean(p * y) / (np.mean(p * p) + np.mean(y * y) + bias * bias))


def pearson(prediction: Floats, target: Floats) -> float:
    """Return Pearson's correlation; 0 where either is constant: nothing is followed.

    Parameters
    ----------
    prediction, target
        Shape (n,); pairs with a NaN are left out.

    Returns
    -------
    float
        In [-1, 1]; NaN without any pair.

    Raises
    ------
    BadInput
        They are no vectors of equal length.

    Examples
    --------
    >>> pearson(np.array([1.0, 2.0, 3.0]), np.array([-2.0, -4.0, -6.0]))
    -1.0
    """
    p, y = _pairs(prediction, target)
    if len(p) == 0:
        return math.nan
    if np.ptp(p) == 0 or np.ptp(y) == 0:
        return 0.0
    p, y = (p - p.mean()) / np.ptp(p), (y - y.mean()) / np.ptp(y)
    return float(np.clip(np.mean(p * y) / np.sqrt(np.mean(p * p) * np.mean(y * y)), -1, 1))


def rmse(prediction: Floats, target: Floats) -> float:
    """Return the root mean squared error.

    Parameters
    ----------
    prediction, target
        Shape (n,); pairs with a NaN are left out.

    Returns
    -------
    float
        In the unit of the target; NaN without any pair.

    Raises
    ------
    BadInput
        They are no vectors of equal length.
    """
    p, y = _pairs(prediction, target)
    return float(np.sqrt(np.mean((p - y) ** 2))) if len(p) else math.nan


def mae(prediction: Floats, target: Floats) -> float:
    """Return the mean absolute error.

    Parameters
    ----------
    prediction, target
        Shape (n,); pairs with a NaN are left out.

    Returns
    -------
    float
        In the unit of the target; NaN without any pair.

    Raises
    ------
    BadInput
        They are no vectors of equal length.
    """
    p, y = _pairs(prediction, target)
    return float(np.mean(np.abs(p - y))) if len(p) else math.nan


def coverage(prediction: Floats, sd: Floats, target: Floats) -> dict[float, float]:
    """Return the share of targets inside the central interval of each of `COVERAGE_LEVELS`.

    Honest standard deviations of Gaussian errors cover 0.8 of the targets at level 0.8.

    Parameters
    ----------
    prediction, sd, target
        Shape (n,), in one unit; rows with a NaN are left out.

    Returns
    -------
    dict
        Share by level; NaN without any row.
    """
    known = np.isfinite(prediction) & np.isfinite(target) & np.isfinite(sd)
    if not known.any():
        return dict.fromkeys(COVERAGE_LEVELS, math.nan)
    z = np.abs(prediction[known] - target[known]) / sd[known]
    return {level: float(np.mean(z <= GAUSSIAN_QUANTILES[level])) for level in COVERAGE_LEVELS}


def nll(prediction: Floats, sd: Floats, target: Floats) -> float:
    """Return the mean negative log-likelihood of the targets under the Gaussians.

    Parameters
    ----------
    prediction, sd, target
        Shape (n,), in one unit; rows with a NaN are left out.

    Returns
    -------
    float
        Nats; NaN without any row.
    """
    known = np.isfinite(prediction) & np.isfinite(target) & np.isfinite(sd)
    if not known.any():
        return math.nan
    z = (prediction[known] - target[known]) / sd[known]
    return float(np.mean(0.5 * z * z + np.log(sd[known]) + 0.5 * np.log(2 * np.pi)))


@dataclass(frozen=True)
class Scores:
    """Hold the scores of one target.

    Parameters
    ----------
    ccc, pearson, rmse, mae
        Means over the sequences of each subject, then over subjects; sequences without a target are
        left out.
    pooled_ccc, pooled_pearson, pooled_rmse
        Of all samples as one sequence, which also rewards knowing each sequence's mean: never
        compare the two.
    """

    ccc: float
    pearson: float
    rmse: float
    mae: float
    pooled_ccc: float
    pooled_pearson: float
    pooled_rmse: float


def score(
    predictions: Sequence[Floats], targets: Sequence[Floats], subjects: Sequence[str]
) -> Scores:
    """Score one target over several sequences.

    Parameters
    ----------
    predictions, targets
        One (time,) array for each sequence; NaN where unknown.
    subjects
        Subject of each sequence.

    Returns
    -------
    Scores
        All NaN without any sequence.

    Raises
    ------
    BadInput
        There are not as many predictions, targets and subjects.

    Examples
    --------
    >>> y = [np.array([0.0, 1.0]), np.array([2.0, 3.0])]
    >>> flat = [np.full(2, 0.5), np.full(2, 2.5)]
    >>> scores = score(flat, y, ["a", "b"])
    >>> scores.ccc, round(scores.pooled_ccc, 3)
    (0.0, 0.889)
    """
    if not len(predictions) == len(targets) == len(subjects):
        raise BadInput(
            f"got {len(predictions)} predictions, {len(targets)} targets and {len(subjects)} "
            "subjects; each sequence needs one of each"
        )
    if not predictions:
        return Scores(*[math.nan] * 7)

    def mean(metric: Callable[[Floats, Floats], float]) -> float:
        return mean_over_subjects(
            [metric(p, y) for p, y in zip(predictions, targets, strict=True)], subjects
        )

    p, y = np.concatenate(predictions), np.concatenate(targets)
    pooled = (ccc(p, y), pearson(p, y), rmse(p, y))
    return Scores(mean(ccc), mean(pearson), mean(rmse), mean(mae), *pooled)


def mean_over_subjects(values: Sequence[float], subjects: Sequence[str]) -> float:
    """Average within each subject, then over subjects.

    Parameters
    ----------
    values
        One for each sequence; NaN is left out.
    subjects
        Whose sequences they are.

    Returns
    -------
    float
        NaN where all are.

    Examples
    --------
    >>> mean_over_subjects([1.0, 3.0, 8.0, float("nan")], ["a", "a", "b", "c"])
    5.0
    """
    groups: dict[str, list[float]] = {}
    for value, subject in zip(values, subjects, strict=True):
        if math.isfinite(value):
            groups.setdefault(subject, []).append(value)
    if not groups:
        return math.nan
    return float(np.mean([np.mean(group) for group in groups.values()]))


def _pairs(prediction: Floats, target: Floats) -> tuple[Floats, Floats]:
    p, y = np.asarray(prediction, np.float64), np.asarray(target, np.float64)
    if p.shape != y.shape or p.ndim != 1:
        raise BadInput(f"prediction {p.shape} and target {y.shape} must be vectors of equal length")
    known = np.isfinite(p) & np.isfinite(y)
    return p[known], y[known]
