"""Deep CCA: project all modalities to what they share, and fuse the projections."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from biosense.core.errors import BadInput
from biosense.models.families.stepwise import Fused, Stepwise, StepwiseConfig, masked_softmax
from biosense.models.layers.cca_loss import multi_cca_loss
from biosense.models.layers.per_modality import PerModality

FUSIONS = ("weighted", "attention")
_MOST_ROWS = 4096  # of a batch; far more than covariances of `view` features need


@dataclass(frozen=True)
class DeepCcaConfig(StepwiseConfig):
    """Hold what defines a `DeepCca` besides its weights.

    Parameters
    ----------
    view
        Features of each projection: 4 to 10, since chance correlation grows with them.
    fusion
        "weighted": one learned weight per modality; "attention": weights from the projections.
    correlation
        Weight of the correlation loss beside that of the estimate.
    """

    view: int = 8
    fusion: str = "attention"
    correlation: float = 0.1

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.fusion not in FUSIONS:
            raise BadInput(f"fusion={self.fusion!r} must be one of {FUSIONS}")
        if self.view < 1 or self.correlation < 0:
            raise BadInput(
                f"view={self.view} must be at least 1, correlation={self.correlation} at least 0"
            )


class DeepCca(Stepwise):
    """Project every modality so that the projections correlate, and fuse them by weights.

    Training maximises the canonical correlations of all pairs of projections [1]_ (the loss is
    `multi_cca_loss`) beside the loss of the estimate. Each sequence's mean is taken out
    first, so that who a person is does not count as correlation. The projections are fused by a
    weighted sum, with learned weights or by attention [2]_. Absent
    modalities have no weight; the others share theirs.

    Parameters
    ----------
    config
        What defines it.

    References
    ----------
    .. [1] Andrew, Arora, Bilmes, Livescu (2013). Deep canonical correlation analysis. ICML.
    .. [2] Liu, Qiu, Zheng, Lu (2019). Multimodal emotion recognition using deep canonical
           correlation analysis. arXiv:1908.05349.

    Examples
    --------
    >>> from biosense.core.types import Modality
    >>> model = DeepCca(DeepCcaConfig((("eda", 2), ("ecg", 3)))).eval()
    >>> x = {Modality.EDA: torch.zeros(1, 5, 2), Modality.ECG: torch.zeros(1, 5, 3)}
    >>> model(x, torch.ones(1, 5, 2)).weight.sum(-1).detach().round(decimals=4)
    tensor([[1., 1., 1., 1., 1.]])
    """

    config: DeepCcaConfig

    def __init__(self, config: DeepCcaConfig) -> None:
        super().__init__(config)
        n = len(self.modalities)
        self.project = PerModality((config.width,) * n, config.width, config.view)
        self.view_norm = nn.LayerNorm(config.view, elementwise_affine=False)
        self.preference = nn.Parameter(torch.zeros(n))
        self.score = nn.Linear(config.view, 1) if config.fusion == "attention" else None
        self.out = nn.Linear(config.view, config.width)

    def views(self, tokens: Tensor) -> Tensor:
        """Return the projection of each modality.

        Parameters
        ----------
        tokens
            What each modality says, (.., modalities, width).

        Returns
        -------
        Tensor
            Shape (.., modalities, view).
        """
        normed: Tensor = self.view_norm(self.project(tokens))
        return normed

    def fuse(self, tokens: Tensor, quality: Tensor) -> Fused:
        """Fuse the modalities of each step; see `Stepwise.fuse`."""
        views = self.views(tokens)
        scores = self.preference.expand_as(quality)
        if self.score is not None:
            scores = scores + self.score(views).squeeze(-1)
        weight = masked_softmax(scores, quality)
        joint = self.out((weight.unsqueeze(-2) @ views).squeeze(-2))
        penalty = self._correlation(views, quality) if self.training else None
        return Fused(joint, weight, penalty)

    def _correlation(self, views: Tensor, quality: Tensor) -> Tensor:
        """Return the weighted correlation loss over the steps of a batch of sequences."""
        batch, time = quality.shape[:2]
        person = torch.arange(batch, device=views.device).repeat_interleave(time)
        rows, there = views.flatten(0, 1), (quality > 0).flatten(0, 1)
        every = max(1, len(rows) // _MOST_ROWS)
        loss = multi_cca_loss(rows[::every], there[::every], groups=person[::every])
        return self.config.correlation * loss.to(views.dtype)
