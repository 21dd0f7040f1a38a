"""What every fusion family promises of its config, its weights and its checkpoints."""

from __future__ import annotations

import json
import tempfile
from dataclasses import FrozenInstanceError, asdict, fields
from pathlib import Path

import numpy as np
import torch

from biosense.core.errors import BadInput
from biosense.core.types import Modality
from biosense.models.batches import collate
from biosense.models.deployment.card import Card
from biosense.models.deployment.checkpoint import load, save
from biosense.models.registry import build_model
from biosense.models.training.losses import fusion_loss
from biosense.testing.contract import Check, promise, require
from biosense.testing.model_example import ModelExample
from biosense.testing.model_inputs import COUNTS, TIME, assert_equal, draw, run, toy_sequences


@promise("give it nn layers, or a fit() of its own that fills buffers")
def _something_is_fitted(example: ModelExample) -> None:
    """A family without parameters for gradient descent has a `fit` of its own."""
    found = bool(list(build_model(example.name, example.settings).parameters()))
    possible = found or not example.family.by_descent
    require(possible, "neither parameters nor a fit()", "one of them")


@promise("use every layer in forward, and keep no parameter that the loss cannot reach")
def _gradient_reaches_every_parameter(example: ModelExample) -> None:
    """The gradient of the loss reaches every parameter."""
    if not example.family.by_descent:
        return
    x, present = draw()
    model = example.model()
    target = torch.tanh(torch.randn(3, TIME, 2))
    fusion_loss(model(x, present), target).backward()  # type: ignore[no-untyped-call]
    for key, parameter in model.named_parameters():
        gradient = parameter.grad
        require(gradient is not None, f"no gradient of {key}", "one")
        assert gradient is not None
        require(bool(torch.isfinite(gradient).all()), f"NaN in the gradient of {key}", "none")
        require(float(gradient.abs().max()) > 0, f"a gradient of 0 of {key}", "another")


@promise("make the config a @dataclass(frozen=True) of plain values; tuples where JSON has lists")
def _config_is_frozen_and_survives_json(example: ModelExample) -> None:
    """The config is frozen and survives JSON: a checkpoint holds it."""
    config = example.model().config
    again = build_model(example.name, json.loads(json.dumps(asdict(config)))).config
    require(again == config, again, f"{config}, as before it was JSON")
    name = fields(config)[0].name
    try:
        setattr(config, name, getattr(config, name))
    except FrozenInstanceError:
        return
    require(False, f"{type(config).__name__} that can be changed", "a frozen dataclass")


@promise("have no field in the config that takes anything")
def _unknown_settings_are_refused(example: ModelExample) -> None:
    """A setting that the config does not know is refused by name."""
    try:
        build_model(example.name, {"modalities": COUNTS, "colour": 3})
    except BadInput as error:
        require("colour" in str(error), error, "a message that names 'colour'")
    else:
        require(False, "a model", "BadInput for the setting 'colour'")


@promise("keep all that is fitted in parameters and buffers (register_buffer)")
def _a_checkpoint_keeps_every_number(example: ModelExample) -> None:
    """A checkpoint keeps every number."""
    model = example.model()
    model.inputs.set_scale({Modality(m): (torch.randn(n), torch.rand(n) + 1) for m, n in COUNTS})
    features = {Modality(m): [f"f{k}" for k in range(n)] for m, n in COUNTS}
    x, present = draw()
    with tempfile.TemporaryDirectory(prefix="biosense-") as folder:
        path = Path(folder) / "checked"
        save(path, example.name, model, features=features, fingerprints={}, card=Card("toy"))
        again = load(path).model
    assert_equal(run(again, x, present), run(model, x, present))


@promise("give it enough freedom: features, fused, must reach the head")
def _it_overfits_a_toy(example: ModelExample) -> None:
    """Gradient descent learns a toy by heart: the error falls below 3 % of the variance."""
    if not example.family.by_descent or example.options:
        return
    torch.manual_seed(0)
    sequences = toy_sequences(subjects=4, steps=64, noise=0.5)
    counts = tuple((m.value, v.shape[1]) for m, v in sequences[0].data.items())
    wanted = {"modalities": counts, "width": 32, "dropout": 0.0}
    model = build_model(example.name, example.family.settings(wanted))
    batch = collate(sequences, counts)
    x = {m: (v - 10) / 3 for m, v in batch.x.items()}
    optimiser = torch.optim.Adam(model.parameters(), lr=5e-3)
    most = 0.03 * float(np.var(batch.target.numpy()))
    for _ in range(100):
        loss = torch.nn.functional.mse_loss(model(x, batch.present).mean, batch.target)
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        if loss.item() < most:
            return
    require(loss.item() < most, f"an error of {loss.item():.4f}", f"below {most:.4f}")


FIT_CHECKS: tuple[Check[ModelExample], ...] = (
    _something_is_fitted,
    _gradient_reaches_every_parameter,
    _config_is_frozen_and_survives_json,
    _unknown_settings_are_refused,
    _a_checkpoint_keeps_every_number,
    _it_overfits_a_toy,
)
"""They build, descend, save and load."""
