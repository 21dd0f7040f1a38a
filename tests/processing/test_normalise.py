"""The running z-score: causal, tame at the beginning, and blind to what is missing or bad."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

from biosense.core import Epoch, Modality, StreamInfo
from biosense.core.errors import BadInput
from biosense.core.grid import HOP
from biosense.core.types import Floats
from biosense.processing.normalise import RunningNormalise

INFO = StreamInfo("heart", Modality.ECG, ("rate", "rmssd"), 1 / HOP)


def epochs(rows: Floats, quality: Floats | None = None) -> list[Epoch]:
    quality = np.ones(len(rows)) if quality is None else quality
    return [
        Epoch(INFO, k, k * HOP - 2, k * HOP, row, float(q))
        for k, (row, q) in enumerate(zip(rows, quality, strict=True), start=400)
    ]


def scores(stage: RunningNormalise, items: list[Epoch]) -> Floats:
    stage.start(INFO)
    return np.array([stage.push(item)[0].data for item in items])


def test_without_prior_it_is_the_z_score_of_the_past_and_present() -> None:
    rows = np.random.default_rng(0).standard_normal((200, 2)) * [3.0, 0.1] + [70.0, 0.04]
    out = scores(RunningNormalise(prior_seconds=0.0), epochs(rows))
    for n in (2, 10, 200):
        past = rows[:n]
        wanted = (past[-1] - past.mean(axis=0)) / past.std(axis=0)
        assert_allclose(out[n - 1], np.clip(wanted, -5, 5), rtol=1e-9)


def test_the_first_minutes_are_shrunk_and_the_shrinkage_ends() -> None:
    rows = np.random.default_rng(1).standard_normal((4 * 1200, 2))
    out = scores(RunningNormalise(prior_seconds=60.0), epochs(rows))
    full = scores(RunningNormalise(prior_seconds=0.0), epochs(rows))
    for seconds in (1, 60, 1200):
        at = 4 * seconds - 1
        assert_allclose(out[at], full[at] * np.sqrt(seconds / (seconds + 60)), rtol=1e-9)


def test_a_population_holds_at_first_and_the_person_takes_over() -> None:
    rows = np.tile([[80.0, 0.05], [84.0, 0.07]], (4 * 1000, 1))
    stage = RunningNormalise(prior_seconds=60.0, mean=(70.0, 0.04), sd=(10.0, 0.02))
    out = scores(stage, epochs(rows))
    assert_allclose(out[0], [1.0, 0.5], rtol=0.02)
    assert_allclose(np.abs(out[-1]), 1.0, atol=0.6)  # the person's own spread is 2, not 10
    assert np.abs(out[-2:].sum(axis=0)).max() < np.abs(out[:2].sum(axis=0)).max() / 3


def test_missing_features_stay_missing_and_teach_nothing() -> None:
    rows = np.random.default_rng(2).standard_normal((100, 2))
    holes = rows.copy()
    holes[10:60, 1] = np.nan
    out = scores(RunningNormalise(), epochs(holes))
    assert np.isnan(out[10:60, 1]).all()
    assert np.isfinite(out[:, 0]).all()
    kept = np.r_[0:10, 60:100]
    assert_allclose(out[kept, 1], scores(RunningNormalise(), epochs(rows[kept]))[:, 1])


def test_epochs_of_low_quality_are_scored_but_teach_nothing() -> None:
    rows = np.random.default_rng(3).standard_normal((100, 2))
    quality = np.ones(100)
    quality[50] = 0.1
    wild = rows.copy()
    wild[50] = 1e6
    out = scores(RunningNormalise(), epochs(wild, quality))
    assert_allclose(out[50], 5.0)
    calm = scores(RunningNormalise(), epochs(rows, quality))
    assert_allclose(np.delete(out, 50, axis=0), np.delete(calm, 50, axis=0))


def test_scores_are_clipped() -> None:
    rows = np.zeros((400, 2))
    rows[:, 1] = np.arange(400) % 2
    rows[-1] = 1000.0, -1000.0
    assert_allclose(scores(RunningNormalise(), epochs(rows))[-1], [5.0, -5.0])


def test_a_feature_that_never_changes_is_zero() -> None:
    rows = np.full((50, 2), [0.1 + 0.2, 1e12])
    assert_allclose(scores(RunningNormalise(), epochs(rows)), 0.0)


def test_half_life_forgets_across_a_gap_too() -> None:
    rows = np.r_[np.zeros((40, 2)), np.full((40, 2), 10.0)]
    rows += np.random.default_rng(4).standard_normal(rows.shape)
    items = epochs(rows)
    later = [
        Epoch(INFO, item.index + 4000, item.start + 1000, item.stop + 1000, item.data, 1.0)
        for item in items[40:]
    ]
    stage = RunningNormalise(prior_seconds=0.0, half_life=100.0)
    gone = scores(stage, items[:40] + later)
    kept = scores(stage, items)
    assert abs(gone[-20:].mean()) < 0.2 < kept[-20:].mean()


def test_wrong_settings_are_refused() -> None:
    with pytest.raises(BadInput, match="got 1 and 0"):
        RunningNormalise(mean=(1.0,))
    with pytest.raises(BadInput, match="half_life=0 s"):
        RunningNormalise(half_life=0)
    with pytest.raises(BadInput, match="1 training means for the 2 features of 'heart'"):
        RunningNormalise(mean=(1.0,), sd=(1.0,)).start(INFO)
