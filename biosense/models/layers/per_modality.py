"""A linear map of its own for each modality, all of them in one operation."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class PerModality(nn.Module):
    """Apply a linear map of its own to each modality, all of them in one operation.

    Parameters
    ----------
    sizes
        Inputs of each modality that are not padding: they set the scale of its initial weights.
    widest
        Inputs, padding included.
    out
        Outputs.
    bias
        Whether to add a learned constant.
    """

    def __init__(self, sizes: tuple[int, ...], widest: int, out: int, *, bias: bool = True) -> None:
        super().__init__()
        bound = torch.tensor(sizes).rsqrt()[:, None, None]
        self.weight = nn.Parameter((2 * torch.rand(len(sizes), widest, out) - 1) * bound)
        self.bias = nn.Parameter(torch.zeros(len(sizes), out)) if bias else None

    def forward(self, x: Tensor) -> Tensor:
        """Map each modality by weights of its own.

        Parameters
        ----------
        x
            Shape (.., modalities, widest).

        Returns
        -------
        Tensor
            Shape (.., modalities, out).
        """
        rows = x.flatten(0, -3).transpose(0, 1)  # (modalities, n, widest)
        mapped = torch.bmm(rows, self.weight).transpose(0, 1).reshape(*x.shape[:-1], -1)
        return mapped if self.bias is None else mapped + self.bias
