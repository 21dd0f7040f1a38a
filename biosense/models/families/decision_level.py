"""Decision-level fusion: a model for each modality, and their estimates combined."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from biosense.core.types import Modality
from biosense.models.base import FusionModel, FusionOutput, State
from biosense.models.families.stepwise import StepwiseConfig
from biosense.models.layers.evidence import fade
from biosense.models.layers.feature_inputs import FeatureInputs
from biosense.models.layers.gaussian_head import PriorBlend, bounded, initial_spread
from biosense.models.layers.per_modality import PerModality
from biosense.models.layers.reconstruction import refuse_reconstruction


class DecisionLevel(FusionModel):
    """Estimate from each modality alone, then combine: a family only has to say how.

    A modality's evidence is 1 while it is present and fades to 0 over the window once it is not, so
    that its last estimate is not held for ever. In training each modality's estimate is scored by
    itself; a modality that is left out changes nothing but its weight.

    Parameters
    ----------
    config
        What defines it.
    """

    def __init__(self, config: StepwiseConfig) -> None:
        super().__init__()
        refuse_reconstruction(type(self).__name__, config.reconstruct)
        self.config = config
        self.inputs = FeatureInputs(config.modalities)
        self.modalities = tuple(self.inputs.counts)
        self.window = round(config.window_s / config.hop)
        sizes, n, width = tuple(self.inputs.counts.values()), len(self.modalities), config.width
        self.encode = nn.Sequential(
            PerModality(sizes, self.inputs.widest, width), nn.GELU(), nn.Dropout(config.dropout)
        )
        self.memories = nn.ModuleList(nn.GRU(width, width, batch_first=True) for _ in range(n))
        self.mean = PerModality((width,) * n, width, 2)
        self.spread = PerModality((width,) * n, width, 2)
        assert self.spread.bias is not None
        nn.init.constant_(self.spread.bias, initial_spread())
        self.head = PriorBlend()

    def combine(
        self, mean: Tensor, log_variance: Tensor, evidence: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Combine the estimates of the modalities.

        Parameters
        ----------
        mean, log_variance
            Of each modality, shape (.., modalities, 2); meaningless without evidence.
        evidence
            Of each modality, in [0, 1], shape (.., modalities).

        Returns
        -------
        tuple
            Mean and log-variance (.., 2), blended with the prior, and weights (.., modalities).
        """
        raise NotImplementedError

    def forward(self, x: Mapping[Modality, Tensor], present: Tensor) -> FusionOutput:
        """Estimate at every step of whole sequences; see `FusionModel.forward`."""
        values, quality = self.inputs(x, present)
        tokens = self.encode(values)  # (batch, time, modalities, width)
        memory = [gru(tokens[..., k, :])[0] for k, gru in enumerate(self.memories)]
        mean, log_variance = self._estimates(tokens, torch.stack(memory, -2))
        evidence = fade(self._ages(quality), self.window)
        combined = self.combine(mean, log_variance, evidence)
        said = self._each(mean, log_variance, evidence) if self.training else ()
        return FusionOutput(*combined, unimodal=said)

    def read_out(self) -> tuple[Tensor, Tensor]:
        """Return the last map of all modalities; see `FusionModel.read_out`."""
        assert self.mean.bias is not None
        return self.mean.weight.data, self.mean.bias.data

    def begin(self, batch: int = 1) -> State:
        """Return empty memories, and the age of each modality.

        Parameters
        ----------
        batch
            Number of sequences that are followed at once.

        Returns
        -------
        State
            Memories (batch, modalities, width) and ages (batch, modalities).
        """
        like, n = self.head.prior_mean, len(self.modalities)
        memory = like.new_zeros(batch, n, self.config.width)
        return memory, like.new_full((batch, n), self.window)

    def step(
        self, x: Mapping[Modality, Tensor], present: Tensor, state: State
    ) -> tuple[FusionOutput, State]:
        """Estimate one step from and to a carried state; see `FusionModel.step`."""
        memory, age = state
        values, quality = self.inputs(x, present)
        tokens = self.encode(values)
        cells = [
            torch.gru_cell(tokens[:, k], memory[:, k], *gru.all_weights[0])  # type: ignore[index]
            for k, gru in enumerate(self.memories)
        ]
        memory = torch.stack(cells, 1)
        age = torch.where(quality > 0, torch.zeros_like(age), (age + 1).clamp(max=self.window))
        mean, log_variance = self._estimates(tokens, memory)
        combined = self.combine(mean, log_variance, fade(age, self.window))
        return FusionOutput(*combined), (memory, age)

    def _estimates(self, tokens: Tensor, memory: Tensor) -> tuple[Tensor, Tensor]:
        hidden = tokens + memory
        return bounded(self.mean(hidden), self.spread(hidden))

    def _ages(self, quality: Tensor) -> Tensor:
        """Return the steps since each modality was present, (batch, time, modalities)."""
        steps = torch.arange(quality.shape[1], device=quality.device)[:, None]
        newest = torch.where(quality > 0, steps, -self.window).cummax(1).values
        return (steps - newest).clamp(max=self.window)

    def _each(
        self, mean: Tensor, log_variance: Tensor, evidence: Tensor
    ) -> tuple[FusionOutput, ...]:
        """Return the estimate of each modality as an output of its own, blended with the prior."""
        said = []
        for k in range(len(self.modalities)):
            own = self.head.blend(mean[..., k, :], log_variance[..., k, :], evidence[..., k])
            said.append(FusionOutput(*own, evidence[..., k : k + 1]))
        return tuple(said)
