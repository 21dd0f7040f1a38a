"""Rows that come one by one, and what is computed from the newest: again only when they change."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable
from math import inf
from typing import Any, TypeVar

import numpy as np

from biosense.core.types import Floats

Row = tuple[float, float, float]
Value = TypeVar("Value")


class Recent:
    """Keep rows whose first value is a rising time, and what was computed from them.

    Features are asked for four times a second, a heart beats once: most of the time nothing has
    changed.

    Examples
    --------
    >>> rows = Recent()
    >>> for beat in range(4):
    ...     rows.add((float(beat), 0.5, 0.0))
    >>> rows.once("count", 1.0, len), rows.since(1.0)[0]
    (2, (2.0, 0.5, 0.0))
    """

    def __init__(self) -> None:
        self._rows: list[Row] = []
        self._gone = self._changes = 0
        self._table: Floats | None = None
        self._known: dict[str, tuple[tuple[int, int], Any]] = {}

    @property
    def newest(self) -> Row | None:
        """The last row; None where there is none."""
        return self._rows[-1] if self._rows else None

    def add(self, row: Row) -> None:
        """Add the next row."""
        self._rows.append(row)
        self._changed()

    def replace(self, row: Row) -> None:
        """Put a row in the place of the last one."""
        self._rows[-1] = row
        self._changed()

    def forget(self, time: float) -> None:
        """Drop the rows at or before a time."""
        old = self._first_after(time)
        if old:
            del self._rows[:old]
            self._gone += old
            self._table = None

    def since(self, time: float) -> list[Row]:
        """Return the rows behind a time."""
        return self._rows[self._first_after(time) :]

    def once(self, name: str, time: float, compute: Callable[[Floats], Value]) -> Value:
        """Return what `compute` makes of the rows behind a time, (n, 3), from memory if it can.

        `name` stands for the computation.
        """
        first = self._first_after(time)
        state = self._changes, self._gone + first
        known = self._known.get(name)
        if known is None or known[0] != state:
            if self._table is None:
                self._table = np.array(self._rows, np.float64).reshape(-1, 3)
            known = self._known[name] = state, compute(self._table[first:])
        value: Value = known[1]
        return value

    def _first_after(self, time: float) -> int:
        return bisect_right(self._rows, (time, inf, inf))

    def _changed(self) -> None:
        self._changes += 1
        self._table = None
