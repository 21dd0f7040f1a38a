"""What most fusion families share: encode each modality, fuse them at each step, remember."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from biosense.core.errors import BadInput
from biosense.core.grid import HOP
from biosense.core.types import Modality
from biosense.models.base import FusionModel, FusionOutput, State
from biosense.models.layers.evidence import evidence, fade, next_age
from biosense.models.layers.feature_inputs import FeatureInputs
from biosense.models.layers.gaussian_head import GaussianHead
from biosense.models.layers.per_modality import PerModality
from biosense.models.layers.reconstruction import Reconstruction


@dataclass(frozen=True)
class StepwiseConfig:
    """Hold what defines a `Stepwise` model besides its weights; serialisable as JSON.

    Parameters
    ----------
    modalities
        (name, number of features) of each modality, in the order of `present`.
    width
        Size of tokens, of the joint representation and of the memory.
    window_s
        Seconds without any input after which the output has faded to the prior.
    hop
        Seconds between two steps.
    dropout
        Share of the joint representation's elements that training drops.
    reconstruct
        Whether tokens of absent modalities are guessed from the others; see `Reconstruction`.
    """

    modalities: tuple[tuple[str, int], ...]
    width: int = 48
    window_s: float = 8.0
    hop: float = HOP
    dropout: float = 0.1
    reconstruct: bool = False

    def __post_init__(self) -> None:
        if self.width < 1:
            raise BadInput(f"width={self.width} must be at least 1")
        if round(self.window_s / self.hop) < 1:
            raise BadInput(f"window_s={self.window_s} must hold at least one hop of {self.hop} s")


@dataclass(frozen=True, eq=False)
class Fused:
    """Hold one representation made of all modalities that are present.

    Parameters
    ----------
    joint
        Shape (.., width).
    weight
        Share of each modality, shape (.., modalities); 0 where absent, at most 1 in sum.
    penalty
        What training is to minimise beside the loss of the estimate, a scalar; None for nothing.
    reconstructed
        Share of each modality that is absent and whose token was guessed; None without guessing.
    """

    joint: Tensor
    weight: Tensor
    penalty: Tensor | None = None
    reconstructed: Tensor | None = None


class Stepwise(FusionModel):
    """Encode, fuse at each step, remember by a GRU: a family only has to say how it fuses.

    Parameters
    ----------
    config
        What defines it.
    """

    def __init__(self, config: StepwiseConfig) -> None:
        super().__init__()
        self.config = config
        self.inputs = FeatureInputs(config.modalities)
        self.modalities = tuple(self.inputs.counts)
        self.window = round(config.window_s / config.hop)
        sizes, n = tuple(self.inputs.counts.values()), len(self.modalities)
        self.encode: nn.Module = nn.Sequential(
            PerModality(sizes, self.inputs.widest, config.width),
            nn.GELU(),
            PerModality((config.width,) * n, config.width, config.width),
        )
        self.token_norm: nn.Module = nn.LayerNorm(config.width)
        self.fused_norm: nn.Module = nn.LayerNorm(config.width)
        self.dropout = nn.Dropout(config.dropout)
        self.memory = nn.GRU(config.width, config.width, batch_first=True)
        self.head = GaussianHead(config.width)
        self.reconstruction = Reconstruction(n, config.width) if config.reconstruct else None

    def tokens(self, x: Mapping[Modality, Tensor], present: Tensor) -> tuple[Tensor, Tensor]:
        """Return what each modality says at each step; see `FusionModel.tokens`."""
        values, quality = self.inputs(x, present)
        return self.token_norm(self.encode(values)), quality

    def fuse(self, tokens: Tensor, quality: Tensor) -> Fused:
        """Fuse the modalities of each step.

        Parameters
        ----------
        tokens
            What each modality says, shape (.., modalities, width); meaningless where absent.
        quality
            Shape (.., modalities), 0 = absent.

        Returns
        -------
        Fused
            One representation of each step.
        """
        raise NotImplementedError

    def forward(self, x: Mapping[Modality, Tensor], present: Tensor) -> FusionOutput:
        """Estimate at every step of whole sequences; see `FusionModel.forward`."""
        fused, quality = self._fused(x, present)
        memory, _ = self.memory(fused.joint)
        mean, log_variance = self.head(fused.joint + memory, evidence(quality, self.window))
        return FusionOutput(
            mean, log_variance, fused.weight, fused.penalty, reconstructed=fused.reconstructed
        )

    def begin(self, batch: int = 1) -> State:
        """Return an empty memory and the age of inputs.

        Parameters
        ----------
        batch
            Number of sequences that are followed at once.

        Returns
        -------
        State
            Memory (batch, width) and ages (batch,).
        """
        like = self.head.prior_mean
        return like.new_zeros(batch, self.config.width), like.new_full((batch,), self.window)

    def step(
        self, x: Mapping[Modality, Tensor], present: Tensor, state: State
    ) -> tuple[FusionOutput, State]:
        """Estimate one step from and to a carried state; see `FusionModel.step`."""
        memory, age = state
        fused, quality = self._fused(x, present)
        memory = torch.gru_cell(fused.joint, memory, *self.memory.all_weights[0])
        age = next_age(quality, age, self.window)
        mean, log_variance = self.head(fused.joint + memory, fade(age, self.window))
        output = FusionOutput(mean, log_variance, fused.weight, reconstructed=fused.reconstructed)
        return output, (memory, age)

    def _fused(self, x: Mapping[Modality, Tensor], present: Tensor) -> tuple[Fused, Tensor]:
        tokens, quality = self.tokens(x, present)
        fused = self._fuse_all(tokens, quality)
        return replace(fused, joint=self.dropout(self.fused_norm(fused.joint))), quality

    def _fuse_all(self, tokens: Tensor, quality: Tensor) -> Fused:
        """Fuse the tokens, those of absent modalities guessed where the config says so."""
        if self.reconstruction is None:
            return self.fuse(tokens, quality)
        fused = self.fuse(*self.reconstruction.fill(tokens, quality))
        real = quality > 0
        penalty = fused.penalty
        if self.training:
            loss = self.reconstruction.loss(tokens, quality)
            penalty = loss if penalty is None else penalty + loss
        return Fused(fused.joint, fused.weight * real, penalty, fused.weight * ~real)


def masked_softmax(scores: Tensor, quality: Tensor) -> Tensor:
    """Return shares that are 0 where quality is 0 and sum to 1 where anything is present.

    Parameters
    ----------
    scores
        Shape (.., n), any numbers.
    quality
        In [0, 1], 0 = absent, (.., n); a lower one lowers the share.

    Returns
    -------
    Tensor
        In [0, 1], (.., n).

    Examples
    --------
    >>> masked_softmax(torch.zeros(3), torch.tensor([1.0, 0.0, 1.0])).tolist()
    [0.5, 0.0, 0.5]
    >>> masked_softmax(torch.zeros(2), torch.zeros(2)).tolist()
    [0.0, 0.0]
    """
    there = quality > 0
    # A finite floor instead of -inf: where nothing is present the softmax would be NaN.
    logits = torch.where(there, scores + torch.log(quality.clamp(min=1e-6)), -1e9)
    return logits.softmax(-1) * there
