"""What every fusion model promises, crossed with the registry: a new family is picked up here."""

from __future__ import annotations

import importlib
import itertools
import json
import pkgutil
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from biosense import models
from biosense.core.errors import BadInput
from biosense.core.types import Modality
from biosense.models.base import FusionModel, FusionOutput
from biosense.models.batches import collate
from biosense.models.deployment.card import Card
from biosense.models.deployment.checkpoint import load, save
from biosense.models.families.closed_form import ClosedForm
from biosense.models.families.decision_level import Opinions
from biosense.models.families.stepwise import Stepwise
from biosense.models.registry import MODELS, build_model
from biosense.models.sequences import LabelledSequence
from biosense.models.training.losses import fusion_loss
from tests.support.model_cases import (
    COUNTS,
    FIELDS,
    NAMES,
    OPTIONS,
    TIME,
    TRAINABLE,
    assert_equal,
    at,
    draw,
    fitted,
    run,
    stream,
)


@pytest.fixture(params=[*MODELS, *OPTIONS])
def case(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def name(case: str) -> str:
    return case.partition(",")[0]


@pytest.fixture
def settings(case: str, name: str) -> dict[str, Any]:
    wanted = {"modalities": COUNTS, "width": 16, **OPTIONS.get(case, {})}
    return MODELS[name].settings(wanted)


@pytest.fixture
def model(name: str, settings: dict[str, Any]) -> FusionModel:
    torch.manual_seed(3)
    built = build_model(name, settings).eval()
    if isinstance(built, ClosedForm):
        built.load_state_dict(fitted(name))
    built.head.prior_mean[:] = torch.tensor([0.25, -0.5])
    built.head.prior_variance[:] = torch.tensor([0.4, 0.5])
    return built


def test_every_model_class_is_registered() -> None:
    defined = {
        value
        for found in pkgutil.walk_packages(models.__path__, "biosense.models.")
        for value in vars(importlib.import_module(found.name)).values()
        if isinstance(value, type) and issubclass(value, FusionModel)
    } - {FusionModel, ClosedForm, Opinions, Stepwise}
    assert defined == {family.model for family in MODELS.values()}


def test_shapes_and_ranges_hold(model: FusionModel) -> None:
    x, present = draw()
    output = run(model, {m: 1e3 * v for m, v in x.items()}, present)
    assert output.mean.shape == output.log_variance.shape == (3, TIME, 2)
    assert output.weight.shape == (3, TIME, len(COUNTS))
    assert output.mean.abs().max() <= 1
    assert output.weight.min() >= 0
    assert output.weight.sum(-1).max() <= 1 + 1e-6
    assert -8 < output.log_variance.min() <= output.log_variance.max() < 1
    assert torch.allclose(output.sd, output.log_variance.exp().sqrt())


@pytest.mark.parametrize(
    "subset", [s for n in range(len(COUNTS) + 1) for s in itertools.combinations(range(4), n)]
)
def test_any_subset_of_modalities_gives_finite_output(
    model: FusionModel, subset: tuple[int, ...]
) -> None:
    x, _ = draw()
    present = torch.zeros(3, TIME, len(COUNTS))
    present[:, :, list(subset)] = 0.8
    present[:, 40:60] = present[:, 40:60].roll(1, -1)
    output = run(model, x, present)
    for field in FIELDS:
        assert torch.isfinite(getattr(output, field)).all()
    assert bool((output.weight[:, 39] > 0).sum() == 3 * len(subset))


def test_any_subset_may_follow_any_other_in_mid_sequence(model: FusionModel) -> None:
    subsets = torch.tensor(list(itertools.product((0.0, 0.8), repeat=len(COUNTS))))
    order = torch.randperm(len(subsets), generator=torch.Generator().manual_seed(4))
    present = subsets[order].repeat_interleave(3, 0).unsqueeze(0)
    x, _ = draw(batch=1, time=present.shape[1])
    whole = run(model, x, present)
    assert all(torch.isfinite(getattr(whole, field)).all() for field in FIELDS)
    assert not (whole.weight > 0)[:, : model.window][
        present[:, : model.window].cummax(1)[0] == 0
    ].any()
    assert (whole.weight > 0)[present > 0].all()
    assert_equal(stream(model, x, present), whole, 1e-5)


def test_step_equals_forward(model: FusionModel) -> None:
    x, present = draw()
    assert_equal(stream(model, x, present), run(model, x, present), 1e-5)


def test_output_ignores_the_future(model: FusionModel) -> None:
    x, present = draw()
    before = run(model, x, present)
    for cut in (0, 31, 32, 55):
        edited = {m: v.clone() for m, v in x.items()}
        for values in edited.values():
            values[:, cut + 1 :] = 1e9
            values[:, cut + 2 :: 3] = torch.nan
        quality = present.clone()
        quality[:, cut + 1 :] = 1 - quality[:, cut + 1 :]
        after = run(model, edited, quality)
        for field in FIELDS:
            assert torch.equal(
                getattr(after, field)[:, : cut + 1], getattr(before, field)[:, : cut + 1]
            )
        assert not torch.equal(after.mean[:, cut + 1 :], before.mean[:, cut + 1 :])


@pytest.mark.parametrize("poison", [torch.nan, 1e9, -torch.inf])
def test_values_of_absent_modalities_never_matter(model: FusionModel, poison: float) -> None:
    x, present = draw()
    poisoned = {
        modality: torch.where(present[..., k : k + 1] > 0, x[modality], poison)
        for k, modality in enumerate(NAMES)
    }
    assert_equal(run(model, poisoned, present), run(model, x, present))


def test_a_missing_feature_counts_as_its_average(model: FusionModel) -> None:
    x, present = draw()
    model.inputs.set_scale({Modality(m): (torch.full((n,), 2.0), torch.ones(n)) for m, n in COUNTS})
    missing = {m: v.clone() for m, v in x.items()}
    average = {m: v.clone() for m, v in x.items()}
    missing[Modality.EEG][..., 1], average[Modality.EEG][..., 1] = torch.nan, 2.0
    assert_equal(run(model, missing, present), run(model, average, present))


def test_a_modality_without_any_finite_feature_is_absent(model: FusionModel) -> None:
    x, present = draw()
    empty = {**x, Modality.EDA: torch.full_like(x[Modality.EDA], torch.nan)}
    absent = present.clone()
    absent[..., 2] = 0
    assert_equal(run(model, empty, present), run(model, x, absent))


def test_leaving_a_modality_out_equals_masking_it(model: FusionModel) -> None:
    x, present = draw()
    masked = present.clone()
    masked[..., 1] = 0
    left_out = {m: v for m, v in x.items() if m != Modality.ECG}
    assert_equal(run(model, left_out, present), run(model, x, masked))
    output, _ = model.step(at(left_out, 0), present[:, 0], model.begin(3))
    torch.testing.assert_close(output.mean, run(model, x, masked).mean[:, 0])


def test_order_of_the_features_mapping_is_irrelevant(model: FusionModel) -> None:
    x, present = draw()
    assert_equal(run(model, dict(reversed(x.items())), present), run(model, x, present))


def test_a_batch_of_one_equals_the_row_of_a_batch(model: FusionModel) -> None:
    x, present = draw()
    alone = run(model, {m: v[1:2] for m, v in x.items()}, present[1:2])
    whole = run(model, x, present)
    row = FusionOutput(*[getattr(whole, field)[1:2] for field in FIELDS])
    assert_equal(alone, row, 1e-6)


def test_silence_gives_the_prior_and_a_gap_fades_to_it(model: FusionModel) -> None:
    x, present = draw()
    silent = run(model, x, torch.zeros_like(present))
    prior_mean, prior_variance = model.head.prior_mean, model.head.prior_variance
    torch.testing.assert_close(silent.mean, prior_mean.expand_as(silent.mean))
    torch.testing.assert_close(
        silent.log_variance.exp(), prior_variance.expand_as(silent.mean), rtol=1e-5, atol=0
    )
    assert silent.weight.max() == 0
    gap = run(model, x, present)  # sequence 0 is silent in 30..74, longer than a window of 32
    torch.testing.assert_close(gap.mean[0, 29 + model.window], prior_mean)
    assert not torch.allclose(gap.mean[0, 29], prior_mean, atol=1e-3)
    assert gap.weight[0, 29 + model.window :].max() > 0  # it came back


def test_inputs_are_never_written_to(model: FusionModel) -> None:
    x, present = draw()
    kept, quality = {m: v.clone() for m, v in x.items()}, present.clone()
    stream(model, x, present)
    run(model, x, present)
    assert torch.equal(quality, present)
    assert all(torch.equal(kept[m], x[m]) for m in x)


def test_families_in_closed_form_have_nothing_to_descend() -> None:
    for name in MODELS:
        built = build_model(name, MODELS[name].settings({"modalities": COUNTS, "width": 16}))
        closed = isinstance(built, ClosedForm)
        assert bool(list(built.parameters())) != closed
        assert not (closed and MODELS[name].by_descent)


def test_gradient_reaches_every_parameter(name: str, model: FusionModel) -> None:
    if name not in TRAINABLE:
        pytest.skip("fitted in closed form")
    x, present = draw()
    target = torch.tanh(torch.randn(3, TIME, 2))
    fusion_loss(model(x, present), target).backward()
    for key, parameter in model.named_parameters():
        assert parameter.grad is not None, key
        assert torch.isfinite(parameter.grad).all(), key
        assert parameter.grad.abs().max() > 0, key


def test_state_keeps_its_size_and_output_stays_finite_over_hundreds_of_steps(
    model: FusionModel,
) -> None:
    x, present = draw(batch=1, time=50)
    state = model.begin(1)
    shapes = [tensor.shape for tensor in state]
    with torch.inference_mode():
        for t in range(500):
            output, state = model.step(at(x, t % 50), present[:, t % 50], state)
    assert [tensor.shape for tensor in state] == shapes
    assert torch.isfinite(output.mean).all()
    # A step is not allowed to keep more alive than it shows, as a view of a growing tensor would.
    assert all(t.untyped_storage().nbytes() <= 4 * t.numel() for t in state)


def test_wrong_feature_count_is_refused(model: FusionModel) -> None:
    x, present = draw()
    with pytest.raises(BadInput, match=r"features of ecg have shape \(3, 90, 3\), wanted .*4"):
        model({**x, Modality.ECG: x[Modality.ECG][..., :3]}, present)


def test_config_is_frozen_and_survives_json(name: str, model: FusionModel) -> None:
    again = build_model(name, json.loads(json.dumps(asdict(model.config))))
    assert again.config == model.config
    assert replace(model.config) == model.config
    with pytest.raises(AttributeError):
        model.config.width = 3


def test_unknown_setting_is_refused_by_name(name: str) -> None:
    with pytest.raises(BadInput, match="colour"):
        build_model(name, {"modalities": COUNTS, "colour": 3})


def test_checkpoint_round_trip_keeps_every_number(
    name: str, model: FusionModel, tmp_path: Path
) -> None:
    model.inputs.set_scale({Modality(m): (torch.randn(n), torch.rand(n) + 1) for m, n in COUNTS})
    features = {Modality(m): [f"f{k}" for k in range(n)] for m, n in COUNTS}
    save(tmp_path / "a", name, model, features=features, fingerprints={}, card=Card("toy"))
    x, present = draw()
    assert_equal(run(load(tmp_path / "a").model, x, present), run(model, x, present))


@pytest.mark.parametrize("name", TRAINABLE)
def test_model_overfits_a_toy(name: str, make_toy: Callable[..., list[LabelledSequence]]) -> None:
    torch.manual_seed(0)
    sequences = make_toy(subjects=4, steps=64, noise=0.5)
    counts = tuple((m.value, v.shape[1]) for m, v in sequences[0].data.items())
    model = build_model(name, {"modalities": counts, "width": 32, "dropout": 0.0})
    batch = collate(sequences, counts)
    x = {m: (v - 10) / 3 for m, v in batch.x.items()}
    optimiser = torch.optim.Adam(model.parameters(), lr=5e-3)
    for _ in range(100):
        loss = torch.nn.functional.mse_loss(model(x, batch.present).mean, batch.target)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    assert loss.item() < 0.03 * float(np.var(batch.target.numpy()))
