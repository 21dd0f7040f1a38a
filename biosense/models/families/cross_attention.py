"""Causal cross-attention fusion: the present asks what each modality said in the last seconds."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from biosense.core.errors import BadInput
from biosense.core.grid import HOP
from biosense.core.types import Modality
from biosense.models.base import FusionModel, FusionOutput, State
from biosense.models.layers.evidence import evidence, fade, next_age
from biosense.models.layers.feature_inputs import FeatureInputs
from biosense.models.layers.gaussian_head import GaussianHead
from biosense.models.layers.per_modality import PerModality

BLOCK = 16  # queries computed together: less wastes fewer keys out of reach but copies more
PERIODS_S = (2.0, 4.0, 8.0, 16.0, 32.0)  # of the relative-time code: from a blink to an SCR


@dataclass(frozen=True)
class CrossAttentionConfig:
    """Hold what defines a `CrossAttention` besides its weights; serialisable as JSON.

    Parameters
    ----------
    modalities
        (name, number of features) of each modality, in the order of `present`.
    width
        Size of tokens and of the memory; a multiple of `heads`.
    heads
        Attention heads.
    window_s
        How far back attention sees, seconds. Whatever lasts longer is the recurrent memory's.
    hop
        Seconds between two steps.
    dropout
        Share of the fused token's elements that training drops.
    """

    modalities: tuple[tuple[str, int], ...]
    width: int = 48
    heads: int = 4
    window_s: float = 8.0
    hop: float = HOP
    dropout: float = 0.1

    def __post_init__(self) -> None:
        if self.heads < 1 or self.width % self.heads:
            raise BadInput(f"width={self.width} must be a multiple of heads={self.heads}")
        if round(self.window_s / self.hop) < 1:
            raise BadInput(f"window_s={self.window_s} must hold at least one hop of {self.hop} s")


class CrossAttention(FusionModel):
    """Fuse modalities by attention over their last seconds, remember by a GRU.

    Each modality's features become one token a step. At each step a query, made of what the present
    tokens say, attends to the tokens of all modalities within the window. A logit is the product of
    query and key, plus a learned function of the time between them (of each head and modality),
    plus the logarithm of the quality: a worthless token is masked. One learned null key and value
    per modality is always visible, so that attention is defined when nothing is there; attention on
    null keys counts as not carried by any modality.

    Whole sequences are computed in blocks of queries that see the keys within their reach only,
    which costs O(time) instead of O(time^2). Streaming keeps the keys and
    values of the last window. The family is that of [1]_ and
    [2]_; the masks from time, the null keys and the fallback to a prior are ours.

    Parameters
    ----------
    config
        What defines it.

    References
    ----------
    .. [1] Tsai, Bai, Liang, Kolter, Morency, Salakhutdinov (2019). Multimodal transformer for
           unaligned multimodal language sequences. ACL, arXiv:1906.00295.
    .. [2] Nagrani, Yang, Arnab, Jansen, Schmid, Sun (2021). Attention bottlenecks for multimodal
           fusion. NeurIPS, arXiv:2107.00135.

    Examples
    --------
    >>> model = CrossAttention(CrossAttentionConfig((("eda", 2), ("ecg", 3)))).eval()
    >>> state = model.begin()
    >>> x = {Modality.EDA: torch.zeros(1, 2), Modality.ECG: torch.zeros(1, 3)}
    >>> output, state = model.step(x, torch.tensor([[1.0, 0.0]]), state)
    >>> output.mean.shape, bool(output.weight[0, 1] == 0)
    (torch.Size([1, 2]), True)
    """

    def __init__(self, config: CrossAttentionConfig) -> None:
        super().__init__()
        self.config = config
        self.inputs = FeatureInputs(config.modalities)
        self.modalities = tuple(self.inputs.counts)
        self.window = round(config.window_s / config.hop)
        sizes, width, n = tuple(self.inputs.counts.values()), config.width, len(self.modalities)
        # The second map's constant is the modality embedding: it differs by modality.
        self.encode = nn.Sequential(
            PerModality(sizes, self.inputs.widest, width),
            nn.GELU(),
            PerModality((width,) * n, width, width),
        )
        self.embedding = nn.Parameter(torch.randn(n, width) * 0.2)
        self.token_norm = nn.LayerNorm(width)
        self.to_key_value = nn.Linear(width, 2 * width)
        self.to_query = nn.Linear(width, width)
        self.null = nn.Parameter(torch.randn(config.heads, n, 2 * width // config.heads) * 0.2)
        self.time_bias = nn.Linear(2 * len(PERIODS_S), config.heads * n, bias=False)
        self.out = nn.Linear(width, width)
        self.fused_norm = nn.LayerNorm(width)
        self.dropout = nn.Dropout(config.dropout)
        self.memory = nn.GRU(width, width, batch_first=True)
        self.head = GaussianHead(width)
        self.register_buffer("_time_code", _time_code(self.window, config.hop), persistent=False)

    _time_code: Tensor

    def forward(self, x: Mapping[Modality, Tensor], present: Tensor) -> FusionOutput:
        """Estimate at every step of whole sequences; see `FusionModel.forward`."""
        tokens, quality = self.tokens(x, present)  # (batch, time, modalities, width)
        now = _weighted_mean(tokens, quality)  # (batch, time, width)
        attended, weight = self._attend_blocks(now, tokens, quality)
        fused = self.dropout(self.fused_norm(now + self.out(attended)))
        memory, _ = self.memory(fused)  # (batch, time, width)
        mean, log_variance = self.head(fused + memory, evidence(quality, self.window))
        return FusionOutput(mean, log_variance, weight)

    def begin(self, batch: int = 1) -> State:
        """Return keys, values and log-quality of an empty window, the memory, the age of inputs.

        Parameters
        ----------
        batch
            Number of sequences that are followed at once.

        Returns
        -------
        State
            Window (batch, heads, window, modalities, 2 width / heads), its log-quality (batch,
            window, modalities), memory (batch, width) and ages (batch,).
        """
        n, heads, width = len(self.modalities), self.config.heads, self.config.width
        like = self.null.detach()
        window = like.new_zeros(batch, heads, self.window, n, 2 * width // heads)
        bias = like.new_full((batch, self.window, n), -torch.inf)
        memory, age = like.new_zeros(batch, width), like.new_full((batch,), self.window)
        return window, bias, memory, age

    def step(
        self, x: Mapping[Modality, Tensor], present: Tensor, state: State
    ) -> tuple[FusionOutput, State]:
        """Estimate one step from and to a carried state; see `FusionModel.step`."""
        window, bias, memory, age = state
        tokens, quality = self.tokens(x, present)  # (batch, modalities, width)
        now = _weighted_mean(tokens, quality)  # (batch, width)
        new = self._heads(self.to_key_value(tokens)).transpose(1, 2)  # (batch, heads, mod, 2 size)
        window = torch.cat((window[:, :, 1:], new.unsqueeze(2)), 2)
        bias = torch.cat((bias[:, 1:], torch.log(quality).unsqueeze(1)), 1)
        query = self._heads(self.to_query(now)).unsqueeze(2)  # (batch, heads, 1, size)
        # The window is kept oldest first, lags count from the newest.
        lag_bias = self._lag_bias().flip(1).flatten(1).unsqueeze(1)
        attended, weight = self._attend(
            query, window.flatten(2, 3), bias.flatten(1)[:, None, None], lag_bias
        )
        fused = self.fused_norm(now + self.out(attended.flatten(1)))
        memory = torch.gru_cell(fused, memory, *self.memory.all_weights[0])
        age = next_age(quality, age, self.window)
        mean, log_variance = self.head(fused + memory, fade(age, self.window))
        return FusionOutput(mean, log_variance, weight[:, 0]), (window, bias, memory, age)

    def tokens(self, x: Mapping[Modality, Tensor], present: Tensor) -> tuple[Tensor, Tensor]:
        """Return what each modality says at each step; see `FusionModel.tokens`."""
        values, quality = self.inputs(x, present)
        return self.token_norm(self.encode(values) + self.embedding), quality

    def _heads(self, x: Tensor) -> Tensor:
        """Split (.., size) into heads. Keys and values of one head lie side by side."""
        return torch.unflatten(x, -1, (self.config.heads, -1))

    def _lag_bias(self) -> Tensor:
        """Return the logit of each lag, (heads, window, modalities)."""
        bias: Tensor = self.time_bias(self._time_code)
        return torch.unflatten(bias, 1, (self.config.heads, -1)).transpose(0, 1)

    def _attend(
        self, query: Tensor, pairs: Tensor, token_bias: Tensor, lag_bias: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Attend to window tokens and null tokens.

        Query (.., heads, n, size), keys and values side by side (.., heads, k * modalities,
        2 size); the biases broadcast to (.., heads, n, k * modalities). Returns
        (.., heads, n, size) and the weights on window tokens (.., n, modalities).
        """
        n = len(self.modalities)
        null = self.null.expand(*pairs.shape[:-3], -1, -1, -1)
        key, value = torch.cat((pairs, null), -2).chunk(2, -1)
        logits = (query * query.shape[-1] ** -0.5) @ key.transpose(-1, -2)
        logits = logits + functional.pad(token_bias, (0, n)) + functional.pad(lag_bias, (0, n))
        share = logits.softmax(-1)
        carried = share[..., :-n].reshape(*share.shape[:-1], -1, n)
        return share @ value, carried.sum(-2).mean(-3)

    def _attend_blocks(self, now: Tensor, tokens: Tensor, quality: Tensor) -> tuple[Tensor, Tensor]:
        """Attend at every step of whole sequences, one block of queries at a time."""
        batch, time, _ = now.shape
        query = functional.pad(self._heads(self.to_query(now)), (0, 0, 0, 0, 0, -time % BLOCK))
        # (batch, blocks, heads, BLOCK, size)
        query = torch.unflatten(query, 1, (-1, BLOCK)).transpose(2, 3)
        pairs = self._heads(self.to_key_value(tokens))  # (b, time, modalities, heads, 2 size)
        pairs = self._in_reach(pairs, 0.0).flatten(2, 3).transpose(2, 3)
        bias = self._in_reach(torch.log(quality), -torch.inf)
        bias = bias.flatten(2)[:, :, None, None]  # (b, blocks, 1, 1, reach * modalities)
        attended, weight = self._attend(query, pairs, bias, self._block_bias())
        attended = attended.transpose(2, 3).reshape(batch, -1, self.config.width)
        return attended[:, :time], weight.flatten(1, 2)[:, :time]

    def _in_reach(self, x: Tensor, fill: float) -> Tensor:
        """Cut (b, time, ..) into what each block of queries may see, (b, blocks, reach, ..)."""
        sides = (0, 0) * (x.ndim - 2) + (self.window, -x.shape[1] % BLOCK)
        padded = functional.pad(x, sides, value=fill)
        return padded.unfold(1, self.window + BLOCK, BLOCK).movedim(-1, 2)

    def _block_bias(self) -> Tensor:
        """Return the logit of key j for query i of a block, (heads, BLOCK, reach * modalities)."""
        device = self._time_code.device
        query, key = (
            torch.arange(BLOCK, device=device),
            torch.arange(-self.window, BLOCK, device=device),
        )
        lag = query[:, None] - key
        visible = (lag >= 0) & (lag < self.window)
        bias = self._lag_bias()[:, lag.clamp(0, self.window - 1)]  # (heads, BLOCK, reach, mod)
        return torch.where(visible.unsqueeze(-1), bias, -torch.inf).flatten(2)


def _time_code(window: int, hop: float) -> Tensor:
    """Return sines and cosines of each lag in seconds, (window, 2 * periods)."""
    phase = 2 * math.pi * hop * torch.arange(window)[:, None] / torch.tensor(PERIODS_S)
    return torch.cat((phase.sin(), phase.cos()), 1)


def _weighted_mean(tokens: Tensor, quality: Tensor) -> Tensor:
    """Average tokens (.., modalities, width) by quality; 0 where nothing is present."""
    total = quality.sum(-1, keepdim=True)
    share = quality / torch.where(total > 0, total, 1.0)
    return (share.unsqueeze(-2) @ tokens).squeeze(-2)
