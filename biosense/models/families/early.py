"""Early (feature-level) fusion, the baseline: all features and mask bits into one GRU."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from biosense.models.families.stepwise import Fused, Stepwise, StepwiseConfig
from biosense.models.layers.per_modality import PerModality


class Early(Stepwise):
    """Concatenate the features of all modalities with quality and mask bits, remember by a GRU.

    The first layer is one linear map of the concatenation, written as a sum over modalities: the
    size of a modality's term is its `weight`, against the terms of all others and of the mask bits.

    Parameters
    ----------
    config
        What defines it.

    Examples
    --------
    >>> from biosense.core.types import Modality
    >>> model = Early(StepwiseConfig((("eda", 2), ("ecg", 3)))).eval()
    >>> x = {Modality.EDA: torch.zeros(1, 5, 2), Modality.ECG: torch.zeros(1, 5, 3)}
    >>> model(x, torch.ones(1, 5, 2)).mean.shape
    torch.Size([1, 5, 2])
    """

    def __init__(self, config: StepwiseConfig) -> None:
        super().__init__(config)
        sizes, width = tuple(self.inputs.counts.values()), config.width
        # A term is 0 where its modality is absent: neither a constant nor a norm may change that.
        self.encode = PerModality(sizes, self.inputs.widest, width, bias=False)
        self.token_norm = nn.Identity()
        self.fused_norm = nn.Sequential(nn.LayerNorm(width), nn.GELU())
        self.bits = nn.Linear(2 * len(sizes), width)

    def fuse(self, tokens: Tensor, quality: Tensor) -> Fused:
        """Fuse the modalities of each step; see `Stepwise.fuse`."""
        rest = self.bits(torch.cat((quality, (quality > 0).to(quality.dtype)), -1))
        size = tokens.detach().norm(dim=-1)
        total = size.sum(-1, keepdim=True) + rest.detach().norm(dim=-1, keepdim=True)
        return Fused(tokens.sum(-2) + rest, size / total.clamp(min=1e-12))
