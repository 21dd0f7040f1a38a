"""The baselines: ridge and boosted trees against scikit-learn, fitted to the letter."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.linear_model import Ridge as TheirRidge

from biosense.core.affect import FusionInput
from biosense.core.errors import BadInput
from biosense.core.types import Modality
from biosense.models.batches import Augmentation
from biosense.models.deployment.checkpoint import load, save
from biosense.models.deployment.streaming import StreamingEstimator
from biosense.models.evaluation.evaluate import evaluate, predict
from biosense.models.evaluation.metrics import ccc, rmse
from biosense.models.families.boosting import Boosting, BoostingConfig
from biosense.models.families.closed_form import ClosedForm, ClosedFormConfig
from biosense.models.families.regression import Rows
from biosense.models.families.ridge import PENALTIES, Ridge
from biosense.models.layers.tree_ensemble import Forest, Tree
from biosense.models.registry import MODELS, build_model
from biosense.models.sequences import LabelledSequence, restrict
from biosense.models.training.train import TrainingSettings, train

MakeToy = Callable[..., list[LabelledSequence]]
CLOSED = [
    name
    for name, family in MODELS.items()
    if isinstance(family.model, type) and issubclass(family.model, ClosedForm)
]
SETTINGS = TrainingSettings(epochs=1, validation=0.3)


def draw_rows(n: int, columns: int, seed: int = 0) -> Rows:
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((n, columns)).astype(np.float32).astype(np.float64)
    y = np.tanh(np.stack((x[:, 0] * x[:, 1], x[:, 2] + 0.5 * (x[:, 3] > 0)), 1))
    y += 0.2 * rng.standard_normal(y.shape)
    return Rows(x, y.clip(-1, 1), np.repeat(np.arange(4.0), n // 4))


def noisy_rows(n: int, columns: int, seed: int) -> Rows:
    rows = draw_rows(n, columns, seed)
    noise = 0.5 * np.random.default_rng(seed + 50).standard_normal((n, 2))
    target = (0.2 * rows.columns[:, :2] + noise).clip(-1, 1)
    return replace(rows, target=target)


@pytest.mark.parametrize("leaves", [2, 8, 31])
def test_tensors_answer_as_the_trees_of_scikit_learn(leaves: int) -> None:
    config = BoostingConfig((("eda", 3), ("ecg", 2)), trees=30, leaves=leaves, depth=6, least_s=1.0)
    model = Boosting(config)
    rows = draw_rows(2000, model.columns)
    grown = [model._grow(rows, column) for column in range(2)]
    for n in (1, 30):
        model.load_trees(grown, n)
        expected = np.stack([list(one.staged_predict(rows.columns))[n - 1] for one in grown], 1)
        ours = model.forest(torch.from_numpy(rows.columns)) + model.base
        np.testing.assert_allclose(ours.numpy(), expected, rtol=0, atol=1e-6)


def test_values_on_a_threshold_go_where_scikit_learn_sends_them() -> None:
    model = Boosting(BoostingConfig((("eda", 2),), trees=10, least_s=1.0))
    rng = np.random.default_rng(0)
    columns = rng.integers(0, 4, (800, model.columns)).astype(float)
    target = columns[:, :2] / 4 * np.sign(columns[:, 2:4] - 1.5)
    grown = [model._grow(Rows(columns, target, np.zeros(800)), column) for column in range(2)]
    model.load_trees(grown, 10)
    on_it = np.unique(model.forest.threshold.numpy())
    probe = rng.choice(on_it, (500, model.columns))
    ours = model.forest(torch.from_numpy(probe)) + model.base
    expected = np.stack([one.predict(probe) for one in grown], 1)
    np.testing.assert_allclose(ours.numpy(), expected, rtol=0, atol=1e-6)


def test_a_forest_refuses_trees_it_has_no_room_for() -> None:
    leaf = Tree(*[np.zeros(5, kind) for kind in (int, float, int, int, float)])
    with pytest.raises(BadInput, match="room for 1 trees of 3 nodes, got 1 of up to 5"):
        Forest(1, 3, 1).load_trees([[leaf], []])


def test_ridge_agrees_with_scikit_learn() -> None:
    model = Ridge(ClosedFormConfig((("eda", 3), ("ecg", 2)), gain="mse"))
    fit, held = draw_rows(1000, model.columns), draw_rows(400, model.columns, seed=1)
    model.fit_rows(fit, held)
    off = fit.columns - fit.columns.mean(0)
    scale = float((off**2).mean())
    theirs = [
        TheirRidge(alpha=penalty * scale * len(fit.target)).fit(fit.columns, fit.target)
        for penalty in PENALTIES
    ]
    errors = [np.mean((one.predict(held.columns) - held.target) ** 2) for one in theirs]
    best = theirs[int(np.argmin(errors))]
    np.testing.assert_allclose(model.slope.T, best.coef_, atol=1e-5)
    np.testing.assert_allclose(model.constant, best.intercept_, atol=1e-5)


def test_each_target_is_fitted_where_it_is_known() -> None:
    model = Ridge(ClosedFormConfig((("eda", 3), ("ecg", 2))))
    fit, held = draw_rows(1000, model.columns), draw_rows(400, model.columns, seed=1)
    without = replace(fit, target=np.where([True, False], fit.target, np.nan))
    model.fit_rows(without, held)
    assert model.slope[:, 0].abs().max() > 0
    assert model.slope[:, 1].abs().max() == 0
    half = replace(fit, target=np.where(np.arange(1000)[:, None] < 500, fit.target, np.nan))
    cut = Rows(fit.columns[:500], fit.target[:500], fit.subject[:500])
    other = Ridge(model.config)
    model.fit_rows(half, held)
    other.fit_rows(cut, held)
    torch.testing.assert_close(model.slope, other.slope, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("name", CLOSED)
def test_a_baseline_learns_the_toy_and_streams_it_from_disk(
    name: str, make_toy: MakeToy, tmp_path: Path
) -> None:
    trained = train(name, make_toy(10, 240), settings=SETTINGS, data="toy")
    unseen = make_toy(3, 240, seed=9)
    results = evaluate(trained.model, unseen)
    assert min(result.scores.ccc for result in results.values()) > 0.65
    assert min(result.coverage[0.9] for result in results.values()) > 0.75
    assert len(trained.history) == 1
    counts = trained.model.inputs.counts
    features = {m: [f"f{k}" for k in range(n)] for m, n in counts.items()}
    save(tmp_path / "a", name, trained.model, features=features, fingerprints={}, card=trained.card)
    estimator = StreamingEstimator(load(tmp_path / "a"))
    said = predict(trained.model, unseen[0])
    for t, time in enumerate(unseen[0].time):
        data = {m: values[t] for m, values in unseen[0].data.items()}
        quality = {m: float(values[t]) for m, values in unseen[0].quality.items()}
        estimate = estimator.push(FusionInput(t, float(time), data, quality))
        assert estimate.valence == pytest.approx(said.mean[t, 0], abs=1e-5)
        assert estimate.sd_arousal == pytest.approx(said.sd[t, 1], abs=1e-5)


@pytest.mark.parametrize("name", CLOSED)
def test_gain_gives_estimates_the_spread_of_targets(name: str) -> None:
    """In noise least squares shrinks: good for its own error, bad for CCC."""
    said, target = {}, noisy_rows(5000, 14, seed=2).target
    for gain in ("mse", "ccc"):
        wanted = {"modalities": (("eda", 3), ("ecg", 2)), "gain": gain, "least_s": 50.0}
        model = build_model(name, MODELS[name].settings(wanted))
        assert isinstance(model, ClosedForm)
        assert model.columns == 14
        model.fit_rows(noisy_rows(2000, 14, 0), held := noisy_rows(2000, 14, 1))
        own = model.raw(torch.from_numpy(held.columns).float()).double().numpy()
        model._calibrate(0, own[:, 0], held.target[:, 0])
        fresh = model.raw(torch.from_numpy(noisy_rows(5000, 14, 2).columns).float())
        scaled = model.centre + model.gain * (fresh - model.centre)
        said[gain] = scaled[:, 0].double().numpy()
        error = np.mean((said[gain].clip(-1, 1) - target[:, 0]) ** 2)
        assert float(model.log_variance[0].exp()) == pytest.approx(error, rel=0.1)
    assert said["mse"].std() < 0.6 * target[:, 0].std()
    assert said["ccc"].std() == pytest.approx(target[:, 0].std(), rel=0.1)
    assert ccc(said["ccc"], target[:, 0]) > ccc(said["mse"], target[:, 0]) + 0.03
    assert rmse(said["mse"], target[:, 0]) < rmse(said["ccc"], target[:, 0])


@pytest.mark.parametrize("name", CLOSED)
def test_only_complexity_gain_and_variance_know_the_validation_side(
    name: str, make_toy: MakeToy
) -> None:
    sequences = make_toy(4, 160)
    options: dict[str, Any] = {"trees": 1} if name == "boosting" else {}

    def fitted(held: list[LabelledSequence]) -> dict[str, torch.Tensor]:
        model = train(
            name, sequences[:3], validation=held, settings=SETTINGS, options=options
        ).model
        return dict(model.state_dict())

    clean = fitted(sequences[3:])
    flipped = fitted([replace(sequences[3], target=0.5 * sequences[3].target)])
    different = {key for key in clean if not torch.equal(clean[key], flipped[key])}
    allowed = {"gain", "centre", "log_variance", "head.log_temperature"}
    allowed |= {"slope", "constant", "importance"} if name == "ridge" else set()  # the penalty
    assert {"log_variance"} <= different <= allowed


@pytest.mark.parametrize("name", CLOSED)
def test_impossible_settings_and_data_are_refused(name: str, make_toy: MakeToy) -> None:
    base = {"modalities": (("eda", 2),)}
    for wrong in ({"gain": "loud"}, {"copies": 0}, {"means_s": (0.0,)}, {"window_s": 0.01}):
        with pytest.raises(BadInput, match=str(next(iter(wrong)))):
            build_model(name, {**base, **wrong})
    model = build_model(name, base)
    assert isinstance(model, ClosedForm)
    without = make_toy(1, 20)
    with pytest.raises(BadInput, match="no step has both"):
        model.fit_closed(restrict(without, [Modality.EEG]), without, augmentation=Augmentation())


def test_scikit_learn_still_has_the_trees_that_are_read() -> None:
    model = HistGradientBoostingRegressor(max_iter=1).fit(np.arange(100.0)[:, None], np.arange(100))
    wanted = {"value", "feature_idx", "num_threshold", "left", "right", "is_leaf", "gain"}
    assert wanted <= set(model._predictors[0][0].nodes.dtype.names)
