"""Contributions add up to the estimate, follow the model, and cost no bit of the estimate."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from dataclasses import asdict

import numpy as np
import pytest
import torch

from biosense.core.affect import FusionInput
from biosense.core.errors import BadInput
from biosense.core.types import Modality
from biosense.models.base import FusionModel
from biosense.models.deployment.card import Card, CheckpointInfo
from biosense.models.deployment.checkpoint import Loaded
from biosense.models.deployment.streaming import StreamingEstimator
from biosense.models.evaluation.contributions import (
    Contributions,
    shapley_matrix,
    subsets,
)
from biosense.models.evaluation.feature_contributions import feature_contributions
from biosense.models.registry import build_model
from biosense.models.sequences import LabelledSequence, feature_counts

MakeToy = Callable[..., list[LabelledSequence]]
FAMILIES = ["cross_attention", "product_of_experts", "low_rank_tensor", "early"]


def built(name: str, sequence: LabelledSequence, seed: int = 0) -> FusionModel:
    torch.manual_seed(seed)
    settings = {"modalities": feature_counts([sequence]), "width": 16, "window_s": 4.0}
    model = build_model(name, settings).eval()
    model.head.prior_mean[:] = torch.tensor([0.2, -0.1])
    counts = model.inputs.counts.items()
    model.inputs.set_scale({m: (torch.full((n,), 10.0), torch.full((n,), 3.0)) for m, n in counts})
    return model


def estimator(model: FusionModel, **options: object) -> StreamingEstimator:
    names = {m: tuple(f"f{k}" for k in range(n)) for m, n in model.inputs.counts.items()}
    info = CheckpointInfo("any", asdict(model.config), names, {}, Card())
    return StreamingEstimator(Loaded(model, info), **options)  # type: ignore[arg-type]


def inputs(sequence: LabelledSequence) -> list[FusionInput]:
    items = []
    for k in range(sequence.n):
        there = [m for m in sequence.data if sequence.quality[m][k] > 0]
        data = {m: sequence.data[m][k] for m in there}
        items.append(
            FusionInput(k, 0.25 * k, data, {m: float(sequence.quality[m][k]) for m in there})
        )
    return items


@pytest.mark.parametrize("n", [1, 3, 4])
def test_the_matrix_is_the_average_over_all_orders(n: int) -> None:
    values = np.random.default_rng(0).standard_normal(2**n)
    wanted = np.zeros(n)
    for order in itertools.permutations(range(n)):
        subset = 0
        for part in order:
            wanted[part] += values[subset | 1 << part] - values[subset]
            subset |= 1 << part
    np.testing.assert_allclose(shapley_matrix(n) @ values, wanted / math.factorial(n))
    assert subsets(n)[0].sum() == 0
    assert subsets(n)[-1].sum() == n


@pytest.mark.parametrize("name", FAMILIES)
def test_contributions_sum_to_the_estimate_minus_the_prior(name: str, make_toy: MakeToy) -> None:
    sequence = make_toy(1, 40)[0]
    explained = estimator(built(name, sequence), contributions=True)
    for item in [*inputs(sequence)[:20], *inputs(sequence)[30:]]:
        estimate = explained.push(item)
        said = explained.contributions
        assert said is not None
        assert said.prior == pytest.approx((0.2, -0.1))
        assert sum(said.valence.values()) + 0.2 == pytest.approx(estimate.valence, abs=2e-6)
        assert sum(said.arousal.values()) - 0.1 == pytest.approx(estimate.arousal, abs=2e-6)
        assert set(said.valence) == set(explained.modalities)


def test_estimates_are_bit_identical_with_and_without(make_toy: MakeToy) -> None:
    sequence = make_toy(1, 30)[0]
    model = built("cross_attention", sequence)
    plain, explained = estimator(model), estimator(model, contributions=True)
    items = inputs(sequence)
    assert [plain.push(item) for item in items] == [explained.push(item) for item in items]
    assert plain.contributions is None
    explained.reset()
    assert explained.contributions is None


def test_a_modality_that_never_was_contributes_nothing(make_toy: MakeToy) -> None:
    sequence = make_toy(1, 30)[0]
    sequence.quality[Modality.FACE][:] = 0
    explained = estimator(built("gated", sequence), contributions=True)
    for item in inputs(sequence):
        explained.push(item)
    said = explained.contributions
    assert said is not None
    assert said.valence[Modality.FACE] == pytest.approx(0.0, abs=1e-6)
    assert any(abs(value) > 1e-3 for value in said.valence.values())


def test_random_weights_give_another_map(make_toy: MakeToy) -> None:
    """Saliency that survives other weights would show the input, not the model."""
    sequence = make_toy(1, 30)[0]
    maps, features = [], []
    for seed in range(2):
        model = built("gated", sequence, seed)
        explained = estimator(model, contributions=True)
        trace = []
        for item in inputs(sequence):
            explained.push(item)
            assert isinstance(explained.contributions, Contributions)
            trace.append(list(explained.contributions.valence.values()))
        maps.append(np.ravel(trace))
        found = feature_contributions(model, sequence, points=4).by_feature
        features.append(np.concatenate([values[:, 0] for values in found.values()]))
    assert abs(np.corrcoef(maps)[0, 1]) < 0.8
    assert abs(np.corrcoef(features)[0, 1]) < 0.8


@pytest.mark.parametrize("name", ["cross_attention", "late"])
def test_features_sum_to_the_output_minus_the_baseline(name: str, make_toy: MakeToy) -> None:
    sequence = make_toy(1, 40)[0]
    said = feature_contributions(built(name, sequence), sequence)
    total = sum(values.sum((0, 1)) for values in said.values.values())
    np.testing.assert_allclose(total, said.output - said.baseline, atol=2e-3)
    assert np.abs(said.output - said.baseline).max() > 0.01
    missing = ~np.isfinite(sequence.data[Modality.EEG])
    assert missing.any()
    assert np.all(said.values[Modality.EEG][missing] == 0)


def test_features_of_an_absent_modality_add_nothing(make_toy: MakeToy) -> None:
    sequence = make_toy(1, 30)[0]
    sequence.quality[Modality.ECG][:] = 0
    said = feature_contributions(built("gated", sequence), sequence, points=2)
    assert np.all(said.values[Modality.ECG] == 0)
    with pytest.raises(BadInput, match="points=0"):
        feature_contributions(built("gated", sequence), sequence, points=0)


def test_a_modality_that_comes_late_counts_as_if_it_had_always_been_followed(
    make_toy: MakeToy,
) -> None:
    sequence = make_toy(1, 24)[0]
    for modality in (Modality.EDA, Modality.FACE):
        sequence.quality[modality][:12] = 0
    model = built("recursive_joint_attention", sequence)
    explained, masked = estimator(model, contributions=True), estimator(model)
    for item in inputs(sequence):
        explained.push(item)
    said = explained.contributions
    assert said is not None
    without = []  # the definition, for one modality: passes over each subset from the beginning
    order = tuple(model.modalities)
    for subset in subsets(len(order)):
        masked.reset()
        kept = {m for m, there in zip(order, subset, strict=True) if there}
        for item in inputs(sequence):
            quality = {m: q for m, q in item.quality.items() if m in kept}
            estimate = masked.push(FusionInput(item.index, item.time, item.data, quality))
        without.append(estimate.arousal)
    wanted = shapley_matrix(len(order)) @ np.array(without)
    np.testing.assert_allclose(list(said.arousal.values()), wanted, atol=1e-5)
