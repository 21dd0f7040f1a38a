"""Mixture of experts: one expert per modality and one for all, and a router that chooses."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from biosense.core.errors import BadInput
from biosense.models.families.stepwise import Fused, Stepwise, StepwiseConfig, masked_softmax
from biosense.models.layers.per_modality import PerModality


@dataclass(frozen=True)
class MixtureOfExpertsConfig(StepwiseConfig):
    """Hold what defines a `MixtureOfExperts` besides its weights.

    Parameters
    ----------
    balance
        Weight of the loss that keeps the router from sending everything to one expert.
    """

    balance: float = 0.01

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.balance < 0:
            raise BadInput(f"balance={self.balance} must be at least 0")


class MixtureOfExperts(Stepwise):
    """Let a router weigh an expert of each modality and one that sees all of them.

    The router is a softmax over the experts whose modality is present; the shared expert sees the
    quality-weighted mean of all tokens and is there whenever anything is. What it carries belongs
    to no single modality, so weights sum to less than 1. Training adds the squared coefficient of
    variation of the experts' mean shares [1]_.

    Parameters
    ----------
    config
        What defines it.

    References
    ----------
    .. [1] Shazeer et al. (2017). Outrageously large neural networks: the sparsely-gated
           mixture-of-experts layer. ICLR, arXiv:1701.06538.

    Examples
    --------
    >>> from biosense.core.types import Modality
    >>> model = MixtureOfExperts(MixtureOfExpertsConfig((("eda", 2), ("ecg", 3)))).eval()
    >>> x = {Modality.EDA: torch.zeros(1, 5, 2), Modality.ECG: torch.zeros(1, 5, 3)}
    >>> bool((model(x, torch.ones(1, 5, 2)).weight.sum(-1) < 1).all())
    True
    """

    config: MixtureOfExpertsConfig

    def __init__(self, config: MixtureOfExpertsConfig) -> None:
        super().__init__(config)
        n, width = len(self.modalities), config.width
        self.experts = nn.Sequential(
            PerModality((width,) * (n + 1), width, width),
            nn.GELU(),
            PerModality((width,) * (n + 1), width, width),
        )
        self.router = nn.Linear(n * width + 2 * n, n + 1)

    def fuse(self, tokens: Tensor, quality: Tensor) -> Fused:
        """Fuse the modalities of each step; see `Stepwise.fuse`."""
        there = (quality > 0).to(tokens.dtype)
        share = quality / quality.sum(-1, keepdim=True).clamp(min=1e-6)
        everything = share.unsqueeze(-2) @ tokens
        said = self.experts(torch.cat((tokens, everything), -2))
        seen = torch.cat(((tokens * there.unsqueeze(-1)).flatten(-2), quality, there), -1)
        available = torch.cat((quality, quality.amax(-1, keepdim=True)), -1)
        route = masked_softmax(self.router(seen), available)
        joint = (route.unsqueeze(-2) @ said).squeeze(-2)
        penalty = self._imbalance(route, available) if self.training else None
        return Fused(joint, route[..., :-1], penalty)

    def _imbalance(self, route: Tensor, available: Tensor) -> Tensor:
        """Return the weighted variation of the experts' shares where they could be chosen."""
        there = (available > 0).to(route.dtype).flatten(0, -2)
        mean = route.flatten(0, -2).sum(0) / there.sum(0).clamp(min=1)
        used = mean[there.sum(0) > 0]
        if len(used) < 2:
            return route.sum() * 0.0
        return self.config.balance * used.var(correction=0) / used.mean().square().clamp(min=1e-6)
