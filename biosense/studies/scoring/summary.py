"""The numbers of a candidate by name, the same wherever they are told: tables, JSON, `evaluate`."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np

from biosense.studies.base import Bounds, Predicted, Values
from biosense.studies.scoring.pooled_metrics import table_of
from biosense.studies.scoring.scores import Four, TargetScores, score
from biosense.studies.scoring.series import TARGETS, by_seed
from biosense.studies.scoring.statistics import Interval, bootstrap_subjects

LEVELS = {
    "sequence": ("ccc", "pearson", "rmse", "mae"),
    "trial": ("pooled_ccc", "pooled_pearson", "pooled_rmse", "pooled_mae"),
    "pooled": ("pooled_ccc", "pooled_pearson", "pooled_rmse", "pooled_mae"),
}
"""What "ccc", "pearson", "rmse" and "mae" are on each level, as keys of `METRICS`."""

_WITH_INTERVAL = ("ccc", "rmse")

Thresholds = Mapping[str, tuple[float, float]]
"""What separates high from low in the training data of each fold."""


def level_of(predicted: Sequence[Predicted]) -> str:
    """Return "trial" where every sequence has one rating, otherwise "sequence"."""
    return "trial" if all(one.sequence.per_trial for one in predicted) else "sequence"


def numbers(
    predicted: Sequence[Predicted], level: str, thresholds: Thresholds | None = None
) -> dict[str, dict[str, float | None]]:
    """Return every score by target and name, averaged over seeds.

    On the level "sequence", "ccc" and the like are means over each person's sequences, then over
    people; on "trial" they are over all trials together, one value each; on "pooled" over all steps
    together, which "pooled_ccc" always is. Binary scores are by trial, split at the training median
    (`thresholds`), or in the middle of the scale.
    """
    seeds = [score(own, thresholds=thresholds) for own in by_seed(predicted).values()]
    cut = "train" if thresholds is not None else "5"
    found = {}
    for target in TARGETS:
        each = [_flat(scores.target(target), level, cut) for scores in seeds]
        found[target] = {name: _mean([one[name] for one in each]) for name in each[0]}
    return found


def headline(level: str) -> str:
    """Return the key in `METRICS` of the score that comparisons are made with."""
    return LEVELS[level][0]


def intervals(
    predicted: Sequence[Predicted], level: str, n_resamples: int
) -> dict[str, dict[str, Bounds]]:
    """Return the intervals over people of CCC and RMSE."""
    names = dict(zip(("ccc", "pearson", "rmse", "mae"), LEVELS[level], strict=True))
    return {
        target: {
            name: bounds(
                bootstrap_subjects(predicted, names[name], target, n_resamples=n_resamples)
            )
            for name in _WITH_INTERVAL
        }
        for target in TARGETS
    }


def people_scores(predicted: Sequence[Predicted], level: str) -> dict[str, dict[str, float | None]]:
    """Return each person's headline score, by subject and target."""
    found: dict[str, dict[str, float | None]] = {}
    for column, target in enumerate(TARGETS):
        table = table_of(predicted, headline(level), column)
        values = table.scores(np.eye(len(table.subjects)))
        for subject, value in zip(table.subjects, values.tolist(), strict=True):
            found.setdefault(subject, {})[target] = plain(value)
    return found


def bounds(interval: Interval) -> Bounds:
    """Return an interval with None for what it lacks."""
    return Bounds(plain(interval.value), plain(interval.low), plain(interval.high))


def plain(value: float) -> float | None:
    """Return a number, or None for what JSON cannot hold."""
    return float(value) if math.isfinite(value) else None


def _flat(scores: TargetScores, level: str, cut: str) -> dict[str, float]:
    own = scores.sequence if level == "sequence" else scores.pooled
    binary, sure = scores.binary[cut], scores.uncertainty
    return {
        **_named(own, ""),
        **_named(scores.pooled, "pooled_"),
        **_named(scores.within, "within_"),
        **_named(scores.trial, "trial_"),
        "first_ccc": scores.first.ccc,
        "later_ccc": scores.later.ccc,
        "macro_f1": binary.macro_f1,
        "balanced_accuracy": binary.balanced_accuracy,
        "accuracy": binary.accuracy,
        "auroc": binary.auroc,
        "high": binary.high,
        "nll": sure.nll,
        "mean_sd": sure.mean_sd,
        **{f"coverage_{round(100 * k)}": each.mean for k, each in sure.coverage.items()},
    }


def _named(four: Four, prefix: str) -> dict[str, float]:
    return {f"{prefix}{name}": getattr(four, name) for name in ("ccc", "pearson", "rmse", "mae")}


def _mean(values: Sequence[float]) -> float | None:
    known = [value for value in values if math.isfinite(value)]
    return float(np.mean(known)) if known else None


def shared_values(values: Values) -> dict[str, dict[str, float | None]]:
    """Return those scores that stand in the row of another entry, as its control."""
    names = ("ccc", "pearson", "rmse", "mae", "pooled_ccc", "macro_f1", "balanced_accuracy")
    return {target: {name: own[name] for name in names} for target, own in values.items()}
