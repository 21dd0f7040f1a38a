"""Take windows in groups: numpy costs by the call, and a few windows still fit the cache."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby

from biosense.core.types import Epoch

_TOGETHER = 16  # more windows of a cap do not fit the cache


def equally_long(items: Sequence[Epoch]) -> Iterator[list[Epoch]]:
    """Yield the windows in their order, a few of equal length at a time.

    Parameters
    ----------
    items
        Windows.

    Yields
    ------
    list of Epoch
        In their order, at most 16.
    """
    for start in range(0, len(items), _TOGETHER):
        for _, same in groupby(items[start : start + _TOGETHER], lambda epoch: len(epoch.data)):
            yield list(same)
