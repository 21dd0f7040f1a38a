"""Models, inputs and helpers of the contract that every fusion model obeys."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import torch
from torch import Tensor

from biosense.core.types import Modality
from biosense.models.base import FusionModel, FusionOutput
from biosense.models.batches import Augmentation
from biosense.models.families.closed_form import ClosedForm
from biosense.models.registry import MODELS, build_model
from biosense.models.sequences import LabelledSequence

COUNTS = (("eeg", 6), ("ecg", 4), ("eda", 1), ("rppg", 3))
NAMES = tuple(Modality(name) for name, _ in COUNTS)
TIME = 90  # nearly three windows of 32 steps, and not a multiple of one
X = dict[Modality, Tensor]


OPTIONS: dict[str, dict[str, Any]] = {
    "gated, reconstructing": {"reconstruct": True},
    "graph, electrodes": {"electrodes": ("Fp1", "Cz", "Oz")},
}
"""Families once more, with what their config can switch on."""
TRAINABLE = [name for name, family in MODELS.items() if family.by_descent]


@cache
def fitted(name: str) -> dict[str, Tensor]:
    """Return what a family in closed form makes of a few sequences."""
    built = build_model(name, {"modalities": COUNTS})
    assert isinstance(built, ClosedForm)
    sequences = [labelled(seed) for seed in range(3)]
    built.fit_closed(sequences[:2], sequences[2:], augmentation=Augmentation())
    return dict(built.state_dict())


def draw(batch: int = 3, time: int = TIME, seed: int = 0) -> tuple[X, Tensor]:
    """Draw features, and qualities that come and go: single absences, outages, total silence."""
    g = torch.Generator().manual_seed(seed)
    x = {Modality(m): torch.randn(batch, time, n, generator=g) for m, n in COUNTS}
    present = torch.rand(batch, time, len(COUNTS), generator=g)
    present = present * (torch.rand(present.shape, generator=g) > 0.3)
    present[:, 20:50, 1] = 0
    present[0, 30:75] = 0
    return x, present


def labelled(seed: int) -> LabelledSequence:
    """Draw a sequence whose targets depend on the features of every modality."""
    x, present = draw(1, 400, seed=100 + seed)
    mixed = sum(values[0, :, :1] for values in x.values())
    target = torch.tanh(0.5 * torch.cat((mixed, -mixed), 1)).double().numpy()
    data = {modality: values[0].double().numpy() for modality, values in x.items()}
    quality = {m: present[0, :, k].double().numpy() for k, m in enumerate(NAMES)}
    return LabelledSequence(f"s{seed}", 0.25 * np.arange(400), data, quality, target)


def at(x: X, t: int) -> X:
    return {modality: values[:, t] for modality, values in x.items()}


def run(model: FusionModel, x: X, present: Tensor) -> FusionOutput:
    with torch.inference_mode():
        output: FusionOutput = model(x, present)
    return output


def stream(model: FusionModel, x: X, present: Tensor) -> FusionOutput:
    state, outputs = model.begin(len(present)), []
    with torch.inference_mode():
        for t in range(present.shape[1]):
            output, state = model.step(at(x, t), present[:, t], state)
            outputs.append(output)
    return FusionOutput(*[torch.stack([getattr(o, f) for o in outputs], 1) for f in FIELDS])


FIELDS = ("mean", "log_variance", "weight")


def assert_equal(a: FusionOutput, b: FusionOutput, tolerance: float = 0.0) -> None:
    for field in FIELDS:
        torch.testing.assert_close(getattr(a, field), getattr(b, field), rtol=0, atol=tolerance)
