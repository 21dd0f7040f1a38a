"""What each modality adds to an estimate: Shapley values, followed along a stream.

A weight says what a model looked at. A contribution says by how much the estimate would be another
one without it, and all of them add up to the estimate.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

import numpy as np
import torch
from torch import Tensor

from biosense.core.types import Floats, Modality
from biosense.models.base import FusionModel, State


@dataclass(frozen=True)
class Contributions:
    """Hold how much each modality moved one estimate away from the prior.

    They sum to the estimate minus `prior`. A modality that is absent now still contributes while
    the model remembers it.

    Parameters
    ----------
    valence, arousal
        By modality, on the scale of the estimate.
    prior
        Valence and arousal that the model says without any input.
    """

    valence: Mapping[Modality, float]
    arousal: Mapping[Modality, float]
    prior: tuple[float, float]


class StreamingShapley:
    """Follow a stream with every subset of modalities at once: 2^V passes as one batch of a step.

    The value of a subset is the estimate of a model that has never seen any other modality, state
    included; that of the empty one is the prior. The Shapley value of a modality is what it adds to
    a subset, averaged over all orders in which modalities could be added; over all modalities they
    sum to the estimate minus the prior, exactly [1]_.

    V counts the modalities that have been present so far: a new one doubles the batch, and its half
    starts from the states that have not seen it yet.

    Parameters
    ----------
    model
        In evaluation mode.

    References
    ----------
    .. [1] Shapley (1953). A value for n-person games. Contributions to the theory of games 2.

    Examples
    --------
    >>> from biosense.models.registry import build_model
    >>> model = build_model("gated", {"modalities": (("eda", 1), ("ecg", 2))}).eval()
    >>> x = {Modality.EDA: torch.ones(1, 1), Modality.ECG: torch.ones(1, 2)}
    >>> said = StreamingShapley(model).push(x, torch.ones(1, 2))
    >>> whole = model.step(x, torch.ones(1, 2), model.begin())[0].mean[0, 0].item()
    >>> bool(abs(sum(said.valence.values()) - whole) < 1e-6)
    True
    """

    def __init__(self, model: FusionModel) -> None:
        self._model = model
        self._state: State = ()
        self._seen: list[int] = []
        self.reset()

    def reset(self) -> None:
        """Forget everything, as before the first step."""
        self._state = self._model.begin(1)
        self._seen = []
        self._set_subsets()

    def push(self, x: Mapping[Modality, Tensor], present: Tensor) -> Contributions:
        """Take one step of one sequence.

        Parameters
        ----------
        x
            Features of each modality, (1, features).
        present
            Quality in [0, 1], 0 = absent, (1, modalities).

        Returns
        -------
        Contributions
            Of the estimate of this step.
        """
        for column in torch.nonzero(present[0] > 0)[:, 0].tolist():
            if column not in self._seen:
                self._seen.append(column)
                self._state = tuple(torch.cat((part, part)) for part in self._state)
                self._set_subsets()
        rows = {modality: row.expand(len(self._masks), -1) for modality, row in x.items()}
        with torch.inference_mode():
            output, self._state = self._model.step(rows, present * self._masks, self._state)
        values = output.mean.double()
        valence, arousal = (self._weights @ values).T.tolist()
        prior_valence, prior_arousal = values[0].tolist()
        return Contributions(
            dict(zip(self._model.modalities, valence, strict=True)),
            dict(zip(self._model.modalities, arousal, strict=True)),
            (prior_valence, prior_arousal),
        )

    def _set_subsets(self) -> None:
        """Make masks (2^seen, modalities) and weights (modalities, 2^seen) of what was seen."""
        n, seen = len(self._model.modalities), len(self._seen)
        self._masks = torch.zeros(2**seen, n)
        self._masks[:, self._seen] = torch.from_numpy(subsets(seen)).float()
        self._weights = torch.zeros(n, 2**seen, dtype=torch.float64)
        self._weights[self._seen] = torch.from_numpy(shapley_matrix(seen))


@cache
def subsets(n: int) -> Floats:
    """Return all subsets of some parts: the empty one first, the whole one last.

    Parameters
    ----------
    n
        Number of parts.

    Returns
    -------
    Floats
        Membership, 0 or 1, (2^n, n).
    """
    return (np.arange(2**n)[:, None] >> np.arange(n) & 1).astype(np.float64)


@cache
def shapley_matrix(n: int) -> Floats:
    """Return what maps the values of all subsets to Shapley values.

    Parameters
    ----------
    n
        Number of parts.

    Returns
    -------
    Floats
        Shape (n, 2^n), columns in the order of `subsets`.

    Examples
    --------
    >>> shapley_matrix(1)
    array([[-1.,  1.]])
    """
    masks = subsets(n)
    sizes = masks.sum(1).astype(int)
    matrix = np.zeros((n, 2**n))
    for row, mask in enumerate(masks.astype(bool)):
        size = int(sizes[row])
        for part in range(n):
            others = size - 1 if mask[part] else size
            share = math.factorial(others) * math.factorial(n - others - 1) / math.factorial(n)
            matrix[part, row] = share if mask[part] else -share
    return matrix
