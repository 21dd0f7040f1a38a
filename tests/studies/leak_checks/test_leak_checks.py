"""Leak checks: each finds a planted leak, and is silent where there is none."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
import pytest

from biosense.core.errors import LeakFound
from biosense.core.types import Floats, Modality
from biosense.models.sequences import LabelledSequence
from biosense.studies.base import Fold, Predictor
from biosense.studies.candidates.baselines import RidgeCandidate
from biosense.studies.leak_checks.lookahead import SAME, later_edits, lookahead
from biosense.studies.leak_checks.neighbours import block_seconds, blocks_of, nearest
from biosense.studies.leak_checks.random_ratings import (
    chance_on_folds,
    mean_and_limit,
    planted_leak_is_seen,
)
from biosense.studies.leak_checks.study_checks import check_folds, second_name_is_refused
from biosense.studies.splits.protocols import PROTOCOLS, folds
from biosense.testing.labelled_data import followed_labels, trial_offset_noise
from tests.support.planted_leaks import random_windows, second_name

TRACES = trial_offset_noise(10, 8, n_steps=20)
REAL = followed_labels(6, 4, n_steps=40)
FOLD = folds(REAL, "subject", n_folds=3)[0]


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_random_ratings_score_at_chance_in_every_protocol(protocol: str) -> None:
    found = chance_on_folds(folds(TRACES, protocol, n_folds=3, gap_s=5.0))
    assert found.passed
    assert found.value < 0.05


def test_windows_of_a_trial_on_both_sides_are_caught() -> None:
    begins = {s.position: float(s.time[0]) for s in TRACES.sequences}

    def of_its_trial(window: LabelledSequence) -> LabelledSequence:
        """Let a window have the rating of its trial, whose beginning it then shares."""
        return replace(window, time=window.time - window.time[0] + begins[window.position])

    leaky = []
    for fold in random_windows(TRACES):
        sides = (fold.train, fold.validation, fold.test)
        leaky.append(Fold(fold.name, *(tuple(map(of_its_trial, side)) for side in sides)))
    found = chance_on_folds(leaky)
    assert not found.passed
    with pytest.raises(LeakFound, match="must score at chance"):
        found.demand()


def test_the_same_recording_on_both_sides_is_caught() -> None:
    made = folds(TRACES, "subject", n_folds=2)
    leaky = [replace(fold, train=(*fold.train, *fold.test)) for fold in made]
    assert chance_on_folds(leaky).value > 0.9


def test_a_planted_leak_is_seen_where_features_know_their_trial() -> None:
    found = planted_leak_is_seen(trial_offset_noise(10, 8, n_steps=80))
    assert found.passed
    assert found.value > 0.9


def test_features_that_would_show_no_leak_are_told() -> None:
    rng = np.random.default_rng(0)
    blank = [
        replace(s, data={m: rng.normal(size=x.shape) for m, x in s.data.items()})
        for s in TRACES.sequences
    ]
    assert not planted_leak_is_seen(replace(TRACES, sequences=tuple(blank))).passed


def test_a_modality_that_a_side_lacks_is_no_obstacle() -> None:
    only = Modality.EDA
    without = [
        replace(s, data={only: s.data[only]}, quality={only: s.quality[only]}) for s in FOLD.test
    ]
    blank = [replace(s, data={}, quality={}) for s in FOLD.train[:2]]
    fold = replace(FOLD, train=(*blank, *FOLD.train[2:]), test=tuple(without))
    assert chance_on_folds([fold]).passed


def test_false_alarms_are_rare() -> None:
    draws = np.random.default_rng(0).normal(0, 0.4, (3000, 50))
    alarms = [value > limit for value, limit in map(mean_and_limit, draws)]
    assert np.mean(alarms) <= 0.003


def test_a_person_under_a_second_name_would_be_refused() -> None:
    assert second_name_is_refused(REAL).passed
    with pytest.raises(LeakFound, match="two names"):
        folds(second_name(REAL, noise=0.01), "subject")
    nothing = [
        replace(s, data={m: np.full_like(x, np.nan) for m, x in s.data.items()})
        for s in REAL.sequences
    ]
    assert not second_name_is_refused(replace(REAL, sequences=tuple(nothing))).passed


def test_blocks_average_trusted_steps_only() -> None:
    one, eda = FOLD.test[0], Modality.EDA
    quality = {m: np.where(np.arange(one.n) < 4, 0.0, 1.0) for m in one.quality}
    some = [replace(one, quality=quality), replace(one, time=one.time + 500)]
    assert block_seconds(some) == 2.0
    blocks = blocks_of(some, [("eda", 2)], 2.0)
    assert blocks.owner.tolist() == [0] * 5 + [1] * 5
    assert (blocks.starts.tolist(), blocks.sizes.tolist()) == ([0, 5], [5, 5])
    assert blocks.values[0] == pytest.approx(one.data[eda][4:8].mean(0))
    assert blocks.values[5] == pytest.approx(one.data[eda][:8].mean(0))


def test_neighbours_are_those_of_a_plain_search() -> None:
    rng = np.random.default_rng(3)
    known, asked = rng.normal(size=(700, 4)), rng.normal(size=(300, 4))
    distances = ((known[None] - asked[:, None]) ** 2 / known.var(0)).sum(-1)
    assert (nearest(known, asked) == distances.argmin(1)).mean() > 0.995  # single precision
    known[5] = np.nan
    assert nearest(known, known)[:5].tolist() == [0, 1, 2, 3, 4]


@dataclass(frozen=True, eq=False)
class WholeScore:
    """Scales each sequence by all of it, later steps too."""

    fitted: Predictor

    def predict(self, sequence: LabelledSequence) -> tuple[Floats, Floats]:
        data = {m: (x - x.mean(0)) / x.std(0) for m, x in sequence.data.items()}
        return self.fitted.predict(replace(sequence, data=data))


def test_what_looks_ahead_is_found_and_named() -> None:
    fitted = RidgeCandidate(windows_s=(2.0,)).fit(FOLD.train, FOLD.validation, 0)
    causal, ahead = lookahead(fitted, FOLD.test[0]), lookahead(WholeScore(fitted), FOLD.test[0])
    assert causal <= SAME < ahead
    assert later_edits({"ridge": causal}).passed
    found = later_edits({"ridge": causal, "whole": ahead})
    assert not found.passed
    assert found.text.endswith("they do in whole")


@dataclass(frozen=True)
class Fading:
    """Says nothing of a sequence that is loud anywhere."""

    def predict(self, sequence: LabelledSequence) -> tuple[Floats, Floats]:
        loud = max(float(np.abs(x).max()) for x in sequence.data.values())
        mean = np.full((sequence.n, 2), math.nan if loud > 100 else 0.0)
        return mean, np.ones((sequence.n, 2))


def test_values_that_come_or_go_with_the_future_count_most() -> None:
    assert lookahead(Fading(), FOLD.test[0]) == math.inf
    assert later_edits({"fading": math.inf}).value is None


def test_a_failed_check_is_told_at_once() -> None:
    said: list[str] = []
    leaky = [replace(FOLD, train=(*FOLD.train, *FOLD.test))]
    found = check_folds(REAL, leaky, said.append)
    assert [check.passed for check in found] == [False, True, True]
    (line,) = said
    assert line.startswith("leak check failed: random ratings must score at chance")
