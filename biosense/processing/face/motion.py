"""How a face moves in a window of frames: slopes of its expression, energy of its movement."""

from __future__ import annotations

import numpy as np

from biosense.core.types import Floats

_LAG_S = 0.1  # a velocity over less is the tracker's jitter; an expression takes 0.25 s and more
_STILL_PER_S = 0.02  # keeps the logarithm finite: about what a still face measures


def means(frames: Floats) -> Floats:
    """Return the mean of each column over the frames that have it.

    Parameters
    ----------
    frames
        Shape (n, columns).

    Returns
    -------
    Floats
        Shape (columns,); NaN where no frame has it.
    """
    known = np.isfinite(frames)
    count = known.sum(axis=0)
    total = np.where(known, frames, 0.0).sum(axis=0)
    return np.asarray(total / np.where(count, count, np.nan))


def slopes(frames: Floats, sfreq: float) -> Floats:
    """Return the least-squares slope of each column.

    Parameters
    ----------
    frames
        On the sample grid, shape (n, columns); NaN where one is missing.
    sfreq
        Frames per second.

    Returns
    -------
    Floats
        Per second, shape (columns,). NaN with less than three frames, or less than a quarter of the
        window between the first and the last.

    Examples
    --------
    >>> slopes(np.arange(8.0)[:, None] * 0.5, 10.0).round(9).tolist()
    [5.0]
    """
    return np.array([_slope(column, sfreq) for column in frames.T])


def movement(frames: Floats, sfreq: float) -> float:
    """Return the logarithm of how fast a face moves, all columns together.

    Parameters
    ----------
    frames
        On the sample grid, shape (n, columns); NaN where one is missing.
    sfreq
        Frames per second.

    Returns
    -------
    float
        ln of the RMS velocity, in the unit of the columns per second; NaN without frames in a row.

    Examples
    --------
    >>> round(float(np.exp(movement(np.arange(8.0)[:, None] * 0.5, 10.0))), 2)
    5.02
    """
    lag = max(round(_LAG_S * sfreq), 1)
    steps = (frames[lag:] - frames[:-lag]) * (sfreq / lag)
    energy = (steps * steps).sum(axis=1)
    energy = energy[np.isfinite(energy)]
    return float(np.log(np.sqrt(energy.mean()) + _STILL_PER_S)) if len(energy) else float("nan")


def _slope(column: Floats, sfreq: float) -> float:
    at = np.flatnonzero(np.isfinite(column))
    if len(at) < 3 or 4 * (at[-1] - at[0]) < len(column):
        return float("nan")
    time = (at - at.mean()) / sfreq
    return float((time * (column[at] - column[at].mean())).sum() / (time * time).sum())
