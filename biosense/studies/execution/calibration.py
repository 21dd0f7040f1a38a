"""Calibrate each fit of a study to each of its test people, with their first labelled videos."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np

from biosense.core.errors import BadInput
from biosense.core.grid import HOP
from biosense.core.types import Floats
from biosense.models.sequences import LabelledSequence
from biosense.models.training.personalise import STRENGTH_MIN
from biosense.studies.base import Fold, Predictor, StudyData
from biosense.studies.candidates.fit_folds import blind
from biosense.studies.splits.protocols import PROTOCOLS

COUNTS = (1, 2, 3)
LEAST_LATER = 2  # sequences that a person must have behind the labelled ones
LEAST_PEOPLE = 3  # fewer have no interval: without being asked for, the track is then left out
N_WAYS = 2  # that need the model: gain and offset, offset alone


@dataclass(frozen=True)
class Calibration:
    """Say how fits are calibrated to the people that they are tested on.

    Nothing here is chosen by what test people say.

    Parameters
    ----------
    counts
        Numbers of labelled videos: the first that a person was shown.
    strength
        As of `personalise`, minutes.

    Examples
    --------
    >>> Calibration((1, 3)).most
    3
    """

    counts: tuple[int, ...] = COUNTS
    strength: float = STRENGTH_MIN

    def __post_init__(self) -> None:
        if not self.counts or list(self.counts) != sorted({*self.counts}) or self.counts[0] < 1:
            raise BadInput(f"numbers of labelled videos must rise from 1 on, got {self.counts}")
        if not self.strength > 0:
            raise BadInput(f"strength={self.strength} minutes must be positive")

    @property
    def most(self) -> int:
        """The largest number of labelled videos."""
        return self.counts[-1]


@dataclass(frozen=True, eq=False)
class Side:
    """Hold a test person's videos: first those that are labelled, then those that are scored.

    `later` is the same for every number of labelled videos, so that differences are paired.
    """

    labelled: tuple[LabelledSequence, ...]
    later: tuple[LabelledSequence, ...]


@runtime_checkable
class CanBePersonal(Protocol):
    """A predictor that can be fitted to one person."""

    def personal(self, labelled: Sequence[LabelledSequence], strength: float) -> Predictor | None:
        """Return a predictor for the person who rated these, or None where it cannot be."""
        ...


def calibration_for(
    data: StudyData, protocol: str, counts: tuple[int, ...] | None
) -> Calibration | None:
    """Return how a study calibrates, or None where it does not.

    Parameters
    ----------
    counts
        Numbers of labelled videos; none at all: no calibration. None: `COUNTS` where the protocol
        is "subject" and people have enough videos.

    Raises
    ------
    BadInput
        It is asked for where the protocol holds out no people, or where nobody has enough videos.
    """
    if counts is None:
        enough = len(people_of(data, max(COUNTS))) >= LEAST_PEOPLE
        return Calibration() if protocol == "subject" and enough else None
    if not counts:
        return None
    calibration = Calibration(counts)
    if not PROTOCOLS[protocol].subjects:
        raise BadInput(f"protocol {protocol!r} holds out no people who could be calibrated to")
    if not people_of(data, calibration.most):
        raise BadInput(
            f"nobody in {data.name!r} has {calibration.most + LEAST_LATER} rated videos: "
            f"{calibration.most} to be labelled and {LEAST_LATER} to be scored; ask for fewer"
        )
    return calibration


def people_of(data: StudyData, most: int) -> list[str]:
    """Return those who have enough rated videos."""
    own = [sequence.subject for sequence in data.sequences if _is_rated(sequence)]
    return [who for who in data.subjects if own.count(who) >= most + LEAST_LATER]


def sides_of(data: StudyData, protocol: str, fold: Fold, calibration: Calibration) -> list[Side]:
    """Return the test people of a fold who have enough videos, each with both of their sides.

    Labelled are the first that a person was shown; where stimuli are held out too, the first whose
    stimuli are not tested in this fold. Only what came later is scored.
    """
    held = {s.stimuli for s in fold.test} if PROTOCOLS[protocol].stimuli else set()
    enough = set(people_of(data, calibration.most))
    found = []
    for who in sorted({sequence.subject for sequence in fold.test} & enough):
        own = [s for s in data.sequences if s.subject == who and _is_rated(s)]
        labelled = [s for s in own if s.stimuli not in held][: calibration.most]
        end = labelled[-1].position if len(labelled) == calibration.most else np.inf
        tested = [s for s in fold.test if s.subject == who and _is_rated(s)]
        later = tuple(sorted((s for s in tested if s.position > end), key=lambda s: s.position))
        if later:
            found.append(Side(tuple(labelled), later))
    return found


def calibrate(predictor: Predictor, sides: Sequence[Side], calibration: Calibration) -> Floats:
    """Return what a fit says of later sequences, calibrated: (ways, counts, steps, 2).

    Ways are the person's own fit, and the model for everybody moved by the person's shrunk mean
    error; steps are those of all later sequences, side by side. There are none where the fit
    cannot be calibrated. It is given later sequences without their targets.
    """
    nothing = np.empty((N_WAYS, len(calibration.counts), 0, 2))
    if not isinstance(predictor, CanBePersonal):
        return nothing
    parts = [nothing]
    for side in sides:
        general = _said(predictor, side.later)
        rows = []
        for count in calibration.counts:
            labelled = side.labelled[:count]
            personal = predictor.personal(labelled, calibration.strength)
            if personal is None:
                return nothing
            error = labelled_targets(labelled) - _said(predictor, labelled)
            moved = np.clip(general + _offset(error, _hop(labelled), calibration.strength), -1, 1)
            rows.append(np.stack([_said(personal, side.later), moved]))
        parts.append(np.stack(rows, 1))
    return np.concatenate(parts, 2)


def labelled_targets(labelled: Sequence[LabelledSequence]) -> Floats:
    """Return what a person said in all labelled videos, (steps, 2)."""
    return np.concatenate([sequence.target for sequence in labelled])


def _said(predictor: Predictor, sequences: Sequence[LabelledSequence]) -> Floats:
    return np.concatenate([predictor.predict(blind(sequence))[0] for sequence in sequences])


def _offset(error: Floats, hop: float, strength: float) -> Floats:
    """Return the mean error of each target, shrunk as `personalise` shrinks its offset."""
    minutes = np.isfinite(error).sum(0) * hop / 60.0
    return np.asarray(np.nanmean(error, 0) * minutes / (minutes + strength))


def _hop(labelled: Sequence[LabelledSequence]) -> float:
    steps = [float(sequence.time[1] - sequence.time[0]) for sequence in labelled if sequence.n > 1]
    return steps[0] if steps else HOP


def _is_rated(sequence: LabelledSequence) -> bool:
    return bool(np.isfinite(sequence.target).any(0).all())
