"""Deep CCA as a scikit-learn transformer: closed form, many views, hidden signals, manners."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.linear_model import Ridge
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from biosense.core.errors import BadInput
from biosense.core.types import Floats
from biosense.models.cca_transformer import DeepCcaTransformer
from tests.support.closed_form_cca import closed_form_cca

SMALL = {"n_components": 2, "hidden": 32, "epochs": 30, "batch_size": 400}


def draw(n: int, widths: tuple[int, ...] = (5, 4, 6), seed: int = 0) -> tuple[Floats, list[Floats]]:
    """Draw a shared signal (n, 2) and views that mix it with larger noise of their own."""
    world, rng = np.random.default_rng(7), np.random.default_rng(seed)
    shared = rng.standard_normal((n, 2))
    views = []
    for width in widths:
        noise = 3 * rng.standard_normal((n, width - 2))
        mixed = np.concatenate((shared + 0.3 * rng.standard_normal((n, 2)), noise), 1)
        views.append(mixed @ world.standard_normal((width, width)))
    return shared, views


def hidden_product(n: int, seed: int) -> list[Floats]:
    """Draw two views whose only link, sign(a b) = sign(c d), no linear map can see."""
    rng = np.random.default_rng(seed)
    one, two = rng.standard_normal((n, 4)), rng.standard_normal((n, 4))
    two[:, 1] *= np.sign(one[:, 0] * one[:, 1] * two[:, 0] * two[:, 1])
    return [one, two]


def test_the_linear_option_is_closed_form_cca() -> None:
    _, (first, second, _) = draw(400)
    found = DeepCcaTransformer(3, linear=True, rho=0.0).fit([first, second])
    one, two, correlations = closed_form_cca(first, second)
    np.testing.assert_allclose(found.correlations_, correlations[:3], atol=1e-9)
    for said, view, ways in zip(
        found.transform_views([first, second]), (first, second), (one, two), strict=True
    ):
        expected = (view - view.mean(0)) @ ways[:, :3]
        np.testing.assert_allclose(np.abs(said), np.abs(expected), atol=1e-8)


def test_components_have_unit_variance_and_fall_in_order() -> None:
    _, views = draw(500)
    found = DeepCcaTransformer(4, linear=True, rho=0.0).fit(views)
    assert found.transform(views).shape == (500, 12)
    np.testing.assert_allclose(found.transform(views).std(0, ddof=1), 1.0, atol=1e-9)
    assert (np.diff(found.correlations_) <= 1e-9).all()


@pytest.mark.parametrize("linear", [True, False])
def test_three_views_give_the_signal_that_they_share(linear: bool) -> None:
    _, views = draw(800)
    shared, fresh = draw(500, seed=1)
    found = DeepCcaTransformer(**SMALL, linear=linear).fit(views)
    assert found.score(fresh) > 0.7
    for said in found.transform_views(fresh):
        fitted = Ridge(1e-6).fit(said, shared)
        assert fitted.score(said, shared) > 0.7


def test_networks_see_what_linear_maps_and_concatenation_miss() -> None:
    train, fresh = hidden_product(2500, 0), hidden_product(1500, 1)
    settings = {**SMALL, "n_components": 1, "epochs": 60}
    linear = DeepCcaTransformer(1, linear=True).fit(train).score(fresh)
    deep = DeepCcaTransformer(**settings).fit(train)
    shuffled = deep.score([fresh[0], np.roll(fresh[1], 700, axis=0)])
    assert abs(linear) < 0.1
    assert abs(shuffled) < 0.1
    assert deep.score(fresh) > 0.4
    signal, many = (np.sign(views[0][:, 0] * views[0][:, 1]) for views in (fresh, train))
    found = deep.transform(fresh)
    assert abs(np.corrcoef(found[:, 0], signal)[0, 1]) > 0.6
    concatenated = Ridge().fit(np.concatenate(train, 1), many)  # although it has every label
    assert concatenated.score(np.concatenate(fresh, 1), signal) < 0.05


@pytest.mark.parametrize("linear", [True, False])
def test_who_somebody_is_does_not_count_with_groups(linear: bool) -> None:
    rng = np.random.default_rng(0)
    who = np.repeat(np.arange(10), 60)
    views = [
        rng.standard_normal((600, 4)) + 3 * rng.standard_normal((10, 4))[who] for _ in range(2)
    ]
    pooled = DeepCcaTransformer(**SMALL, linear=linear).fit(views)
    grouped = DeepCcaTransformer(**SMALL, linear=linear).fit(views, groups=who)

    def within(found: DeepCcaTransformer) -> float:
        """Correlation between people, of what the first components say of them."""
        means = [
            np.stack([said[who == k].mean(0) for k in range(10)])
            for said in found.transform_views(views)
        ]
        return abs(float(np.corrcoef(means[0][:, 0], means[1][:, 0])[0, 1]))

    assert within(pooled) > 0.9
    assert within(grouped) < within(pooled)
    assert pooled.correlations_[0] > 0.7


def test_rows_that_miss_a_view_are_left_out_and_projected_to_the_average() -> None:
    _, views = draw(400)
    missing = [view.copy() for view in views]
    missing[1][100:200] = np.nan
    missing[1][150, 0] = 5.0
    found = DeepCcaTransformer(2, linear=True).fit(missing)
    whole = DeepCcaTransformer(2, linear=True).fit(
        [np.delete(view, slice(100, 200), axis=0) for view in views]
    )
    assert found.score(views) == pytest.approx(whole.score(views), abs=0.02)
    said = found.transform_views(missing)
    assert (said[1][100:200] == 0).all()
    assert np.isfinite(found.transform(missing)).all()
    assert (said[0][100:200] != 0).all()


@pytest.mark.parametrize("linear", [True, False])
def test_equal_seeds_give_equal_results_and_leave_torch_alone(linear: bool) -> None:
    _, views = draw(300)
    before = torch.random.get_rng_state()
    settings = {**SMALL, "epochs": 3, "linear": linear}
    one, two = (DeepCcaTransformer(**settings).fit(views).transform(views) for _ in range(2))
    assert np.array_equal(one, two)
    assert torch.equal(torch.random.get_rng_state(), before)
    if not linear:
        other = DeepCcaTransformer(**settings, random_state=1).fit(views).transform(views)
        assert not np.array_equal(one, other)


def test_a_stacked_matrix_is_the_same_as_a_list() -> None:
    _, views = draw(300)
    listed = DeepCcaTransformer(2, linear=True).fit(views)
    stacked = DeepCcaTransformer(2, linear=True, views=(5, 4, 6)).fit(np.concatenate(views, 1))
    assert np.array_equal(listed.transform(views), stacked.transform(np.concatenate(views, 1)))


def test_it_behaves_in_pipelines_clones_and_pickles() -> None:
    shared, views = draw(600)
    whole = np.concatenate(views, 1)
    step = DeepCcaTransformer(2, views=[5, 4, 6], linear=True)
    assert clone(step).get_params() == step.get_params()
    assert step.set_params(n_components=1).n_components == 1
    pipeline = make_pipeline(StandardScaler(), clone(step).set_params(n_components=2), Ridge())
    assert cross_val_score(pipeline, whole, shared, cv=3).min() > 0.7
    groups = np.arange(600) // 60
    fitted = pipeline.fit(whole, shared, deepccatransformer__groups=groups)
    again = pickle.loads(pickle.dumps(fitted))
    assert np.array_equal(again.predict(whole), fitted.predict(whole))
    deep = DeepCcaTransformer(**{**SMALL, "epochs": 1}).fit(views)
    assert list(deep.get_feature_names_out()[:3]) == ["view0_0", "view0_1", "view1_0"]
    assert np.array_equal(pickle.loads(pickle.dumps(deep)).transform(views), deep.transform(views))


def test_a_fit_does_not_change_when_test_rows_do() -> None:
    _, views = draw(300)
    _, fresh = draw(50, seed=3)
    found = DeepCcaTransformer(**{**SMALL, "epochs": 3}).fit(views)
    alone = found.transform(fresh)
    poisoned = [np.concatenate((view, np.full((1, view.shape[1]), 1e9))) for view in fresh]
    np.testing.assert_allclose(found.transform(poisoned)[:-1], alone, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize(
    ("views", "message"),
    [
        ([np.zeros((5, 2))], "got 1 views"),
        ([np.zeros((5, 2)), np.zeros((4, 2))], r"views have \[5, 4\] rows"),
        ([np.ones((5, 2)), np.full((5, 2), np.nan)], "no row without a missing value"),
        ([np.eye(2), np.eye(2)], "2 rows with all views are too few"),
    ],
)
def test_views_that_cannot_be_fitted_are_refused(views: list[Floats], message: str) -> None:
    with pytest.raises(BadInput, match=message):
        DeepCcaTransformer(1, linear=True).fit(views)


def test_other_columns_than_those_of_the_fit_are_refused() -> None:
    _, views = draw(100)
    found = DeepCcaTransformer(1, linear=True).fit(views)
    with pytest.raises(BadInput, match=r"views have \[4, 5, 6\] columns"):
        found.transform([views[1], views[0], views[2]])
    with pytest.raises(BadInput, match=r"wanted \(n, 9\)"):
        DeepCcaTransformer(1, views=(5, 4)).fit(np.zeros((10, 8)))
