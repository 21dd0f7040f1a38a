"""How sure a score or a difference is, over people: bootstrap, sign-flip permutation, Holm.

People are resampled, never windows: what a person's windows share would count as evidence. The
spread over seeds says how lucky a fit was, not how far a result carries over to other people, and
is reported apart.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from biosense.core.errors import BadInput
from biosense.core.types import Floats
from biosense.studies.scoring.pooled_metrics import Metric
from biosense.studies.scoring.predictions import PersonSums, Predictions

RESAMPLES = 10_000
LEVEL = 0.95
LEAST_PEOPLE = 3  # fewer have no interval worth the name


@dataclass(frozen=True)
class Interval:
    """Hold a score with its interval over people.

    The bounds are NaN for fewer than three people, and for a score beyond all its resamples.

    Parameters
    ----------
    value
        Of everybody, averaged over seeds.
    low, high
        BCa bounds (Efron 1987), of the level `LEVEL`.
    n_subjects, n_resamples
        What it rests on.
    """

    value: float
    low: float
    high: float
    n_subjects: int
    n_resamples: int


@dataclass(frozen=True)
class Comparison:
    """Hold the difference of two candidates, first minus second, over the same sequences.

    Parameters
    ----------
    difference
        With its BCa interval.
    p_value
        Two-sided, of the paired sign-flip permutation over people.
    exact
        Whether all permutations were counted; otherwise `RESAMPLES` random ones were.
    higher_is_better
        For reading the sign.
    """

    difference: Interval
    p_value: float
    exact: bool
    higher_is_better: bool

    @property
    def better(self) -> bool:
        """True where the first is better and the interval excludes no difference."""
        bound = self.difference.low if self.higher_is_better else -self.difference.high
        return bound > 0


@dataclass(frozen=True)
class SeedSpread:
    """Hold how a score varies with the seed of the fit; `sd` is NaN for a single seed."""

    n: int
    mean: float
    sd: float
    low: float
    high: float


def bootstrap_subjects(
    predictions: Predictions,
    metric: str | Metric = "pooled_ccc",
    target: str = "valence",
    *,
    n_resamples: int = RESAMPLES,
    seed: int = 0,
) -> Interval:
    """Return a score with its BCa bootstrap interval over people.

    Parameters
    ----------
    predictions
        Of one seed or of several: the score is then their mean, under the same resample.
    metric
        A key of `METRICS`, or one made by `binary_metric`.
    target
        "valence" or "arousal".
    n_resamples
        Of the bootstrap.
    seed
        Of the resampling.

    References
    ----------
    Efron, B. (1987). Better bootstrap confidence intervals. Journal of the American Statistical
    Association, 82(397), 171-185.
    """
    return interval_of(predictions.sums(metric, target), None, n_resamples, seed)


def compare(
    first: Predictions,
    second: Predictions,
    metric: str | Metric = "pooled_ccc",
    target: str = "valence",
    *,
    n_resamples: int = RESAMPLES,
    seed: int = 0,
) -> Comparison:
    """Compare two candidates on the same test sequences, paired by person.

    Raises
    ------
    BadInput
        They did not predict the same sequences.
    """
    a, b = (each.sums(metric, target) for each in (first, second))
    if a.keys != b.keys:
        lone = sorted(set(map(str, a.keys)) ^ set(map(str, b.keys)))
        raise BadInput(
            f"the candidates predicted different sequences: {len(lone)} have no pair, such as "
            f"{lone[:3]}; compare within one protocol and one set of folds"
        )
    difference = interval_of(a, b, n_resamples, seed)
    p_value, exact = _sign_flip(a, b, n_resamples, seed)
    return Comparison(difference, p_value, exact, a.metric.higher)


def holm(p_values: Mapping[str, float]) -> dict[str, float]:
    """Adjust p values for their number (Holm 1979); NaN stays NaN and does not count.

    >>> holm({"valence": 0.01, "arousal": 0.04})
    {'valence': 0.02, 'arousal': 0.04}
    """
    known = sorted((p, name) for name, p in p_values.items() if math.isfinite(p))
    adjusted, floor = dict.fromkeys(p_values, math.nan), 0.0
    for rank, (p, name) in enumerate(known):
        floor = max(floor, min(1.0, p * (len(known) - rank)))
        adjusted[name] = floor
    return adjusted


def seed_spread(
    predictions: Predictions, metric: str | Metric = "pooled_ccc", target: str = "valence"
) -> SeedSpread:
    """Return how a score varies over the seeds of the predictions."""
    values = np.array([own.value for own in predictions.sums(metric, target).by_seed()])
    sd = float(values.std(ddof=1)) if len(values) > 1 else math.nan
    low, high = float(values.min()), float(values.max())
    return SeedSpread(len(values), float(values.mean()), sd, low, high)


def interval_of(
    first: PersonSums, minus: PersonSums | None = None, n_resamples: int = RESAMPLES, seed: int = 0
) -> Interval:
    """Return a score, or the paired difference of two, with its BCa interval over people."""
    people = len(first.subjects)
    value = float(_scores(first, minus, np.ones((1, people)))[0])
    if people < LEAST_PEOPLE or not math.isfinite(value):
        return Interval(value, math.nan, math.nan, people, 0)
    shares = np.full(people, 1 / people)
    draws = np.random.default_rng(seed).multinomial(people, shares, n_resamples)
    resampled = _scores(first, minus, draws.astype(np.float64))
    left_out = _scores(first, minus, 1.0 - np.eye(people))
    low, high = bca_bounds(value, resampled, left_out)
    return Interval(value, low, high, people, n_resamples)


def bca_bounds(value: float, resampled: Floats, left_out: Floats) -> tuple[float, float]:
    """Return the bounds of Efron's BCa interval, which holds `LEVEL`.

    Parameters
    ----------
    value
        Of the whole sample.
    resampled
        Of the resamples; NaN ones (nothing to score in them) are left out.
    left_out
        Of the sample without one person each, for the acceleration.
    """
    from scipy.special import ndtr, ndtri

    known, jack = resampled[np.isfinite(resampled)], left_out[np.isfinite(left_out)]
    if np.ptp(known) == 0:
        return float(known[0]), float(known[0])
    below = ((known < value).mean() + (known <= value).mean()) / 2
    bias = ndtri(below)
    pull = jack.mean() - jack
    spread = (pull**2).sum()
    bend = (pull**3).sum() / (6 * spread**1.5) if spread > 0 else 0.0
    z = bias + ndtri(np.array([(1 - LEVEL) / 2, (1 + LEVEL) / 2]))
    shares = ndtr(bias + z / (1 - bend * z))
    if not np.isfinite(shares).all():  # the value lies outside all resamples
        return math.nan, math.nan
    low, high = np.quantile(known, shares)
    return float(low), float(high)


def _scores(first: PersonSums, second: PersonSums | None, weights: Floats) -> Floats:
    scores = first.scores(weights)
    return scores if second is None else scores - second.scores(weights)


def _sign_flip(a: PersonSums, b: PersonSums, n: int, seed: int) -> tuple[float, bool]:
    """Return the share of swaps of people's results that differ as much, and whether of all."""
    people = len(a.subjects)
    exact = 2**people <= n
    if exact:
        swaps = np.array(list(itertools.product((0.0, 1.0), repeat=people)))
    else:
        swaps = np.random.default_rng(seed).integers(0, 2, (n, people)).astype(np.float64)
    seeds = max(len(a.sums), len(b.sums))
    mine, theirs = (np.resize(t.sums, (seeds, *t.sums.shape[1:])) for t in (a, b))
    totals = [
        a.metric.combine((1 - swaps) @ one + swaps @ other)
        for one, other in ((mine, theirs), (theirs, mine))
    ]
    null = np.abs((totals[0] - totals[1]).mean(0))
    observed = abs(_scores(a, b, np.ones((1, people)))[0])
    if not math.isfinite(observed):
        return math.nan, exact
    extreme = int((null >= observed - 1e-12).sum())
    return (extreme / len(null) if exact else (extreme + 1) / (len(null) + 1)), exact
