"""Fit a model for everybody to one person, from a few minutes that this person rated.

Few numbers are fitted, close to where they were: an offset and a gain of each target, and on
request the last layer. What was learnt from many people stays.
"""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor, nn

from biosense.core.affect import TARGETS
from biosense.core.errors import BadInput
from biosense.core.types import Floats
from biosense.models.base import FusionModel
from biosense.models.deployment.card import Card
from biosense.models.evaluation.evaluate import predict
from biosense.models.sequences import LabelledSequence, check_hop

STRENGTH_MIN = 10.0
"""Minutes of ratings that weigh as much as what the model knew before."""

_ROUNDS = 4  # of Gauss-Newton: the problem is nearly linear
_NUDGE = 1e-2  # of the finite differences; float32 bears no smaller one
_MOST_GAIN = 2.0


def personalise(
    model: FusionModel,
    sequences: Sequence[LabelledSequence],
    *,
    strength: float = STRENGTH_MIN,
    head: bool = False,
) -> FusionModel:
    """Return a copy of a model that is fitted to one person's ratings; without any, an equal one.

    Before the model's final squashing each target is multiplied with a gain and moved by an offset.
    They minimise the squared error over the rated time plus a penalty on their distance from 1 and
    0, both in the unit of the squashed sum: `offset**2 + spread**2 * (gain - 1)**2`, times
    `strength`, where the error is summed over minutes. So m rated minutes move the estimate by
    about m / (m + strength) of what they ask for, and the penalty, the drift, can never exceed the
    squared error at the start times m / strength.

    Parameters
    ----------
    model
        Left as it is.
    sequences
        Of one person; steps without a target are left out. None at all is allowed.
    strength
        Minutes of ratings that weigh as much as the model for everybody.
    head
        Also move the last layer, with a penalty on its distance from the former weights.

    Raises
    ------
    BadInput
        Several people, another hop, a strength that is not positive, or a family without a
        read-out that can be moved (its message says which).

    References
    ----------
    .. [1] Daume (2007), Frustratingly easy domain adaptation, for the penalty on the distance from
           a general model; the shrinkage in minutes is ours.
    """
    subjects = sorted({sequence.subject for sequence in sequences})
    if len(subjects) > 1:
        raise BadInput(f"a model is fitted to one person, got ratings of {subjects}")
    if not strength > 0:
        raise BadInput(f"strength={strength} minutes must be positive")
    check_hop(sequences, model.config.hop)
    personal = deepcopy(model).eval()
    _read_out(personal)
    if head and personal.last_layer() is None:
        raise BadInput(f"head=True needs a family with one last layer, {_kind(model)} has none")
    rated = [s for s in sequences if np.isfinite(s.target).any()]
    if rated:
        problem = _Problem(rated, model.config.hop / 60.0, strength)
        _fit_affine(personal, problem)
        if head:
            _fit_head(personal, problem)
    return personal


def can_be_personal(model: FusionModel) -> bool:
    """Say whether a model has a read-out that `personalise` can move; boosting has none."""
    return model.read_out() is not None


def personal_card(card: Card, sequences: Sequence[LabelledSequence], hop: float) -> Card:
    """Return the card of a personalised model, whose warning says that it is for one person only.

    Intervals and metrics are dropped: they were of other people with another model.
    """
    people = sorted({sequence.subject for sequence in sequences})
    person = people[0] if people and people[0] else "one person, not named"
    minutes = sum(int(np.isfinite(s.target).any(1).sum()) for s in sequences) * hop / 60.0
    warning = (
        f"Fitted to {person} with {minutes:.1f} rated minutes: it is no model for anybody else. "
        f"{card.warning}"
    )
    return replace(card, warning=warning.strip(), person=person, metrics={}, intervals=None)


class _Problem:
    """Hold a person's ratings, and what moving away from the model for everybody costs."""

    def __init__(
        self, sequences: Sequence[LabelledSequence], minutes: float, strength: float
    ) -> None:
        self.sequences = sequences
        self.minutes = minutes
        self.strength = strength
        self.target = np.concatenate([sequence.target for sequence in sequences])
        self.known = np.isfinite(self.target)

    def said(self, model: FusionModel) -> Floats:
        """Return what a model says at all steps, (steps, 2)."""
        return np.concatenate([predict(model, sequence).mean for sequence in self.sequences])

    def left(self, said: Floats) -> Floats:
        """Return target minus estimate, (steps, 2); 0 where nobody rated."""
        return np.where(self.known, np.nan_to_num(self.target) - said, 0.0)

    def error(self, said: Floats) -> Floats:
        """Return the squared error over minutes, of each target."""
        total: Floats = self.minutes * np.square(self.left(said)).sum(0)
        return total


def _fit_affine(model: FusionModel, problem: _Problem) -> None:
    """Move gain and offset of each target, from 1 and 0, by damped Gauss-Newton."""
    kept = deepcopy(_read_out(model))
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
    problem: _Problem,
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
    problem: _Problem,
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


def _fit_head(model: FusionModel, problem: _Problem) -> None:
    """Move the last layer's weights by one ridge step, halved until it helps."""
    said, hidden = _hidden(model, problem)
    kept = deepcopy(_read_out(model))
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


def _hidden(model: FusionModel, problem: _Problem) -> tuple[Floats, Floats]:
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


def _read_out(model: FusionModel) -> tuple[Tensor, Tensor]:
    """Return weight and constant of the last map before squashing; targets are the last axis."""
    found = model.read_out()
    if found is None:
        raise BadInput(
            f"{_kind(model)} has no read-out that can be fitted to a person; train ridge, a late "
            "or a neural family"
        )
    return found


def _apply(model: FusionModel, kept: tuple[Tensor, Tensor], moved: Floats) -> None:
    """Set the read-out to what it was, times the gain, plus the offset; `moved` (2, targets)."""
    gain, offset = torch.from_numpy(moved).float()
    weight, constant = _read_out(model)
    weight.copy_(kept[0] * (1 + gain))
    constant.copy_(kept[1] * (1 + gain) + offset)


def _move_weights(
    model: FusionModel, kept: tuple[Tensor, Tensor], column: int, step: Floats
) -> None:
    weight, _ = _read_out(model)
    weight[:, column] = kept[0][:, column] + torch.from_numpy(step).float()


def _kind(model: FusionModel) -> str:
    return f"family {type(model).__name__}"
