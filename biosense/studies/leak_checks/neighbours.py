"""Blocks of a few seconds of each sequence, and which of others each of them is most like."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from biosense.core.types import Bools, Floats, Ints
from biosense.models.sequences import LabelledSequence

SHORTEST_S = 2.0
MOST_BLOCKS = 16_000  # of a data set: longer blocks where there would be more
_FAR = 5.0  # standard deviations that an artefact counts at most
_AT_ONCE = 256


@dataclass(frozen=True, eq=False)
class Blocks:
    """Hold the features of blocks of steps, sequence by sequence.

    Parameters
    ----------
    values
        Means over the trusted steps of each block, (blocks, features); NaN where there is none.
    owner
        Which sequence each block is of, (blocks,).
    starts, sizes
        First block of each sequence, and how many it has.
    """

    values: Floats
    owner: Ints
    starts: Ints
    sizes: Ints


def block_seconds(sequences: Sequence[LabelledSequence]) -> float:
    """Return how long blocks are: so that there are not too many, as all pairs are compared."""
    total = sum(float(one.time[-1] - one.time[0]) for one in sequences)
    return max(SHORTEST_S, total / MOST_BLOCKS)


def blocks_of(
    sequences: Sequence[LabelledSequence], counts: Sequence[tuple[str, int]], seconds: float
) -> Blocks:
    """Average sequences over blocks of about so many seconds, at least one each.

    Parameters
    ----------
    sequences
        Of one side of a fold.
    counts
        Number of features of each modality, as of `feature_counts` of all sides.
    seconds
        As of `block_seconds`.
    """
    parts = [_blocks(one, counts, seconds) for one in sequences]
    sizes = np.array([len(part) for part in parts], np.int64)
    starts = np.cumsum(sizes) - sizes
    return Blocks(np.concatenate(parts), np.repeat(np.arange(len(parts)), sizes), starts, sizes)


def nearest(known: Floats, asked: Floats) -> Ints:
    """Return which of the known rows is most like each asked one.

    Features count in standard deviations of the known rows, and missing ones as their mean.

    Parameters
    ----------
    known, asked
        (rows, features) each.

    Returns
    -------
    array of int
        A row of `known` for each of `asked`.

    Examples
    --------
    >>> nearest(np.array([[0.0], [1.0], [9.0]]), np.array([[1.2], [7.0]])).tolist()
    [1, 2]
    """
    centre, spread = _scale(known)
    side, others = (
        np.clip(np.nan_to_num((rows - centre) / spread), -_FAR, _FAR).astype(np.float32)
        for rows in (known, asked)
    )
    lengths = (side * side).sum(1)
    found = [
        np.argmin(lengths - 2 * others[k : k + _AT_ONCE] @ side.T, axis=1)
        for k in range(0, len(others), _AT_ONCE)
    ]
    return np.concatenate(found).astype(np.int64)


def _scale(values: Floats) -> tuple[Floats, Floats]:
    known = np.isfinite(values)
    count = np.maximum(known.sum(0), 1)
    centre = np.where(known, values, 0.0).sum(0) / count
    spread = np.sqrt(np.where(known, (values - centre) ** 2, 0.0).sum(0) / count)
    return centre, np.where(spread > 0, spread, 1.0)


def _blocks(
    sequence: LabelledSequence, counts: Sequence[tuple[str, int]], seconds: float
) -> Floats:
    length = float(sequence.time[-1] - sequence.time[0])
    n = int(np.clip(round(length / seconds), 1, sequence.n))
    starts = np.linspace(0, sequence.n, n + 1)[:-1].astype(np.int64)
    by_name = {str(modality): modality for modality in sequence.data}
    columns = [
        _means(sequence.data[by_name[name]], sequence.quality[by_name[name]] > 0, starts)
        if name in by_name
        else np.full((n, width), np.nan)
        for name, width in counts
    ]
    return np.concatenate(columns, 1)


def _means(values: Floats, trusted: Bools, starts: Ints) -> Floats:
    known = np.isfinite(values) & trusted[:, None]
    total = np.add.reduceat(np.where(known, values, 0.0), starts)
    count = np.add.reduceat(known.astype(np.float64), starts)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)
