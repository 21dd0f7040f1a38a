"""The least-squares problems behind `personalise`: gain and offset, and the last layer."""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy

import numpy as np
import torch
from torch import Tensor, nn

from biosense.core.affect import TARGETS
from biosense.core.errors import BadInput
from biosense.core.types import Floats
from biosense.models.base import FusionModel
from biosense.models.evaluation.evaluate import predict
from biosense.models.sequences import LabelledSequence

_ROUNDS = 4  # of Gauss-Newton: the problem is nearly linear
_NUDGE = 1e-2  # of the finite differences; float32 bears no smaller one
_MOST_GAIN = 2.0


def movable(model: FusionModel, *, head: bool = False) -> tuple[Tensor, Tensor]:
    """Return what is moved of a model; see `FusionModel.read_out`.

    Parameters
    ----------
    model
        Of any family.
    head
        Whether the weights of one last layer are to be moved, too.

    Returns
    -------
    tuple of Tensor
        Weight and constant of the last map before the squashing, targets last.

    Raises
    ------
    BadInput
        The family has no such map, or no such layer; the message names it.
    """
    kind, found = f"family {type(model).__name__}", model.read_out()
    if found is None:
        raise BadInput(
            f"{kind} has no read-out that can be fitted to a person; train ridge, a late or a "
            "neural family"
        )
    if head and model.last_layer() is None:
        raise BadInput(f"head=True needs a family with one last layer, {kind} has none")
    return found


class RatedMinutes:
    """Hold a person's ratings, and what moving away from the model for everybody costs.

    Parameters
    ----------
    sequences
        Of one person.
    minutes
        Between two steps.
    strength
        Minutes of ratings that weigh as much as what the model knew before.
    """

    def __init__(
        self, sequences: Sequence[LabelledSequence], minutes: float, strength: float
    ) -> None:
        self.sequences = sequences
        self.minutes = minutes
        self.strength = strength
        self.target = np.concatenate([sequence.target for sequence in sequences])
        self.known = np.isfinite(self.target)

    def said(self, model: FusionModel) -> Floats:
        """Return what a model says at all steps.

        Parameters
        ----------
        model
            Of any family.

        Returns
        -------
        Floats
            Shape (steps, 2).
        """
        return np.concatenate([predict(model, sequence).mean for sequence in self.sequences])

    def left(self, said: Floats) -> Floats:
        """Return target minus estimate; 0 where nobody rated.

        Parameters
        ----------
        said
            Estimates, (steps, 2).

        Returns
        -------
        Floats
            Shape (steps, 2).
        """
        return np.where(self.known, np.nan_to_num(self.target) - said, 0.0)

    def error(self, said: Floats) -> Floats:
        """Return the squared error of each target, summed over minutes.

        Parameters
        ----------
        said
            Estimates, (steps, 2).

        Returns
        -------
        Floats
            Shape (2,).
        """
        total: Floats = self.minutes * np.square(self.left(said)).sum(0)
        return total


def fit_gain_and_offset(model: FusionModel, problem: RatedMinutes) -> None:
    """Move gain and offset of each target, from 1 and 0, by damped Gauss-Newton.

    Parameters
    ----------
    model
        Changed in place.
    problem
        The person's ratings.
    """
    kept = deepcopy(movable(model))
    moved = np.zeros((2, len(TARGETS)))  # gain - 1, offset
    said = problem.said(model)
    slopes = _slopes(model, kept, problem, moved, said)
    size = np.maximum(np.square(slopes).sum(1), 1e-12)  # (2, targets)
    costs = problem.strength * np.stack([size[0] / size[1], np.ones(len(TARGETS))])
    for round_ in range(_ROUNDS):
        if round_:
            slopes = _slopes(model, kept, problem, moved, said)
        left = problem.left(said)
        step = np.zeros_like(moved)
        for k in range(len(TARGETS)):
            rows = slopes[:, :, k] * problem.known[:, k]
            normal = problem.minutes * rows @ rows.T + np.diag(costs[:, k])
            pull = problem.minutes * rows @ left[:, k] - costs[:, k] * moved[:, k]
            step[:, k] = np.linalg.solve(normal, pull)
        moved, said = _descend(model, kept, problem, costs, moved, step, said)
    _apply(model, kept, moved)


def _descend(
    model: FusionModel,
    kept: tuple[Tensor, Tensor],
    problem: RatedMinutes,
    costs: Floats,
    moved: Floats,
    step: Floats,
    said: Floats,
) -> tuple[Floats, Floats]:
    """Take the longest halving of a step that makes the objective of each target no worse."""
    before = problem.error(said) + (costs * moved**2).sum(0)
    share = np.ones(len(TARGETS))
    for _ in range(6):
        tried = moved + share * step
        tried[0] = tried[0].clip(-1.0, _MOST_GAIN - 1.0)  # a gain below 0 would turn it upside down
        _apply(model, kept, tried)
        there = problem.said(model)
        worse = problem.error(there) + (costs * tried**2).sum(0) > before
        if not worse.any():
            return tried, there
        share = np.where(worse, share / 2, share)
    return moved, said


def _slopes(
    model: FusionModel,
    kept: tuple[Tensor, Tensor],
    problem: RatedMinutes,
    moved: Floats,
    said: Floats,
) -> Floats:
    """Return the derivative of the estimate by gain and offset, (2, steps, targets)."""
    slopes = []
    for row in range(2):
        nudged = moved.copy()
        nudged[row] += _NUDGE
        _apply(model, kept, nudged)
        slopes.append((problem.said(model) - said) / _NUDGE)
    _apply(model, kept, moved)
    return np.stack(slopes)


def fit_last_layer(model: FusionModel, problem: RatedMinutes) -> None:
    """Move the last layer's weights by one ridge step, halved until it helps.

    Parameters
    ----------
    model
        With a `last_layer`; changed in place.
    problem
        The person's ratings.
    """
    said, hidden = _hidden(model, problem)
    kept = deepcopy(movable(model))
    slope = _slopes(model, kept, problem, np.zeros((2, len(TARGETS))), said)[1]
    scale = np.sqrt(np.square(hidden).mean(0) * hidden.shape[1]) + 1e-12
    for k in range(len(TARGETS)):
        rows = hidden / scale * (slope[:, k] * problem.known[:, k])[:, None]
        normal = problem.minutes * rows.T @ rows + problem.strength * np.eye(rows.shape[1])
        step = np.linalg.solve(normal, problem.minutes * rows.T @ problem.left(said)[:, k])
        before = problem.error(said)[k]
        for halvings in range(6):
            tried = step / 2**halvings
            _move_weights(model, kept, k, tried / scale)
            cost = problem.error(problem.said(model))[k] + problem.strength * tried @ tried
            if cost <= before:
                break
            _move_weights(model, kept, k, np.zeros_like(scale))


def _hidden(model: FusionModel, problem: RatedMinutes) -> tuple[Floats, Floats]:
    """Return what the model says and what its last layer is given, (steps, width)."""
    given: list[Floats] = []

    def keep(_: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        given.append(inputs[0][0].double().numpy())

    layer = model.last_layer()
    assert layer is not None
    hook = layer.register_forward_pre_hook(keep)
    try:
        said = problem.said(model)
    finally:
        hook.remove()
    return said, np.concatenate(given)


def _apply(model: FusionModel, kept: tuple[Tensor, Tensor], moved: Floats) -> None:
    """Set the read-out to what it was, times the gain, plus the offset; `moved` (2, targets)."""
    gain, offset = torch.from_numpy(moved).float()
    weight, constant = movable(model)
    weight.copy_(kept[0] * (1 + gain))
    constant.copy_(kept[1] * (1 + gain) + offset)


def _move_weights(
    model: FusionModel, kept: tuple[Tensor, Tensor], column: int, step: Floats
) -> None:
    weight, _ = movable(model)
    weight[:, column] = kept[0][:, column] + torch.from_numpy(step).float()
