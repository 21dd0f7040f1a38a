"""Calibrated intervals, split by person, and what is gained by saying nothing when unsure."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from biosense.core.affect import TARGETS
from biosense.core.errors import BadInput
from biosense.core.types import Estimate, Floats
from biosense.models.evaluation.metrics import (
    COVERAGE_LEVELS,
    GAUSSIAN_QUANTILES,
    mean_over_subjects,
)


@dataclass(frozen=True)
class Intervals:
    """Hold how many standard deviations wide an interval must be to hold for people never seen.

    The intervals are split conformal ones whose unit is a person, not a window: windows of one
    person err together, so that a quantile over all windows leaves many a new person uncovered.
    Of each person the quantile of |target - mean| / sd at the level is taken; over people, the
    conformal quantile of those at the same level. A new person has at least `level` of their steps
    covered with a probability of `guaranteed`; on average that is more than the level.

    Parameters
    ----------
    levels
        Shares of steps to be covered, rising.
    valence, arousal
        Half-width of the interval of each level, in standard deviations of the estimate.
    people
        How many people they rest on; 0 for those of a Gaussian, which rest on nobody.
    pooled_valence, pooled_arousal
        Share of steps covered at each level, of all people together. Each person is scored with
        intervals that rest on the others; with a single one there is no such share, it is None.
    person_valence, person_arousal
        The same of each person, in the order of `subjects`.

    Examples
    --------
    >>> estimate = Estimate(0.0, 0.2, 0.9, 0.1, 0.2)
    >>> GAUSSIAN.of(estimate, 0.95)["arousal"]
    (0.5080072, 1.0)
    """

    levels: tuple[float, ...]
    valence: tuple[float, ...]
    arousal: tuple[float, ...]
    people: int = 0
    pooled_valence: tuple[float | None, ...] = ()
    pooled_arousal: tuple[float | None, ...] = ()
    subjects: tuple[str, ...] = ()
    person_valence: tuple[tuple[float | None, ...], ...] = field(default=(), repr=False)
    person_arousal: tuple[tuple[float | None, ...], ...] = field(default=(), repr=False)

    def __post_init__(self) -> None:
        if not len(self.levels) == len(self.valence) == len(self.arousal):
            raise BadInput(
                f"{len(self.levels)} levels need as many factors, got {len(self.valence)} of "
                f"valence and {len(self.arousal)} of arousal"
            )

    def guaranteed(self, level: float) -> float:
        """Return the share of new people of whom `level` is covered: S people give S / (S + 1)."""
        self._at(level)
        return min(level, self.people / (self.people + 1))

    def of(self, estimate: Estimate, level: float) -> dict[str, tuple[float, float]]:
        """Return the interval of each target at a level, within [-1, 1].

        Raises
        ------
        BadInput
            The level is none of `levels`.
        """
        at = self._at(level)
        valence, arousal = self.valence[at], self.arousal[at]
        return {
            "valence": _around(estimate.valence, valence * estimate.sd_valence),
            "arousal": _around(estimate.arousal, arousal * estimate.sd_arousal),
        }

    def _at(self, level: float) -> int:
        if level not in self.levels:
            raise BadInput(f"there are intervals of the levels {list(self.levels)}, got {level}")
        return self.levels.index(level)


GAUSSIAN = Intervals(
    COVERAGE_LEVELS,
    tuple(GAUSSIAN_QUANTILES[level] for level in COVERAGE_LEVELS),
    tuple(GAUSSIAN_QUANTILES[level] for level in COVERAGE_LEVELS),
)
"""What an estimate claims by its standard deviations alone."""


def fit_intervals(
    scores: Sequence[Floats],
    subjects: Sequence[str],
    levels: tuple[float, ...] = COVERAGE_LEVELS,
) -> Intervals:
    """Calibrate intervals on people who were not trained on.

    Parameters
    ----------
    scores
        |target - mean| / sd of each sequence, (time, 2); NaN where there is no target.
    subjects
        Whose sequences they are.

    Raises
    ------
    BadInput
        No score of a target is finite.
    """
    people = tuple(sorted(set(subjects)))
    grouped = [
        np.concatenate([score for score, who in zip(scores, subjects, strict=True) if who == one])
        for one in people
    ]
    factors, pooled, each = [], [], []
    for column, name in enumerate(TARGETS):
        known = [score[np.isfinite(score[:, column]), column] for score in grouped]
        if not any(len(score) for score in known):
            raise BadInput(f"no sequence has a target of {name}: intervals need some")
        own = np.array(
            [
                np.quantile(score, levels) if len(score) else [np.nan] * len(levels)
                for score in known
            ]
        )
        factors.append(_factors(own, levels))
        shares = [_left_out(score, np.delete(own, k, 0), levels) for k, score in enumerate(known)]
        each.append(tuple(shares))
        pooled.append(_pooled(shares, [len(score) for score in known]))
    return Intervals(
        levels,
        factors[0],
        factors[1],
        len(people),
        pooled[0],
        pooled[1],
        people,
        each[0],
        each[1],
    )


def _factors(own: Floats, levels: tuple[float, ...]) -> tuple[float, ...]:
    """Return the conformal quantile over people of their own quantiles (people, levels)."""
    own = np.sort(own[np.isfinite(own[:, 0])], 0)
    # The rank of split conformal prediction; where the people cannot carry the level, the widest.
    ranks = [min(math.ceil((len(own) + 1) * level - 1e-9), len(own)) for level in levels]
    return tuple(float(own[rank - 1, k]) for k, rank in enumerate(ranks))


def _left_out(
    scores: Floats, others: Floats, levels: tuple[float, ...]
) -> tuple[float | None, ...]:
    """Return the coverage of one person by intervals that rest on the others."""
    if not np.isfinite(others).any() or not len(scores):
        return (None,) * len(levels)
    return tuple(float(np.mean(scores <= factor)) for factor in _factors(others, levels))


def _pooled(
    shares: Sequence[tuple[float | None, ...]], steps: Sequence[int]
) -> tuple[float | None, ...]:
    pooled: list[float | None] = []
    for column in zip(*shares, strict=True):
        known = [(share, n) for share, n in zip(column, steps, strict=True) if share is not None]
        total = sum(n for _, n in known)
        pooled.append(sum(share * n for share, n in known) / total if total else None)
    return tuple(pooled)


def _around(middle: float, half: float) -> tuple[float, float]:
    return max(middle - half, -1.0), min(middle + half, 1.0)


def abstains(estimate: Estimate, most_sd: float = math.inf) -> bool:
    """Tell whether an estimate is no answer: nothing carried it, or it is too unsure.

    Nothing carried it where every modality was absent or below the estimator's `least_quality`:
    its weights are then empty, and from there on it fades to the prior within the model's window.

    Parameters
    ----------
    most_sd
        Largest standard deviation, of either target, that still counts as an answer;
        `risk_coverage` of people who were not trained on says what a bound costs and gains.

    Examples
    --------
    >>> abstains(Estimate(0.0, 0.2, 0.9, 0.1, 0.2))
    True
    """
    return not estimate.weight or max(estimate.sd_valence, estimate.sd_arousal) > most_sd


@dataclass(frozen=True, eq=False)
class RiskCoverage:
    """Hold what is gained by answering only where the estimate is sure.

    Parameters
    ----------
    share
        Of the steps that are answered, rising, (points,).
    most_sd
        Bound on the standard deviation that answers that share, (points,).
    rmse
        Of what is answered: averaged over people who have any, (points,).
    """

    share: Floats
    most_sd: Floats
    rmse: Floats

    @property
    def area(self) -> float:
        """Mean RMSE over all shares: below the last `rmse` where the sd knows what is hard."""
        return float(np.mean(self.rmse))


def risk_coverage(
    errors: Sequence[Floats], sds: Sequence[Floats], subjects: Sequence[str], points: int = 20
) -> RiskCoverage:
    """Trace the error of what is answered over the share that is answered, of one target.

    Parameters
    ----------
    errors, sds
        Target minus mean, and standard deviation, of each sequence, (time,); NaN is left out.
    subjects
        Whose sequences they are.
    points
        On the curve, evenly spaced in the share.

    Examples
    --------
    >>> sd = np.linspace(0.1, 1.0, 100)
    >>> curve = risk_coverage([sd], [sd], ["a"], points=2)
    >>> curve.share.tolist(), bool(curve.rmse[0] < curve.rmse[1])
    ([0.5, 1.0], True)
    """
    pairs = [(np.square(e), s) for e, s in zip(errors, sds, strict=True)]
    known = [np.isfinite(e) & np.isfinite(s) for e, s in pairs]
    every = np.concatenate([s[there] for (_, s), there in zip(pairs, known, strict=True)])
    if len(every) == 0 or points < 1:
        raise BadInput(f"got {len(every)} known errors and points={points}; wanted at least 1 each")
    bounds = np.quantile(every, np.arange(1, points + 1) / points)
    rmse = []
    for bound in bounds:
        kept = [e[there & (s <= bound)] for (e, s), there in zip(pairs, known, strict=True)]
        rmse.append(_rmse_over_people(kept, subjects))
    share = [float(np.mean(every <= bound)) for bound in bounds]
    return RiskCoverage(np.array(share), bounds, np.array(rmse))


def _rmse_over_people(squares: Sequence[Floats], subjects: Sequence[str]) -> float:
    people: Mapping[str, list[Floats]] = {who: [] for who in subjects}
    for square, who in zip(squares, subjects, strict=True):
        people[who].append(square)
    joined = {who: np.concatenate(parts) for who, parts in people.items()}
    own = [math.sqrt(square.mean()) if len(square) else math.nan for square in joined.values()]
    return mean_over_subjects(own, list(joined))
