"""Late fusion, the other baseline: a weighted mean of what each modality's own model says."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from biosense.models.families.decision_level import DecisionLevel
from biosense.models.families.stepwise import StepwiseConfig, masked_softmax


class Late(DecisionLevel):
    """Average the estimates of the modalities that are there, with learned constant weights.

    The variance is that of their mixture: where they disagree the estimate is unsure.

    Parameters
    ----------
    config
        What defines it.

    Examples
    --------
    >>> from biosense.core.types import Modality
    >>> model = Late(StepwiseConfig((("eda", 2), ("ecg", 3)))).eval()
    >>> x = {Modality.EDA: torch.zeros(1, 5, 2), Modality.ECG: torch.zeros(1, 5, 3)}
    >>> model(x, torch.ones(1, 5, 2)).weight[0, 0].detach()
    tensor([0.5000, 0.5000])
    """

    def __init__(self, config: StepwiseConfig) -> None:
        super().__init__(config)
        self.preference = nn.Parameter(torch.zeros(len(self.modalities)))

    def combine(
        self, mean: Tensor, log_variance: Tensor, evidence: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Combine the estimates of the modalities; see `DecisionLevel.combine`."""
        weight = masked_softmax(self.preference.expand_as(evidence), evidence)
        share = weight.unsqueeze(-1)
        middle = (share * mean).sum(-2)
        apart = (mean - middle.unsqueeze(-2)).square()
        variance = (share * (log_variance.exp() + apart)).sum(-2)
        # The floor is never the answer: without any evidence the prior is.
        log_variance = torch.log(variance.clamp(min=1e-8))
        return *self.head.blend(middle, log_variance, evidence.amax(-1)), weight
