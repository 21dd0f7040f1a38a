"""Calibrated intervals: how wide they must be to hold for people never seen."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from biosense.core.affect import TARGETS, Estimate
from biosense.core.errors import BadInput
from biosense.core.types import Floats
from biosense.models.evaluation.metrics import (
    COVERAGE_LEVELS,
    GAUSSIAN_QUANTILES,
)


@dataclass(frozen=True)
class Intervals:
    """Hold how many standard deviations wide an interval must be to hold for people never seen.

    The intervals are split conformal ones whose unit is a person, not a window: windows of one
    person err together, so that a quantile over all windows leaves many a new person uncovered.
    Of each person the quantile of `abs(target - mean) / sd` at the level is taken; over people, the
    conformal quantile of those at the same level. A new person has at least `level` of their steps
    covered with a probability of `guaranteed`; on average that is more than the level.

    Split conformal prediction is that of [1]_; that a person is the unit is ours.

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
    subjects
        People whom the intervals rest on.
    person_valence, person_arousal
        The same of each person, in the order of `subjects`.

    References
    ----------
    .. [1] Lei, G'Sell, Rinaldo, Tibshirani, Wasserman (2018). Distribution-free predictive
           inference for regression. Journal of the American Statistical Association 113.

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
        """Return the share of new people of whom `level` of the steps is covered.

        Parameters
        ----------
        level
            One of `levels`.

        Returns
        -------
        float
            S / (S + 1) with S people, at most `level`.

        Raises
        ------
        BadInput
            The level is none of `levels`.
        """
        self._at(level)
        return min(level, self.people / (self.people + 1))

    def of(self, estimate: Estimate, level: float) -> dict[str, tuple[float, float]]:
        """Return the interval of each target at a level, within [-1, 1].

        Parameters
        ----------
        estimate
            Of whatever moment.
        level
            One of `levels`.

        Returns
        -------
        dict
            Lowest and highest value by target, "valence" and "arousal".

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
    levels
        Shares of steps to be covered, rising.

    Returns
    -------
    Intervals
        With what is covered of each person by intervals that rest on the others.

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
    valence, arousal = (_fit_target(grouped, k, levels) for k in range(len(TARGETS)))
    return Intervals(
        levels,
        valence[0],
        arousal[0],
        len(people),
        valence[1],
        arousal[1],
        people,
        valence[2],
        arousal[2],
    )


def _fit_target(
    grouped: Sequence[Floats], column: int, levels: tuple[float, ...]
) -> tuple[tuple[float, ...], tuple[float | None, ...], tuple[tuple[float | None, ...], ...]]:
    """Return factors of one target, and what they cover: of all people, and of each."""
    known = [score[np.isfinite(score[:, column]), column] for score in grouped]
    if not any(len(score) for score in known):
        raise BadInput(f"no sequence has a target of {TARGETS[column]}: intervals need some")
    own = np.array(
        [np.quantile(score, levels) if len(score) else [np.nan] * len(levels) for score in known]
    )
    shares = [_left_out(score, np.delete(own, k, 0), levels) for k, score in enumerate(known)]
    return _factors(own, levels), _pooled(shares, [len(score) for score in known]), tuple(shares)


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
