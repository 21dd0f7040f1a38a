"""Training: it learns, repeats itself, keeps its hands off the validation side, and stops."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import torch

from biosense.core.affect import TARGETS
from biosense.core.errors import BadInput
from biosense.models.batches import Augmentation
from biosense.models.evaluation.evaluate import calibrate_variance, evaluate, predict, subject_ccc
from biosense.models.registry import MODELS
from biosense.models.sequences import LabelledSequence
from biosense.models.training.train import Progress, TrainingSettings, train

MakeToy = Callable[..., list[LabelledSequence]]
SHORT = TrainingSettings(width=16, epochs=2, batches=1, crop_s=(20.0, 30.0), batch=4)


@pytest.mark.parametrize("name", ["cross_attention", "deep_cca", "early", "late"])
def test_training_learns_the_toy_for_unseen_people(name: str, make_toy: MakeToy) -> None:
    settings = TrainingSettings(
        width=24, epochs=8, batches=10, crop_s=(20.0, 40.0), batch=4, learning_rate=3e-3
    )
    trained = train(name, make_toy(8, 300), settings=settings, data="toy", warning="a toy")
    unseen = make_toy(4, 300, seed=9)
    results = evaluate(trained.model, unseen)
    for target in TARGETS:
        scores = results[target].scores
        assert scores.ccc > 0.6
        assert scores.pooled_ccc > 0.6
        assert results[target].coverage[0.9] > 0.75
    assert trained.card.warning == "a toy"
    assert trained.card.subjects == 8
    assert len(trained.card.validation_subjects) == 2
    assert trained.card.metrics["valence"]["ccc"] is not None


@pytest.mark.parametrize("name", list(MODELS))
def test_equal_seeds_give_equal_weights(name: str, make_toy: MakeToy) -> None:
    sequences = make_toy(4, 160)
    before = torch.random.get_rng_state()
    models = [train(name, sequences, settings=SHORT).model.state_dict() for _ in range(2)]
    assert all(torch.equal(models[0][key], models[1][key]) for key in models[0])
    other = train(name, sequences, settings=replace(SHORT, seed=1)).model.state_dict()
    assert any(not torch.equal(models[0][key], other[key]) for key in other)
    assert torch.equal(torch.random.get_rng_state(), before)


def test_nothing_is_fitted_on_the_validation_side(make_toy: MakeToy) -> None:
    """One epoch, so that no epoch is chosen: only the temperature may know the held-out people."""
    sequences = make_toy(5, 160)
    settings = replace(SHORT, epochs=1)
    clean = train("early", sequences, settings=settings)
    held = clean.card.validation_subjects
    poisoned = [
        replace(
            sequence,
            data={m: v * 1e9 for m, v in sequence.data.items()},
            target=-sequence.target,
        )
        if sequence.subject in held
        else sequence
        for sequence in sequences
    ]
    other = train("early", poisoned, settings=settings)
    mine, theirs = clean.model.state_dict(), other.model.state_dict()
    different = [key for key in mine if not torch.equal(mine[key], theirs[key])]
    assert different == ["head.log_temperature"]


def test_the_best_epoch_is_kept_and_training_stops_early(make_toy: MakeToy) -> None:
    reports: list[Progress] = []
    settings = replace(SHORT, epochs=30, patience=2, learning_rate=0.3)  # far too high: diverges
    trained = train("early", make_toy(4, 120), settings=settings, progress=reports.append)
    assert trained.history == tuple(reports)
    assert len(reports) < 30
    best = max(range(len(reports)), key=lambda k: reports[k].validation_ccc)
    assert best == len(reports) - 1 - settings.patience
    assert reports[-1].best_ccc == reports[best].validation_ccc
    held = [s for s in make_toy(4, 120) if s.subject in trained.card.validation_subjects]
    assert subject_ccc(trained.model, held) == pytest.approx(reports[best].validation_ccc)


def test_progress_tells_the_time_left(make_toy: MakeToy) -> None:
    ticks = itertools.count(100.0, 10.0)
    reports: list[Progress] = []
    settings = replace(SHORT, epochs=3, patience=3)
    train(
        "early",
        make_toy(3, 60),
        settings=settings,
        progress=reports.append,
        clock=lambda: next(ticks),
    )
    assert [(r.epoch, r.seconds, r.seconds_left) for r in reports] == [
        (1, 10.0, 20.0),
        (2, 20.0, 10.0),
        (3, 30.0, 0.0),
    ]


def test_silent_and_short_and_unlabelled_recordings_do_no_harm(make_toy: MakeToy) -> None:
    sequences = make_toy(4, 160)
    silent = replace(
        sequences[0], quality={m: np.zeros_like(q) for m, q in sequences[0].quality.items()}
    )
    unlabelled = replace(sequences[1], target=np.full_like(sequences[1].target, np.nan))
    short = make_toy(1, 3)[0]
    mixed = [silent, unlabelled, short, *sequences]
    trained = train("cross_attention", mixed, settings=SHORT)
    assert all(torch.isfinite(value).all() for value in trained.model.state_dict().values())
    assert np.isfinite(trained.history[-1].loss)


def test_data_that_cannot_be_trained_on_are_refused(make_toy: MakeToy) -> None:
    with pytest.raises(BadInput, match="at least 2"):
        train("early", make_toy(1, 60), settings=SHORT)
    without = [replace(s, target=np.full_like(s.target, np.nan)) for s in make_toy(3, 60)]
    with pytest.raises(BadInput, match="no training sequence has a target"):
        train("early", without, settings=SHORT)
    with pytest.raises(BadInput, match=r"hop=0\.5 s apart"):
        train("early", make_toy(3, 60), settings=replace(SHORT, hop=0.5))
    with pytest.raises(BadInput, match=r"no model 'telepathy'; there are: .*cross_attention"):
        train("telepathy", make_toy(3, 60), settings=SHORT)


@pytest.mark.parametrize("wrong", [{"epochs": 0}, {"batch": 0}, {"crop_s": (30.0, 20.0)}])
def test_impossible_settings_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(BadInput, match="must be"):
        replace(SHORT, **wrong)


def test_calibration_makes_the_sd_the_rms_error(make_toy: MakeToy) -> None:
    sequences = make_toy(3, 160)
    model = train("early", sequences, settings=SHORT).model
    model.head.log_temperature[:] = torch.tensor([-2.0, 1.0])
    calibrate_variance(model, sequences)
    for column in range(2):
        ratios = []
        for sequence in sequences:
            said = predict(model, sequence)
            z = (said.mean - sequence.target)[:, column] / said.sd[:, column]
            ratios.append(np.mean(z * z))
        assert np.mean(ratios) == pytest.approx(1.0, rel=1e-4)


def test_noise_features_predict_nothing(make_toy: MakeToy) -> None:
    """The leak canary: features that know nothing must score at chance on people never seen."""
    rng = np.random.default_rng(0)
    sequences = [
        replace(s, data={m: rng.standard_normal(v.shape) for m, v in s.data.items()})
        for s in make_toy(10, 240)
    ]
    settings = replace(SHORT, epochs=6, augmentation=Augmentation())
    trained = train("early", sequences[:6], settings=settings)
    results = evaluate(trained.model, sequences[6:])
    assert all(abs(results[target].scores.ccc) < 0.25 for target in TARGETS)


def test_one_rating_a_trial_can_be_learnt_and_scored(make_toy: MakeToy) -> None:
    """DEAP-like: targets are constant within a sequence, so no per-sequence CCC exists."""
    rng = np.random.default_rng(1)
    mixes = {m: rng.standard_normal((2, v.shape[1])) for m, v in make_toy(1, 5)[0].data.items()}
    trials = []
    for k, toy in enumerate(make_toy(24, 60)):
        rating = rng.uniform(-1, 1, 2)
        data = {
            m: rating @ mix + rng.standard_normal((60, mix.shape[1])) for m, mix in mixes.items()
        }
        target = np.tile(rating, (60, 1))
        trials.append(replace(toy, subject=f"p{k % 6}", data=data, target=target))
    settings = replace(SHORT, epochs=8, crop_s=(10.0, 15.0))
    trained = train("cross_attention", trials, settings=settings)
    assert trained.history[-1].best_ccc > 0.5
