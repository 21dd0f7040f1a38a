"""How far an estimate rests on what was measured: it fades while nothing is."""

from __future__ import annotations

import torch
from torch import Tensor


def evidence(quality: Tensor, window: int) -> Tensor:
    """Say how far each step rests on inputs: 1 with any modality present, fading to 0 without.

    Parameters
    ----------
    quality
        Shape (batch, time, modalities).
    window
        Steps without any modality after which nothing is left.

    Returns
    -------
    Tensor
        In [0, 1], shape (batch, time).

    Examples
    --------
    >>> evidence(torch.tensor([[[0.0], [0.9], [0.0], [0.0], [0.0]]]), 2)
    tensor([[0.0000, 1.0000, 0.5000, 0.0000, 0.0000]])
    """
    steps = torch.arange(quality.shape[1], device=quality.device)
    seen = (quality > 0).any(-1)
    newest = torch.where(seen, steps, -window).cummax(1).values
    return fade(steps - newest, window)


def fade(age: Tensor, window: int) -> Tensor:
    """Return the evidence that is left some steps after the last input.

    Parameters
    ----------
    age
        Steps, any shape.
    window
        Steps after which nothing is left.

    Returns
    -------
    Tensor
        In [0, 1], of the same shape.
    """
    return (1 - age / window).clamp(0, 1)


def next_age(quality: Tensor, age: Tensor, window: int) -> Tensor:
    """Return the steps since any modality was present, one step later.

    Parameters
    ----------
    quality
        Of this step, (batch, modalities).
    age
        Before this step, (batch,).
    window
        Steps above which nobody counts.

    Returns
    -------
    Tensor
        Shape (batch,), never above `window`.
    """
    return torch.where((quality > 0).any(-1), torch.zeros_like(age), (age + 1).clamp(max=window))
