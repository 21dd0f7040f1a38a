"""The numbers of a candidate by name, the same wherever they are told: tables, JSON, `evaluate`."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from biosense.core.affect import TARGETS
from biosense.studies.base import Bounds, Values
from biosense.studies.scoring.predictions import Predictions
from biosense.studies.scoring.scores import Scores, TargetScores
from biosense.studies.scoring.series import Agreement
from biosense.studies.scoring.statistics import Interval, bootstrap_subjects

LEVELS = {
    "sequence": ("ccc", "pearson", "rmse", "mae"),
    "trial": ("pooled_ccc", "pooled_pearson", "pooled_rmse", "pooled_mae"),
    "pooled": ("pooled_ccc", "pooled_pearson", "pooled_rmse", "pooled_mae"),
}
"""What "ccc", "pearson", "rmse" and "mae" are on each level, as keys of `METRICS`."""

_WITH_INTERVAL = ("ccc", "rmse")


def level_of(predictions: Predictions) -> str:
    """Return "trial" where every sequence has one rating, otherwise "sequence"."""
    return "trial" if predictions.per_trial else "sequence"


def mean_scores(seeds: Sequence[Scores], level: str) -> dict[str, dict[str, float | None]]:
    """Return every score by target and name, averaged over seeds.

    On the level "sequence", "ccc" and the like are means over each person's sequences, then over
    people; on "trial" they are over all trials together, one value each; on "pooled" over all steps
    together, which "pooled_ccc" always is. Binary scores are by trial, split at the training median
    where the scores were given it, or in the middle of the scale.

    Parameters
    ----------
    seeds
        The scores of each seed.
    level
        A key of `LEVELS`.
    """
    found = {}
    for target in TARGETS:
        each = [_by_name(scores.target(target), level) for scores in seeds]
        found[target] = {name: _mean([one[name] for one in each]) for name in each[0]}
    return found


def headline(level: str) -> str:
    """Return the key in `METRICS` of the score that comparisons are made with."""
    return LEVELS[level][0]


def intervals(
    predictions: Predictions, level: str, n_resamples: int
) -> dict[str, dict[str, Bounds]]:
    """Return the intervals over people of CCC and RMSE."""
    names = dict(zip(("ccc", "pearson", "rmse", "mae"), LEVELS[level], strict=True))
    return {
        target: {
            name: to_bounds(
                bootstrap_subjects(predictions, names[name], target, n_resamples=n_resamples)
            )
            for name in _WITH_INTERVAL
        }
        for target in TARGETS
    }


def people_scores(predictions: Predictions, level: str) -> dict[str, dict[str, float | None]]:
    """Return each person's headline score, by subject and target."""
    found: dict[str, dict[str, float | None]] = {}
    for target in TARGETS:
        sums = predictions.sums(headline(level), target)
        values = sums.scores(np.eye(len(sums.subjects)))
        for subject, value in zip(sums.subjects, values.tolist(), strict=True):
            found.setdefault(subject, {})[target] = finite_or_none(value)
    return found


def to_bounds(interval: Interval) -> Bounds:
    """Return an interval with None for what it lacks."""
    return Bounds(
        finite_or_none(interval.value), finite_or_none(interval.low), finite_or_none(interval.high)
    )


def finite_or_none(value: float) -> float | None:
    """Return a number, or None for what JSON cannot hold."""
    return float(value) if math.isfinite(value) else None


def _by_name(scores: TargetScores, level: str) -> dict[str, float]:
    own = scores.sequence if level == "sequence" else scores.pooled
    cut = "train" if "train" in scores.binary else "5"
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


def _named(own: Agreement, prefix: str) -> dict[str, float]:
    return {f"{prefix}{name}": getattr(own, name) for name in ("ccc", "pearson", "rmse", "mae")}


def _mean(values: Sequence[float]) -> float | None:
    known = [value for value in values if math.isfinite(value)]
    return float(np.mean(known)) if known else None


def control_scores(values: Values) -> dict[str, dict[str, float | None]]:
    """Return those scores that stand in the row of another entry, as its control."""
    names = ("ccc", "pearson", "rmse", "mae", "pooled_ccc", "macro_f1", "balanced_accuracy")
    return {target: {name: own[name] for name in names} for target, own in values.items()}
