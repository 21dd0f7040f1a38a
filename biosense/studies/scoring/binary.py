"""High or low: each trial's estimate and rating, compared with one threshold."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from biosense.core.types import Bools, Floats
from biosense.models.evaluation.metrics import mean_over_subjects

FIXED_THRESHOLDS = {"4.5": -0.125, "5": 0.0}  # of ratings 1-9, mapped to [-1, 1]


@dataclass(frozen=True)
class Binary:
    """Hold the scores of two classes, over trials; high is above the threshold.

    `macro_f1` to `auroc` are over all trials together, the `subject_` ones are means over subjects;
    a subject with ratings of one class only has neither an AUROC nor a balanced accuracy.
    `high` is the share of high ratings: the score of guessing is nothing without it.
    """

    threshold: float
    n: int
    high: float
    accuracy: float
    balanced_accuracy: float
    macro_f1: float
    auroc: float
    subject_accuracy: float
    subject_balanced_accuracy: float
    subject_macro_f1: float
    subject_auroc: float


def score_binary(
    prediction: Floats, target: Floats, subjects: list[str], threshold: float | Floats
) -> Binary:
    """Score the estimates of trials as high or low.

    Parameters
    ----------
    prediction, target
        One value for each trial; NaN where unknown.
    subjects
        Of each trial.
    threshold
        One, or one for each trial (from the training data of its fold).

    Examples
    --------
    >>> said, rated = np.array([0.3, -0.2, 0.1, -0.4]), np.array([0.5, -0.5, -0.1, -0.6])
    >>> scores = score_binary(said, rated, ["a", "a", "b", "b"], 0.0)
    >>> scores.balanced_accuracy, scores.auroc
    (0.8333333333333333, 1.0)
    """
    cuts = np.broadcast_to(np.asarray(threshold, np.float64), target.shape)
    known = np.isfinite(prediction) & np.isfinite(target) & np.isfinite(cuts)
    who = np.array(subjects)[known]
    margin, high = (prediction - cuts)[known], (target > cuts)[known]
    names = list(dict.fromkeys(who.tolist()))
    each = [_four(margin[who == name], high[who == name]) for name in names]
    means = [mean_over_subjects([four[k] for four in each], names) for k in range(4)]
    share = float(high.mean()) if len(high) else math.nan
    cut = float(cuts[known].mean()) if len(high) else math.nan
    return Binary(cut, len(high), share, *_four(margin, high), *means)


def _four(margin: Floats, high: Bools) -> tuple[float, float, float, float]:
    """Return accuracy, balanced accuracy, macro-F1 and AUROC."""
    if len(high) == 0:
        return math.nan, math.nan, math.nan, math.nan
    said = margin > 0
    accuracy = float((said == high).mean())
    balanced = math.nan
    if 0 < high.sum() < len(high):
        balanced = float((said[high].mean() + (~said[~high]).mean()) / 2)
    return accuracy, balanced, macro_f1(said, high), auroc(margin, high)


def macro_f1(said: Bools, high: Bools) -> float:
    """Return the mean of both classes' F1, over the classes that occur in either.

    >>> macro_f1(np.array([True, True, False]), np.array([True, False, False]))
    0.6666666666666666
    """
    values = []
    for is_said, is_true in ((said, high), (~said, ~high)):
        total = is_said.sum() + is_true.sum()
        if total:
            values.append(2 * (is_said & is_true).sum() / total)
    return float(np.mean(values)) if values else math.nan


def auroc(margin: Floats, high: Bools) -> float:
    """Return the chance that a high trial is estimated above a low one; ties count half.

    NaN where all trials are of one class.
    """
    from scipy.stats import rankdata

    n_high = int(high.sum())
    n_low = len(high) - n_high
    if n_high == 0 or n_low == 0:
        return math.nan
    ranks = rankdata(margin)
    return float((ranks[high].sum() - n_high * (n_high + 1) / 2) / (n_high * n_low))
