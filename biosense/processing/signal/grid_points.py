"""Where a stream crosses the session grid: what every windowed or feature stage needs to know."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from biosense.core.grid import HOP
from biosense.core.types import Chunk, Epoch, Floats, Ints

_EPSILON = 1e-6  # in grid steps, as in core.grid: forgives the rounding of n / sfreq


@dataclass
class GridPoints:
    """Tell which points of the session grid became complete by the samples of a chunk.

    Point k is complete once a sample at or after k * hop has been seen, and may use the samples at
    or before k * hop. Points inside a gap are left out: those with no sample in the `hop` seconds
    (or the sample interval, where that is longer) that end at them. What comes out does not depend
    on how the stream is cut.

    Parameters
    ----------
    sfreq
        Rate of the stream in Hz; 0 for an irregular one.
    hop
        Step of the grid, seconds.

    Examples
    --------
    Feature stages take the samples up to `stop`, then compute the features of point k:

    >>> cut = GridPoints(sfreq=10.0)
    >>> cut.cut(np.arange(0, 6) / 10.0)  # 0.0 .. 0.5 s
    [(1, 0), (3, 1), (6, 2)]
    >>> cut.cut(np.array([0.6, 5.0, 5.1]))  # 0.75 s is complete, 1.0 .. 4.75 s fell into the gap
    [(1, 3), (2, 20)]
    """

    sfreq: float
    hop: float = HOP
    _seen: float = field(default=-math.inf, init=False, repr=False)
    _last: int | None = field(default=None, init=False, repr=False)

    def cut(self, times: Floats) -> list[tuple[int, int]]:
        """Return (stop, k) of each point that the samples at `times`, shape (n,), completed.

        `stop` counts the samples of this chunk that point k may use; it is 0 where the chunk only
        completed a point that lies before its first sample.
        """
        if len(times) == 0:
            return []
        newest = math.floor(float(times[-1]) / self.hop + _EPSILON)
        found = [] if self._last is not None and newest <= self._last else self._points(times)
        points = [(stop, k) for stop, k in found if self._last is None or k > self._last]
        self._seen = float(times[-1])
        self._last = newest if self._last is None else max(newest, self._last)
        return points

    def ends(self, times: Floats, rate: float) -> tuple[list[int], Ints]:
        """Return the points completed by samples at `times`, and the sample at which each ends.

        The latter are positions on the sample grid of `rate`, the last one at or before the point.
        """
        points = [k for _, k in self.cut(times)]
        ends = np.floor(np.array(points, np.int64) * self.hop * rate + _EPSILON)
        return points, ends.astype(np.int64)

    def epochs(
        self, chunk: Chunk, take: Callable[[Chunk], None], make: Callable[[int], Epoch]
    ) -> list[Epoch]:
        """Hand a chunk to `take` up to each completed point k, and collect `make(k)` there."""
        epochs: list[Epoch] = []
        done = 0
        for stop, k in self.cut(chunk.times):
            take(chunk.slice(done, stop))
            done = stop
            epochs.append(make(k))
        take(chunk.slice(done, chunk.n))
        return epochs

    def _points(self, times: Floats) -> list[tuple[int, int]]:
        known = times if math.isinf(self._seen) else np.concatenate(([self._seen], times))
        reach = 1.0 if self.sfreq == 0 else max(1.0, 1.0 / (self.sfreq * self.hop))
        steps = known / self.hop
        # only points within reach of a sample, so that a gap of hours costs nothing
        near = np.ceil(steps - _EPSILON)[:, None] + np.arange(math.ceil(reach - _EPSILON))
        every = near.astype(np.int64).ravel()
        # Most samples have the same point before them: what is left is soon made unique.
        k = np.unique(every[np.concatenate(([True], every[1:] != every[:-1]))])
        k = k[k <= math.floor(steps[-1] + _EPSILON)]
        stops = np.searchsorted(steps, k + _EPSILON, side="right")
        fresh = k - steps[np.maximum(stops, 1) - 1] < reach - _EPSILON
        stops -= len(known) - len(times)
        return list(zip(stops[fresh].tolist(), k[fresh].tolist(), strict=True))
