"""Feature sequences with targets, one for each recording: what models are trained and scored on."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Self

import numpy as np

from biosense.core.affect import FusionInput
from biosense.core.errors import BadInput
from biosense.core.grid import HOP, grid_time
from biosense.core.types import Floats, Modality


@dataclass(frozen=True, eq=False)
class LabelledSequence:
    """Hold the features of one recording on the session grid, with continuous targets.

    Parameters
    ----------
    subject
        Who; sequences of one subject never fall on both sides of a split.
    time
        Session time of each step, seconds, shape (time,), one hop apart.
    data
        Features of each modality, (time, features); NaN where a feature has no value.
    quality
        Of each modality in `data`, (time,), in [0, 1]; 0 = absent.
    target
        Valence and arousal in [-1, 1], (time, 2); NaN where nobody rated.
    stimulus
        What was shown, where known.
    group
        Stimuli of one group never fall on both sides of a split; empty: the stimulus is its own.
    position
        Rank among the subject's sequences in the order in which they were recorded, from 0.
    per_trial
        True where the target is one rating of the whole sequence, repeated: it then says nothing
        about time within the sequence, and is scored once per sequence.

    Examples
    --------
    >>> time = np.arange(3) * 0.25
    >>> data, quality = {Modality.EDA: np.zeros((3, 2))}, {Modality.EDA: np.ones(3)}
    >>> LabelledSequence("p01", time, data, quality, np.zeros((3, 2))).n
    3
    """

    subject: str
    time: Floats
    data: Mapping[Modality, Floats]
    quality: Mapping[Modality, Floats]
    target: Floats
    stimulus: str = ""
    group: str = ""
    position: int = 0
    per_trial: bool = False

    def __post_init__(self) -> None:
        n = len(self.time)
        if n == 0:
            raise BadInput(f"a sequence of {self.subject!r} has 0 steps, at least 1 is needed")
        if self.target.shape != (n, 2):
            raise BadInput(
                f"target of {self.subject!r} has shape {self.target.shape}, wanted ({n}, 2)"
            )
        if set(self.data) != set(self.quality):
            raise BadInput(
                f"{self.subject!r} has features of {sorted(self.data)} but qualities of "
                f"{sorted(self.quality)}; each modality needs both"
            )
        for modality, values in self.data.items():
            if values.ndim != 2 or len(values) != n or self.quality[modality].shape != (n,):
                raise BadInput(
                    f"{modality} of {self.subject!r}: features {values.shape} and quality "
                    f"{self.quality[modality].shape} must be ({n}, features) and ({n},)"
                )
        if np.nanmax(np.abs(self.target), initial=0.0) > 1:
            raise BadInput(f"targets of {self.subject!r} leave [-1, 1]; map ratings to it first")

    @property
    def n(self) -> int:
        """Number of steps."""
        return len(self.time)

    @property
    def stimuli(self) -> str:
        """What must stay on one side of a split by stimulus: the group, else the stimulus."""
        return self.group or self.stimulus

    def only(self, modalities: Collection[Modality]) -> Self:
        """Return the sequence with some of its modalities alone; nothing is copied.

        Parameters
        ----------
        modalities
            Those that are kept where the sequence has them: without any, everything is absent.

        Returns
        -------
        LabelledSequence
        """
        return replace(
            self,
            data={m: values for m, values in self.data.items() if m in modalities},
            quality={m: values for m, values in self.quality.items() if m in modalities},
        )

    @classmethod
    def from_inputs(
        cls,
        subject: str,
        inputs: Sequence[FusionInput],
        target: Floats,
        *,
        stimulus: str = "",
        hop: float = HOP,
    ) -> Self:
        """Collect the joined features of a recording; indices that are missing become absent.

        Parameters
        ----------
        subject
            Who.
        inputs
            In rising order of index.
        target
            Valence and arousal at each of `inputs`, (len(inputs), 2).
        stimulus
            What was shown, where known.
        hop
            Seconds between two indices.

        Returns
        -------
        LabelledSequence
            From the first index to the last, absent steps included.

        Raises
        ------
        BadInput
            There are no inputs, not as many targets, or indices that do not rise.
        """
        if len(inputs) == 0 or len(inputs) != len(target):
            raise BadInput(f"got {len(inputs)} inputs and {len(target)} targets; wanted as many")
        rows = np.array([item.index for item in inputs]) - inputs[0].index
        if np.any(np.diff(rows) < 1):
            raise BadInput(f"indices of {subject!r} must rise from input to input")
        n = int(rows[-1]) + 1
        data, quality = {}, {}
        for modality, width in _widths(inputs).items():
            values, known = np.full((n, width), np.nan), np.zeros(n)
            for row, item in zip(rows, inputs, strict=True):
                if modality in item.data:
                    values[row], known[row] = item.data[modality], item.quality[modality]
            data[modality], quality[modality] = values, known
        labels = np.full((n, 2), np.nan)
        labels[rows] = target
        time = np.array([grid_time(inputs[0].index + row, hop) for row in range(n)])
        return cls(subject, time, data, quality, labels, stimulus)


def feature_counts(sequences: Iterable[LabelledSequence]) -> tuple[tuple[str, int], ...]:
    """Return the number of features of each modality over all sequences.

    Parameters
    ----------
    sequences
        Of one kind of features.

    Returns
    -------
    tuple
        (name, number of features) pairs, in the order of `Modality`.

    Raises
    ------
    BadInput
        Two sequences disagree on the number of features of a modality, or there are none.
    """
    counts: dict[Modality, int] = {}
    for sequence in sequences:
        for modality, values in sequence.data.items():
            known = counts.setdefault(modality, values.shape[1])
            if known != values.shape[1]:
                raise BadInput(
                    f"{modality} has {known} features in one sequence and {values.shape[1]} in "
                    f"that of {sequence.subject!r}; extract all with the same pipeline"
                )
    if not counts:
        raise BadInput("the sequences hold no features of any modality")
    return tuple((modality.value, counts[modality]) for modality in Modality if modality in counts)


def restrict(
    sequences: Sequence[LabelledSequence], modalities: Iterable[Modality]
) -> list[LabelledSequence]:
    """Return the sequences with some modalities only; nothing is copied.

    A sequence without any of them stays, as one at which everything is absent: scores of different
    choices then rest on the same sequences.

    Parameters
    ----------
    sequences
        Left as they are.
    modalities
        Those that are kept.

    Returns
    -------
    list of LabelledSequence
        As many, in the same order.

    Raises
    ------
    BadInput
        A modality is in none of the sequences.

    Examples
    --------
    >>> data = {Modality.EDA: np.zeros((3, 2)), Modality.ECG: np.zeros((3, 1))}
    >>> quality = {modality: np.ones(3) for modality in data}
    >>> whole = LabelledSequence("p01", np.arange(3) * 0.25, data, quality, np.zeros((3, 2)))
    >>> list(restrict([whole], [Modality.ECG])[0].data)
    [<Modality.ECG: 'ecg'>]
    """
    wanted = set(modalities)
    missing = wanted - {modality for sequence in sequences for modality in sequence.data}
    if missing:
        raise BadInput(f"no sequence has features of {', '.join(sorted(missing))}")
    return [sequence.only(wanted) for sequence in sequences]


def check_hop(sequences: Sequence[LabelledSequence], hop: float) -> None:
    """Refuse sequences whose steps are not `hop` seconds apart.

    Parameters
    ----------
    sequences
        Of any length.
    hop
        Seconds.

    Raises
    ------
    BadInput
        One has another distance, or a jump.
    """
    for sequence in sequences:
        if not np.allclose(np.diff(sequence.time), hop, rtol=0, atol=1e-6):
            raise BadInput(
                f"steps of {sequence.subject!r} must all be hop={hop} s apart; extract features "
                "with that hop, or train with theirs"
            )


def split_subjects(
    sequences: Sequence[LabelledSequence], share: float, seed: int
) -> tuple[list[LabelledSequence], list[LabelledSequence]]:
    """Hold out a share of the subjects, at least one on each side, chosen by the seed.

    Parameters
    ----------
    sequences
        Of at least two subjects.
    share
        Of the subjects that is held out.
    seed
        Decides who.

    Returns
    -------
    tuple of list
        Sequences of the others, and of those held out.

    Raises
    ------
    BadInput
        There are fewer than two subjects, or `share` is not between 0 and 1.
    """
    subjects = sorted({sequence.subject for sequence in sequences})
    if len(subjects) < 2:
        raise BadInput(f"holding out subjects needs at least 2, got {subjects}")
    if not 0 < share < 1:
        raise BadInput(f"the share of held-out subjects must be between 0 and 1, got {share}")
    n = min(max(round(share * len(subjects)), 1), len(subjects) - 1)
    held = set(np.random.default_rng(seed).permutation(subjects)[:n].tolist())
    train = [sequence for sequence in sequences if sequence.subject not in held]
    return train, [sequence for sequence in sequences if sequence.subject in held]


def _widths(inputs: Sequence[FusionInput]) -> dict[Modality, int]:
    widths: dict[Modality, int] = {}
    for item in inputs:
        for modality, values in item.data.items():
            widths.setdefault(modality, len(values))
    return widths
