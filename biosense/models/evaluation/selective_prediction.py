"""Selective prediction: what is gained by giving no answer where a model is unsure."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from biosense.core.affect import Estimate
from biosense.core.errors import BadInput
from biosense.core.types import Floats
from biosense.models.evaluation.metrics import mean_over_subjects


def abstains(estimate: Estimate, most_sd: float = math.inf) -> bool:
    """Tell whether an estimate is no answer: nothing carried it, or it is too unsure.

    Nothing carried it where every modality was absent or below the estimator's `least_quality`:
    its weights are then empty, and from there on it fades to the prior within the model's window.

    Parameters
    ----------
    estimate
        Of whatever moment.
    most_sd
        Largest standard deviation, of either target, that still counts as an answer;
        `risk_coverage` of people who were not trained on says what a bound costs and gains.

    Returns
    -------
    bool
        True where it should not be shown as an answer.

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

    This is the risk-coverage curve of [1]_, with the standard deviation as what is known
    beforehand.

    Parameters
    ----------
    errors, sds
        Target minus mean, and standard deviation, of each sequence, (time,); NaN is left out.
    subjects
        Whose sequences they are.
    points
        On the curve, evenly spaced in the share.

    Returns
    -------
    RiskCoverage
        The curve.

    Raises
    ------
    BadInput
        No error is known, or `points` is below 1.

    References
    ----------
    .. [1] El-Yaniv, Wiener (2010). On the foundations of noise-free selective classification.
           Journal of Machine Learning Research 11.

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
