"""What a score would be by chance: beside labels shifted in time."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from biosense.core.errors import BadInput
from biosense.core.types import Floats, Ints
from biosense.studies.scoring.moments import ccc_of, moments, pearson_of, rmse_of
from biosense.studies.scoring.predictions import Predictions, column_of
from biosense.studies.scoring.series import Series

SHIFTS = 1000
NEAREST = 0.1  # of a sequence: smaller shifts leave slow labels nearly where they were

_FORMULA: dict[str, tuple[Callable[[Floats], Floats], str]] = {
    "ccc": (ccc_of, "sequence"),
    "pearson": (pearson_of, "sequence"),
    "within_ccc": (ccc_of, "subject"),
    "pooled_ccc": (ccc_of, "all"),
    "pooled_pearson": (pearson_of, "all"),
    "pooled_rmse": (rmse_of, "all"),
}


@dataclass(frozen=True)
class Null:
    """Hold a score beside what chance gives.

    Parameters
    ----------
    value
        With the labels in place, averaged over seeds.
    mean, sd
        With shifted labels.
    limit
        What 5 % of these reach or exceed (fall to, where lower is better).
    p_value
        One-sided: share of these, and of the true labels, that are at least as good.
    """

    value: float
    mean: float
    sd: float
    limit: float
    p_value: float


def shift_null(
    predictions: Predictions,
    metric: str = "ccc",
    target: str = "valence",
    *,
    n: int = SHIFTS,
    seed: int = 0,
) -> Null:
    """Compare a score with that of labels shifted in a circle.

    Labels move within each sequence or, where each trial has one rating, among the trials of a
    person in their order. What stays is what each sequence's level says: pooled scores keep their
    part of it, which only `Permuted` takes away.

    Parameters
    ----------
    metric
        "ccc", "pearson", "within_ccc", "pooled_ccc", "pooled_pearson" or "pooled_rmse".
    n
        Number of shifts.
    """
    if metric not in _FORMULA:
        raise BadInput(f"no shifted null of {metric!r}; there are: {sorted(_FORMULA)}")
    formula, level = _FORMULA[metric]
    column = column_of(target)
    runs = []
    for own in predictions.seeds:
        units = _units(own.series, column)
        if not units:
            return Null(*[math.nan] * 5)
        sums = _shifted(units, n, np.random.default_rng(seed))
        runs.append(_combine(sums, [name for name, _, _ in units], formula, level))
    scores = np.mean(runs, 0)
    return _null(float(scores[0]), scores[1:], metric != "pooled_rmse")


def _null(value: float, null: Floats, higher: bool) -> Null:
    sign = 1 if higher else -1
    limit = sign * float(np.quantile(sign * null, 0.95))
    good = int((sign * null >= sign * value - 1e-12).sum())
    p_value = (good + 1) / (len(null) + 1) if math.isfinite(value) else math.nan
    return Null(value, float(null.mean()), float(null.std()), limit, p_value)


def _units(series: Sequence[Series], column: int) -> list[tuple[str, Floats, Floats]]:
    """Return subject, estimates and targets of each run of labels that is shifted as one."""
    units: list[tuple[str, Floats, Floats]] = []
    rated: dict[str, list[Series]] = {}
    for one in series:
        if one.per_trial:
            rated.setdefault(one.subject, []).append(one)
        else:
            units.append((one.subject, one.mean[:, column], one.target[:, column]))
    for subject, trials in rated.items():
        p, y = (np.concatenate([getattr(t, key)[:, column] for t in trials]) for key in _PAIR)
        units.append((subject, p, y))
    return [(name, *_known(p, y)) for name, p, y in units if len(_known(p, y)[0])]


_PAIR = ("mean", "target")


def _known(p: Floats, y: Floats) -> tuple[Floats, Floats]:
    known = np.isfinite(p) & np.isfinite(y)
    return p[known], y[known]


def _shifted(
    units: Sequence[tuple[str, Floats, Floats]], n: int, rng: np.random.Generator
) -> Floats:
    """Return the moments of each unit, unshifted first, (1 + n, units, 6)."""
    sums = np.empty((1 + n, len(units), 6))
    for k, (_, p, y) in enumerate(units):
        sums[:, k] = moments(p, y)
        # All circular cross-products at once; only they change with the shift.
        products = np.fft.irfft(np.fft.rfft(p) * np.conj(np.fft.rfft(y)), len(p))
        sums[1:, k, 5] = products[_shifts(len(p), n, rng)]
    return sums


def _shifts(length: int, n: int, rng: np.random.Generator) -> Ints:
    nearest = max(1, math.ceil(NEAREST * length))
    if length - nearest <= nearest:
        return rng.integers(0, length, n)
    return rng.integers(nearest, length - nearest + 1, n)


def _combine(
    sums: Floats, names: Sequence[str], formula: Callable[[Floats], Floats], level: str
) -> Floats:
    if level == "all":
        return formula(sums.sum(1))
    subjects = list(dict.fromkeys(names))
    members = [[k for k, name in enumerate(names) if name == subject] for subject in subjects]
    if level == "subject":
        return np.asarray(np.mean([formula(sums[:, own].sum(1)) for own in members], 0))
    return np.asarray(np.mean([formula(sums[:, own]).mean(1) for own in members], 0))
