"""What chance gives: against brute force, and against relations that are known."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from biosense.core.errors import BadInput
from biosense.studies.candidates.baselines import RidgeCandidate
from biosense.studies.leak_checks.synthetic_data import followed_labels
from biosense.studies.scoring.nulls import refit_null, shift_null
from biosense.studies.scoring.pooled_metrics import table_of
from biosense.studies.splits.protocols import folds
from tests.support.made_up_predictions import predictions

SAID = predictions()


@pytest.mark.parametrize("metric", ["ccc", "pooled_ccc", "within_ccc", "pooled_rmse", "pearson"])
def test_the_shifted_null_equals_shifting_one_by_one(metric: str) -> None:
    said = predictions(people=3, trials=2)
    found = shift_null(said, metric, n=300)
    rng = np.random.default_rng(7)
    scores = []
    for _ in range(150):
        moved = []
        for one in said:
            y = np.roll(one.sequence.target, rng.integers(4, 37), 0)
            moved.append(replace(one, sequence=replace(one.sequence, target=y)))
        scores.append(table_of(moved, metric, 0).value)
    assert found.value == pytest.approx(table_of(said, metric, 0).value)
    assert found.mean == pytest.approx(np.mean(scores), abs=0.3 * np.std(scores))
    assert found.sd == pytest.approx(np.std(scores), rel=0.25)


def test_following_the_time_course_beats_shifted_labels_and_knowing_the_level_does_not() -> None:
    assert shift_null(SAID, "ccc").p_value < 0.01
    level = [replace(one, mean=np.full_like(one.mean, one.sequence.target.mean())) for one in SAID]
    assert shift_null(level, "pooled_ccc").p_value > 0.5


def test_labels_of_rated_trials_are_shifted_among_a_persons_trials() -> None:
    said = predictions(people=6, trials=12, n=5, per_trial=True)
    found = shift_null(said, "within_ccc", n=500)
    assert found.p_value < 0.01
    assert -0.2 < found.mean < 0.1  # without the shift of none, chance is below 0
    assert found.mean < found.limit < found.value


def test_a_real_relation_beats_every_refit_to_permuted_labels() -> None:
    made = folds(followed_labels(6, 5, n_steps=20), "subject", n_folds=2)
    ridge = RidgeCandidate(1.0, windows_s=(2.0,))
    found = refit_null(ridge, made, target="arousal", n=9)
    assert found.p_value == pytest.approx(0.1)
    assert found.value > 0.8 > found.limit
    worse = refit_null(ridge, made, "pooled_rmse", "arousal", n=3, within_subjects=False)
    assert worse.value < worse.limit < worse.mean + worse.sd


def test_nothing_to_shift_has_no_null() -> None:
    blank = [
        replace(one, sequence=replace(one.sequence, target=np.full((40, 2), np.nan)))
        for one in SAID
    ]
    assert math.isnan(shift_null(blank).value)
    assert math.isnan(shift_null(blank).p_value)


def test_a_null_of_an_unknown_metric_or_target_is_refused() -> None:
    with pytest.raises(BadInput, match="no shifted null of 'nll'"):
        shift_null(SAID, "nll")
    with pytest.raises(BadInput, match="target 'joy'"):
        shift_null(SAID, "ccc", "joy")
