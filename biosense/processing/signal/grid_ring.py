"""The newest samples of a stream by their place on the sample grid, NaN where one is missing."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.lib.stride_tricks import as_strided

from biosense.core.grid import contiguous_runs
from biosense.core.ring import MirroredRing
from biosense.core.types import Floats, Ints

TOGETHER_S = 32.0  # points of the session grid that are answered at once span at most this


class GridRing:
    """Keep the last `capacity` places of a sample grid; a place without a sample holds NaN.

    Feature stages look back over fixed spans: here a gap is a stretch of NaN in its right place,
    instead of samples that moved closer together.

    Parameters
    ----------
    capacity
        Places kept.
    channels
        Columns.
    spare
        Places kept besides, so that windows that end at different places can be read at once.

    Examples
    --------
    >>> ring = GridRing(4, 1)
    >>> ring.put(np.array([10, 11, 13]), np.array([[1.0], [2.0], [3.0]]))
    >>> ring.upto(14, 4)[:, 0].tolist()
    [2.0, nan, 3.0, nan]
    """

    def __init__(self, capacity: int, channels: int, spare: int = 0) -> None:
        self.capacity = capacity + spare
        self._spare = spare
        self._rows = MirroredRing(self.capacity, channels)
        self._missing = np.full((self.capacity, channels), np.nan)
        self._next: int | None = None

    def put(self, indices: Ints, rows: Floats) -> None:
        """Add samples, shape (n, channels), that lie at `indices` of the grid, rising.

        Samples at places that were read already come too late and are dropped.
        """
        late = 0 if self._next is None else int(np.searchsorted(indices, self._next))
        indices, rows = indices[late:], rows[late:]
        for start, stop, _ in contiguous_runs(indices, self._next):
            self._skip_to(int(indices[start]))
            self._rows.append(rows[start:stop])
            self._next = int(indices[start]) + stop - start

    def upto(self, index: int, n: int) -> Floats:
        """Return the n places that end at `index`, that one included: a view, oldest first."""
        self._skip_to(index + 1)
        newer = 0 if self._next is None else self._next - index - 1
        return self._rows.window(self._rows.total - newer - n, self._rows.total - newer)

    def windows(self, ends: Ints, n: int) -> Floats:
        """Return the n places that end at each of `ends`, rising, shape (ends, n, channels).

        Each channel of a window is contiguous in memory; do not write to it.

        >>> ring = GridRing(2, 1, spare=2)
        >>> ring.put(np.arange(4), np.arange(4.0)[:, None])
        >>> ring.windows(np.array([1, 3]), 2)[:, :, 0].tolist()
        [[0.0, 1.0], [2.0, 3.0]]
        """
        span = int(ends[-1] - ends[0])
        rows = np.ascontiguousarray(self.upto(int(ends[-1]), n + span).T)
        if span == 0:
            return rows.T[None]
        channels, (outer, inner) = len(rows), rows.strides
        every = as_strided(rows, (span + 1, channels, n), (inner, outer, inner), writeable=False)
        step = int(ends[1] - ends[0])
        is_even = bool((ends[1:] - ends[:-1] == step).all())
        found = every[::step] if is_even else every[ends - ends[0]]
        return np.asarray(found).transpose(0, 2, 1)

    def groups(self, indices: Ints, rows: Floats, ends: Ints) -> Iterator[slice]:
        """Add samples as `put` does, stopping where the places `ends` can be read together.

        Yields which of `ends`, rising, have just been reached: `windows` may be asked for them, for
        as many places as the ring has without its spare ones. Take all of it: what lies behind the
        last end is added at last.
        """
        done = start = 0
        while start < len(ends):
            stop = int(np.searchsorted(ends, ends[start] + self._spare, side="right"))
            upto = int(np.searchsorted(indices, ends[stop - 1], side="right"))
            self.put(indices[done:upto], rows[done:upto])
            yield slice(start, stop)
            done, start = upto, stop
        self.put(indices[done:], rows[done:])

    def _skip_to(self, index: int) -> None:
        behind = self.capacity if self._next is None else index - self._next
        if behind > 0:
            self._rows.append(self._missing[: min(behind, self.capacity)])
            self._next = index
