"""What fits without gradient descent share: steps as rows, and the gain that shrinkage needs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from biosense.core.errors import BadInput
from biosense.core.types import Floats, Ints, Modality
from biosense.models.batches import Augmentation, collate, presence
from biosense.models.evaluation.metrics import ccc
from biosense.models.sequences import LabelledSequence

MAX_GAIN = 3.0
"""Beyond it the estimate is noise that would be blown up; below 1 there is no shrinkage."""


@dataclass(frozen=True, eq=False)
class Rows:
    """Hold the usable steps of some sequences as rows.

    Parameters
    ----------
    columns
        Shape (n, columns).
    target
        Valence and arousal, (n, 2); NaN where unknown.
    subject
        Number of the subject whom a row is of, (n,).
    """

    columns: Floats
    target: Floats
    subject: Floats


@dataclass(frozen=True, eq=False)
class Masking:
    """Say how often a sequence is shown, each time but the first with other inputs masked.

    Parameters
    ----------
    augmentation
        How inputs are masked.
    copies
        How often; at least 1.
    rng
        Decides what is masked.
    """

    augmentation: Augmentation
    copies: int
    rng: np.random.Generator


ColumnsOf = Callable[[Mapping[Modality, Tensor], Tensor], tuple[Tensor, Tensor]]
"""Makes columns (batch, time, columns) and quality of features and quality."""


def usable_rows(
    sequences: Sequence[LabelledSequence],
    columns_of: ColumnsOf,
    counts: Sequence[tuple[str, int]],
    *,
    hop: float,
    masking: Masking | None = None,
) -> Rows:
    """Return the steps that have both a target and a modality.

    Parameters
    ----------
    sequences
        Of any subjects.
    columns_of
        What a model makes of features.
    counts
        (name, number of features) of each modality.
    hop
        Seconds between two steps.
    masking
        How inputs are masked; None: not at all.

    Returns
    -------
    Rows
        Of all sequences, one behind the other, copies of a sequence together.

    Raises
    ------
    BadInput
        There is no such step.
    """
    subjects = sorted({sequence.subject for sequence in sequences})
    parts = []
    for sequence in sequences:
        batch = collate([sequence], counts)
        for present in _shown(batch.present, presence(sequence, counts), hop, masking):
            with torch.inference_mode():
                columns, quality = columns_of(batch.x, present)
            usable = (quality[0] > 0).any(-1).numpy() & np.isfinite(sequence.target).any(1)
            who = np.full(int(usable.sum()), float(subjects.index(sequence.subject)))
            parts.append(Rows(columns[0].double().numpy()[usable], sequence.target[usable], who))
    if not any(len(part.target) for part in parts):
        raise BadInput("no step has both a target and a modality; a fit needs some")
    return Rows(
        np.concatenate([part.columns for part in parts]),
        np.concatenate([part.target for part in parts]),
        np.concatenate([part.subject for part in parts]),
    )


def _shown(
    present: Tensor, quality: Floats, hop: float, masking: Masking | None
) -> Iterator[Tensor]:
    """Yield the quality (1, time, modalities) of a sequence as it was recorded, then masked."""
    yield present
    if masking is None:
        return
    for _ in range(masking.copies - 1):
        kept = masking.augmentation.mask(quality, hop, masking.rng)
        yield torch.from_numpy(kept).float().unsqueeze(0)


def mean_ccc(said: Floats, rows: Rows) -> float:
    """Return the CCC of each subject's rows, averaged over subjects and targets that vary.

    Parameters
    ----------
    said
        Estimates of valence and arousal, (n, 2).
    rows
        What they are of.

    Returns
    -------
    float
        In [-1, 1]; minus infinity where nothing can be scored.
    """
    values = [
        ccc(said[rows.subject == who, column], rows.target[rows.subject == who, column])
        for who in np.unique(rows.subject)
        for column in range(2)
    ]
    return float(np.nanmean(values)) if np.isfinite(values).any() else float("-inf")


def importance_shares(size: Floats, owner: Ints, n: int) -> Tensor:
    """Return the share of each modality in what its columns weigh; none is quite 0.

    Parameters
    ----------
    size
        What each column weighs, (columns,), not negative.
    owner
        Modality of each column, (columns,).
    n
        Number of modalities.

    Returns
    -------
    Tensor
        Shape (n,); they sum to 1.
    """
    sums = np.bincount(owner, size, minlength=n)
    total = sums + 1e-3 * max(float(sums.sum()), 1e-12)
    return torch.from_numpy(total / total.sum()).float()


def spread_gain(said: Floats, target: Floats) -> tuple[float, float]:
    """Return the centre of estimates and what gives them the spread of the known targets.

    Parameters
    ----------
    said
        Estimates of one target, (n,).
    target
        Shape (n,); NaN where unknown.

    Returns
    -------
    tuple of float
        Centre, and gain in [1, `MAX_GAIN`]; 0 and 1 where estimates do not follow the target.
    """
    known = np.isfinite(target)
    said, target = said[known], target[known]
    if len(said) < 2 or said.std() == 0 or np.cov(said, target)[0, 1] <= 0:
        return 0.0, 1.0
    return float(said.mean()), float(np.clip(target.std() / said.std(), 1.0, MAX_GAIN))


def rescale(said: Floats, centre: float, gain: float) -> Floats:
    """Spread estimates by a gain around a centre.

    Parameters
    ----------
    said
        Estimates of one target, (n,).
    centre, gain
        As `spread_gain` gives them.

    Returns
    -------
    Floats
        Of the same shape.
    """
    return centre + gain * (said - centre)
