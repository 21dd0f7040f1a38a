"""All that one candidate said, grouped once: by seed, by person, and as sums for each target."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from biosense.core.affect import TARGETS
from biosense.core.errors import BadInput
from biosense.core.types import Floats
from biosense.studies.base import Prediction
from biosense.studies.scoring.pooled_metrics import METRICS, Metric
from biosense.studies.scoring.series import Key, Series, key_of, series_of


@dataclass(frozen=True, eq=False)
class PersonSums:
    """Hold the sums of each person, from which a score follows under any resample of people.

    Parameters
    ----------
    metric
        How sums become a score.
    subjects
        The people, in the order of the second axis of `sums`.
    keys
        Of the sequences that were scored.
    sums
        (seeds, people, k).
    """

    metric: Metric
    subjects: tuple[str, ...]
    keys: tuple[Key, ...]
    sums: Floats

    def scores(self, weights: Floats) -> Floats:
        """Return the score under each row of weights of people, (rows, people): (rows,)."""
        return np.asarray(self.metric.combine(weights @ self.sums).mean(0), np.float64)

    @property
    def value(self) -> float:
        """The score of everybody, averaged over seeds."""
        return float(self.scores(np.ones((1, len(self.subjects))))[0])

    def by_seed(self) -> list[PersonSums]:
        """Return those of each seed alone."""
        parts = (self.sums[k : k + 1] for k in range(len(self.sums)))
        return [PersonSums(self.metric, self.subjects, self.keys, part) for part in parts]


@dataclass(frozen=True, eq=False)
class SeedPredictions:
    """Hold what the fits with one seed said.

    Parameters
    ----------
    seed
        Of the fits.
    predictions
        As they were given: fold by fold.
    series
        What is scored of each, in the order of subject and position.
    """

    seed: int
    predictions: tuple[Prediction, ...]
    series: tuple[Series, ...]

    @cached_property
    def people(self) -> Mapping[str, tuple[Series, ...]]:
        """The series of each person."""
        found: dict[str, list[Series]] = {}
        for one in self.series:
            found.setdefault(one.subject, []).append(one)
        return {subject: tuple(own) for subject, own in found.items()}


@dataclass(frozen=True, eq=False)
class Predictions:
    """Hold all that one candidate said of the test sequences of all folds.

    Parameters
    ----------
    seeds
        By rising seed.
    """

    seeds: tuple[SeedPredictions, ...]
    _sums: dict[tuple[Metric, int], PersonSums] = field(default_factory=dict, init=False)

    @classmethod
    def of(
        cls, predictions: Iterable[Prediction], *, window_s: tuple[float, float] | None = None
    ) -> Predictions:
        """Group predictions.

        Parameters
        ----------
        predictions
            Of one seed or of several, every sequence once for each.
        window_s
            Only steps in [start, stop) after each sequence's first count. EPiC 2023 scores
            (10.0, 40.05) of CASE.

        Raises
        ------
        BadInput
            There are no predictions, a sequence occurs twice, or shapes do not fit.
        """
        seeds: dict[int, list[Prediction]] = {}
        for one in predictions:
            seeds.setdefault(one.seed, []).append(one)
        if not seeds:
            raise BadInput("there are no predictions to score")
        return cls(tuple(_of_seed(seed, seeds[seed], window_s) for seed in sorted(seeds)))

    @property
    def first(self) -> SeedPredictions:
        """Those of the first seed: fits that somebody would run, as no mean over seeds is."""
        return self.seeds[0]

    @cached_property
    def per_trial(self) -> bool:
        """Whether every sequence has one rating."""
        return all(one.per_trial for one in self.first.series)

    @cached_property
    def keys(self) -> tuple[Key, ...]:
        """What was predicted, sorted.

        Raises
        ------
        BadInput
            The seeds did not predict the same sequences.
        """
        every = {tuple(sorted(key_of(p.sequence) for p in own.predictions)) for own in self.seeds}
        if len(every) > 1:
            seeds = [own.seed for own in self.seeds]
            raise BadInput(f"the seeds {seeds} did not all predict the same sequences")
        return every.pop()

    def sums(self, metric: str | Metric, target: str) -> PersonSums:
        """Return the sums of each person for each seed, computed once.

        Parameters
        ----------
        metric
            A key of `METRICS`, or one made by `binary_metric`.
        target
            "valence" or "arousal".

        Raises
        ------
        BadInput
            The metric or the target is unknown, or seeds did not predict the same sequences.
        """
        chosen = METRICS[metric] if isinstance(metric, str) else metric
        place = chosen, column_of(target)
        if place not in self._sums:
            self._sums[place] = self._summed(*place)
        return self._sums[place]

    def _summed(self, metric: Metric, column: int) -> PersonSums:
        keys = self.keys
        sums = [[metric.sums(own, column) for own in seed.people.values()] for seed in self.seeds]
        return PersonSums(metric, tuple(self.first.people), keys, np.array(sums))


def column_of(target: str) -> int:
    """Return the place of a target on the last axis of means and targets."""
    if target not in TARGETS:
        raise BadInput(f"target {target!r} must be one of {TARGETS}")
    return TARGETS.index(target)


def _of_seed(
    seed: int, own: Sequence[Prediction], window_s: tuple[float, float] | None
) -> SeedPredictions:
    ordered = sorted(own, key=lambda p: key_of(p.sequence))
    keys = [key_of(p.sequence) for p in ordered]
    twice = sorted({key for key, following in itertools.pairwise(keys) if key == following})
    if twice:
        raise BadInput(
            f"{len(twice)} sequences were predicted twice with seed {seed}, the first {twice[0]}; "
            "each sequence is tested in one fold"
        )
    return SeedPredictions(seed, tuple(own), tuple(series_of(p, window_s) for p in ordered))
