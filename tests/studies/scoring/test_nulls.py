"""What chance gives: against brute force, and against relations that are known."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from biosense.core.errors import BadInput
from biosense.studies.scoring.nulls import shift_null
from biosense.studies.scoring.predictions import Predictions
from tests.support.made_up_predictions import predictions

SAID = predictions()


@pytest.mark.parametrize("metric", ["ccc", "pooled_ccc", "within_ccc", "pooled_rmse", "pearson"])
def test_the_shifted_null_equals_shifting_one_by_one(metric: str) -> None:
    said = predictions(people=3, trials=2)
    found = shift_null(Predictions.of(said), metric, n=300)
    rng = np.random.default_rng(7)
    scores = []
    for _ in range(150):
        moved = []
        for one in said:
            y = np.roll(one.sequence.target, rng.integers(4, 37), 0)
            moved.append(replace(one, sequence=replace(one.sequence, target=y)))
        scores.append(Predictions.of(moved).sums(metric, "valence").value)
    assert found.value == pytest.approx(Predictions.of(said).sums(metric, "valence").value)
    assert found.mean == pytest.approx(np.mean(scores), abs=0.3 * np.std(scores))
    assert found.sd == pytest.approx(np.std(scores), rel=0.25)


def test_following_the_time_course_beats_shifted_labels_and_knowing_the_level_does_not() -> None:
    assert shift_null(Predictions.of(SAID), "ccc").p_value < 0.01
    level = [replace(one, mean=np.full_like(one.mean, one.sequence.target.mean())) for one in SAID]
    assert shift_null(Predictions.of(level), "pooled_ccc").p_value > 0.5


def test_labels_of_rated_trials_are_shifted_among_a_persons_trials() -> None:
    said = predictions(people=6, trials=12, n=5, per_trial=True)
    found = shift_null(Predictions.of(said), "within_ccc", n=500)
    assert found.p_value < 0.01
    assert -0.2 < found.mean < 0.1  # without the shift of none, chance is below 0
    assert found.mean < found.limit < found.value


def test_nothing_to_shift_has_no_null() -> None:
    blank = [
        replace(one, sequence=replace(one.sequence, target=np.full((40, 2), np.nan)))
        for one in SAID
    ]
    assert math.isnan(shift_null(Predictions.of(blank)).value)
    assert math.isnan(shift_null(Predictions.of(blank)).p_value)


def test_a_null_of_an_unknown_metric_or_target_is_refused() -> None:
    with pytest.raises(BadInput, match="no shifted null of 'nll'"):
        shift_null(Predictions.of(SAID), "nll")
    with pytest.raises(BadInput, match="target 'joy'"):
        shift_null(Predictions.of(SAID), "ccc", "joy")
