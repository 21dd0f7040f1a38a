"""Scores as sums over people, so that ten thousand resamples of them are one matrix product."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from biosense.core.errors import BadInput
from biosense.core.registry import Registry
from biosense.core.types import Floats
from biosense.models.evaluation.metrics import ccc, mae, nll, pearson, rmse
from biosense.studies.base import Predicted
from biosense.studies.scoring.series import Series, by_seed, key_of, series_of

_CONSTANT = 1e-12  # variance, in squares of the scale of ratings, below which nothing varies


@dataclass(frozen=True)
class Metric:
    """Say how a score is put together from people.

    Parameters
    ----------
    name
        Its key in `METRICS`.
    higher
        Whether higher is better.
    table
        Takes one person's series and the column of the target; returns its sums, (k,).
    combine
        Takes sums over people, (.., k); returns the score, (..).
    """

    name: str
    higher: bool
    table: Callable[[Sequence[Series], int], Floats]
    combine: Callable[[Floats], Floats]


def moments(p: Floats, y: Floats) -> Floats:
    """Return n and the sums of p, y, p*p, y*y and p*y over the pairs that are known."""
    known = np.isfinite(p) & np.isfinite(y)
    a, b = p[known], y[known]
    return np.array([len(a), a.sum(), b.sum(), a @ a, b @ b, a @ b], np.float64)


def ccc_of(sums: Floats) -> Floats:
    """Return the CCC of pooled moments, (.., 6); the conventions are those of `models.metrics`."""
    mean_p, mean_y, var_p, var_y, cov = _central(sums)
    total = var_p + var_y + (mean_p - mean_y) ** 2
    flat = (var_p < _CONSTANT) | (var_y < _CONSTANT)
    with np.errstate(invalid="ignore", divide="ignore"):
        value = np.where(flat, (total < _CONSTANT) * 1.0, 2 * cov / total)
    return np.where(sums[..., 0] > 0, value, np.nan)


def pearson_of(sums: Floats) -> Floats:
    """Return Pearson's correlation of pooled moments, (.., 6); 0 where either is constant."""
    _, _, var_p, var_y, cov = _central(sums)
    flat = (var_p < _CONSTANT) | (var_y < _CONSTANT)
    with np.errstate(invalid="ignore", divide="ignore"):
        value = np.where(flat, 0.0, np.clip(cov / np.sqrt(var_p * var_y), -1, 1))
    return np.where(sums[..., 0] > 0, value, np.nan)


def rmse_of(sums: Floats) -> Floats:
    """Return the RMSE of pooled moments, (.., 6)."""
    with np.errstate(invalid="ignore", divide="ignore"):
        square = (sums[..., 3] + sums[..., 4] - 2 * sums[..., 5]) / sums[..., 0]
    return np.sqrt(np.maximum(square, 0.0))


def mean_of(sums: Floats) -> Floats:
    """Return the mean of (sum, count), (.., 2)."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(sums[..., 0] / sums[..., 1])


def _central(sums: Floats) -> tuple[Floats, Floats, Floats, Floats, Floats]:
    with np.errstate(invalid="ignore", divide="ignore"):
        p, y, pp, yy, py = (sums[..., k] / sums[..., 0] for k in range(1, 6))
    return p, y, np.maximum(pp - p * p, 0.0), np.maximum(yy - y * y, 0.0), py - p * y


def macro_f1_of(sums: Floats) -> Floats:
    """Return macro-F1 of counts (.., 4): high said high, low said high, high said low, low."""
    hit, false, missed, low = (sums[..., k] for k in range(4))
    scores = []
    for right in (hit, low):
        total = 2 * right + false + missed
        scores.append(np.where(total > 0, 2 * right / np.maximum(total, 1), np.nan))
    known = np.isfinite(scores)
    total = np.where(known, scores, 0.0).sum(0)
    return np.asarray(np.where(known.any(0), total / np.maximum(known.sum(0), 1), np.nan))


def balanced_accuracy_of(sums: Floats) -> Floats:
    """Return the balanced accuracy of counts (.., 4); NaN where there is one class only."""
    hit, false, missed, low = (sums[..., k] for k in range(4))
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray((hit / (hit + missed) + low / (low + false)) / 2)


def _pooled(series: Sequence[Series], column: int) -> Floats:
    p, _, y = _steps(series, column)
    return moments(p, y)


def _trials(series: Sequence[Series], column: int) -> Floats:
    return moments(*_by_trial(series, column))


def _counts(
    series: Sequence[Series],
    column: int,
    threshold: float | Mapping[str, Sequence[float]],
) -> Floats:
    p, y = _by_trial(series, column)
    if isinstance(threshold, float):
        cuts = np.full(len(p), threshold)
    else:
        cuts = np.array([threshold[one.fold][column] for one in series], np.float64)
    known = np.isfinite(p) & np.isfinite(y)
    said, high = (p > cuts)[known], (y > cuts)[known]
    cells = (said & high, said & ~high, ~said & high, ~said & ~high)
    return np.array([cell.sum() for cell in cells], np.float64)


def _over_sequences(
    series: Sequence[Series],
    column: int,
    metric: Callable[[Floats, Floats], float],
    needs_time: bool,
) -> Floats:
    """Return (mean over the sequences, 1), or zeros where none has a value."""
    chosen = [one for one in series if not (needs_time and one.per_trial)]
    return _one_value([metric(one.mean[:, column], one.target[:, column]) for one in chosen])


def _within(
    series: Sequence[Series],
    column: int,
    metric: Callable[[Floats, Floats], float],
    by_trial: bool,
) -> Floats:
    p, _, y = _steps(series, column)
    if by_trial:
        p, y = _by_trial(series, column)
    enough = (np.isfinite(p) & np.isfinite(y)).sum() >= 2
    return _one_value([metric(p, y)] if enough else [])


def _likelihood(series: Sequence[Series], column: int) -> Floats:
    return _one_value([nll(*_steps(series, column))])


def _absolute(series: Sequence[Series], column: int) -> Floats:
    p, _, y = _steps(series, column)
    error = np.abs(p - y)[np.isfinite(p) & np.isfinite(y)]
    return np.array([error.sum(), len(error)], np.float64)


def _one_value(values: Sequence[float]) -> Floats:
    known = [value for value in values if np.isfinite(value)]
    return np.array([np.mean(known), 1.0]) if known else np.zeros(2)


def _steps(series: Sequence[Series], column: int) -> tuple[Floats, Floats, Floats]:
    p, sd, y = (
        np.concatenate([getattr(one, name)[:, column] for one in series])
        for name in ("mean", "sd", "target")
    )
    return p, sd, y


def _by_trial(series: Sequence[Series], column: int) -> tuple[Floats, Floats]:
    pairs = np.array([[value[column] for value in one.trial] for one in series])
    return pairs[:, 0], pairs[:, 1]


def binary_metric(kind: str, threshold: float | Mapping[str, Sequence[float]]) -> Metric:
    """Return "macro_f1" or "balanced_accuracy" over all trials, for a threshold.

    Parameters
    ----------
    threshold
        One, on the scale [-1, 1], or valence's and arousal's for each fold, by its name.
    """
    combine = {"macro_f1": macro_f1_of, "balanced_accuracy": balanced_accuracy_of}
    if kind not in combine:
        raise BadInput(f"no binary metric {kind!r}; there are: {sorted(combine)}")
    return Metric(kind, True, partial(_counts, threshold=threshold), combine[kind])


def _sequence_metric(name: str, metric: Callable[[Floats, Floats], float]) -> Metric:
    needs_time = metric in (ccc, pearson)
    table = partial(_over_sequences, metric=metric, needs_time=needs_time)
    return Metric(name, needs_time, table, mean_of)


METRICS: Registry[Metric] = Registry(
    "metric",
    {
        "ccc": _sequence_metric("ccc", ccc),
        "pearson": _sequence_metric("pearson", pearson),
        "rmse": _sequence_metric("rmse", rmse),
        "mae": _sequence_metric("mae", mae),
        "pooled_ccc": Metric("pooled_ccc", True, _pooled, ccc_of),
        "pooled_pearson": Metric("pooled_pearson", True, _pooled, pearson_of),
        "pooled_rmse": Metric("pooled_rmse", False, _pooled, rmse_of),
        "pooled_mae": Metric("pooled_mae", False, _absolute, mean_of),
        "within_ccc": Metric(
            "within_ccc", True, partial(_within, metric=ccc, by_trial=False), mean_of
        ),
        "trial_ccc": Metric("trial_ccc", True, _trials, ccc_of),
        "trial_pearson": Metric("trial_pearson", True, _trials, pearson_of),
        "trial_within_ccc": Metric(
            "trial_within_ccc", True, partial(_within, metric=ccc, by_trial=True), mean_of
        ),
        "nll": Metric("nll", False, _likelihood, mean_of),
        "macro_f1": binary_metric("macro_f1", 0.0),
        "balanced_accuracy": binary_metric("balanced_accuracy", 0.0),
    },
)


@dataclass(frozen=True, eq=False)
class Table:
    """Hold the sums of each person, (seeds, people, k), and how they become a score."""

    metric: Metric
    subjects: tuple[str, ...]
    keys: tuple[object, ...]
    sums: Floats

    def scores(self, weights: Floats) -> Floats:
        """Return the score under each row of weights of people, (rows, people): (rows,)."""
        return np.asarray(self.metric.combine(weights @ self.sums).mean(0), np.float64)

    @property
    def value(self) -> float:
        """The score of everybody, averaged over seeds."""
        return float(self.scores(np.ones((1, len(self.subjects))))[0])


def table_of(
    predicted: Sequence[Predicted],
    metric: str | Metric,
    column: int,
    *,
    window_s: tuple[float, float] | None = None,
) -> Table:
    """Return the sums of each person for each seed.

    Raises
    ------
    BadInput
        The seeds did not predict the same sequences.
    """
    chosen = METRICS[metric] if isinstance(metric, str) else metric
    seeds = by_seed(predicted)
    keys = {seed: tuple(sorted(key_of(p.sequence) for p in own)) for seed, own in seeds.items()}
    if len(set(keys.values())) > 1:
        raise BadInput(f"the seeds {sorted(seeds)} did not all predict the same sequences")
    sums, subjects = [], tuple[str, ...]()
    for own in seeds.values():
        groups: dict[str, list[Series]] = {}
        for one in series_of(own, window_s=window_s):
            groups.setdefault(one.subject, []).append(one)
        subjects = tuple(groups)
        sums.append([chosen.table(group, column) for group in groups.values()])
    return Table(chosen, subjects, next(iter(keys.values()), ()), np.array(sums))
