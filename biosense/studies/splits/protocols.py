"""The four ways to hold data out; whatever is not held apart is a leak, and is refused.

Windows are never dealt at random: windows of one trial on both sides score .94 on noise with random
labels, where whole trials left out score .46.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from biosense.core.errors import BadInput
from biosense.core.registry import Registry
from biosense.models.sequences import LabelledSequence
from biosense.studies.base import Fold, StudyData
from biosense.studies.splits.disjoint import Apart, check_apart, check_later, refuse_duplicates
from biosense.studies.splits.later import later_fold

GAP_S = 60.0  # longest window of a feature, and what a model remembers, with room to spare
LEAST_UNITS = 3  # one to test, one to validate, one to train on
_NO_GROUPS: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True)
class Protocol:
    """Say what a split holds apart.

    Parameters
    ----------
    name
        Its key in `PROTOCOLS`.
    level
        L1 held-out subjects, L2 held-out stimuli, L3 both, L4 later time.
    question
        What a score under it answers.
    subjects, stimuli
        Whether these never fall on both sides.
    later
        Whether the same people are tested, in what came later.
    """

    name: str
    level: str
    question: str
    subjects: bool = False
    stimuli: bool = False
    later: bool = False


PROTOCOLS: Registry[Protocol] = Registry(
    "protocol",
    {
        "subject": Protocol(
            "subject", "L1", "does it work for people it never saw?", subjects=True
        ),
        "stimulus": Protocol(
            "stimulus", "L2", "does it work for known people and a new stimulus?", stimuli=True
        ),
        "subject-stimulus": Protocol(
            "subject-stimulus",
            "L3",
            "does it work for new people and a new stimulus, where no table of stimuli can win?",
            subjects=True,
            stimuli=True,
        ),
        "time": Protocol("time", "L4", "does it work later for the same people?", later=True),
    },
)


def folds(
    data: StudyData,
    protocol: str,
    *,
    n_folds: int = 5,
    seed: int = 0,
    validation: float = 0.2,
    gap_s: float = GAP_S,
    known_distinct: bool = False,
) -> list[Fold]:
    """Split a data set, with a validation side inside each training side, of other people.

    Where people are not held out, validation is made by the same rule as the test. Where both
    people and stimuli are, validation people saw the stimuli of the training side, so that all of
    these are there to learn from; nobody but the test people saw those of the test.

    Under "subject" and "stimulus" each sequence is tested once. Under "subject-stimulus" too, in a
    fold for each pair of a set of people and a set of stimuli; what shares only one of the two with
    the test side is left out of that fold. "time" is a single fold: the last `1 / n_folds` of each
    person's trials is tested or, where a person has fewer than three, of each sequence.

    Parameters
    ----------
    data
        With `subject_groups`, which stay together, and `stated_folds`, which are used where given.
    protocol
        A key of `PROTOCOLS`.
    n_folds
        Folds at most, along each axis that is held out; as many as there are units (people or
        their groups, stimuli) where there are fewer: one is then left out at a time.
    seed
        Of the dealing; equal seeds give equal folds.
    validation
        Share of the training side's units (of its time) that chooses when to stop.
    gap_s
        Seconds left out between the sides under "time": at least window and context.
    known_distinct
        True where these data were split before and are known to hold nothing twice: looking again
        takes a second for a thousand trials.

    Raises
    ------
    BadInput
        There are too few people, stimuli or seconds; the message says how many are needed.
    LeakFound
        The same data occurs under two names.

    Examples
    --------
    >>> from biosense.testing.labelled_data import trial_offset_noise
    >>> [len(fold.test) for fold in folds(trial_offset_noise(6, 4), "subject", n_folds=3)]
    [8, 8, 8]
    """
    rule = PROTOCOLS[protocol]
    _check_settings(n_folds, validation, gap_s)
    if not known_distinct:
        refuse_duplicates(data.sequences)
    if rule.later:
        made = [later_fold(data.sequences, 1 / n_folds, validation, gap_s)]
    else:
        made = list(_folds_apart(data, rule, n_folds, seed, validation))
    for fold in made:
        check_disjoint(fold, protocol, subject_groups=data.subject_groups, gap_s=gap_s)
    return made


def check_disjoint(
    fold: Fold,
    protocol: str,
    *,
    subject_groups: Mapping[str, str] = _NO_GROUPS,
    gap_s: float = GAP_S,
) -> None:
    """Raise unless the three sides of a fold are apart as the protocol promises.

    Raises
    ------
    LeakFound
        A subject, a group, a stimulus or a stretch of a recording lies on two sides. That the same
        features do under two names, `folds` finds for all folds at once.
    BadInput
        A side is empty.
    """
    rule = PROTOCOLS[protocol]
    for side in ("train", "validation", "test"):
        if not getattr(fold, side):
            raise BadInput(f"fold {fold.name!r} has nothing on its {side} side; use fewer folds")
    apart = Apart(subjects=rule.subjects, stimuli=rule.stimuli, subject_groups=subject_groups)
    check_apart(fold, apart)
    if rule.later:
        check_later(fold, gap_s)


@dataclass(frozen=True, eq=False)
class _Axis:
    """Hold what is dealt along one axis: the unit of each sequence, and the sets to hold out."""

    name: str
    unit: Mapping[int, str]
    held: tuple[frozenset[str], ...]


def _folds_apart(
    data: StudyData, rule: Protocol, n_folds: int, seed: int, validation: float
) -> Iterator[Fold]:
    axes = [_subject_axis(data, n_folds, seed)] if rule.subjects else []
    axes += [_stimulus_axis(data, n_folds, seed)] if rule.stimuli else []
    numbered = [list(enumerate(axis.held, 1)) for axis in axes]
    for number, cell in enumerate(itertools.product(*numbered)):
        rng = np.random.default_rng([seed, number])
        side, test = _cut(data.sequences, axes, [units for _, units in cell])
        if not test:  # nobody of these people saw any of these stimuli
            continue
        inner = axes[:1]
        train, held = _cut(side, inner, [_inner(axis, side, validation, rng) for axis in inner])
        name = ", ".join(
            f"{a.name} {k}/{len(a.held)}" for a, (k, _) in zip(axes, cell, strict=True)
        )
        yield Fold(name, train, held, test)


def _cut(
    sequences: Sequence[LabelledSequence],
    axes: Sequence[_Axis],
    held: Sequence[frozenset[str]],
) -> tuple[tuple[LabelledSequence, ...], tuple[LabelledSequence, ...]]:
    """Return what is held out along no axis, and along all of them; the rest is not used."""
    inside = [
        [axis.unit[id(sequence)] in units for axis, units in zip(axes, held, strict=True)]
        for sequence in sequences
    ]
    pairs = list(zip(sequences, inside, strict=True))
    return (
        tuple(sequence for sequence, flags in pairs if not any(flags)),
        tuple(sequence for sequence, flags in pairs if all(flags)),
    )


def _inner(
    axis: _Axis, side: Sequence[LabelledSequence], share: float, rng: np.random.Generator
) -> frozenset[str]:
    units = sorted({axis.unit[id(sequence)] for sequence in side})
    if len(units) < 2:
        raise BadInput(
            f"the training side has {len(units)} {axis.name}; at least 2 are needed, to train and "
            "to validate: use more folds or more data"
        )
    # One stimulus has hardly a range of targets to score: two, where enough are left to train on.
    least = 2 if len(units) >= 5 else 1
    n = min(max(round(share * len(units)), least), len(units) - 1)
    return frozenset(rng.permutation(units)[:n].tolist())


def _subject_axis(data: StudyData, n_folds: int, seed: int) -> _Axis:
    groups = data.subject_groups
    unit = {id(s): groups.get(s.subject, s.subject) for s in data.sequences}
    people = {subject: groups.get(subject, subject) for subject in data.subjects}
    if data.stated_folds:
        return _Axis("subjects", unit, _stated(data, people))
    sizes = {name: sum(g == name for g in people.values()) for name in people.values()}
    return _Axis("subjects", unit, _deal("subjects", sizes, n_folds, seed))


def _stimulus_axis(data: StudyData, n_folds: int, seed: int) -> _Axis:
    nameless = [s.subject for s in data.sequences if not s.stimuli]
    if nameless:
        raise BadInput(
            f"{len(nameless)} sequences, the first of {nameless[0]!r}, name no stimulus; stimuli "
            "can be held out only where it is known which was shown"
        )
    unit = {id(s): s.stimuli for s in data.sequences}
    sizes = dict.fromkeys(sorted(set(unit.values())), 1)
    return _Axis("stimuli", unit, _deal("stimuli", sizes, n_folds, seed + 1))


def _stated(data: StudyData, people: Mapping[str, str]) -> tuple[frozenset[str], ...]:
    lacking = sorted(set(people) - set(data.stated_folds))
    if lacking:
        raise BadInput(f"stated_folds of {data.name!r} lack the subjects {lacking}")
    by_fold: dict[int, set[str]] = {}
    for subject, group in people.items():
        by_fold.setdefault(data.stated_folds[subject], set()).add(group)
    for first, second in itertools.combinations(by_fold.values(), 2):
        if first & second:
            raise BadInput(f"the stated folds tear these groups apart: {sorted(first & second)}")
    return tuple(frozenset(by_fold[number]) for number in sorted(by_fold))


def _deal(
    what: str, sizes: Mapping[str, int], n_folds: int, seed: int
) -> tuple[frozenset[str], ...]:
    """Deal units into folds of about equal size, the largest first, ties in random order."""
    if len(sizes) < LEAST_UNITS:
        raise BadInput(
            f"holding out {what} needs at least {LEAST_UNITS} of them (test, validation, train; "
            f"people of one group count once), got {len(sizes)}: {sorted(sizes)}"
        )
    order = np.random.default_rng(seed).permutation(sorted(sizes)).tolist()
    bins: list[set[str]] = [set() for _ in range(min(n_folds, len(sizes)))]
    for unit in sorted(order, key=lambda name: -sizes[name]):
        min(bins, key=lambda taken: sum(sizes[name] for name in taken)).add(unit)
    return tuple(frozenset(taken) for taken in bins)


def _check_settings(n_folds: int, validation: float, gap_s: float) -> None:
    if n_folds < 2:
        raise BadInput(f"n_folds={n_folds} must be at least 2")
    if not 0 < validation < 1:
        raise BadInput(f"validation={validation} must be a share between 0 and 1")
    if not gap_s >= 0:
        raise BadInput(f"gap_s={gap_s} s must not be negative")
