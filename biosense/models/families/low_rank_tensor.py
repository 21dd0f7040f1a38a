"""Low-rank tensor fusion: products of what the modalities say, without the tensor."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from biosense.core.errors import BadInput
from biosense.models.families.stepwise import Fused, Stepwise, StepwiseConfig
from biosense.models.layers.per_modality import PerModality


@dataclass(frozen=True)
class LowRankTensorConfig(StepwiseConfig):
    """Hold what defines a `LowRankTensor` besides its weights.

    Parameters
    ----------
    rank
        Terms of the decomposition.
    """

    rank: int = 4

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.rank < 1:
            raise BadInput(f"rank={self.rank} must be at least 1")


class LowRankTensor(Stepwise):
    """Multiply a linear factor of each modality, and sum over the rank.

    Low-rank multimodal fusion [1]_: the outer product of all [h; 1],
    contracted with a weight tensor of low rank, which never needs to be formed. A missing modality
    has h = 0 and so contributes its constant only. Factors start near 1: a product of six random
    ones would start near 0 and carry no gradient.

    A modality's weight is how far its factors depart from their constants, against all others.

    Parameters
    ----------
    config
        What defines it.

    References
    ----------
    .. [1] Liu, Shen, Lakshminarasimhan, Liang, Zadeh, Morency (2018). Efficient low-rank multimodal
           fusion with modality-specific factors. ACL, arXiv:1806.00064.

    Examples
    --------
    >>> from biosense.core.types import Modality
    >>> model = LowRankTensor(LowRankTensorConfig((("eda", 2), ("ecg", 3)))).eval()
    >>> x = {Modality.EDA: torch.zeros(1, 5, 2), Modality.ECG: torch.zeros(1, 5, 3)}
    >>> model(x, torch.ones(1, 5, 2)).mean.shape
    torch.Size([1, 5, 2])
    """

    config: LowRankTensorConfig

    def __init__(self, config: LowRankTensorConfig) -> None:
        super().__init__(config)
        n, width = len(self.modalities), config.width
        self.factor = PerModality((width,) * n, width, config.rank * width, bias=False)
        self.constant = nn.Parameter(torch.ones(n, config.rank * width))
        self.mix = nn.Parameter(torch.randn(config.rank) / config.rank**0.5)
        self.bias = nn.Parameter(torch.zeros(width))

    def fuse(self, tokens: Tensor, quality: Tensor) -> Fused:
        """Fuse the modalities of each step; see `Stepwise.fuse`."""
        moved = self.factor(tokens) * quality.unsqueeze(-1)  # (.., modalities, rank * width)
        product = (self.constant + moved).prod(-2)
        joint = self.mix @ torch.unflatten(product, -1, (self.config.rank, -1)) + self.bias
        size = moved.detach().norm(dim=-1)
        weight = size / (size.sum(-1, keepdim=True) + self.constant.detach().norm())
        return Fused(joint, weight)
