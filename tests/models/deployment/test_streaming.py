"""The streaming estimator against the model run over the whole sequence."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest
import torch

from biosense.core.affect import Estimate, FusionInput
from biosense.core.errors import BadInput, CheckpointMismatch
from biosense.core.types import Modality
from biosense.models.deployment.card import Card, CheckpointInfo
from biosense.models.deployment.checkpoint import Loaded, load, save
from biosense.models.deployment.streaming import StreamingEstimator
from biosense.models.evaluation.evaluate import predict
from biosense.models.evaluation.selective_prediction import abstains
from biosense.models.registry import MODELS, build_model
from biosense.models.sequences import LabelledSequence, feature_counts

MakeToy = Callable[..., list[LabelledSequence]]


@pytest.fixture
def sequence(make_toy: MakeToy) -> LabelledSequence:
    toy = make_toy(1, 84)[0]
    toy.quality[Modality.FACE][:] = 0
    return toy


@pytest.fixture(params=list(MODELS))
def loaded(request: pytest.FixtureRequest, sequence: LabelledSequence) -> Loaded:
    torch.manual_seed(0)
    settings = {"modalities": feature_counts([sequence]), "width": 16, "window_s": 4.0}
    model = build_model(request.param, MODELS[request.param].settings(settings)).eval()
    features = {m: tuple(f"f{k}" for k in range(v.shape[1])) for m, v in sequence.data.items()}
    info = CheckpointInfo(request.param, asdict(model.config), features, {}, Card())
    return Loaded(model, info)


def inputs(sequence: LabelledSequence, first: int = 40) -> list[FusionInput]:
    """Return what a join would give: absent modalities are left out."""
    items = []
    for k in range(sequence.n):
        there = [m for m in sequence.data if sequence.quality[m][k] > 0]
        data = {m: sequence.data[m][k] for m in there}
        quality = {m: float(sequence.quality[m][k]) for m in there}
        items.append(FusionInput(first + k, 0.25 * (first + k), data, quality))
    return items


def values(estimates: list[Estimate]) -> np.ndarray:
    return np.array([(e.valence, e.arousal, e.sd_valence, e.sd_arousal) for e in estimates])


def test_estimates_equal_the_offline_run(loaded: Loaded, sequence: LabelledSequence) -> None:
    estimator = StreamingEstimator(loaded)
    estimates = [estimator.push(item) for item in inputs(sequence)]
    offline = predict(loaded.model, sequence)
    np.testing.assert_allclose(values(estimates)[:, :2], offline.mean, atol=1e-5)
    np.testing.assert_allclose(values(estimates)[:, 2:], offline.sd, atol=1e-5)
    assert [e.time for e in estimates] == [0.25 * (40 + k) for k in range(84)]
    for k, estimate in enumerate(estimates):
        present = [m for m in estimator.modalities if sequence.quality[m][k] > 0]
        assert list(estimate.weight) == present
        columns = [estimator.modalities.index(m) for m in present]
        np.testing.assert_allclose(
            list(estimate.weight.values()), offline.weight[k, columns], atol=1e-5
        )


def test_equal_inputs_give_bit_identical_estimates(
    loaded: Loaded, sequence: LabelledSequence
) -> None:
    first, second = StreamingEstimator(loaded), StreamingEstimator(loaded)
    items = inputs(sequence)
    once = [first.push(item) for item in items]
    assert [second.push(item) for item in items] == once
    first.reset()
    assert [first.push(item) for item in items] == once


def test_a_model_from_disk_gives_bit_identical_estimates(
    loaded: Loaded, sequence: LabelledSequence, tmp_path: Path
) -> None:
    info = loaded.info
    path = save(
        tmp_path, info.model, loaded.model, features=info.features, fingerprints={}, card=Card()
    )
    first, second = StreamingEstimator(loaded), StreamingEstimator(load(path))
    items = inputs(sequence)
    assert [first.push(item) for item in items] == [second.push(item) for item in items]


def test_a_short_gap_equals_absent_steps(loaded: Loaded, sequence: LabelledSequence) -> None:
    items = inputs(sequence)
    with_gap, without = StreamingEstimator(loaded), StreamingEstimator(loaded)
    skipped = [with_gap.push(item) for item in items[:50] + items[66:]]  # 16 missing, one window
    spelt = []
    for k, item in enumerate(items):
        hidden = FusionInput(item.index, item.time, {}, {}) if 50 <= k < 66 else item
        spelt.append(without.push(hidden))
    assert skipped == spelt[:50] + spelt[66:]


def test_a_long_gap_starts_afresh(loaded: Loaded, sequence: LabelledSequence) -> None:
    items = inputs(sequence)
    estimator, fresh = StreamingEstimator(loaded), StreamingEstimator(loaded)
    for item in items[:50]:
        estimator.push(item)
    after = [estimator.push(item) for item in items[67:]]
    assert after == [fresh.push(item) for item in items[67:]]


def test_no_input_at_all_says_the_prior(loaded: Loaded) -> None:
    estimate = StreamingEstimator(loaded).push(FusionInput(0, 0.0, {}, {}))
    assert (estimate.valence, estimate.arousal) == (0.0, 0.0)
    assert estimate.sd_valence == pytest.approx(3**-0.5)
    assert estimate.weight == {}


def test_odd_values_are_survived(loaded: Loaded, sequence: LabelledSequence) -> None:
    estimator = StreamingEstimator(loaded)
    widths = {m: v.shape[1] for m, v in sequence.data.items()}
    for k, odd in enumerate((np.nan, np.inf, 1e300, -1e30)):
        data = {m: np.full(n, odd) for m, n in widths.items()}
        estimate = estimator.push(FusionInput(k, 0.25 * k, data, dict.fromkeys(data, 1.0)))
        assert np.isfinite(values([estimate])).all()
    data = {m: np.zeros(n) for m, n in widths.items()}
    estimate = estimator.push(FusionInput(9, 2.25, data, dict.fromkeys(data, np.nan)))
    assert estimate.weight == {}


def test_modalities_that_the_model_does_not_know_are_ignored(
    loaded: Loaded, sequence: LabelledSequence
) -> None:
    estimator, other = StreamingEstimator(loaded), StreamingEstimator(loaded)
    item = inputs(sequence)[0]
    more = FusionInput(
        item.index,
        item.time,
        {**item.data, Modality.TEMP: np.zeros(4)},
        {**item.quality, Modality.TEMP: 1.0},
    )
    assert estimator.push(more) == other.push(item)


def test_inputs_are_not_written_to(loaded: Loaded, sequence: LabelledSequence) -> None:
    items = inputs(sequence)
    kept = [{m: v.copy() for m, v in item.data.items()} for item in items]
    estimator = StreamingEstimator(loaded)
    for item, before in zip(items, kept, strict=True):
        estimator.push(item)
        for modality, row in before.items():
            np.testing.assert_array_equal(item.data[modality], row)


def test_wrong_order_width_and_hop_are_refused(loaded: Loaded, sequence: LabelledSequence) -> None:
    estimator = StreamingEstimator(loaded)
    items = inputs(sequence)
    estimator.push(items[1])
    with pytest.raises(BadInput, match="index 40 came after 41"):
        estimator.push(items[0])
    wide = FusionInput(50, 12.5, {Modality.EDA: np.zeros(7)}, {Modality.EDA: 1.0})
    with pytest.raises(BadInput, match=r"eda at index 50 have shape \(7,\)"):
        estimator.push(wide)
    with pytest.raises(CheckpointMismatch, match=r"hop of 0\.25 s, this run has 0\.5"):
        StreamingEstimator(loaded, hop=0.5)


def test_signals_below_the_least_quality_count_as_absent(
    loaded: Loaded, sequence: LabelledSequence
) -> None:
    strict, plain = StreamingEstimator(loaded, least_quality=0.7), StreamingEstimator(loaded)
    for item in inputs(sequence):
        good = {m: q for m, q in item.quality.items() if q >= 0.7}
        kept = FusionInput(item.index, item.time, {m: item.data[m] for m in good}, good)
        assert strict.push(item) == plain.push(kept)


def test_where_all_signals_are_bad_it_abstains_and_says_the_prior(loaded: Loaded) -> None:
    estimator = StreamingEstimator(loaded, least_quality=0.3)
    widths = loaded.model.inputs.counts
    for k in range(40):
        quality = 0.9 if k < 20 else 0.2
        data = {m: np.ones(n) for m, n in widths.items()}
        estimate = estimator.push(FusionInput(k, 0.25 * k, data, dict.fromkeys(data, quality)))
        assert abstains(estimate) == (k >= 20)
    assert (estimate.valence, estimate.arousal) == (0.0, 0.0)
    assert estimate.sd_valence == pytest.approx(3**-0.5)
    with pytest.raises(BadInput, match=r"least_quality=2 must be in \[0, 1\]"):
        StreamingEstimator(loaded, least_quality=2)
