"""Rows that come one by one, and those before any of many moments at once."""

from __future__ import annotations

import numpy as np

from biosense.core.types import Floats

MOST = 256  # rows that are looked back over: a minute of beats at 250 a minute
_ROOM = 8 * MOST

Row = tuple[float, float, float]


class RecentBeats:
    """Keep rows whose first value is a rising time.

    What is computed from the rows before a moment must not depend on how many moments are asked for
    together. As many places as the one with most rows needs are given to all; sums over them, with
    0 for rows that are too old, come to the same bits for any number of places that `_places`
    gives: numpy adds up 8 sums side by side, and halves what is longer than 128.

    Examples
    --------
    >>> rows = RecentBeats()
    >>> for beat in range(4):
    ...     rows.add((float(beat), 0.5, 0.0))
    >>> times, halves, zeros = rows.before([3, 4], np.array([-1.0, 0.5]))
    >>> times[:, -3:].tolist(), halves.shape, rows.count
    ([[0.0, 1.0, 2.0], [1.0, 2.0, 3.0]], (2, 8), 4)
    """

    def __init__(self) -> None:
        self._columns = np.full((3, _ROOM), np.nan)
        self._columns[0, :MOST] = -np.inf
        self._gone, self._stop = -MOST, MOST

    @property
    def count(self) -> int:
        """How many rows have been added."""
        return self._gone + self._stop

    def add(self, row: Row) -> None:
        """Add the next row."""
        if self._stop == self._columns.shape[1]:
            more = np.full((3, _ROOM), np.nan)
            self._columns = np.concatenate((self._columns, more), axis=1)
        self._columns[:, self._stop] = row
        self._stop += 1

    def before(self, counts: list[int], since: Floats) -> Floats:
        """Return the rows that had been added when `count` was each of `counts`, (3, k, places).

        They are all that are newer than each of `since`, and older ones. The newest is the last
        one; in an empty place the time is minus infinity.
        """
        stops = np.array(counts) - self._gone
        starts = np.searchsorted(self._columns[0, : self._stop], since, side="right")
        places = _places(int((stops - starts).max()))
        return self._columns[:, stops[:, None] + np.arange(-places, 0)]

    def forget(self) -> None:
        """Drop what nobody will ask for who asks for what was added last, or later."""
        if self._stop > _ROOM // 2:
            kept = self._columns[:, self._stop - MOST : self._stop].copy()
            self._gone += self._stop - MOST
            self._columns = np.full((3, _ROOM), np.nan)
            self._columns[:, :MOST], self._stop = kept, MOST


def _places(needed: int) -> int:
    """Return for how many rows there is room: a multiple of 8 up to 128, or `MOST`."""
    places = 8 * max(1, -(-needed // 8))
    return places if places <= 128 else MOST
