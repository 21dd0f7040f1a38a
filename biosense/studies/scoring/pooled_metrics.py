"""Every score by name, as sums over people that add up under any resample of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from biosense.core.errors import BadInput
from biosense.core.registry import Registry
from biosense.core.types import Floats
from biosense.models.evaluation.metrics import ccc, nll
from biosense.studies.scoring.moments import (
    balanced_accuracy_of,
    ccc_of,
    macro_f1_of,
    mean_of,
    moments,
    pearson_of,
    rmse_of,
)
from biosense.studies.scoring.series import Series


@dataclass(frozen=True)
class Metric:
    """Say how a score is put together from people.

    Parameters
    ----------
    name
        Its key in `METRICS`.
    higher
        Whether higher is better.
    sums
        Takes one person's series and the column of the target; returns what adds up, (k,).
    combine
        Takes sums over people, (.., k); returns the score, (..).
    """

    name: str
    higher: bool
    sums: Callable[[Sequence[Series], int], Floats]
    combine: Callable[[Floats], Floats]


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


def _over_sequences(series: Sequence[Series], column: int, name: str, needs_time: bool) -> Floats:
    """Return (mean over the sequences, 1), or zeros where none has a value."""
    chosen = [one for one in series if not (needs_time and one.per_trial)]
    return _one_value([getattr(one.agreement[column], name) for one in chosen])


def _within(series: Sequence[Series], column: int, by_trial: bool) -> Floats:
    p, _, y = _steps(series, column)
    if by_trial:
        p, y = _by_trial(series, column)
    enough = (np.isfinite(p) & np.isfinite(y)).sum() >= 2
    return _one_value([ccc(p, y)] if enough else [])


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


def _sequence_metric(name: str, *, higher: bool) -> Metric:
    # A score that is better when higher follows time, which one rating of the whole has not.
    return Metric(name, higher, partial(_over_sequences, name=name, needs_time=higher), mean_of)


METRICS: Registry[Metric] = Registry(
    "metric",
    {
        "ccc": _sequence_metric("ccc", higher=True),
        "pearson": _sequence_metric("pearson", higher=True),
        "rmse": _sequence_metric("rmse", higher=False),
        "mae": _sequence_metric("mae", higher=False),
        "pooled_ccc": Metric("pooled_ccc", True, _pooled, ccc_of),
        "pooled_pearson": Metric("pooled_pearson", True, _pooled, pearson_of),
        "pooled_rmse": Metric("pooled_rmse", False, _pooled, rmse_of),
        "pooled_mae": Metric("pooled_mae", False, _absolute, mean_of),
        "within_ccc": Metric("within_ccc", True, partial(_within, by_trial=False), mean_of),
        "trial_ccc": Metric("trial_ccc", True, _trials, ccc_of),
        "trial_pearson": Metric("trial_pearson", True, _trials, pearson_of),
        "trial_within_ccc": Metric(
            "trial_within_ccc", True, partial(_within, by_trial=True), mean_of
        ),
        "nll": Metric("nll", False, _likelihood, mean_of),
        "macro_f1": binary_metric("macro_f1", 0.0),
        "balanced_accuracy": binary_metric("balanced_accuracy", 0.0),
    },
)
