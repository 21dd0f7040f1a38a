"""What happens when a modality fails in the test, and every subset of them: one fit, many tests."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np

from biosense.core.errors import BadInput
from biosense.core.types import Floats, Modality
from biosense.models.sequences import LabelledSequence
from biosense.studies.candidates.families import subset_name, subsets

DELAY_S = 5.0
Scale = Mapping[Modality, tuple[Floats, Floats]]
"""Mean and standard deviation of each feature over the training side."""


class Variant(Protocol):
    """A test sequence as it would be had something gone wrong."""

    @property
    def name(self) -> str:
        """How tables call it."""
        ...

    def apply(self, sequence: LabelledSequence, scale: Scale) -> LabelledSequence:
        """Return the changed sequence; the one given is left as it is."""
        ...


@dataclass(frozen=True)
class Subset:
    """Only these modalities are there."""

    modalities: tuple[Modality, ...]

    @property
    def name(self) -> str:
        """How tables call it."""
        return f"only {subset_name(self.modalities)}"

    def apply(self, sequence: LabelledSequence, scale: Scale) -> LabelledSequence:
        """Return the sequence without the others."""
        return sequence.only(self.modalities)


@dataclass(frozen=True)
class Removed:
    """A modality is not there: its sensor fell off."""

    modality: Modality

    @property
    def name(self) -> str:
        """How tables call it."""
        return f"without {self.modality}"

    def apply(self, sequence: LabelledSequence, scale: Scale) -> LabelledSequence:
        """Return the sequence with the modality absent."""
        return sequence.only([each for each in sequence.data if each != self.modality])


@dataclass(frozen=True)
class Delayed:
    """A modality comes late, and nobody notices."""

    modality: Modality
    seconds: float = DELAY_S

    def __post_init__(self) -> None:
        if not self.seconds > 0:
            raise BadInput(f"a delay of {self.seconds} s is none; wanted more than 0")

    @property
    def name(self) -> str:
        """How tables call it."""
        return f"{self.modality} {self.seconds:g} s late"

    def apply(self, sequence: LabelledSequence, scale: Scale) -> LabelledSequence:
        """Return the sequence with the modality shifted; it is absent before its first value."""
        if self.modality not in sequence.data or sequence.n < 2:
            return sequence
        steps = max(round(self.seconds / float(np.median(np.diff(sequence.time)))), 1)
        values, quality = sequence.data[self.modality], sequence.quality[self.modality]
        late, trust = np.full_like(values, np.nan), np.zeros_like(quality)
        late[steps:], trust[steps:] = values[:-steps], quality[:-steps]
        return _with(sequence, self.modality, late, trust)


@dataclass(frozen=True)
class Noise:
    """A modality is noise that claims to be good: the spread of its features is all that is left.

    The test of robustness of Liu et al. 2019 (DCCA, arXiv 1908.05349).
    """

    modality: Modality

    @property
    def name(self) -> str:
        """How tables call it."""
        return f"{self.modality} as noise"

    def apply(self, sequence: LabelledSequence, scale: Scale) -> LabelledSequence:
        """Return the sequence with the modality drawn from the training side's distribution."""
        if self.modality not in sequence.data or self.modality not in scale:
            return sequence
        place = f"{sequence.subject}/{sequence.position}/{self.modality}"
        seed = int.from_bytes(hashlib.sha256(place.encode()).digest()[:8], "big")
        values = sequence.data[self.modality]
        centre, spread = scale[self.modality]
        drawn = centre + spread * np.random.default_rng(seed).standard_normal(values.shape)
        drawn[~np.isfinite(values)] = np.nan
        return _with(sequence, self.modality, drawn, sequence.quality[self.modality])


def corruptions(modalities: Sequence[Modality]) -> list[Variant]:
    """Return everything that is done to each modality."""
    made: list[Variant] = []
    for modality in modalities:
        made += [Removed(modality), Delayed(modality), Noise(modality)]
    return made


def masks(modalities: Sequence[Modality]) -> list[Variant]:
    """Return every subset of the modalities but the whole."""
    return [Subset(subset) for subset in subsets(modalities) if len(subset) < len(modalities)]


def scale_of(sequences: Sequence[LabelledSequence]) -> Scale:
    """Return mean and standard deviation of each feature over trusted steps of training data."""
    scale = {}
    for modality in Modality:
        having = [sequence for sequence in sequences if modality in sequence.data]
        if not having:
            continue
        rows = [each.data[modality][each.quality[modality] > 0] for each in having]
        values = np.concatenate(rows)
        known = np.isfinite(values)
        count = np.maximum(known.sum(0), 1)
        centre = np.where(known, values, 0.0).sum(0) / count
        spread = np.sqrt(np.where(known, (values - centre) ** 2, 0.0).sum(0) / count)
        scale[modality] = (centre, spread)
    return scale


def _with(
    sequence: LabelledSequence, modality: Modality, values: Floats, quality: Floats
) -> LabelledSequence:
    return replace(
        sequence,
        data={**sequence.data, modality: values},
        quality={**sequence.quality, modality: quality},
    )
