"""Whether the last seconds of a respiration signal look like one: flat, noisy, clipped."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from biosense.core.types import Bools, Floats, Ints

MOST_NOISE = 1.2  # SD of steps over that of values: 1.4 is white noise, 0.4 fast breathing


class BreathQuality(NamedTuple):
    """Hold what a window shows: samples that are there, and what is wrong with them.

    Parameters
    ----------
    present
        Samples that are there.
    is_flat
        True where nothing moves.
    is_noise
        True where steps are larger than breathing makes them.
    clipped
        Share of the samples at rest on an extreme, 0 to 1.
    """

    present: int
    is_flat: bool
    is_noise: bool
    clipped: float


def breath_qualities(smooth: Floats, raw: Floats, there: Bools) -> Iterator[BreathQuality]:
    """Judge windows of a respiration signal.

    Samples that are missing are left out, so the others move together.

    Parameters
    ----------
    smooth, raw
        With and without smoothing, shape (k, n); NaN where a sample is missing.
    there
        Which samples are there, shape (k, n).

    Yields
    ------
    BreathQuality
        Of each window.

    Examples
    --------
    >>> raw = np.array([[0.0, 1, 2, 2, 2, 1, 0, 1, 2]])
    >>> next(breath_qualities(raw, raw, np.isfinite(raw)))
    BreathQuality(present=9, is_flat=False, is_noise=False, clipped=0.25)
    """
    count = there.sum(axis=1)
    whole, some = count == there.shape[1], (count > 0) & (count < there.shape[1])
    at_once = iter(_without_holes(smooth[whole], raw[whole]) if whole.any() else ())
    holed = iter(_between_holes(smooth[some], raw[some], there[some]) if some.any() else ())
    for is_whole, is_some in zip(whole.tolist(), some.tolist(), strict=True):
        if is_whole:
            yield next(at_once)
        else:
            yield next(holed) if is_some else BreathQuality(0, False, False, 0.0)


def _without_holes(smooth: Floats, raw: Floats) -> list[BreathQuality]:
    """Judge windows without holes."""
    count = raw.shape[1]
    top = np.abs(smooth).max(axis=1)
    flat = np.ptp(smooth, axis=1) <= 1e-9 * np.maximum(1.0, top) + 1e-12
    noise = _spread(np.diff(raw, axis=1)) > MOST_NOISE * _spread(raw)
    clipped = np.zeros(len(raw))
    for end in (raw.max(axis=1), raw.min(axis=1)):
        there = raw == end[:, None]
        clipped += (there[:, 1:] & there[:, :-1]).sum(axis=1) / max(count - 1, 1)
    columns = (flat.tolist(), noise.tolist(), clipped.tolist())
    return [BreathQuality(count, *row) for row in zip(*columns, strict=True)]


def _between_holes(smooth: Floats, raw: Floats, there: Bools) -> list[BreathQuality]:
    """Judge windows with holes, each with a sample at least: what stays behind holes is 0."""
    count, places = there.sum(axis=1), np.arange(there.shape[1])
    newest = np.maximum.accumulate(np.where(there, places, -1), axis=1)
    before = newest[:, :-1]
    follows, before = there[:, 1:] & (before >= 0), np.maximum(before, 0)
    low, high = (fill(smooth, there) for fill in (_least, _greatest))
    flat = high - low <= 1e-9 * np.maximum(1.0, np.maximum(-low, high)) + 1e-12
    steps = raw[:, 1:] - np.take_along_axis(raw, before, axis=1)
    noise = _spread(steps, follows) > MOST_NOISE * _spread(raw, there)
    clipped = np.zeros(len(raw))
    for end in (_least(raw, there), _greatest(raw, there)):
        ends = there & (raw == end[:, None])
        pairs = follows & ends[:, 1:] & np.take_along_axis(ends, before, axis=1)
        clipped += pairs.sum(axis=1) / np.maximum(count - 1, 1)
    columns = (count.tolist(), flat.tolist(), noise.tolist(), clipped.tolist())
    return [BreathQuality(*row) for row in zip(*columns, strict=True)]


def _least(values: Floats, there: Bools) -> Floats:
    return np.asarray(np.where(there, values, np.inf).min(axis=1))


def _greatest(values: Floats, there: Bools) -> Floats:
    return np.asarray(np.where(there, values, -np.inf).max(axis=1))


def _spread(values: Floats, there: Bools | None = None) -> Floats:
    """Return the standard deviation of each row, of what is there; 0 where it is empty."""
    if there is None:
        count: Ints | int = max(values.shape[1], 1)
        centred = values - values.sum(axis=1, keepdims=True) / count
    else:
        count = np.maximum(there.sum(axis=1), 1)
        mean = np.where(there, values, 0.0).sum(axis=1) / count
        centred = np.where(there, values - mean[:, None], 0.0)
    return np.asarray(np.sqrt(np.square(centred).sum(axis=1) / count))
