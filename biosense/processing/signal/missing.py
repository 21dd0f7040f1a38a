"""Last known value per channel: one missing entry must not poison a filter for good."""

from __future__ import annotations

import numpy as np

from biosense.core.types import Bools, Floats

LARGEST = 1e12  # in any unit, and in counts of any converter; beyond, sums of squares lose sense


def are_numbers(values: Floats) -> Bools:
    """Tell which values can be measurements at all: finite, and not beyond any sensor.

    Parameters
    ----------
    values
        Any shape.

    Returns
    -------
    Bools
        The same shape.

    Examples
    --------
    >>> are_numbers(np.array([1.0, np.nan, np.inf, -1e30])).tolist()
    [True, False, False, False]
    """
    return np.asarray((values <= LARGEST) & (values >= -LARGEST))


def all_numbers(values: Floats) -> bool:
    """Tell whether every value can be a measurement (`are_numbers`), in half the time.

    Parameters
    ----------
    values
        Any shape.

    Returns
    -------
    bool

    Examples
    --------
    >>> all_numbers(np.array([1.0, 2.0])), all_numbers(np.array([1.0, np.nan]))
    (True, False)
    """
    # A NaN is the least and the greatest at once, and compares as false.
    return not values.size or bool(values.max() <= LARGEST and values.min() >= -LARGEST)


def forward_fill(data: Floats, last: Floats) -> Floats:
    """Replace what is no number (see `are_numbers`) by the last number of its channel.

    Parameters
    ----------
    data
        Samples, shape (n, channels); not written to.
    last
        Last number of each channel before, shape (channels,).

    Returns
    -------
    Floats
        Shape (n, channels).

    Examples
    --------
    >>> forward_fill(np.array([[np.nan], [2.0], [np.nan]]), np.array([1.0]))[:, 0].tolist()
    [1.0, 2.0, 2.0]
    """
    known = np.concatenate((last[None, :], data))
    finite = are_numbers(known)
    finite[0] = True
    rows = np.where(finite, np.arange(len(known))[:, None], 0)
    source = np.maximum.accumulate(rows, axis=0)
    filled: Floats = np.take_along_axis(known, source, axis=0)[1:]
    return filled
