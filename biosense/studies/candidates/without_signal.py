"""Controls that fit a candidate to data in which the physiology says nothing any more."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from biosense.core.types import Floats
from biosense.models.sequences import LabelledSequence
from biosense.studies.base import Candidate, Predictor
from biosense.studies.candidates.lookup import sequence_rng

Sequences = Sequence[LabelledSequence]


@dataclass(frozen=True)
class NoisePhysiology:
    """Fit and ask a candidate with N(0, 1) in place of every feature, trusted throughout.

    What it still reaches, it reads from time, from the shape of the data or from the labels' means.
    Quality is replaced too: a contact that fails when people jump would be physiology.
    """

    base: Candidate

    @property
    def name(self) -> str:
        """How tables call it."""
        return f"noise physiology ({self.base.name})"

    def fit(self, train: Sequences, validation: Sequences, seed: int) -> Predictor:
        """Fit the base candidate to noise."""
        fitted = self.base.fit(
            [noise(s, seed) for s in train], [noise(s, seed) for s in validation], seed
        )
        return _OnNoise(fitted, seed)


@dataclass(frozen=True, eq=False)
class _OnNoise:
    predictor: Predictor
    seed: int

    def predict(self, sequence: LabelledSequence) -> tuple[Floats, Floats]:
        return self.predictor.predict(noise(sequence, self.seed))


def noise(sequence: LabelledSequence, seed: int) -> LabelledSequence:
    """Return the sequence with noise in place of features: the same for the same seed."""
    rng = sequence_rng(sequence, seed)
    data = {m: rng.standard_normal(values.shape) for m, values in sorted(sequence.data.items())}
    return replace(sequence, data=data, quality={m: np.ones(sequence.n) for m in data})


@dataclass(frozen=True)
class Permuted:
    """Fit a candidate to labels that were permuted over whole sequences.

    Training and validation labels move; test labels stay where they are. Within people, each keeps
    the own mean: where people differ in it, a little can still be learnt.

    Parameters
    ----------
    base
        Fitted anew.
    within_subjects
        Permute within each person; otherwise over everybody.
    """

    base: Candidate
    within_subjects: bool = True

    @property
    def name(self) -> str:
        """How tables call it."""
        how = "within people" if self.within_subjects else "over all"
        return f"permuted {how} ({self.base.name})"

    def fit(self, train: Sequences, validation: Sequences, seed: int) -> Predictor:
        """Fit the base candidate to permuted labels."""
        rng = np.random.default_rng([seed, 1])
        sides = [permuted(side, rng, self.within_subjects) for side in (train, validation)]
        return self.base.fit(sides[0], sides[1], seed)


def permuted(
    sequences: Sequences, rng: np.random.Generator, within_subjects: bool = True
) -> list[LabelledSequence]:
    """Return the sequences with their labels permuted; a longer trial's labels are compressed."""
    targets: dict[int, Floats] = {}
    groups: dict[str, list[LabelledSequence]] = {}
    for sequence in sequences:
        groups.setdefault(sequence.subject if within_subjects else "", []).append(sequence)
    for own in groups.values():
        for sequence, other in zip(own, rng.permutation(len(own)), strict=True):
            targets[id(sequence)] = _stretched(own[other].target, sequence.n)
    return [replace(sequence, target=targets[id(sequence)]) for sequence in sequences]


def _stretched(target: Floats, n: int) -> Floats:
    if len(target) == n:
        return target
    steps = np.rint(np.linspace(0, len(target) - 1, n)).astype(np.int64)
    return np.asarray(target[steps], np.float64)
