"""Time that runs faster than the clock on the wall, and the crystals of sensors in it."""

from __future__ import annotations

import asyncio
import heapq
import itertools
import time
from dataclasses import dataclass

from biosense.core.clock import Clock

# What a pause of this process may add to the simulated time, in seconds of it: less than what a
# link takes for having been held up (0.1 s). In real time 2 ms at least, which an idle loop needs.
PAUSE_S = 0.08
LEAST_PAUSE_S, MOST_PAUSE_S = 0.002, 0.02


class ScaledClock:
    """Tell session time that runs `speed` times as fast as real time.

    A pause of this process (the machine has other work) would look like a silence of every sensor,
    `speed` times as long. So simulated time waits with the process: it advances by no more than
    `PAUSE_S` between two looks at it, of which there are many while anybody sleeps. Above 20 times
    real time it is therefore a little slower than `speed` says.
    """

    def __init__(self, speed: float = 1.0, start: float = 1000.0) -> None:
        self.speed = speed
        self._pause = min(max(PAUSE_S / speed, LEAST_PAUSE_S), MOST_PAUSE_S)
        self._now = start
        self._looked = time.monotonic()
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []
        self._numbers = itertools.count()
        self._timer: asyncio.TimerHandle | None = None

    def now(self) -> float:
        """Return session time, seconds."""
        real = time.monotonic()
        self._now += self.speed * min(real - self._looked, self._pause)
        self._looked = real
        return self._now

    async def sleep(self, seconds: float) -> None:
        """Wait for a while of simulated time."""
        if seconds <= 0:
            await asyncio.sleep(0)
            return
        woken = asyncio.get_running_loop().create_future()
        entry = (self.now() + seconds, next(self._numbers), woken)
        heapq.heappush(self._sleepers, entry)
        if self._sleepers[0] is entry:
            self._set_timer()
        await woken

    def _set_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._sleepers:
            wait = (self._sleepers[0][0] - self.now()) / self.speed
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(min(max(wait, 0.0), self._pause / 2), self._wake)

    def _wake(self) -> None:
        now = self.now()
        while self._sleepers and self._sleepers[0][0] <= now:
            _, _, woken = heapq.heappop(self._sleepers)
            if not woken.done():
                woken.set_result(None)
        self._set_timer()


async def sleep_until(clock: Clock, moment: float) -> None:
    """Wait until session time `moment`, in the time of a clock that may be a simulated one."""
    seconds = moment - clock.now()
    await (clock.sleep(seconds) if isinstance(clock, ScaledClock) else asyncio.sleep(seconds))


@dataclass
class Crystal:
    """The clock inside a sensor: it is `ppm` fast, and began to count at session time `begun`.

    `time` counts from the sensor's beginning and is never set: it numbers the samples. What the
    sensor says of time or count may begin anew; that is the sensor's own affair.
    """

    clock: Clock
    begun: float
    ppm: float = 0.0

    def time(self) -> float:
        """Return seconds since the sensor's beginning, by its own crystal."""
        return (self.clock.now() - self.begun) * (1 + self.ppm * 1e-6)

    def session(self, time: float) -> float:
        """Return the session time at which the crystal shows `time`: the truth for tests."""
        return self.begun + time / (1 + self.ppm * 1e-6)

    async def wait(self, time: float) -> None:
        """Wait until the crystal shows `time`."""
        await sleep_until(self.clock, self.session(time))
