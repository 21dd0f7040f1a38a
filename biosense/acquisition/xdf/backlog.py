"""What waits to be written: items in memory, counted in bytes and seconds."""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass
from typing import Generic, TypeVar

from biosense.core.clock import Clock

T = TypeVar("T")

LIMIT_BYTES = 512 * 2**20
"""Memory that items may take while the disk does not: 1.5 hours of 32 channels at 512 Hz."""


@dataclass(frozen=True)
class _Entry(Generic[T]):
    item: T
    size: int
    since: float


class Backlog(Generic[T]):
    """Keep items in order, from any thread, until they have been dealt with.

    The first item stays until `done`, so that one that cannot be written is not lost.

    Parameters
    ----------
    clock
        Real time, by which the age of the oldest item is told.
    limit
        Bytes beyond which items are refused.

    Examples
    --------
    >>> from biosense.core.clock import SystemClock
    >>> backlog = Backlog(SystemClock(), limit=10)
    >>> [backlog.put("a", 6), backlog.put("b", 6), backlog.put("c", 6, always=True)]
    [True, False, True]
    >>> backlog.first(0.0), backlog.bytes
    ('a', 12)
    >>> backlog.done()
    >>> backlog.first(0.0), len(backlog)
    ('c', 1)
    """

    def __init__(self, clock: Clock, limit: int = LIMIT_BYTES) -> None:
        self.bytes = 0
        self.limit = limit
        self.closed = threading.Event()
        self._clock = clock
        self._entries: deque[_Entry[T]] = deque()
        self._change = threading.Condition()

    def __len__(self) -> int:
        return len(self._entries)

    def put(self, item: T, size: int, *, always: bool = False) -> bool:
        """Add an item of so many bytes; False where there is no room, unless it is taken always.

        Raises
        ------
        EOFError
            If the backlog is closed.
        """
        with self._change:
            if self.closed.is_set():
                raise EOFError
            if not always and self.bytes + size > self.limit:
                return False
            self._entries.append(_Entry(item, size, self._clock.now()))
            self.bytes += size
            self._change.notify()
        return True

    def first(self, seconds: float) -> T | None:
        """Return the oldest item; None where none came within some seconds, or the end has come."""
        with self._change:
            self._change.wait_for(lambda: self._entries or self.closed.is_set(), seconds)
            return self._entries[0].item if self._entries else None

    def done(self) -> None:
        """Let go of the oldest item."""
        with self._change:
            self.bytes -= self._entries.popleft().size

    def close(self) -> None:
        """Take no more items."""
        with self._change:
            self.closed.set()
            self._change.notify_all()

    def age(self) -> float:
        """Return the seconds for which the oldest item has waited; 0 if there is none."""
        with self._change:
            return self._clock.now() - self._entries[0].since if self._entries else 0.0

    def items(self) -> list[T]:
        """Return everything that waits."""
        with self._change:
            return [entry.item for entry in self._entries]
