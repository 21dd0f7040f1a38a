"""The scikit-learn estimator: scikit-learn's own checks, and what they do not look at."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, GroupKFold, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

import biosense as bs
from biosense.core.errors import BadInput

EXPECTED = {
    "check_regressor_multioutput": "it asks for five targets; a fusion family estimates two"
}
TINY = {"epochs": 2, "width": 4}


@parametrize_with_checks([bs.Fusion("ridge")], expected_failed_checks=lambda _: EXPECTED)
def test_scikit_learn_is_content(estimator, check) -> None:
    check(estimator)


@pytest.fixture(scope="module")
def world() -> tuple[dict[str, np.ndarray], np.ndarray, np.ndarray]:
    """Twelve recordings in which two modalities see a slow path each."""
    rng = np.random.default_rng(1)
    walks = np.cumsum(rng.standard_normal((12, 80, 2)), axis=1) / 12
    y = np.tanh(walks).reshape(-1, 2)
    noise = rng.standard_normal((2, len(y), 3))
    x = {"ecg": y[:, :1] + 0.2 * noise[0], "eda": y[:, 1:] + 0.2 * noise[1]}
    return x, y, np.repeat(np.arange(12), 80)


@pytest.mark.parametrize("family", sorted(bs.models.names()))
def test_every_family_is_fitted_and_repeats_itself(world, family: str) -> None:
    x, y, groups = world
    model = bs.Fusion(family, **TINY).fit(x, y, groups)
    mean, sd = model.predict(x, groups, return_std=True)
    assert mean.shape == sd.shape == y.shape
    assert np.isfinite(mean).all()
    assert (sd > 0).all()
    np.testing.assert_array_equal(clone(model).fit(x, y, groups).predict(x, groups), mean)


def test_steps_of_a_recording_are_predicted_from_its_past_only(world) -> None:
    x, y, groups = world
    model = bs.Fusion("late", **TINY).fit(x, y, groups)
    changed = {name: values.copy() for name, values in x.items()}
    changed["ecg"][60:80] += 5.0  # the end of the first recording
    before, after = model.predict(x, groups), model.predict(changed, groups)
    np.testing.assert_allclose(after[:60], before[:60], atol=1e-6)
    np.testing.assert_allclose(after[80:], before[80:], atol=1e-6)
    assert np.abs(after[60:80] - before[60:80]).max() > 1e-3


def test_it_learns_what_is_there(world) -> None:
    x, y, groups = world
    cut = groups < 9
    train = {name: values[cut] for name, values in x.items()}
    test = {name: values[~cut] for name, values in x.items()}
    model = bs.Fusion("ridge", window_s=1.0).fit(train, y[cut], groups[cut])
    error = np.mean((model.predict(test, groups[~cut]) - y[~cut]) ** 2)
    assert error < 0.4 * np.var(y[~cut])


def test_an_absent_modality_is_survived(world) -> None:
    x, y, groups = world
    model = bs.Fusion("late", **TINY).fit(x, y, groups)
    without = {**x, "eda": np.full_like(x["eda"], np.nan)}
    assert np.isfinite(model.predict(without, groups)).all()
    assert np.isfinite(model.predict({"ecg": x["ecg"]}, groups)).all()


def test_tables_with_modalities_are_taken_as_features_give_them() -> None:
    rec = bs.simulate(40, modalities=["ecg", "eda"])
    wide = bs.features(rec).wide()
    truth = rec["sim-truth"]
    y = np.column_stack([np.interp(wide.index, truth.times, truth.data[:, k]) for k in (0, 1)])
    groups = np.arange(len(wide)) // 40
    model = bs.Fusion("ridge").fit(wide, y, groups)
    assert model.predict(wide, groups).shape == y.shape
    with pytest.raises(BadInput, match="fitted to ecg, eda; got face"):
        model.predict(pd.DataFrame(wide).rename(columns={"eda": "face"}, level=0)[["face"]])


def test_it_works_where_scikit_learn_puts_it() -> None:
    rng = np.random.default_rng(2)
    x = rng.standard_normal((120, 5))
    y = np.tanh(x[:, :2] @ np.array([[0.8, 0.1], [-0.2, 0.7]]))
    groups = np.repeat(np.arange(6), 20)
    chain = make_pipeline(StandardScaler(), bs.Fusion("ridge"))
    assert cross_val_score(chain, x, y, groups=groups, cv=GroupKFold(3)).mean() > 0.5
    search = GridSearchCV(bs.Fusion(**TINY), {"family": ["ridge", "early"]}, cv=3).fit(x, y)
    assert search.best_params_ == {"family": "ridge"}


@pytest.mark.parametrize("scale", [1.0, 40.0])
def test_one_target_and_any_scale(scale: float) -> None:
    x = np.random.default_rng(3).standard_normal((200, 3))
    y = scale * np.tanh(x[:, 0]) + 3 * (scale > 1)
    model = bs.Fusion("ridge").fit(x, y)
    assert model.predict(x).shape == (200,)
    assert model.score(x, y) > 0.8


def test_a_checkpoint_gives_the_same_predictions(world, tmp_path: Path) -> None:
    x, y, groups = world
    model = bs.Fusion("gated", **TINY).fit(x, 10 * y, groups)
    again = bs.Fusion.load(model.save(tmp_path / "mine"))
    np.testing.assert_array_equal(again.predict(x, groups), model.predict(x, groups))
    assert again.get_params()["family"] == "gated"
    with pytest.raises(BadInput, match=r"was not written by Fusion\.save"):
        bs.Fusion.load("demo")


def test_what_does_not_fit_is_said(world) -> None:
    x, y, _ = world
    with pytest.raises(BadInput, match="no model 'deepcca'"):
        bs.Fusion("deepcca").fit(x, y)
    with pytest.raises(BadInput, match=r"groups of shape \(3,\); wanted \(960,\)"):
        bs.Fusion("ridge").fit(x, y, [1, 2, 3])
    with pytest.raises(BadInput, match="960 rows of features but 5 targets"):
        bs.Fusion("ridge").fit(x, y[:5])
    with pytest.raises(BadInput, match="of one n"):
        bs.Fusion("ridge").fit({"ecg": x["ecg"], "eda": x["eda"][:7]}, y)
