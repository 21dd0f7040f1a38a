"""From samples to pixel columns: what a sweep paints. No Qt.

A sample belongs to column floor(time * columns per second), counted from session time 0, whatever
is drawn around it: columns never wiggle, and only the newest one is not final. For a regular stream
that is the quantisation by absolute sample index; for one with jitter it stays true to its stamps.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from biosense.core.types import Bools, Floats, Ints


@dataclass(frozen=True, eq=False)
class Columns:
    """Hold the pixel columns of a stream that have samples.

    Parameters
    ----------
    at
        Number of each column, counted from session time 0, shape (n,), rising.
    low, high
        Least and greatest value in it, shape (n, lanes); NaN where a lane has none.
    first, last
        First and last value in it.
    joined
        True where the column continues the one before, shape (n,); False behind a gap.
    starts
        Position of the first sample of each column in what was given.
    """

    at: Ints
    low: Floats
    high: Floats
    first: Floats
    last: Floats
    joined: Bools
    starts: Ints


def column_of(time: float, per_second: float) -> int:
    """Return the column in which a session time falls."""
    return int(np.floor(time * per_second))


def to_columns(times: Floats, values: Floats, per_second: float, gap: float) -> Columns:
    """Reduce samples to the least and greatest of each column, so that no peak is lost.

    Parameters
    ----------
    times
        Session times, shape (n,), n at least 1.
    values
        Shape (n, lanes); NaN where there is none.
    per_second
        Columns in a second.
    gap
        Distance of two samples, seconds, across which no line is drawn.

    Returns
    -------
    Columns
        Of all samples.

    Examples
    --------
    >>> values = np.array([[1.0], [5.0], [2.0], [3.0]])
    >>> columns = to_columns(np.array([0.0, 0.1, 0.2, 0.9]), values, 5.0, 0.5)
    >>> columns.at.tolist(), columns.high[:, 0].tolist(), columns.joined.tolist()
    ([0, 1, 4], [5.0, 2.0, 3.0], [False, True, False])
    """
    at = np.floor(times * per_second).astype(np.int64)
    starts = np.concatenate([[0], np.flatnonzero(np.diff(at)) + 1])
    stops = np.concatenate([starts[1:], [len(at)]])
    joined = np.zeros(len(starts), bool)
    joined[1:] = times[starts[1:]] - times[starts[1:] - 1] <= gap
    return Columns(
        at[starts],
        np.fmin.reduceat(values, starts, axis=0),
        np.fmax.reduceat(values, starts, axis=0),
        values[starts],
        values[stops - 1],
        joined,
        starts,
    )
