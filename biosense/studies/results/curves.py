"""What is drawn of a study: a few sequences as curves, all of them as points; chosen by rule."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from biosense.core.affect import TARGETS
from biosense.core.types import Floats
from biosense.models.evaluation.metrics import ccc
from biosense.studies.base import Prediction
from biosense.studies.results.parts import Curve, Point
from biosense.studies.scoring.predictions import SeedPredictions

CURVES = {"best": 1.0, "upper quarter": 0.75, "median": 0.5, "worst": 0.0}
"""Whose curves are shown: people at these ranks of their scores, never hand-picked ones."""

_STEPS = 240  # of a curve that are kept: a screen shows no more
_POINTS = 600
_DIGITS = 4


def curves_of(
    fits: SeedPredictions, people: Mapping[str, Mapping[str, float | None]]
) -> list[Curve]:
    """Return one sequence of people at the ranks of `CURVES`: the one they have in the middle."""
    ranked = sorted(people, key=lambda subject: (_mean(people[subject].values()), subject))
    found: dict[str, Curve] = {}
    for why, rank in CURVES.items():
        subject = ranked[round(rank * (len(ranked) - 1))]
        if subject not in found:
            mine = [one for one in fits.predictions if one.sequence.subject == subject]
            found[subject] = _curve(_middle(mine), why)
    return list(found.values())


def plane_of(fits: SeedPredictions) -> list[Point]:
    """Return the means of each sequence; evenly thinned where they are many."""
    every = max(1, -(-len(fits.predictions) // _POINTS))
    return [_point(one) for one in fits.predictions[::every]]


def _middle(own: Sequence[Prediction]) -> Prediction:
    """Return the sequence whose score is the person's median; of rated trials the one between."""

    def merit(one: Prediction) -> float:
        pairs = [ccc(one.mean[:, k], one.sequence.target[:, k]) for k in range(2)]
        return _mean(pairs) if not one.sequence.per_trial else -_error(one)

    ranked = sorted(own, key=lambda one: (merit(one), one.sequence.position))
    return ranked[len(ranked) // 2]


def _error(one: Prediction) -> float:
    return _mean(np.abs(one.mean - one.sequence.target).mean(0).tolist())


def _curve(one: Prediction, why: str) -> Curve:
    sequence = one.sequence
    every = max(1, -(-sequence.n // _STEPS))
    columns = {
        name: {target: _rounded(values[::every, k]) for k, target in enumerate(TARGETS)}
        for name, values in (("target", sequence.target), ("mean", one.mean), ("sd", one.sd))
    }
    time = (sequence.time - sequence.time[0])[::every]
    seconds = tuple(round(float(t), 2) for t in time)
    return Curve(sequence.subject, sequence.stimulus, why, seconds, **columns)


def _point(one: Prediction) -> Point:
    said, rated = (
        tuple(_one(_mean(values[:, k].tolist())) for k in range(2))
        for values in (one.mean, one.sequence.target)
    )
    return Point(one.sequence.subject, (rated[0], rated[1]), (said[0], said[1]))


def _rounded(values: Floats) -> tuple[float | None, ...]:
    return tuple(_one(value) for value in values.tolist())


def _one(value: float) -> float | None:
    return round(value, _DIGITS) if math.isfinite(value) else None


def _mean(values: Iterable[float | None]) -> float:
    known = [value for value in values if value is not None and math.isfinite(value)]
    return float(np.mean(known)) if known else math.nan
