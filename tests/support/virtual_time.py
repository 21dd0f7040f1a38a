"""Time that passes only while everybody waits: hours of a link in seconds, to the microsecond.

Unlike a clock whose `sleep` is replaced, the loop itself is: whatever waits, waits in this time.
"""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")

START_S = 1000.0


class _NoWait(selectors.SelectSelector):
    """Never wait: what would be waited for is added to the time."""

    waited = 0.0

    def select(self, timeout: float | None = None) -> list[Any]:
        events = super().select(0)
        if not events:
            assert timeout is not None, "everybody waits for ever"
            self.waited += max(timeout, 0.0)
        return events


class _VirtualLoop(asyncio.SelectorEventLoop):
    def __init__(self) -> None:
        self.virtual = _NoWait()
        super().__init__(self.virtual)

    def time(self) -> float:
        return START_S + self.virtual.waited


def run_virtual(main: Coroutine[Any, Any, T]) -> T:
    """Run in a loop whose time passes only while everybody waits."""
    with asyncio.Runner(loop_factory=_VirtualLoop) as runner:
        return runner.run(main)


class LoopClock:
    """Session time that is the loop's."""

    def now(self) -> float:
        return asyncio.get_running_loop().time()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


CLOCK = LoopClock()
