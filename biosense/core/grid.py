"""Integer positions: the session grid of epochs, and the sample grid of a regular stream.

A float that adds up a rounded step drifts; an integer does not. Epoch k ends at k * hop seconds of
session time, and sample n of a regularised stream lies at n / sfreq, both counted from session time
0.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from biosense.core.types import Chunk, Ints

HOP = 0.25  # seconds between two points of the session grid: estimates at 4 Hz (DESIGN)
GAP_INTERVALS = 3.0  # sample intervals from one sample to the next that are no gap yet
MIN_GAP_S = 0.025  # operating systems delay a sample by as much
_EPSILON = 1e-6  # in grid steps: forgives rounding of n / sfreq, far below any real jitter


def grid_time(index: int, hop: float = HOP) -> float:
    """Return the session time of point `index` of the grid.

    Parameters
    ----------
    index
        k of the point.
    hop
        Step of the grid, seconds.

    Returns
    -------
    float
        Session time, seconds.
    """
    return index * hop


def grid_index(time: float, hop: float = HOP) -> int:
    """Return the last point of the grid at or before `time`.

    Parameters
    ----------
    time
        Session time, seconds.
    hop
        Step of the grid, seconds.

    Returns
    -------
    int
        k of the point.

    Examples
    --------
    >>> grid_index(1.0), grid_index(0.9999), grid_index(0.3 / 3 * 2.5)
    (4, 3, 1)
    """
    return int(np.floor(time / hop + _EPSILON))


def sample_index(time: float, sfreq: float) -> int:
    """Return the last sample of the grid n / sfreq at or before `time`.

    Parameters
    ----------
    time
        Session time, seconds.
    sfreq
        Rate, Hz.

    Returns
    -------
    int
        n of the sample.
    """
    return int(np.floor(time * sfreq + _EPSILON))


def sample_indices(chunk: Chunk) -> Ints:
    """Return the integer positions of a regularised chunk's samples.

    Parameters
    ----------
    chunk
        Of a regularised stream.

    Returns
    -------
    Ints
        n of each sample, shape (n,).
    """
    return np.rint(chunk.times * chunk.info.sfreq).astype(np.int64)


def longest_step(sfreq: float) -> float:
    """Return the time between two samples of a regular stream from which on it is a gap, seconds.

    Parameters
    ----------
    sfreq
        Rate, Hz; above 0.

    Returns
    -------
    float
        Seconds.

    Examples
    --------
    >>> longest_step(4.0), longest_step(1000.0)
    (0.75, 0.025)
    """
    return max(GAP_INTERVALS / sfreq, MIN_GAP_S)


def contiguous_runs(indices: Ints, expected: int | None) -> list[tuple[int, int, bool]]:
    """Cut sample positions where they jump.

    Parameters
    ----------
    indices
        Positions of the samples of a chunk, shape (n,), rising.
    expected
        Position that would continue the stream without a gap; None at its beginning.

    Returns
    -------
    list of (start, stop, fresh)
        Slices of the chunk; `fresh` where state from before must not be carried over.

    Examples
    --------
    >>> contiguous_runs(np.array([5, 6, 9, 10]), 5)
    [(0, 2, False), (2, 4, True)]
    """
    if len(indices) == 0:
        return []
    cuts = np.flatnonzero(np.diff(indices) != 1) + 1
    edges = [0, *cuts.tolist(), len(indices)]
    return [
        (start, stop, number > 0 or int(indices[0]) != expected)
        for number, (start, stop) in enumerate(pairwise(edges))
    ]
