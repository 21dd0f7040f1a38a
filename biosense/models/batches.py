"""Sequences as tensors: cropping, batching, and the damage that training does on purpose."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from biosense.core.types import Bools, Floats, Modality
from biosense.models.sequences import LabelledSequence

MIN_SPREAD = 1e-6  # of its centre: a feature that varies less is constant, its scale stays 1


@dataclass(frozen=True, eq=False)
class Batch:
    """Hold sequences of equal length as tensors; NaN where a value is not known.

    Parameters
    ----------
    x
        Features of each modality, (batch, time, features).
    present
        Quality in [0, 1], 0 = absent, (batch, time, modalities).
    target
        Valence and arousal in [-1, 1], (batch, time, 2).
    recorded
        Quality before training masked inputs; None where nothing was masked.
    """

    x: dict[Modality, Tensor]
    present: Tensor
    target: Tensor
    recorded: Tensor | None = None

    def to(self, device: torch.device) -> Batch:
        """Return the same on a device.

        Parameters
        ----------
        device
            Where its tensors are wanted.

        Returns
        -------
        Batch
            This one where they are there already, by what torch copies.
        """
        recorded = None if self.recorded is None else self.recorded.to(device)
        x = {modality: values.to(device) for modality, values in self.x.items()}
        return Batch(x, self.present.to(device), self.target.to(device), recorded)


@dataclass(frozen=True)
class Augmentation:
    """Say how training hides inputs, so that any subset of modalities and any gap is familiar.

    Parameters
    ----------
    modality_dropout
        Chance that a modality is absent from a whole crop; at least one is kept.
    span_dropout
        Chance that a modality has an absent span in a crop.
    blackout
        Chance that everything is absent over a span of a crop, as in a lost connection.
    span_s
        Shortest and longest span, seconds.
    """

    modality_dropout: float = 0.25
    span_dropout: float = 0.25
    blackout: float = 0.1
    span_s: tuple[float, float] = (3.0, 20.0)

    def mask(self, present: Floats, hop: float, rng: np.random.Generator) -> Floats:
        """Mask inputs at random; what is given is not written to.

        Parameters
        ----------
        present
            Quality of each step, (time, modalities).
        hop
            Seconds between two steps.
        rng
            Decides what is masked.

        Returns
        -------
        Floats
            Quality with 0 where an input is masked, (time, modalities).
        """
        time, n = present.shape
        available = np.flatnonzero(present.any(0))
        dropped = rng.random((n,)) < self.modality_dropout
        if len(available) and dropped[available].all():
            dropped[rng.choice(available)] = False
        spans = np.zeros((time, n), bool)
        for column in np.flatnonzero(rng.random((n,)) < self.span_dropout):
            spans[:, column] = self._span(time, hop, rng)
        whole = np.where(dropped, 0.0, present)
        # Spans never take a step's last modality: only a blackout does, and it is deliberate.
        kept = np.where(spans, 0.0, whole)
        kept = np.where(kept.any(1, keepdims=True), kept, whole)
        if rng.random() < self.blackout:
            kept = np.where(self._span(time, hop, rng)[:, None], 0.0, kept)
        return kept

    def _span(self, time: int, hop: float, rng: np.random.Generator) -> Bools:
        length = rng.uniform(*self.span_s) / hop
        start = rng.uniform(-length / 2, time - length / 2)
        steps = np.arange(time)
        return (steps >= start) & (steps < start + length)


def collate(sequences: Sequence[LabelledSequence], counts: Sequence[tuple[str, int]]) -> Batch:
    """Stack sequences, shorter ones padded at their end with absent steps and unknown targets.

    Parameters
    ----------
    sequences
        At least one.
    counts
        (name, number of features) of each modality, in the order of `present`.

    Returns
    -------
    Batch
        Of the length of the longest sequence; NaN where a modality or a step is missing.
    """
    time = max(sequence.n for sequence in sequences)
    x = {}
    for name, width in counts:
        values = np.full((len(sequences), time, width), np.nan, np.float32)
        for k, sequence in enumerate(sequences):
            if Modality(name) in sequence.data:
                with np.errstate(over="ignore"):  # becomes infinite, which counts as missing
                    values[k, : sequence.n] = sequence.data[Modality(name)]
        x[Modality(name)] = torch.from_numpy(values)
    present = np.zeros((len(sequences), time, len(counts)), np.float32)
    target = np.full((len(sequences), time, 2), np.nan, np.float32)
    for k, sequence in enumerate(sequences):
        present[k, : sequence.n] = presence(sequence, counts)
        target[k, : sequence.n] = sequence.target
    return Batch(x, torch.from_numpy(present), torch.from_numpy(target))


def presence(sequence: LabelledSequence, counts: Sequence[tuple[str, int]]) -> Floats:
    """Return the quality of each modality; 0 for NaN and for modalities that are not there.

    Parameters
    ----------
    sequence
        Of one recording.
    counts
        (name, number of features) of each modality.

    Returns
    -------
    Floats
        Shape (time, modalities), in the order of `counts`.
    """
    absent = np.zeros(sequence.n)
    columns = [sequence.quality.get(Modality(name), absent) for name, _ in counts]
    return np.nan_to_num(np.stack(columns, 1))


def crops(
    sequences: Sequence[LabelledSequence],
    counts: Sequence[tuple[str, int]],
    *,
    steps: tuple[int, int],
    size: int,
    least: int,
    hop: float,
    augmentation: Augmentation,
    rng: np.random.Generator,
) -> Iterator[Batch]:
    """Yield one epoch of batches of random crops with inputs hidden.

    Each sequence gives as many crops as it takes to cover it once, in random order; where that
    makes fewer than `least` batches, it is covered more often.

    Parameters
    ----------
    sequences
        Those that crops are taken from.
    counts
        (name, number of features) of each modality.
    steps
        Shortest and longest crop; the length is drawn anew for each batch.
    size
        Crops in a batch.
    least
        Batches in an epoch, at least about so many.
    hop
        Seconds between two steps.
    augmentation
        How inputs are masked.
    rng
        Decides everything random.

    Yields
    ------
    Batch
        Crops of one length, shorter sequences padded.
    """
    longest = steps[1]
    tickets = [k for k, sequence in enumerate(sequences) for _ in range(-(-sequence.n // longest))]
    order = rng.permutation(tickets * max(1, round(least * size / len(tickets))))
    for first in range(0, len(order), size):
        length = int(rng.integers(steps[0], longest + 1))
        cut = [_crop(sequences[k], length, rng) for k in order[first : first + size]]
        batch = collate(cut, counts)
        batch = replace(batch, recorded=batch.present.clone())
        for row, sequence in zip(batch.present, cut, strict=True):
            hidden = augmentation.mask(presence(sequence, counts), hop, rng)
            row[: sequence.n] = torch.from_numpy(hidden)
        yield batch


def feature_scale(
    sequences: Sequence[LabelledSequence], counts: Sequence[tuple[str, int]]
) -> dict[Modality, tuple[Tensor, Tensor]]:
    """Return centre and spread of every feature, over trusted steps: median and half of 16-84 %.

    Quantiles, because an artefact of 1e9 would own a mean and a standard deviation. A feature with
    no spread between them (a count that is mostly 0) falls back to its standard deviation.

    Parameters
    ----------
    sequences
        Of the training subjects only.
    counts
        (name, number of features) of each modality.

    Returns
    -------
    dict
        Centre and spread of each modality, both (features,), in the unit of the feature.
    """
    scale = {}
    for name, width in counts:
        modality = Modality(name)
        rows = [s.data[modality][s.quality[modality] > 0] for s in sequences if modality in s.data]
        values = np.concatenate(rows) if rows else np.zeros((0, width))
        pairs = [_centre_and_spread(column[np.isfinite(column)]) for column in values.T]
        centre, spread = np.array(pairs, np.float32).T
        scale[modality] = (torch.from_numpy(centre.copy()), torch.from_numpy(spread.copy()))
    return scale


def _centre_and_spread(values: Floats) -> tuple[float, float]:
    if len(values) == 0:
        return 0.0, 1.0
    low, centre, high = np.quantile(values, (0.16, 0.5, 0.84))
    floor = max(MIN_SPREAD * abs(centre), 1e-30)  # no absolute floor: a siemens is a large unit
    for spread in ((high - low) / 2, values.std()):
        if spread > floor:
            return float(centre), float(spread)
    return float(centre), 1.0


def cut_sequence(sequence: LabelledSequence, cut: slice) -> LabelledSequence:
    """Return some consecutive steps of a sequence; nothing is copied.

    Parameters
    ----------
    sequence
        Left as it is.
    cut
        Which steps.

    Returns
    -------
    LabelledSequence
        Views of those steps.
    """
    return replace(
        sequence,
        time=sequence.time[cut],
        data={modality: values[cut] for modality, values in sequence.data.items()},
        quality={modality: values[cut] for modality, values in sequence.quality.items()},
        target=sequence.target[cut],
    )


def _crop(sequence: LabelledSequence, length: int, rng: np.random.Generator) -> LabelledSequence:
    start = int(rng.integers(0, max(sequence.n - length, 0) + 1))
    return cut_sequence(sequence, slice(start, start + length))
