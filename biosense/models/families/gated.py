"""Gated fusion: each modality's say at each step depends on what all of them say."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from biosense.models.families.stepwise import Fused, Stepwise, StepwiseConfig
from biosense.models.layers.per_modality import PerModality


class Gated(Stepwise):
    """Weigh tanh features by gates computed from all modalities, their quality and absence.

    The gated multimodal unit [1]_, for any number of modalities: gates
    see quality and absence, those of absent modalities are 0, and the others are normalised.

    Parameters
    ----------
    config
        What defines it.

    References
    ----------
    .. [1] Arevalo, Solorio, Montes-y-Gomez, Gonzalez (2017). Gated multimodal units for information
           fusion. ICLR workshop, arXiv:1702.01992.

    Examples
    --------
    >>> from biosense.core.types import Modality
    >>> model = Gated(StepwiseConfig((("eda", 2), ("ecg", 3)))).eval()
    >>> x = {Modality.EDA: torch.zeros(1, 5, 2), Modality.ECG: torch.zeros(1, 5, 3)}
    >>> model(x, torch.tensor([1.0, 0.0]).expand(1, 5, 2)).weight[0, 0].detach()
    tensor([1., 0.])
    """

    def __init__(self, config: StepwiseConfig) -> None:
        super().__init__(config)
        n, width = len(self.modalities), config.width
        self.say = PerModality((width,) * n, width, width)
        self.gate = nn.Linear(n * width + 2 * n, n)

    def fuse(self, tokens: Tensor, quality: Tensor) -> Fused:
        """Fuse the modalities of each step; see `Stepwise.fuse`."""
        there = (quality > 0).to(tokens.dtype)
        seen = (tokens * there.unsqueeze(-1)).flatten(-2)
        gates = torch.sigmoid(self.gate(torch.cat((seen, quality, there), -1))) * there
        weight = gates / gates.sum(-1, keepdim=True).clamp(min=1e-6)
        said = torch.tanh(self.say(tokens))
        return Fused((weight.unsqueeze(-2) @ said).squeeze(-2), weight)
