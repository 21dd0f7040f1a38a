"""Columns for regressions: what is measured now, what it was lately, and what is missing."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
import torch
from torch import Tensor, nn

from biosense.core.types import Ints


class RunningColumns(nn.Module):
    """Put standardised features, running means of each, and bits of each modality side by side.

    A running mean holds still while its modality is absent, and starts at 0, the average. Nothing
    here is fitted.

    Parameters
    ----------
    sizes
        Number of features of each modality.
    means_s
        Time constants of the running means, seconds.
    hop
        Seconds between two steps.

    Attributes
    ----------
    features, count
        Number of features of all modalities, and of columns.
    """

    context: ClassVar[int] = 2  # bits of each modality: quality, presence
    _decay: Tensor
    _owner: Tensor
    _real: Tensor

    def __init__(self, sizes: tuple[int, ...], means_s: tuple[float, ...], hop: float) -> None:
        super().__init__()
        n, self.features = len(sizes), sum(sizes)
        self.count = self.features * (1 + len(means_s)) + self.context * n
        decay = torch.exp(-hop / torch.tensor(means_s, dtype=torch.float64))
        self.register_buffer("_decay", decay.float()[:, None], persistent=False)
        owner = torch.repeat_interleave(torch.arange(n), torch.tensor(sizes))
        self.register_buffer("_owner", owner, persistent=False)
        real = torch.arange(max(sizes)) < torch.tensor(sizes)[:, None]
        self.register_buffer("_real", real.flatten().nonzero()[:, 0], persistent=False)

    def owners(self) -> Ints:
        """Return the modality of each column.

        Returns
        -------
        Ints
            Its index, (columns,).
        """
        features, n = self._owner.numpy(), int(self._owner.max()) + 1
        bits = np.tile(np.arange(n), self.context)
        return np.concatenate([np.tile(features, 1 + len(self._decay)), bits])

    def begin(self, batch: int) -> Tensor:
        """Return the running means before the first step.

        Parameters
        ----------
        batch
            Number of sequences that are followed at once.

        Returns
        -------
        Tensor
            Zeros, (batch, means, features).
        """
        return self._decay.new_zeros(batch, len(self._decay), self.features)

    def step(self, values: Tensor, quality: Tensor, means: Tensor) -> tuple[Tensor, Tensor]:
        """Return the columns of a step.

        Parameters
        ----------
        values
            As of `FeatureInputs`, (batch, modalities, widest).
        quality
            Shape (batch, modalities).
        means
            Running means of the step before, (batch, means, features).

        Returns
        -------
        tuple of Tensor
            Columns (batch, columns), and the running means after this step.
        """
        features = self._flat(values)
        means = self._next(means, features, quality)
        return self._beside(features, means, quality), means

    def forward(self, values: Tensor, quality: Tensor) -> Tensor:
        """Return the columns of every step of whole sequences.

        Parameters
        ----------
        values
            As of `FeatureInputs`, (batch, time, modalities, widest).
        quality
            Shape (batch, time, modalities).

        Returns
        -------
        Tensor
            Shape (batch, time, columns).
        """
        features = self._flat(values)
        means, rows = self.begin(len(features)), []
        for t in range(features.shape[1]):
            means = self._next(means, features[:, t], quality[:, t])
            rows.append(means)
        return self._beside(features, torch.stack(rows, 1), quality)

    def _flat(self, values: Tensor) -> Tensor:
        """Return features without padding, (.., features)."""
        return values.flatten(-2)[..., self._real]

    def _next(self, means: Tensor, features: Tensor, quality: Tensor) -> Tensor:
        there = (quality > 0)[:, None, self._owner]
        now = features.unsqueeze(1)
        return torch.where(there, now + self._decay * (means - now), means)

    def _beside(self, features: Tensor, means: Tensor, quality: Tensor) -> Tensor:
        bits = (quality > 0).to(quality.dtype)
        return torch.cat((features, means.flatten(-2), quality, bits), -1)
