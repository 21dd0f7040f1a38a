"""Intervals hold for people never seen, and are kept with the model."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from biosense.core.affect import Estimate
from biosense.core.errors import BadInput
from biosense.models.deployment.checkpoint import load, save
from biosense.models.evaluation.conformal import GAUSSIAN, fit_intervals
from biosense.models.evaluation.evaluate import calibrate_intervals
from biosense.models.sequences import LabelledSequence
from biosense.models.training.train import TrainingSettings, train

MakeToy = Callable[..., list[LabelledSequence]]
STEPS = 200


def biased_people(n: int, rng: np.random.Generator) -> list[np.ndarray]:
    """Draw |error| / sd of people who are each off by something of their own."""
    bias = rng.standard_normal((n, 1, 2))
    return list(np.abs(bias + 0.6 * rng.standard_normal((n, STEPS, 2))))


def names(n: int) -> list[str]:
    return [f"p{k:03d}" for k in range(n)]


def test_fewer_new_people_are_left_uncovered_than_by_pooled_windows() -> None:
    rng = np.random.default_rng(0)
    by_person, by_window = [], []
    for _ in range(40):
        known = biased_people(30, rng)
        intervals = fit_intervals(known, names(30))
        pooled = np.quantile(np.concatenate(known)[:, 0], 0.9)
        for new in biased_people(30, rng):
            by_person.append(np.mean(new[:, 0] <= intervals.valence[2]))
            by_window.append(np.mean(new[:, 0] <= pooled))
    assert np.mean(np.array(by_person) >= 0.9) > 0.88  # guaranteed for 0.9 of new people
    assert np.mean(np.array(by_person) < 0.8) < 0.5 * np.mean(np.array(by_window) < 0.8)
    assert 0.93 < np.mean(by_person) < 0.99  # the price


def test_coverage_is_reported_by_person_and_pooled_on_people_left_out() -> None:
    rng = np.random.default_rng(1)
    scores = [*biased_people(20, rng), np.full((STEPS, 2), 50.0)]  # nobody else is like the last
    intervals = fit_intervals(scores, names(21))
    assert intervals.people == 21
    assert intervals.subjects == tuple(names(21))
    assert intervals.person_valence[-1] == (0.0, 0.0, 0.0, 0.0)
    assert intervals.pooled_valence[0] == pytest.approx(
        np.mean([shares[0] for shares in intervals.person_valence])
    )
    assert list(intervals.valence) == sorted(intervals.valence)
    assert all(share < 0.97 for share in intervals.pooled_valence)  # one of 21 is never covered


def test_few_people_guarantee_little_and_say_so() -> None:
    rng = np.random.default_rng(2)
    few = fit_intervals(biased_people(4, rng), names(4))
    assert few.guaranteed(0.95) == pytest.approx(0.8)
    assert few.guaranteed(0.5) == 0.5
    assert few.valence[2] < few.valence[3]
    alone = fit_intervals(biased_people(1, rng), ["p"])
    assert alone.pooled_valence == (None,) * 4
    assert GAUSSIAN.guaranteed(0.9) == 0.0
    with pytest.raises(BadInput, match=r"levels \[0\.5, 0\.8, 0\.9, 0\.95\], got 0\.7"):
        few.guaranteed(0.7)


def test_the_interval_of_an_estimate_stays_on_the_scale() -> None:
    estimate = Estimate(0.0, 0.9, -0.2, 0.1, 0.2)
    low, high = GAUSSIAN.of(estimate, 0.8)["valence"]
    assert (round(low, 4), high) == (0.7718, 1.0)
    low, high = GAUSSIAN.of(estimate, 0.8)["arousal"]
    assert high - low == pytest.approx(2 * 1.281552 * 0.2)


def test_intervals_are_kept_with_the_model(make_toy: MakeToy, tmp_path: Path) -> None:
    settings = TrainingSettings(width=8, epochs=1, batches=1, crop_s=(10.0, 15.0))
    toys = make_toy(6, 80)
    trained = train("late", toys[:3], validation=toys[3:], settings=settings)
    kept = trained.card.intervals
    assert kept is not None
    assert kept == calibrate_intervals(trained.model, toys[3:])
    features = {m: tuple(f"f{k}" for k in range(v.shape[1])) for m, v in toys[0].data.items()}
    save(tmp_path, "late", trained.model, features=features, fingerprints={}, card=trained.card)
    assert load(tmp_path).info.card.intervals == kept
    unrated = [replace(toy, target=np.full_like(toy.target, np.nan)) for toy in toys]
    assert calibrate_intervals(trained.model, unrated) is None
