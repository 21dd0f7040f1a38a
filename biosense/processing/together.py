"""Take windows in groups: numpy costs by the call, and a few windows still fit the cache."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby

import numpy as np

from biosense.core.types import Epoch, Floats

_TOGETHER = 8  # more windows of a cap do not fit the cache


def alike(items: Sequence[Epoch]) -> Iterator[list[Epoch]]:
    """Yield the windows in their order, a few of equal length at a time."""
    for start in range(0, len(items), _TOGETHER):
        for _, same in groupby(items[start : start + _TOGETHER], lambda epoch: len(epoch.data)):
            yield list(same)


def centred_rows(windows: Floats) -> Floats:
    """Return windows less their mean along the last axis, 0 where a sample is missing.

    >>> centred_rows(np.array([[1.0, np.nan, 3.0]])).tolist()
    [[-1.0, 0.0, 1.0]]
    """
    present = np.isfinite(windows)
    if present.all():  # nearly always
        return np.asarray(windows - windows.sum(axis=-1, keepdims=True) / windows.shape[-1])
    count = np.maximum(present.sum(axis=-1, keepdims=True), 1)
    filled = np.where(present, windows, 0.0)
    return np.where(present, filled - filled.sum(axis=-1, keepdims=True) / count, 0.0)
