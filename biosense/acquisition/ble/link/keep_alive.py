"""What a streaming device needs now and then: a sign of life, a look at its battery, a restart."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, Protocol, TypeVar

from biosense.acquisition.ble.driver import Driver, Gatt
from biosense.acquisition.ble.gatt_services import BATTERY_LEVEL, decode_battery
from biosense.acquisition.ble.link.inbox import DeviceReport, Inbox
from biosense.acquisition.ble.link.timeouts import Sleep, first
from biosense.core.clock import Clock
from biosense.core.errors import BiosenseError, DeviceRefused, PacketError

T = TypeVar("T")

_SOON_S = 5.0  # a device that stops again within this needs more than another start


class RunProcedure(Protocol):
    """Run a GATT procedure within limits; see `Supervisor.run_procedure`."""

    async def __call__(self, procedure: Coroutine[Any, Any, T], doing: str) -> T:
        """Return what the procedure returns."""
        ...


class RestartRequest:
    """A request to start the device again, from whoever finds that it needs it."""

    def __init__(self) -> None:
        self.asked = asyncio.Event()
        self.reason = ""
        self.reconnect = False

    def ask(self, reason: str, *, reconnect: bool) -> None:
        """Request it; of several requests the strongest counts."""
        self.reason = reason
        self.reconnect = self.reconnect or reconnect
        self.asked.set()

    def take(self) -> tuple[str, bool]:
        """Return reason and whether to connect anew, and forget the request."""
        taken = self.reason, self.reconnect
        self.forget()
        return taken

    def forget(self) -> None:
        """Drop a request that was for a connection of before."""
        self.asked.clear()
        self.reason, self.reconnect = "", False


class KeepAlive:
    """Keep a streaming device going, one GATT procedure at a time.

    Parameters
    ----------
    driver, gatt
        The device, connected and started.
    inbox
        Gets what the device says.
    restart
        Requests to start again.
    run_procedure, start_again
        How to run a procedure with the device, and how to start it again.
    clock, sleep
        Session time, and how to wait in it.
    battery_every
        Seconds between two looks at the battery.
    """

    def __init__(
        self,
        driver: Driver,
        gatt: Gatt,
        inbox: Inbox,
        restart: RestartRequest,
        *,
        run_procedure: RunProcedure,
        start_again: Callable[[str], Awaitable[None]],
        clock: Clock,
        sleep: Sleep,
        battery_every: float,
    ) -> None:
        self._driver = driver
        self._gatt = gatt
        self._inbox = inbox
        self._restart = restart
        self._run_procedure = run_procedure
        self._start_again = start_again
        self._clock = clock
        self._sleep = sleep
        self._battery_every = battery_every

    async def run(self) -> str:
        """Keep it going until the device must be connected anew; return why."""
        now = self._clock.now()
        every = self._driver.keep_alive_every or float("inf")
        alive_at, battery_at, started = now + every, now + self._battery_every, now
        if not self._gatt.has(BATTERY_LEVEL):
            battery_at = float("inf")
        try:
            while True:
                if await self._restart_asked(min(alive_at, battery_at)):
                    reason, reconnect = self._restart.take()
                    if reconnect or self._clock.now() - started < _SOON_S:
                        return reason
                    await self._start_again(reason)
                    started = self._clock.now()
                elif alive_at <= battery_at:
                    await self._run_procedure(self._driver.keep_alive(self._gatt), "stay awake")
                    alive_at = self._clock.now() + every
                else:
                    asked = await self._ask_battery()
                    battery_at = self._clock.now() + (self._battery_every if asked else 1e9)
        except BiosenseError as error:
            return str(error)

    async def _restart_asked(self, time: float) -> bool:
        """Wait until `time`, at most until a restart is asked for; True for that."""
        asked = self._restart.asked
        if time == float("inf"):
            return await asked.wait()

        async def pass_time() -> bool:
            await self._sleep(max(time - self._clock.now(), 0.0))
            return False

        return await first(asked.wait(), pass_time())

    async def _ask_battery(self) -> bool:
        try:
            level = await self._run_procedure(self._gatt.read(BATTERY_LEVEL), "tell its battery")
            report = decode_battery(level)
        except (DeviceRefused, PacketError):
            return False  # it will not say more the next time
        self._inbox.put(DeviceReport(self._clock.now(), report))
        return True
