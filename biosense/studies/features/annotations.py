"""What raters said while they watched, at the steps of a sequence."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from biosense.core.affect import TARGETS
from biosense.core.types import Chunk, Floats

MAX_APART_S = 1.0  # an annotation that is further from a step says nothing about it


def annotated(annotations: Iterable[Chunk], time: Floats) -> Floats:
    """Return valence and arousal at times, (n, 2), on straight lines between annotations.

    NaN where the next annotation is further than `MAX_APART_S`. Several raters are averaged.
    """
    raters = [_of_rater(chunk, time) for chunk in annotations]
    if not raters:
        return np.full((len(time), 2), np.nan)
    stack = np.stack(raters)
    known = np.isfinite(stack)
    total = np.where(known, stack, 0.0).sum(0)
    count = known.sum(0)
    mean = np.full(total.shape, np.nan)
    np.divide(total, count, out=mean, where=count > 0)
    return mean


def _of_rater(chunk: Chunk, time: Floats) -> Floats:
    columns = [chunk.info.channels.index(name) for name in TARGETS]
    values = np.full((len(time), 2), np.nan)
    for axis, column in enumerate(columns):
        said = np.asarray(chunk.data[:, column], np.float64)
        known = chunk.ok & np.isfinite(said)
        if known.any():
            at = chunk.times[known]
            near = _distance(at, time) <= MAX_APART_S
            values[near, axis] = np.interp(time[near], at, said[known])
    return values


def _distance(at: Floats, time: Floats) -> Floats:
    """Return how far the nearest of rising times `at` is from each of `time`."""
    right = np.searchsorted(at, time).clip(0, len(at) - 1)
    left = (right - 1).clip(0)
    distance: Floats = np.minimum(np.abs(time - at[left]), np.abs(time - at[right]))
    return distance
