"""Controls that look up a number: by stimulus, time, position or person, never by a signal."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Self
from zlib import crc32

import numpy as np

from biosense.core.errors import BadInput
from biosense.core.types import Floats
from biosense.models.sequences import LabelledSequence
from biosense.studies.base import Predictor
from biosense.studies.scoring.series import Key, key_of, trial_targets

Sequences = Sequence[LabelledSequence]


@dataclass(frozen=True, eq=False)
class Constant:
    """Say the same of every step of a sequence: a value by key, or else the fallback.

    Parameters
    ----------
    key
        What is looked up.
    values
        By key, (2,) each.
    fallback, sd
        For unknown keys; of the training targets about what is said, (2,) each.
    """

    key: Callable[[LabelledSequence], object]
    values: Mapping[object, Floats]
    fallback: Floats
    sd: Floats

    def predict(self, sequence: LabelledSequence) -> tuple[Floats, Floats]:
        """Return what the table says, repeated."""
        value = self.values.get(self.key(sequence), self.fallback)
        return np.tile(value, (sequence.n, 1)), np.tile(self.sd, (sequence.n, 1))


@dataclass(frozen=True)
class TrainMean:
    """Say the mean of the training targets.

    Examples
    --------
    >>> time = np.arange(2) * 0.25
    >>> one = LabelledSequence("a", time, {}, {}, np.full((2, 2), 0.5))
    >>> TrainMean().fit([one], [], 0).predict(one)[0].tolist()
    [[0.5, 0.5], [0.5, 0.5]]
    """

    name: str = "train mean"

    def fit(self, train: Sequences, validation: Sequences, seed: int) -> Predictor:
        """Average the training targets."""
        return _mean_by(train, _nothing)


@dataclass(frozen=True)
class StimulusMean:
    """Say the training mean of the stimulus; of an unknown one, the training mean."""

    name: str = "stimulus mean"

    def fit(self, train: Sequences, validation: Sequences, seed: int) -> Predictor:
        """Average the training targets of each stimulus."""
        return _mean_by(train, _stimulus)


@dataclass(frozen=True)
class PositionMean:
    """Say the training mean at the position in the session; beyond all known, the training mean."""

    name: str = "position in session"

    def fit(self, train: Sequences, validation: Sequences, seed: int) -> Predictor:
        """Average the training targets at each position."""
        return _mean_by(train, _position)


@dataclass(frozen=True)
class OwnMean:
    """Say the person's own mean over the training trials; of unknown people, the training mean."""

    name: str = "own mean"

    def fit(self, train: Sequences, validation: Sequences, seed: int) -> Predictor:
        """Average the training targets of each person."""
        return _mean_by(train, _subject)


@dataclass(frozen=True)
class OwnMeanOfOthers:
    """Say the person's own mean over all other trials, read from the labels of the test side.

    Legal only as a mark: it needs labels of the very person who is tested.

    Parameters
    ----------
    trials
        Key and mean target of every trial of the data set.
    """

    trials: tuple[tuple[Key, tuple[float, float]], ...]
    name: str = "own mean of others"

    @classmethod
    def of(cls, sequences: Sequences) -> Self:
        """Take the labels of a data set."""
        means = trial_targets(sequences).tolist()
        pairs = zip(sequences, means, strict=True)
        return cls(tuple((key_of(s), (float(v), float(a))) for s, (v, a) in pairs))

    def fit(self, train: Sequences, validation: Sequences, seed: int) -> Predictor:
        """Average each person's trials but one, for each one."""
        fitted = _mean_by(train, _nothing)
        values: dict[object, Floats] = {}
        for key, _ in self.trials:
            # A trial that was cut by time keeps its position: none of its parts may tell of it.
            others = [mean for k, mean in self.trials if k[0] == key[0] and k[1:3] != key[1:3]]
            if others:
                values[key[:3]] = _known_mean(np.array(others), fitted.fallback)
        return Constant(_trial, values, fitted.fallback, fitted.sd)


@dataclass(frozen=True)
class TrainMedian:
    """Say the median of the training trials: at any threshold it is in the larger class."""

    name: str = "majority"

    def fit(self, train: Sequences, validation: Sequences, seed: int) -> Predictor:
        """Take the median over the training trials."""
        fitted = _mean_by(train, _nothing)
        trials = trial_targets(train)
        columns = [column[np.isfinite(column)] for column in trials.T]
        median = [
            np.median(c) if len(c) else f for c, f in zip(columns, fitted.fallback, strict=True)
        ]
        return Constant(_nothing, {}, np.array(median), fitted.sd)


@dataclass(frozen=True)
class ClassPrior:
    """Say a training trial's rating, drawn at random: at any threshold, classes by their share."""

    name: str = "class prior"

    def fit(self, train: Sequences, validation: Sequences, seed: int) -> Predictor:
        """Keep the ratings of the training trials."""
        fitted = _mean_by(train, _nothing)
        trials = trial_targets(train)
        return Drawn(trials[np.isfinite(trials).all(1)], fitted.fallback, fitted.sd, seed)


@dataclass(frozen=True, eq=False)
class Drawn:
    """Say a random one of some ratings: the same one for the same sequence and seed."""

    ratings: Floats
    fallback: Floats
    sd: Floats
    seed: int

    def predict(self, sequence: LabelledSequence) -> tuple[Floats, Floats]:
        """Return the rating that was drawn, repeated."""
        rng = sequence_rng(sequence, self.seed)
        value = (
            self.ratings[rng.integers(len(self.ratings))] if len(self.ratings) else self.fallback
        )
        return np.tile(value, (sequence.n, 1)), np.tile(self.sd, (sequence.n, 1))


@dataclass(frozen=True)
class TimeCourse:
    """Say the mean of the training targets at each moment since the beginning of a trial.

    Parameters
    ----------
    name
        How tables call it.
    per_stimulus
        One course for each stimulus; of an unknown stimulus the course of all.
    """

    name: str = "time in trial"
    per_stimulus: bool = False

    def fit(self, train: Sequences, validation: Sequences, seed: int) -> Predictor:
        """Average the training targets at each step."""
        fitted = _mean_by(train, _nothing)
        courses: dict[object, Floats] = {None: _course(train, fitted.fallback)}
        if self.per_stimulus:
            for stimulus in {s.stimulus for s in train if s.stimulus}:
                own = [s for s in train if s.stimulus == stimulus]
                courses[stimulus] = _course(own, _mean_by(own, _nothing).fallback)
        sd = _spread(train, lambda s: _along(_chosen(courses, s), s.n))
        return Course(courses, sd)


@dataclass(frozen=True, eq=False)
class Course:
    """Say a time course by stimulus; None is that of all. Beyond its end it stays where it is."""

    courses: Mapping[object, Floats]
    sd: Floats

    def predict(self, sequence: LabelledSequence) -> tuple[Floats, Floats]:
        """Return the course over the steps of the sequence."""
        course = _along(_chosen(self.courses, sequence), sequence.n)
        return course, np.tile(self.sd, (sequence.n, 1))


def sequence_rng(sequence: LabelledSequence, seed: int) -> np.random.Generator:
    """Return randomness that is the same for the same sequence and seed, in any process."""
    return np.random.default_rng([seed, crc32(repr(key_of(sequence)).encode())])


def _nothing(sequence: LabelledSequence) -> object:
    return None


def _stimulus(sequence: LabelledSequence) -> object:
    return sequence.stimulus or None


def _position(sequence: LabelledSequence) -> object:
    return sequence.position


def _subject(sequence: LabelledSequence) -> object:
    return sequence.subject


def _trial(sequence: LabelledSequence) -> object:
    return key_of(sequence)[:3]


def _mean_by(train: Sequences, key: Callable[[LabelledSequence], object]) -> Constant:
    if not train:
        raise BadInput("a control needs training sequences, got none")
    targets = np.concatenate([s.target for s in train])
    overall = _known_mean(targets, np.zeros(2))
    groups: dict[object, list[Floats]] = {}
    for sequence in train:
        groups.setdefault(key(sequence), []).append(sequence.target)
    values = {name: _known_mean(np.concatenate(own), overall) for name, own in groups.items()}
    return Constant(key, values, overall, _spread(train, lambda s: values[key(s)]))


def _spread(train: Sequences, said: Callable[[LabelledSequence], Floats]) -> Floats:
    """Return the RMS error of what is said of the training side."""
    squares = np.concatenate([(s.target - said(s)) ** 2 for s in train])
    return np.sqrt(np.maximum(_known_mean(squares, np.ones(2)), 1e-6))


def _known_mean(values: Floats, fallback: Floats) -> Floats:
    """Average over the first axis where known; the fallback where nothing is."""
    known = np.isfinite(values)
    total = np.where(known, values, 0.0).sum(0)
    count = known.sum(0)
    return np.asarray(np.where(count > 0, total / np.maximum(count, 1), fallback), np.float64)


def _course(own: Sequences, fallback: Floats) -> Floats:
    stacked = np.full((len(own), max(s.n for s in own), 2), np.nan)
    for row, sequence in zip(stacked, own, strict=True):
        row[: sequence.n] = sequence.target
    return _known_mean(stacked, np.broadcast_to(fallback, stacked.shape[1:]))


def _chosen(courses: Mapping[object, Floats], sequence: LabelledSequence) -> Floats:
    return courses.get(sequence.stimulus or None, courses[None])


def _along(course: Floats, n: int) -> Floats:
    return course[np.minimum(np.arange(n), len(course) - 1)]
