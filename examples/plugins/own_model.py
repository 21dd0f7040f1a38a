"""A fusion model of your own: say how the modalities of a step are fused, the rest is shared.

`Stepwise` encodes each modality, remembers by a GRU, fades to the prior and streams; a family that
needs none of it derives from `FusionModel`. Once the package is installed (pyproject.toml names the
class), `--model sharpest` of `biosense train` and `study` and `bs.Fusion("sharpest")` know it, and
its checkpoints run live. Try it before: `biosense.testing.check_model("sharpest")`.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from biosense.models.families.stepwise import Fused, Stepwise, StepwiseConfig, masked_softmax
from biosense.models.registry import register_model


@dataclass(frozen=True)
class SharpestConfig(StepwiseConfig):
    sharpness: float = 4.0  # settings are fields; a checkpoint holds them


@register_model("sharpest")
class Sharpest(Stepwise):
    """Weigh modalities by their quality and by how much their token says."""

    def __init__(self, config: SharpestConfig) -> None:
        super().__init__(config)
        self.sharpness = config.sharpness
        self.loudness = torch.nn.Linear(config.width, 1, bias=False)

    def fuse(self, tokens: Tensor, quality: Tensor) -> Fused:
        scores = self.loudness(tokens).squeeze(-1)  # (.., modalities)
        weight = masked_softmax(scores + self.sharpness * quality, quality)
        return Fused((weight.unsqueeze(-2) @ tokens).squeeze(-2), weight)
