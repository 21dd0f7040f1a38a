"""Time that passes only while sources wait: minutes of a run in a second."""

from __future__ import annotations

import asyncio
import heapq
from itertools import count

START = 1000.0  # session time at which every virtual clock begins


class VirtualClock:
    """A session clock whose `sleep` moves it to the nearest moment that somebody waits for."""

    def __init__(self) -> None:
        self._now = START
        self._waiting: list[tuple[float, int, asyncio.Future[None]]] = []
        self._number = count()
        self._moving = False

    def now(self) -> float:
        return self._now

    async def sleep(self, seconds: float) -> None:
        await self.until(self._now + seconds)

    async def until(self, time: float) -> None:
        loop = asyncio.get_running_loop()
        future = loop.create_future()
        heapq.heappush(self._waiting, (max(time, self._now), next(self._number), future))
        if not self._moving:
            self._moving = True
            self._wake_soon(loop)
        await future

    def _wake_soon(self, loop: asyncio.AbstractEventLoop) -> None:
        # Two turns of the loop: who was woken last may be on the way to a nearer moment.
        loop.call_soon(loop.call_soon, self._wake, loop)

    def _wake(self, loop: asyncio.AbstractEventLoop) -> None:
        time, _, future = heapq.heappop(self._waiting)
        self._now = max(self._now, time)
        if not future.done():
            future.set_result(None)
        self._moving = bool(self._waiting)
        if self._moving:
            self._wake_soon(loop)
