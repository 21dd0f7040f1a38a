"""Whether standard deviations are honest: for everybody together, and for each person."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from biosense.core.types import Floats
from biosense.models.evaluation.metrics import (
    COVERAGE_LEVELS,
    coverage,
    mean_over_subjects,
    nll,
    rmse,
)

WIDTHS = {0.5: 2 * 0.674490, 0.8: 2 * 1.281552, 0.9: 2 * 1.644854, 0.95: 2 * 1.959964}
KEPT = (0.25, 0.5, 0.75, 1.0)  # shares of the surest steps in the risk-coverage curve
SHORT_BY = 0.1  # below its level by more than this, a person's coverage has failed


@dataclass(frozen=True)
class Coverage:
    """Hold how often the intervals of one level held the target.

    Parameters
    ----------
    pooled, mean
        Over all values together; over subjects.
    worst
        Of the person served worst.
    share_below
        Share of people whose coverage is more than `SHORT_BY` below the level.
    width
        Mean width of the interval, in the unit of the targets.
    """

    pooled: float
    mean: float
    worst: float
    share_below: float
    width: float


@dataclass(frozen=True)
class Uncertainty:
    """Hold the scores of standard deviations; all NaN for a candidate that gives none.

    `nll` is the mean over subjects in nats, `pooled_nll` that over all values. `risk` is the RMSE
    of the surest share of values: it falls with the share where the candidate knows when it errs.
    """

    nll: float
    pooled_nll: float
    mean_sd: float
    coverage: Mapping[float, Coverage]
    risk: Mapping[float, float]


def score_uncertainty(
    means: Sequence[Floats], sds: Sequence[Floats], targets: Sequence[Floats], subjects: list[str]
) -> Uncertainty:
    """Score the standard deviations of one target.

    Parameters
    ----------
    means, sds, targets
        One vector for each sequence; NaN where unknown.
    subjects
        Of each sequence.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> error = rng.normal(0, 0.2, 4000)
    >>> found = score_uncertainty([error], [np.full(4000, 0.2)], [np.zeros(4000)], ["ann"])
    >>> abs(found.coverage[0.9].pooled - 0.9) < 0.02
    True
    """
    people = list(dict.fromkeys(subjects))
    joined = [_of(person, means, sds, targets, subjects) for person in people]
    p, sd, y = (np.concatenate([person[k] for person in joined]) for k in range(3))
    each = [coverage(*person) for person in joined]
    pooled = coverage(p, sd, y)
    known = np.isfinite(p) & np.isfinite(sd) & np.isfinite(y)
    mean_sd = float(sd[known].mean()) if known.any() else math.nan
    return Uncertainty(
        mean_over_subjects([nll(*person) for person in joined], people),
        nll(p, sd, y),
        mean_sd,
        {
            level: _coverage(level, pooled[level], [c[level] for c in each], mean_sd)
            for level in COVERAGE_LEVELS
        },
        _risk(p[known], sd[known], y[known]),
    )


def _of(
    person: str,
    means: Sequence[Floats],
    sds: Sequence[Floats],
    targets: Sequence[Floats],
    subjects: Sequence[str],
) -> tuple[Floats, Floats, Floats]:
    mine = [k for k, subject in enumerate(subjects) if subject == person]
    p, sd, y = (np.concatenate([part[k] for k in mine]) for part in (means, sds, targets))
    return p, sd, y


def _coverage(level: float, pooled: float, each: Sequence[float], mean_sd: float) -> Coverage:
    known = np.array([share for share in each if math.isfinite(share)])
    if len(known) == 0:
        return Coverage(*[math.nan] * 5)
    below = float((known < level - SHORT_BY).mean())
    return Coverage(pooled, float(known.mean()), float(known.min()), below, WIDTHS[level] * mean_sd)


def _risk(p: Floats, sd: Floats, y: Floats) -> dict[float, float]:
    order = np.argsort(sd, kind="stable")
    return {share: rmse(*(v[order[: round(share * len(order))]] for v in (p, y))) for share in KEPT}
