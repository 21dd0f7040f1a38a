"""A family that breaks a promise is told which, with what was got and wanted and what to do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pytest
import torch
from torch import Tensor

from biosense.core.errors import BadInput
from biosense.core.types import Modality
from biosense.models.base import FusionOutput, State
from biosense.models.families.stepwise import Fused, StepwiseConfig
from biosense.models.families.table import Family, as_family
from biosense.models.registry import MODELS
from biosense.testing.contract import ContractBroken
from biosense.testing.model_checks import check_model
from tests.support.examples import registered, template

X = Mapping[Modality, Tensor]
MODULE: Any = template("own_model")
Sound: Any = MODULE.Sharpest
Config: Any = MODULE.SharpestConfig


class Loud(Sound):  # type: ignore[misc]
    def forward(self, x: X, present: Tensor) -> FusionOutput:
        said = super().forward(x, present)
        return FusionOutput(2.5 * said.mean, said.log_variance, said.weight)


class Foreseeing(Sound):  # type: ignore[misc]
    def forward(self, x: X, present: Tensor) -> FusionOutput:
        said = super().forward(x, present)
        return FusionOutput(said.mean.flip(1), said.log_variance, said.weight)


class Forgetful(Sound):  # type: ignore[misc]
    def step(self, x: X, present: Tensor, state: State) -> tuple[FusionOutput, State]:
        said, (_, age) = super().step(x, present, state)
        return said, (torch.zeros_like(state[0]), age)


class Believing(Sound):  # type: ignore[misc]
    def tokens(self, x: X, present: Tensor) -> tuple[Tensor, Tensor]:
        tokens, quality = super().tokens(x, present)
        believed = torch.tanh(torch.nan_to_num(x[Modality.EEG][..., :1]))
        return tokens + believed.unsqueeze(-2), quality


class Unused(Sound):  # type: ignore[misc]
    def __init__(self, config: Any) -> None:
        super().__init__(config)
        self.spare = torch.nn.Linear(3, 3)


class Blurred(Sound):  # type: ignore[misc]
    def fuse(self, tokens: Tensor, quality: Tensor) -> Fused:
        said = super().fuse(tokens, quality)
        return Fused(said.joint - said.joint.mean(0, keepdim=True), said.weight)


class Unsaved(Sound):  # type: ignore[misc]
    def __init__(self, config: Any) -> None:
        super().__init__(config)
        self.lately = torch.randn(config.width)

    def fuse(self, tokens: Tensor, quality: Tensor) -> Fused:
        said = super().fuse(tokens, quality)
        return Fused(said.joint + self.lately, said.weight)


BROKEN: dict[type[Any], str] = {
    Loud: r"Means lie in \[-1, 1\]",
    Forgetful: "`step` over a sequence equals `forward`|may follow any other",
    Foreseeing: "never sees inputs behind|equals `forward`|may follow any other",
    Believing: "What an absent modality holds",
    Unused: "gradient of the loss reaches every parameter",
    Blurred: "alone gives what it gives among others",
    Unsaved: "A checkpoint keeps every number",
}


def test_a_sound_family_passes_by_name_and_by_class() -> None:
    with registered("own_model"):
        check_model("sharpest", sharpness=2.0)
    assert "sharpest" not in MODELS
    assert "checked" not in MODELS


@pytest.mark.parametrize("model", BROKEN)
def test_a_broken_promise_is_named(model: type[Any]) -> None:
    with pytest.raises(ContractBroken, match=BROKEN[model]) as caught:
        check_model(Family(model, Config))
    assert "model 'checked' breaks a promise" in str(caught.value)
    assert "What to do: " in str(caught.value)


def test_the_config_is_the_one_that_init_names() -> None:
    assert as_family(Sound) == Family(Sound, Config)
    assert as_family(type("Plain", (Sound,), {})).config is Config


@dataclass(frozen=True)
class Little:
    modalities: tuple[tuple[str, int], ...]


def test_what_is_no_family_is_refused_when_it_is_registered() -> None:
    class WithoutHop(Sound):  # type: ignore[misc]
        def __init__(self, config: Little) -> None: ...

    with pytest.raises(BadInput, match="wanted a class derived from FusionModel"):
        MODELS.register("odd", StepwiseConfig)
    with pytest.raises(BadInput, match="wanted a frozen dataclass with fields `modalities`"):
        MODELS.register("odd", WithoutHop)
    with pytest.raises(BadInput, match="'early' is biosense's own"):
        MODELS.register("early", Sound)
