"""Last known value per channel: one missing entry must not poison a filter for good."""

from __future__ import annotations

import numpy as np

from biosense.core.types import Floats


def forward_fill(data: Floats, last: Floats) -> Floats:
    """Replace non-finite entries by the last finite value of their channel.

    Parameters
    ----------
    data
        Samples, shape (n, channels); not written to.
    last
        Last finite value of each channel before, shape (channels,).

    Examples
    --------
    >>> forward_fill(np.array([[np.nan], [2.0], [np.nan]]), np.array([1.0]))[:, 0].tolist()
    [1.0, 2.0, 2.0]
    """
    known = np.concatenate((last[None, :], data))
    finite = np.isfinite(known)
    finite[0] = True
    rows = np.where(finite, np.arange(len(known))[:, None], 0)
    source = np.maximum.accumulate(rows, axis=0)
    filled: Floats = np.take_along_axis(known, source, axis=0)[1:]
    return filled
