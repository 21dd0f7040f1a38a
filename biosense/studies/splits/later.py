"""Splits by time: earlier parts train, later parts test, with a gap between them."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from biosense.core.errors import BadInput
from biosense.models.sequences import LabelledSequence
from biosense.studies.base import Fold

Sides = tuple[list[LabelledSequence], list[LabelledSequence], list[LabelledSequence]]
LEAST_TRIALS = 3  # of a person, to split by whole trials: train, validation, test


def later_fold(
    sequences: Sequence[LabelledSequence], test: float, validation: float, gap_s: float
) -> Fold:
    """Test the last share of every person's session.

    A person with three trials or more is split by whole trials; fewer, longer sequences are cut
    within, unless one rating stands for the whole: it would be known on both sides.

    Raises
    ------
    BadInput
        Somebody's session is too short for the gap, or its times do not rise from trial to trial.
    """
    train: list[LabelledSequence] = []
    held: list[LabelledSequence] = []
    later: list[LabelledSequence] = []
    for subject in sorted({sequence.subject for sequence in sequences}):
        own = sorted((s for s in sequences if s.subject == subject), key=lambda s: s.position)
        _check_rising(own)
        split = _by_trial if len(own) >= LEAST_TRIALS else _within
        for side, part in zip(
            (train, held, later), split(own, test, validation, gap_s), strict=True
        ):
            side.extend(part)
    return Fold("later", tuple(train), tuple(held), tuple(later))


def _by_trial(
    own: Sequence[LabelledSequence], test: float, validation: float, gap_s: float
) -> Sides:
    n_test = min(max(round(test * len(own)), 1), len(own) - 2)
    n_held = min(max(round(validation * (len(own) - n_test)), 1), len(own) - n_test - 1)
    first_test = len(own) - n_test
    later = list(own[first_test:])
    held = _ended(own[first_test - n_held : first_test], later[0].time[0] - gap_s)
    # Whole trials fall into the gap: earlier ones take their place.
    before = list(own[: first_test - n_held])
    if not held:
        fitting = _ended(before, later[0].time[0] - gap_s)
        held, before = fitting[-n_held:], fitting[:-n_held]
    train = _ended(before, held[0].time[0] - gap_s) if held else []
    if not train:
        raise BadInput(
            f"the {len(own)} trials of {own[0].subject!r} leave none to train on with gaps of "
            f"{gap_s} s before validation and test; shorten the gap or record more trials"
        )
    return train, held, later


def _ended(trials: Sequence[LabelledSequence], before: float) -> list[LabelledSequence]:
    return [trial for trial in trials if trial.time[-1] < before]


def _within(own: Sequence[LabelledSequence], test: float, validation: float, gap_s: float) -> Sides:
    sides: Sides = ([], [], [])
    for sequence in own:
        if sequence.per_trial:
            raise BadInput(
                f"{sequence.subject!r} has {len(own)} trials with one rating each; a split by time "
                f"needs at least {LEAST_TRIALS}, because a rated trial cannot be cut"
            )
        cuts = _cuts(sequence, test, validation, gap_s)
        for side, (start, stop) in zip(sides, cuts, strict=True):
            side.append(part_of(sequence, start, stop))
    return sides


def _cuts(
    sequence: LabelledSequence, test: float, validation: float, gap_s: float
) -> list[tuple[int, int]]:
    """Return first and last step of the training, validation and test part."""
    hop = float(np.median(np.diff(sequence.time))) if sequence.n > 1 else math.inf
    gap = math.floor(gap_s / hop + 1e-6) + 1
    n_test = max(round(test * sequence.n), 1)
    n_held = max(round(validation * (sequence.n - n_test)), 1)
    held_stop = sequence.n - n_test - gap
    train_stop = held_stop - n_held - gap
    if train_stop < n_held:
        least = (2 * gap + n_test + 2 * n_held) * hop
        raise BadInput(
            f"a sequence of {sequence.subject!r} lasts {sequence.n * hop:.0f} s; two gaps of "
            f"{gap_s} s and three parts need about {least:.0f} s: shorten the gap"
        )
    return [(0, train_stop), (held_stop - n_held, held_stop), (sequence.n - n_test, sequence.n)]


def part_of(sequence: LabelledSequence, start: int, stop: int) -> LabelledSequence:
    """Return the steps start..stop-1 of a sequence."""
    cut = slice(start, stop)
    return replace(
        sequence,
        time=sequence.time[cut],
        data={modality: values[cut] for modality, values in sequence.data.items()},
        quality={modality: values[cut] for modality, values in sequence.quality.items()},
        target=sequence.target[cut],
    )


def _check_rising(own: Sequence[LabelledSequence]) -> None:
    for earlier, later in itertools.pairwise(own):
        if not earlier.time[-1] < later.time[0]:
            raise BadInput(
                f"trial {later.position} of {later.subject!r} begins at {later.time[0]:g} s, "
                f"before the end of the one before it ({earlier.time[-1]:g} s); a split by time "
                "needs session times that rise from trial to trial"
            )
