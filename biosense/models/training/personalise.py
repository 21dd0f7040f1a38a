"""Fit a model for everybody to one person, from a few minutes that this person rated.

Few numbers are fitted, close to where they were: an offset and a gain of each target, and on
request the last layer. What was learnt from many people stays.
"""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from dataclasses import replace

import numpy as np

from biosense.core.errors import BadInput
from biosense.models.base import FusionModel
from biosense.models.deployment.card import Card
from biosense.models.sequences import LabelledSequence, check_hop
from biosense.models.training.read_out_fit import (
    RatedMinutes,
    fit_gain_and_offset,
    fit_last_layer,
    movable,
)

STRENGTH_MIN = 10.0
"""Minutes of ratings that weigh as much as what the model knew before."""


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

    Returns
    -------
    FusionModel
        Of the same family, in evaluation mode.

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
    movable(personal, head=head)
    rated = [s for s in sequences if np.isfinite(s.target).any()]
    if rated:
        problem = RatedMinutes(rated, model.config.hop / 60.0, strength)
        fit_gain_and_offset(personal, problem)
        if head:
            fit_last_layer(personal, problem)
    return personal


def can_be_personal(model: FusionModel) -> bool:
    """Say whether a model has a read-out that `personalise` can move.

    Parameters
    ----------
    model
        Of any family.

    Returns
    -------
    bool
        False for boosted trees.
    """
    return model.read_out() is not None


def personal_card(card: Card, sequences: Sequence[LabelledSequence], hop: float) -> Card:
    """Return the card of a personalised model, whose warning says that it is for one person only.

    Intervals and metrics are dropped: they were of other people with another model.

    Parameters
    ----------
    card
        Of the model for everybody.
    sequences
        What it was fitted to.
    hop
        Seconds between two steps.

    Returns
    -------
    Card
        Naming the person and the rated minutes.
    """
    people = sorted({sequence.subject for sequence in sequences})
    person = people[0] if people and people[0] else "one person, not named"
    minutes = sum(int(np.isfinite(s.target).any(1).sum()) for s in sequences) * hop / 60.0
    warning = (
        f"Fitted to {person} with {minutes:.1f} rated minutes: it is no model for anybody else. "
        f"{card.warning}"
    )
    return replace(card, warning=warning.strip(), person=person, metrics={}, intervals=None)
