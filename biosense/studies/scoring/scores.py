"""Everything that is said of a candidate's predictions: continuous, by trial, high or low, sure.

Three kinds of number that must not be compared with each other: means over sequences reward
following the time course within a trial; pooled numbers reward knowing each trial's level, which
a table of stimuli knows without any signal; numbers by trial use one value for each sequence.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from biosense.core.errors import BadInput
from biosense.core.types import Floats
from biosense.models.evaluation.metrics import coverage, mae, mean_over_subjects, nll, rmse
from biosense.studies.scoring.binary import FIXED_THRESHOLDS, Binary, score_binary
from biosense.studies.scoring.predictions import SeedPredictions
from biosense.studies.scoring.series import Agreement, Series
from biosense.studies.scoring.uncertainty import Uncertainty, score_uncertainty


@dataclass(frozen=True)
class SubjectScores:
    """Hold one person's scores: all steps (or, of rated trials, trials) together, and by trial.

    `coverage` is the share of targets inside the interval of each level.
    """

    subject: str
    n_sequences: int
    within: Agreement
    trial: Agreement
    nll: float
    coverage: Mapping[float, float]


@dataclass(frozen=True)
class TargetScores:
    """Hold the scores of valence or of arousal.

    Parameters
    ----------
    sequence
        Means over each subject's sequences, then over subjects. A sequence with one rating has no
        CCC and no correlation of its own.
    varying
        The same without the sequences whose target is constant, where CCC is 0 or 1.
    pooled
        All steps together; of sequences with one rating, one value for each.
    within
        Each subject's steps (or rated trials) together, averaged over subjects.
    trial, trial_within
        One value for each sequence, the mean over its steps: all together; within each subject,
        averaged over subjects.
    first, later
        `pooled` over the first sequence of each session, which has no past, and over the others.
    n_constant
        Sequences whose target is constant.
    binary
        High or low by trial, for the thresholds "train" (where given), "4.5" and "5".
    uncertainty
        Of the standard deviations.
    subjects
        The table of people.
    """

    sequence: Agreement
    varying: Agreement
    pooled: Agreement
    within: Agreement
    trial: Agreement
    trial_within: Agreement
    first: Agreement
    later: Agreement
    n_constant: int
    binary: Mapping[str, Binary]
    uncertainty: Uncertainty
    subjects: tuple[SubjectScores, ...]


@dataclass(frozen=True)
class Scores:
    """Hold the scores of one candidate, of one seed.

    `per_trial` says that each sequence has one rating and was scored once.
    """

    valence: TargetScores
    arousal: TargetScores
    n_subjects: int
    n_sequences: int
    per_trial: bool

    def target(self, name: str) -> TargetScores:
        """Return the scores of "valence" or "arousal"."""
        return {"valence": self.valence, "arousal": self.arousal}[name]

    def as_dict(self) -> dict[str, Any]:
        """Return all numbers by name, NaN as None, as JSON wants them."""
        plain: dict[str, Any] = jsonable(asdict(self))
        return plain


def score(
    predictions: SeedPredictions, *, thresholds: Mapping[str, Sequence[float]] | None = None
) -> Scores:
    """Score what a candidate said of the test sequences of all folds.

    Parameters
    ----------
    predictions
        Of one seed.
    thresholds
        For each fold, what separates high from low in its training data, valence and arousal; see
        `training_threshold`.

    Raises
    ------
    BadInput
        A fold has no threshold.
    """
    series = predictions.series
    valence, arousal = (
        _score_target(series, column, _thresholds(series, thresholds, column))
        for column in range(2)
    )
    rated = all(one.per_trial for one in series)
    return Scores(valence, arousal, len(predictions.people), len(series), rated)


def jsonable(value: Any) -> Any:
    """Return a nested value with text keys, and None for what JSON cannot hold."""
    if isinstance(value, Mapping):
        return {str(key): jsonable(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [jsonable(item) for item in value]
    if isinstance(value, float | np.floating):
        return float(value) if math.isfinite(value) else None
    return value


def _thresholds(
    series: Sequence[Series], given: Mapping[str, Sequence[float]] | None, column: int
) -> dict[str, Floats]:
    """Return each threshold by name, one value for each sequence."""
    cuts = {name: np.full(len(series), cut) for name, cut in FIXED_THRESHOLDS.items()}
    if given is None:
        return cuts
    lacking = sorted({one.fold for one in series} - set(given))
    if lacking:
        raise BadInput(f"no training threshold for the folds {lacking}; see `training_threshold`")
    return {"train": np.array([given[one.fold][column] for one in series], np.float64), **cuts}


def _score_target(
    series: Sequence[Series], column: int, thresholds: Mapping[str, Floats]
) -> TargetScores:
    p, sd, y = ([getattr(s, name)[:, column] for s in series] for name in ("mean", "sd", "target"))
    who = [one.subject for one in series]
    constant = [_is_constant(one, target) for one, target in zip(series, y, strict=True)]
    trials = [tuple(value[column] for value in one.trial) for one in series]
    said, rated = (np.array([pair[k] for pair in trials]) for k in range(2))
    varying = [one for one, flag in zip(series, constant, strict=True) if not flag]
    cold = [one.position == 0 for one in series]
    people = _people(p, sd, y, said, rated, who)
    return TargetScores(
        sequence=_over_sequences(series, column),
        varying=_over_sequences(varying, column),
        pooled=_joint(_join(p), _join(y)),
        within=_mean_over_people([person.within for person in people]),
        trial=_joint(said, rated),
        trial_within=_mean_over_people([person.trial for person in people]),
        first=_joint(_join(p, cold), _join(y, cold)),
        later=_joint(_join(p, [not flag for flag in cold]), _join(y, [not flag for flag in cold])),
        n_constant=sum(constant),
        binary={name: score_binary(said, rated, who, cut) for name, cut in thresholds.items()},
        uncertainty=score_uncertainty(p, sd, y, who),
        subjects=people,
    )


def _people(
    p: Sequence[Floats],
    sd: Sequence[Floats],
    y: Sequence[Floats],
    said: Floats,
    rated: Floats,
    who: Sequence[str],
) -> tuple[SubjectScores, ...]:
    rows = []
    for subject in dict.fromkeys(who):
        mine = [name == subject for name in who]
        own = [_join(values, mine) for values in (p, sd, y)]
        rows.append(
            SubjectScores(
                subject,
                sum(mine),
                _joint(own[0], own[2]),
                _joint(said[mine], rated[mine]),
                nll(own[0], own[1], own[2]),
                coverage(own[0], own[1], own[2]),
            )
        )
    return tuple(rows)


def _over_sequences(series: Sequence[Series], column: int) -> Agreement:
    """Average over each subject's sequences, then over subjects."""

    def mean(name: str, chosen: Sequence[Series]) -> float:
        values = [getattr(one.agreement[column], name) for one in chosen]
        return mean_over_subjects(values, [one.subject for one in chosen])

    timed = [one for one in series if not one.per_trial]
    return Agreement(
        mean("ccc", timed), mean("pearson", timed), mean("rmse", series), mean("mae", series)
    )


def _is_constant(one: Series, target: Floats) -> bool:
    known = target[np.isfinite(target)]
    return not one.per_trial and len(known) > 0 and bool(np.ptp(known) == 0)


def _joint(p: Floats, y: Floats) -> Agreement:
    if (np.isfinite(p) & np.isfinite(y)).sum() < 2:  # one value follows nothing
        return Agreement(math.nan, math.nan, rmse(p, y), mae(p, y))
    return Agreement.of(p, y)


def _mean_over_people(each: Sequence[Agreement]) -> Agreement:
    """Average over people."""
    columns = [[getattr(own, name) for own in each] for name in ("ccc", "pearson", "rmse", "mae")]
    return Agreement(
        *[mean_over_subjects(column, [str(k) for k in range(len(column))]) for column in columns]
    )


def _join(parts: Sequence[Floats], take: Sequence[bool] | None = None) -> Floats:
    """Put the chosen parts into one vector."""
    chosen = (
        parts if take is None else [part for part, flag in zip(parts, take, strict=True) if flag]
    )
    return np.concatenate(chosen) if chosen else np.empty(0)
