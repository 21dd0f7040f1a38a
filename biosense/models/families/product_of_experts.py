"""Product of experts: each modality's estimate counts by its precision, and so does the prior."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from biosense.models.families.decision_level import DecisionLevel
from biosense.models.families.stepwise import StepwiseConfig


class ProductOfExperts(DecisionLevel):
    """Multiply the Gaussians of the modalities that are there, and the prior's.

    The mean is precision-weighted, precisions add up; a missing modality has none, so any subset is
    exact [1]_. That holds for experts whose errors are independent. They
    are not, so a learned factor per modality, at most 1, takes precision away from each expert; the
    calibration on held-out people takes the rest.

    Parameters
    ----------
    config
        What defines it.

    References
    ----------
    .. [1] Wu, Goodman (2018). Multimodal generative models for scalable weakly-supervised learning.
           NeurIPS, arXiv:1802.05335.

    Examples
    --------
    >>> from biosense.core.types import Modality
    >>> model = ProductOfExperts(StepwiseConfig((("eda", 2), ("ecg", 3)))).eval()
    >>> x = {Modality.EDA: torch.zeros(1, 5, 2), Modality.ECG: torch.zeros(1, 5, 3)}
    >>> bool((model(x, torch.ones(1, 5, 2)).weight.sum(-1) < 1).all())
    True
    """

    def __init__(self, config: StepwiseConfig) -> None:
        super().__init__(config)
        self.trust = nn.Parameter(torch.full((len(self.modalities), 2), 1.0))

    def combine(
        self, mean: Tensor, log_variance: Tensor, evidence: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Combine the estimates of the modalities; see `DecisionLevel.combine`."""
        head = self.head
        trust = torch.sigmoid(self.trust) * evidence.unsqueeze(-1)
        precision = trust * torch.exp(-log_variance - head.log_temperature)
        prior = 1 / head.prior_variance
        total = precision.sum(-2) + prior
        middle = ((precision * mean).sum(-2) + prior * head.prior_mean) / total
        weight = (precision / total.unsqueeze(-2)).mean(-1)
        return middle, -torch.log(total), weight
