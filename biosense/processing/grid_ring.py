"""The newest samples of a stream by their place on the sample grid, NaN where one is missing."""

from __future__ import annotations

import numpy as np

from biosense.core.grid import contiguous_runs
from biosense.core.ring import MirroredRing
from biosense.core.types import Floats, Ints


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

    Examples
    --------
    >>> ring = GridRing(4, 1)
    >>> ring.put(np.array([10, 11, 13]), np.array([[1.0], [2.0], [3.0]]))
    >>> ring.upto(14, 4)[:, 0].tolist()
    [2.0, nan, 3.0, nan]
    """

    def __init__(self, capacity: int, channels: int) -> None:
        self.capacity = capacity
        self._rows = MirroredRing(capacity, channels)
        self._missing = np.full((capacity, channels), np.nan)
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

    def _skip_to(self, index: int) -> None:
        behind = self.capacity if self._next is None else index - self._next
        if behind > 0:
            self._rows.append(self._missing[: min(behind, self.capacity)])
            self._next = index
