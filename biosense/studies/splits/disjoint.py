"""Whether the sides of a split are apart: by name, by time, and by what the features hold."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from biosense.core.errors import LeakFound
from biosense.core.types import Bools, Floats
from biosense.models.sequences import LabelledSequence
from biosense.studies.base import Fold

RUN = 4  # steps in a row that must be equal: single rows of coarse features may be equal by chance
COPIED = 0.1  # share of a sequence's runs that occur in another one
LIKENESS = 0.97  # correlation of changes: copies with a tenth of noise reach .99, people .5
SHARED = 0.5  # of the fewer trials of two people: one trial may look alike by chance
_POINTS = 65  # of each feature, spread over the sequence
_ENOUGH = 64  # changes that a correlation must rest on


@dataclass(frozen=True)
class Apart:
    """Say what must not lie on two sides.

    Where subjects must not, training and validation may share stimuli.
    """

    subjects: bool
    stimuli: bool
    subject_groups: Mapping[str, str]


@dataclass(frozen=True)
class Duplicate:
    """Name two sequences that hold the same data, and which share of it (or how alike it is)."""

    first: str
    second: str
    likeness: float


def check_apart(fold: Fold, apart: Apart) -> None:
    """Raise `LeakFound` where two sides of a fold share a subject, stimulus or stretch of time."""

    def group(sequence: LabelledSequence) -> str:
        return apart.subject_groups.get(sequence.subject, sequence.subject)

    for (name, side), (other_name, other) in itertools.combinations(_sides(fold), 2):
        where = f"the {name} and the {other_name} side of fold {fold.name!r}"
        if apart.subjects:
            _refuse_shared(side, other, group, f"subjects or their groups are on {where}")
        if apart.stimuli and not (apart.subjects and other is fold.validation):
            _refuse_shared(side, other, lambda s: s.stimuli, f"stimuli are on {where}")
        for first, second in _overlaps(side, other):
            raise LeakFound(f"{where} both hold {title(first)} in part: {title(second)}")


def check_later(fold: Fold, gap_s: float) -> None:
    """Raise `LeakFound` unless each person's sides follow each other with the gap between them."""
    for (name, side), (other_name, other) in itertools.combinations(_sides(fold), 2):
        ends = _per_subject(side, lambda s: float(s.time[-1]), max)
        begins = _per_subject(other, lambda s: float(s.time[0]), min)
        for subject in sorted(set(ends) & set(begins)):
            if begins[subject] - ends[subject] <= gap_s:
                raise LeakFound(
                    f"{subject!r} is on the {name} side of fold {fold.name!r} until "
                    f"{ends[subject]:g} s and on its {other_name} side from {begins[subject]:g} "
                    f"s; a gap of more than {gap_s:g} s is needed"
                )


def refuse_duplicates(sequences: Sequence[LabelledSequence]) -> None:
    """Raise `LeakFound` where the same features occur under two names."""
    found = near_duplicates(sequences)
    if found:
        pairs = "; ".join(f"{d.first} = {d.second} ({d.likeness:.0%})" for d in found[:5])
        raise LeakFound(
            f"{len(found)} pairs of sequences hold the same data under two names: {pairs}; give "
            "both the same subject, or leave one out"
        )


def near_duplicates(sequences: Sequence[LabelledSequence]) -> list[Duplicate]:
    """Find sequences whose features were copied, in part, shifted, or with little noise.

    Exact copies are found by the hashes of runs of steps, wherever they lie. Copies with another
    gain, offset or some noise are found by the correlation of their changes, and count where two
    people share half of their trials.

    Examples
    --------
    >>> from biosense.core.types import Modality
    >>> rng = np.random.default_rng(0)
    >>> def person(name, x):
    ...     n, eda = len(x), Modality.EDA
    ...     return LabelledSequence(
    ...         name, np.arange(n) / 4, {eda: x}, {eda: np.ones(n)}, np.zeros((n, 2))
    ...     )
    >>> x, y = rng.normal(size=(2, 80, 3))
    >>> pair = near_duplicates([person("ann", x), person("bob", y), person("eve", 2 * x + 1)])
    >>> [(duplicate.first, duplicate.second) for duplicate in pair]
    [("trial 0 of 'ann'", "trial 0 of 'eve'")]
    """
    sequences = [sequence for sequence in sequences if sequence.data]
    if not sequences:
        return []
    copied = list(_copied(sequences))
    known = {(duplicate.first, duplicate.second) for duplicate in copied}
    alike = [d for d in _alike(sequences) if (d.first, d.second) not in known]
    return copied + alike


def title(sequence: LabelledSequence) -> str:
    """Name a sequence as messages do."""
    shown = f" ({sequence.stimulus})" if sequence.stimulus else ""
    return f"trial {sequence.position} of {sequence.subject!r}{shown}"


def _sides(fold: Fold) -> list[tuple[str, tuple[LabelledSequence, ...]]]:
    return [("training", fold.train), ("validation", fold.validation), ("test", fold.test)]


def _refuse_shared(
    side: Sequence[LabelledSequence],
    other: Sequence[LabelledSequence],
    key: Callable[[LabelledSequence], str],
    what: str,
) -> None:
    shared = {key(s) for s in side} & {key(s) for s in other}
    if shared:
        raise LeakFound(f"{len(shared)} {what}: {sorted(shared)[:5]}")


def _overlaps(
    side: Sequence[LabelledSequence], other: Sequence[LabelledSequence]
) -> Iterator[tuple[LabelledSequence, LabelledSequence]]:
    by_trial: dict[tuple[str, int, str], list[LabelledSequence]] = {}
    for sequence in side:
        by_trial.setdefault(_trial(sequence), []).append(sequence)
    for second in other:
        for first in by_trial.get(_trial(second), []):
            if first.time[0] <= second.time[-1] and second.time[0] <= first.time[-1]:
                yield first, second


def _trial(sequence: LabelledSequence) -> tuple[str, int, str]:
    return sequence.subject, sequence.position, sequence.stimulus


def _per_subject(
    side: Sequence[LabelledSequence],
    value: Callable[[LabelledSequence], float],
    choose: Callable[[float, float], float],
) -> dict[str, float]:
    found: dict[str, float] = {}
    for sequence in side:
        found[sequence.subject] = choose(
            value(sequence), found.get(sequence.subject, value(sequence))
        )
    return found


def _copied(sequences: Sequence[LabelledSequence]) -> Iterator[Duplicate]:
    hashes = [np.unique(_runs(sequence)) for sequence in sequences]
    sizes = [len(found) for found in hashes]
    owners = np.repeat(np.arange(len(sequences)), sizes)
    joined = np.concatenate(hashes)
    order = np.argsort(joined, kind="stable")
    again = np.flatnonzero(joined[order][1:] == joined[order][:-1])
    pairs = zip(owners[order[again]].tolist(), owners[order[again + 1]].tolist(), strict=True)
    for (first, second), count in sorted(Counter(pairs).items()):
        share = count / min(sizes[first], sizes[second])
        if share >= COPIED:
            yield Duplicate(title(sequences[first]), title(sequences[second]), share)


def _runs(sequence: LabelledSequence) -> NDArray[np.uint64]:
    """Return a hash of every run of steps that varies, over all features."""
    values = np.concatenate([sequence.data[m] for m in sorted(sequence.data)], 1)
    known = np.isfinite(values).any(1)
    rows = _hash(np.where(np.isfinite(values), values + 0.0, 0.0).view(np.uint64))  # -0.0 is 0.0
    if len(rows) < RUN:
        return np.empty(0, np.uint64)
    runs = np.lib.stride_tricks.sliding_window_view(rows, RUN)
    whole = np.lib.stride_tricks.sliding_window_view(known, RUN).all(1)
    varied = (runs != runs[:, :1]).any(1)
    return _hash(runs[whole & varied])


def _hash(rows: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Mix each row of integers into one; sums wrap around on purpose."""
    salts = np.random.default_rng(rows.shape[1]).integers(1, 2**63, rows.shape[1], np.uint64)
    mixed = (rows ^ (rows >> np.uint64(29))) * (2 * salts + np.uint64(1))
    mixed ^= mixed >> np.uint64(32)
    total: NDArray[np.uint64] = (mixed * np.uint64(0x9E3779B97F4A7C15)).sum(1, dtype=np.uint64)
    return total


def _alike(sequences: Sequence[LabelledSequence]) -> Iterator[Duplicate]:
    """Compare people trial by trial; a subject with itself is left to the hashes."""
    shapes, enough = _shapes(sequences)
    subjects = np.array([sequence.subject for sequence in sequences])
    likeness = np.abs(shapes @ shapes.T)  # upside down it is a copy, too
    likeness[~enough] = likeness[:, ~enough] = 0
    close = likeness >= LIKENESS
    for first, second in itertools.combinations(sorted(set(subjects.tolist())), 2):
        mine, theirs = np.flatnonzero(subjects == first), np.flatnonzero(subjects == second)
        block = close[np.ix_(mine, theirs)]
        if block.any() and block.any(1).sum() >= SHARED * min(len(mine), len(theirs)):
            for row, column in np.argwhere(block):
                a, b = mine[row], theirs[column]
                yield Duplicate(title(sequences[a]), title(sequences[b]), float(likeness[a, b]))


def _shapes(sequences: Sequence[LabelledSequence]) -> tuple[Floats, Bools]:
    """Return unit vectors of the changes of all features, and whether they rest on enough."""
    widths: dict[str, int] = {}
    for sequence in sequences:
        widths.update({modality: sequence.data[modality].shape[1] for modality in sequence.data})
    rows = []
    for sequence in sequences:
        blank = {name: np.zeros((_POINTS - 1) * width) for name, width in widths.items()}
        rows.append(np.concatenate(list((blank | _changes(sequence)).values())))
    shapes = np.array(rows)
    enough = (shapes != 0).sum(1) >= _ENOUGH
    norms = np.linalg.norm(shapes, axis=1, keepdims=True)
    return shapes / np.where(norms > 0, norms, 1), enough


def _changes(sequence: LabelledSequence) -> dict[str, Floats]:
    """Return each modality's changes between points of the sequence, every feature to scale."""
    steps = np.rint(np.linspace(0, sequence.n - 1, _POINTS)).astype(int)
    changes = {}
    for modality, values in sequence.data.items():
        step = np.nan_to_num(np.diff(values[steps], axis=0), posinf=0.0, neginf=0.0)
        scale = np.abs(step).max(0)
        changes[str(modality)] = (step / np.where(scale > 0, scale, 1)).ravel()
    return changes
