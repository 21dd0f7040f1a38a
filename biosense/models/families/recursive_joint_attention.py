"""Recursive joint attention: each modality attends, again and again, to all of them together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from biosense.core.errors import BadInput
from biosense.core.types import Modality
from biosense.models.base import FusionOutput, State
from biosense.models.families.stepwise import Stepwise, StepwiseConfig, masked_softmax
from biosense.models.layers.evidence import evidence, fade, next_age
from biosense.models.layers.per_modality import PerModality
from biosense.models.layers.reconstruction import refuse_reconstruction

BLOCK = 16  # queries that share one set of keys; a compromise of memory and calls


@dataclass(frozen=True)
class RecursiveJointAttentionConfig(StepwiseConfig):
    """Hold what defines a `RecursiveJointAttention` besides its weights.

    Parameters
    ----------
    recursions
        How often attended features are fed back; 0 leaves plain concatenation.
    """

    recursions: int = 2

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.recursions < 0:
            raise BadInput(f"recursions={self.recursions} must be at least 0")


class RecursiveJointAttention(Stepwise):
    """Correlate each modality with the joint representation of the last seconds, recursively.

    The joint representation of a step is a linear map of all tokens; the affinity of a modality at
    t with step s is tanh(x' W j / sqrt(d)); what it gathers is added to its token, and the result
    is the token of the next recursion, with the same weights [1]_. Ours
    differs in what live use demands: affinities reach back only, over `window_s`; absent modalities
    are left out of the joint representation, which is scaled by how many are there; tokens are
    normalised after each recursion, so that tanh does not saturate.

    Parameters
    ----------
    config
        What defines it.

    References
    ----------
    .. [1] Praveen, Alam (2024). Recursive joint cross-modal attention for multimodal fusion in
           dimensional emotion recognition. CVPR workshop, arXiv:2403.13659.

    Examples
    --------
    >>> model = RecursiveJointAttention(RecursiveJointAttentionConfig((("eda", 2), ("ecg", 3))))
    >>> x = {Modality.EDA: torch.zeros(1, 5, 2), Modality.ECG: torch.zeros(1, 5, 3)}
    >>> model(x, torch.ones(1, 5, 2)).mean.shape
    torch.Size([1, 5, 2])
    """

    config: RecursiveJointAttentionConfig

    def __init__(self, config: RecursiveJointAttentionConfig) -> None:
        refuse_reconstruction(type(self).__name__, config.reconstruct)
        super().__init__(config)
        n, width = len(self.modalities), config.width
        self.join = PerModality((width,) * n, width, width, bias=False)
        self.score = nn.Linear(width, 1)
        if config.recursions:
            self.query = PerModality((width,) * n, width, width, bias=False)
            self.keep = PerModality((width,) * n, width, width)
            self.gather = nn.Linear(width, width, bias=False)
            self.again_norm = nn.LayerNorm(width)

    def forward(self, x: Mapping[Modality, Tensor], present: Tensor) -> FusionOutput:
        """Estimate at every step of whole sequences; see `FusionModel.forward`."""
        tokens, quality = self.tokens(x, present)  # (batch, time, modalities, width)
        heard = (quality > 0).any(-1).to(tokens.dtype)
        for _ in range(self.config.recursions):
            joint = self._joint(tokens, quality)
            keys, there = self._in_reach(joint), self._in_reach(heard.unsqueeze(-1)).squeeze(-1)
            tokens = self._again(tokens, self._attend_blocks(tokens, keys, there))
        fused, weight = self._fuse_last(tokens, quality)
        memory, _ = self.memory(fused)
        mean, log_variance = self.head(fused + memory, evidence(quality, self.window))
        return FusionOutput(mean, log_variance, weight)

    def begin(self, batch: int = 1) -> State:
        """Return the joint representations of an empty window, the memory, the age of inputs.

        Parameters
        ----------
        batch
            Number of sequences that are followed at once.

        Returns
        -------
        State
            Window (batch, recursions, window, width), its presence (batch, window), memory (batch,
            width) and ages (batch,).
        """
        memory, age = super().begin(batch)
        deep, width = self.config.recursions, self.config.width
        window = memory.new_zeros(batch, deep, self.window, width)
        return window, memory.new_zeros(batch, self.window), memory, age

    def step(
        self, x: Mapping[Modality, Tensor], present: Tensor, state: State
    ) -> tuple[FusionOutput, State]:
        """Estimate one step from and to a carried state; see `FusionModel.step`."""
        window, there, memory, age = state
        tokens, quality = self.tokens(x, present)  # (batch, modalities, width)
        heard = (quality > 0).any(-1).to(tokens.dtype)
        there = torch.cat((there[:, 1:], heard[:, None]), 1)
        rows = []
        for level in range(self.config.recursions):
            joint = self._joint(tokens, quality)
            rows.append(torch.cat((window[:, level, 1:], joint[:, None]), 1))
            tokens = self._again(tokens, self._attend(self.query(tokens), rows[-1], there[:, None]))
        window = torch.stack(rows, 1) if rows else window
        fused, weight = self._fuse_last(tokens, quality)
        memory = torch.gru_cell(fused, memory, *self.memory.all_weights[0])
        age = next_age(quality, age, self.window)
        mean, log_variance = self.head(fused + memory, fade(age, self.window))
        return FusionOutput(mean, log_variance, weight), (window, there, memory, age)

    def _joint(self, tokens: Tensor, quality: Tensor) -> Tensor:
        """Return the joint representation (.., width); 0 where nothing is present."""
        there = (quality > 0).to(tokens.dtype)
        terms = self.join(tokens) * there.unsqueeze(-1)
        joint: Tensor = terms.sum(-2) / there.sum(-1, keepdim=True).clamp(min=1)
        return joint

    def _again(self, tokens: Tensor, gathered: Tensor) -> Tensor:
        moved = functional.relu(self.keep(tokens) + self.gather(gathered))
        normed: Tensor = self.again_norm(tokens + moved)
        return normed

    def _attend(self, query: Tensor, keys: Tensor, visible: Tensor) -> Tensor:
        """Gather keys (.., k, width) by affinity with queries (.., n, width).

        `visible`, 0 or 1, broadcasts to (.., n, k).
        """
        affinity = torch.tanh(query @ keys.transpose(-1, -2) * query.shape[-1] ** -0.5) * visible
        return affinity @ keys / visible.sum(-1, keepdim=True).clamp(min=1)

    def _fuse_last(self, tokens: Tensor, quality: Tensor) -> tuple[Tensor, Tensor]:
        weight = masked_softmax(self.score(tokens).squeeze(-1), quality)
        fused = (weight.unsqueeze(-2) @ tokens).squeeze(-2) + self._joint(tokens, quality)
        return self.dropout(self.fused_norm(fused)), weight

    def _attend_blocks(self, tokens: Tensor, keys: Tensor, there: Tensor) -> Tensor:
        """Attend at every step of whole sequences, one block of queries at a time."""
        batch, time, n, width = tokens.shape
        query = functional.pad(self.query(tokens), (0, 0, 0, 0, 0, -time % BLOCK))
        query = query.reshape(batch, -1, BLOCK * n, width)
        ages = torch.arange(BLOCK)[:, None] - torch.arange(-self.window, BLOCK)
        in_window = ((ages >= 0) & (ages < self.window)).repeat_interleave(n, 0).to(tokens)
        gathered = self._attend(query, keys, in_window * there.unsqueeze(-2))
        return gathered.reshape(batch, -1, n, width)[:, :time]

    def _in_reach(self, x: Tensor) -> Tensor:
        """Cut (batch, time, ..) into what each block of queries may see, (b, blocks, reach, ..)."""
        padded = functional.pad(x, (0, 0, self.window, -x.shape[1] % BLOCK))
        return padded.unfold(1, self.window + BLOCK, BLOCK).movedim(-1, 2)
