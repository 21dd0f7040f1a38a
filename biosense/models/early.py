"""Early (feature-level) fusion, the baseline: all features and mask bits into one GRU."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from biosense.core.errors import BadInput
from biosense.core.grid import HOP
from biosense.core.types import Modality
from biosense.models.base import FusionModel, FusionOutput, State, evidence, fade, next_age
from biosense.models.layers import FeatureInputs, GaussianHead, PerModality


@dataclass(frozen=True)
class EarlyConfig:
    """Hold what defines an `Early` besides its weights; serialisable as JSON.

    Parameters
    ----------
    modalities
        (name, number of features) of each modality, in the order of `present`.
    width
        Size of the joint representation and of the memory.
    window_s
        Seconds without any input after which the output has faded to the prior.
    hop
        Seconds between two steps.
    dropout
        Share of the joint representation's elements that training drops.
    """

    modalities: tuple[tuple[str, int], ...]
    width: int = 48
    window_s: float = 8.0
    hop: float = HOP
    dropout: float = 0.1

    def __post_init__(self) -> None:
        if self.width < 1:
            raise BadInput(f"width={self.width} must be at least 1")
        if round(self.window_s / self.hop) < 1:
            raise BadInput(f"window_s={self.window_s} must hold at least one hop of {self.hop} s")


class Early(FusionModel):
    """Concatenate the features of all modalities with quality and mask bits, remember by a GRU.

    The first layer is one linear map of the concatenation, written as a sum over modalities: the
    size of a modality's term is its `weight`, against the terms of all others and of the mask bits.

    Examples
    --------
    >>> model = Early(EarlyConfig((("eda", 2), ("ecg", 3)))).eval()
    >>> x = {Modality.EDA: torch.zeros(1, 5, 2), Modality.ECG: torch.zeros(1, 5, 3)}
    >>> model(x, torch.ones(1, 5, 2)).mean.shape
    torch.Size([1, 5, 2])
    """

    def __init__(self, config: EarlyConfig) -> None:
        super().__init__()
        self.config = config
        self.inputs = FeatureInputs(config.modalities)
        self.modalities = tuple(self.inputs.counts)
        self.window = round(config.window_s / config.hop)
        sizes = tuple(self.inputs.counts.values())
        self.mix = PerModality(sizes, self.inputs.widest, config.width, bias=False)
        self.bits = nn.Linear(2 * len(sizes), config.width)
        self.norm = nn.LayerNorm(config.width)
        self.dropout = nn.Dropout(config.dropout)
        self.memory = nn.GRU(config.width, config.width, batch_first=True)
        self.head = GaussianHead(config.width)

    def forward(self, x: Mapping[Modality, Tensor], present: Tensor) -> FusionOutput:
        """Estimate at every step of whole sequences; see `FusionModel.forward`."""
        joint, weight, quality = self._joint(x, present)  # (batch, time, width)
        memory, _ = self.memory(joint)
        mean, log_variance = self.head(joint + memory, evidence(quality, self.window))
        return FusionOutput(mean, log_variance, weight)

    def begin(self, batch: int = 1) -> State:
        """Return an empty memory and the age of inputs."""
        like = self.bits.weight.detach()
        return like.new_zeros(batch, self.config.width), like.new_full((batch,), self.window)

    def step(
        self, x: Mapping[Modality, Tensor], present: Tensor, state: State
    ) -> tuple[FusionOutput, State]:
        """Estimate one step from and to a carried state; see `FusionModel.step`."""
        memory, age = state
        joint, weight, quality = self._joint(x, present)  # (batch, width)
        memory = torch.gru_cell(joint, memory, *self.memory.all_weights[0])
        age = next_age(quality, age, self.window)
        mean, log_variance = self.head(joint + memory, fade(age, self.window))
        return FusionOutput(mean, log_variance, weight), (memory, age)

    def _joint(
        self, x: Mapping[Modality, Tensor], present: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        values, quality = self.inputs(x, present)
        terms = self.mix(values)  # (.., modalities, width); 0 where absent
        rest = self.bits(torch.cat((quality, (quality > 0).to(quality.dtype)), -1))
        joint = nn.functional.gelu(self.norm(terms.sum(-2) + rest))
        size = terms.detach().norm(dim=-1)
        total = size.sum(-1, keepdim=True) + rest.detach().norm(dim=-1, keepdim=True)
        return self.dropout(joint), size / total.clamp(min=1e-12), quality
