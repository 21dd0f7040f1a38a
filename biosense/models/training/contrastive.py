"""Windows of several modalities against each other: which belong together, told by InfoNCE."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import torch
from torch import Tensor, nn


@dataclass(frozen=True, eq=False)
class Windows:
    """Hold windows of several sequences, one after the other.

    Parameters
    ----------
    views
        Projections, (n, modalities, size).
    present
        Which modalities are there, (n, modalities), boolean.
    sequence, subject
        Numbers of the sequence and the person whom a window is of, (n,).
    time
        Within its sequence, seconds, (n,).
    """

    views: Tensor
    present: Tensor
    sequence: Tensor
    subject: Tensor
    time: Tensor


def contrastive_loss(windows: Windows, temperature: float, apart: float) -> Tensor:
    """Return InfoNCE [1]_ over all ordered pairs of modalities and both pools of negatives.

    Parameters
    ----------
    windows
        Of a batch.
    temperature
        By which similarities are divided.
    apart
        Seconds between a window and its nearest negative of the same sequence.

    Returns
    -------
    Tensor
        Scalar; 0, with a gradient of zero, where nothing can be compared.

    References
    ----------
    .. [1] Van den Oord, Li, Vinyals (2018). Representation learning with contrastive predictive
           coding. arXiv:1807.03748.
    """
    views = nn.functional.normalize(windows.views, dim=-1)
    losses = []
    for i, j in itertools.permutations(range(views.shape[1]), 2):
        both = windows.present[:, i] & windows.present[:, j]
        similar = views[:, i] @ views[:, j].T / temperature
        for pool in _pools(windows, apart):
            allowed = pool & both[:, None] & both
            usable = both & allowed.any(1)
            if usable.any():
                own = similar.diagonal()
                others = torch.where(allowed, similar, -1e9)
                losses.append(
                    (torch.logsumexp(torch.cat((own[:, None], others), 1), 1) - own)[usable].mean()
                )
    return torch.stack(losses).mean() if losses else windows.views.sum() * 0.0


def found_again(windows: Windows, apart: float) -> tuple[float, float]:
    """Say how often a window's nearest counterpart is its own, among windows of the same subject.

    Parameters
    ----------
    windows
        Of people who were not trained on, for an honest answer.
    apart
        Seconds between a window and its nearest rival of the same sequence.

    Returns
    -------
    tuple of float
        Share of right answers over all windows and ordered pairs of modalities, and the share that
        guessing would reach.
    """
    views = nn.functional.normalize(windows.views, dim=-1)
    _, within = _pools(windows, apart)
    right, chance = [], []
    for i, j in itertools.permutations(range(views.shape[1]), 2):
        both = windows.present[:, i] & windows.present[:, j]
        allowed = within & both[:, None] & both
        similar = views[:, i] @ views[:, j].T
        best = torch.where(allowed, similar, -2.0).amax(1)
        usable = both & allowed.any(1)
        right.append((similar.diagonal() > best)[usable].float())
        chance.append(1 / (1 + allowed.sum(1)[usable]))
    return float(torch.cat(right).mean()), float(torch.cat(chance).mean())


def _pools(windows: Windows, apart: float) -> tuple[Tensor, Tensor]:
    """Return which windows are negatives of which, (n, n): other sequences; the same subject."""
    other = windows.sequence[:, None] != windows.sequence
    far = (windows.time[:, None] - windows.time).abs() >= apart - 1e-6
    return other, (windows.subject[:, None] == windows.subject) & (other | far)
