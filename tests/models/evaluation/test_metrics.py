"""The conventions of the scores, on values that can be checked by hand or by scipy."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from biosense.core.errors import BadInput
from biosense.models.evaluation.metrics import ccc, coverage, mae, nll, pearson, rmse, score


@pytest.fixture
def pair(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    y = rng.standard_normal(200)
    return 0.6 * y + 0.5 * rng.standard_normal(200) + 0.2, y


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(5)


def test_ccc_uses_population_moments(pair: tuple[np.ndarray, np.ndarray]) -> None:
    p, y = pair
    wanted = 2 * np.cov(p, y, bias=True)[0, 1] / (p.var() + y.var() + (p.mean() - y.mean()) ** 2)
    assert ccc(p, y) == pytest.approx(wanted, abs=1e-14)
    assert ccc(y, y) == 1.0
    assert ccc(-y + 2 * y.mean(), y) == pytest.approx(-1.0)


def test_ccc_punishes_shift_and_scale_where_pearson_does_not(
    pair: tuple[np.ndarray, np.ndarray],
) -> None:
    _, y = pair
    assert pearson(3 * y + 1, y) == pytest.approx(1.0)
    assert ccc(y + 1, y) < 0.8 > ccc(3 * y, y)


def test_pearson_rmse_and_mae_agree_with_their_definitions(
    pair: tuple[np.ndarray, np.ndarray],
) -> None:
    p, y = pair
    assert pearson(p, y) == pytest.approx(stats.pearsonr(p, y).statistic)
    assert rmse(p, y) == pytest.approx(np.sqrt(((p - y) ** 2).mean()))
    assert mae(p, y) == pytest.approx(np.abs(p - y).mean())


def test_constants_follow_the_convention() -> None:
    flat = np.full(7, 0.1)
    varying = np.linspace(-1, 1, 7)
    assert ccc(flat, flat) == 1.0
    assert ccc(flat + 0.1, flat) == 0.0
    assert ccc(flat, varying) == ccc(varying, flat) == 0.0
    assert pearson(flat, varying) == pearson(varying, flat) == 0.0


def test_nothing_known_is_nan_and_nan_pairs_are_left_out() -> None:
    y = np.array([0.0, 1.0, np.nan, 3.0])
    p = np.array([0.0, 1.0, 5.0, np.nan])
    assert ccc(p, y) == 1.0
    for metric in (ccc, pearson, rmse, mae):
        assert math.isnan(metric(p[2:], y[2:]))
        assert math.isnan(metric(np.zeros(0), np.zeros(0)))


@pytest.mark.parametrize("scale", [1e-200, 1e-20, 1e150])
def test_scores_do_not_depend_on_the_unit(
    scale: float, pair: tuple[np.ndarray, np.ndarray]
) -> None:
    p, y = pair
    assert ccc(p * scale, y * scale) == pytest.approx(ccc(p, y))
    assert pearson(p * scale, y) == pytest.approx(pearson(p, y))


def test_unequal_lengths_are_refused() -> None:
    with pytest.raises(BadInput, match=r"\(3,\).*\(4,\)"):
        ccc(np.zeros(3), np.zeros(4))


def test_knowing_only_each_mean_scores_pooled_but_not_per_sequence(
    rng: np.random.Generator,
) -> None:
    targets = [rng.standard_normal(300) * 0.1 + level for level in (-1.0, 0.0, 1.0)]
    flat = [np.full(300, target.mean()) for target in targets]
    scores = score(flat, targets, ["a", "b", "c"])
    assert scores.ccc == scores.pearson == 0.0
    assert scores.pooled_ccc > 0.95


def test_every_subject_weighs_the_same_however_many_sequences() -> None:
    y = np.array([0.0, 1.0, 2.0])
    scores = score([y, y, y, -y + 2], [y, y, y, y], ["a", "a", "a", "b"])
    assert scores.ccc == pytest.approx(0.0)
    unlabelled = score([y, y], [y, np.full(3, np.nan)], ["a", "b"])
    assert unlabelled.ccc == 1.0
    assert unlabelled.rmse == 0.0


def test_no_sequences_give_nan_and_unequal_numbers_are_refused() -> None:
    assert math.isnan(score([], [], []).ccc)
    with pytest.raises(BadInput, match="1 predictions, 0 targets"):
        score([np.zeros(2)], [], [])


def test_honest_gaussians_cover_what_they_claim(rng: np.random.Generator) -> None:
    sd = rng.uniform(0.1, 2.0, 40_000)
    error = sd * rng.standard_normal(40_000)
    shares = coverage(error, sd, np.zeros(40_000))
    assert all(share == pytest.approx(level, abs=0.01) for level, share in shares.items())
    assert coverage(error, 2 * sd, np.zeros(40_000))[0.5] > 0.8


def test_nll_is_that_of_scipy_and_smallest_at_the_true_sd(rng: np.random.Generator) -> None:
    error, sd = 0.3 * rng.standard_normal(5000), np.full(5000, 0.3)
    wanted = -stats.norm(0, 0.3).logpdf(error).mean()
    assert nll(error, sd, np.zeros(5000)) == pytest.approx(wanted)
    assert nll(error, 1.5 * sd, np.zeros(5000)) > wanted < nll(error, sd / 1.5, np.zeros(5000))
    assert math.isnan(nll(error, sd, np.full(5000, np.nan)))
