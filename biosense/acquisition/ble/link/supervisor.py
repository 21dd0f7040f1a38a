"""Keep one sensor streaming: notice at once when it does not, and bring it back."""

from __future__ import annotations

import logging
from collections.abc import Coroutine
from random import Random
from typing import Any, NoReturn, TypeVar

from biosense.acquisition.ble.driver import Advertisement, Driver
from biosense.acquisition.ble.link.inbox import (
    DeviceReport,
    DeviceStarted,
    Inbox,
    LinkChanged,
    Packet,
)
from biosense.acquisition.ble.link.keep_alive import KeepAlive, RestartRequest
from biosense.acquisition.ble.link.notifications import Notifications
from biosense.acquisition.ble.link.states import Adapter, Connection, LinkState, LinkTimes
from biosense.acquisition.ble.link.timeouts import Sleep, expire, first, within
from biosense.core.clock import Clock
from biosense.core.errors import BiosenseError, DeviceLost, StreamNotFound

log = logging.getLogger(__name__)

T = TypeVar("T")

_JITTER = 1.25  # sensors that were lost together come back one after another
_HELD_UP_S = 0.1  # a loop that wakes later than this may have packets still to read
_FEW = 3  # failures: a pause of about 4 s
_NEVER_S = 1e6
_INSTANT_S = 1e-6  # what rounding leaves of a wait


class Supervisor:
    """Keep the link to one device.

    After a stall or a drop the device is stopped, disconnected, scanned for, connected and started
    again, with pauses that grow, for as long as the run lasts. It is known by its address from the
    first connection on, so that no other device of the same name takes its place.

    Parameters
    ----------
    driver
        Of this device, over all its connections.
    device
        As it was heard first.
    adapter
        The Bluetooth of this computer.
    inbox
        Gets everything that happens, in its order.
    clock, sleep
        Session time, and how to wait in it.
    times
        How long to wait for what.
    """

    def __init__(
        self,
        driver: Driver,
        device: Advertisement,
        adapter: Adapter,
        inbox: Inbox,
        *,
        clock: Clock,
        sleep: Sleep,
        times: LinkTimes,
    ) -> None:
        self.state = LinkState.IDLE
        self.device = device
        self.driver = driver
        self.serial = ""
        self._adapter = adapter
        self._inbox = inbox
        self._clock = clock
        self._sleep = sleep
        self._times = times
        self._jitter = Random(device.address)  # its own pauses, the same in every run
        self._failures = 0
        self._connection: Connection | None = None
        self._notifications: Notifications | None = None
        self._restart = RestartRequest()

    async def connect(self, device: Advertisement) -> None:
        """Connect the device as it was heard just now; it is one's turn."""
        self.device = device
        self._change(LinkState.CONNECTING)
        notifications = Notifications(self._clock, self._receive)
        self._connection = await self._adapter.connect(device, notifications, sleep=self._sleep)
        self._notifications = notifications

    async def begin(self) -> None:
        """Ask the connected device what it is, and have it send."""
        connection, notifications = self._connected()
        self._change(LinkState.SUBSCRIBING)
        for report in await self.run_procedure(self.driver.prepare(connection), "prepare"):
            self.serial = report.serial or self.serial
            self._inbox.put(DeviceReport(self._clock.now(), report))
        notifications.started = True
        await self.run_procedure(self.driver.start(connection), "start")
        self._began(notifications)

    async def start_again(self, reason: str) -> None:
        """Stop and start the connected device, where it ended all or a part by itself."""
        connection, notifications = self._connected()
        self._change(LinkState.SUBSCRIBING, f"starting again: {reason}")
        await self.run_procedure(self.driver.stop(connection), "stop")
        notifications.hold()
        await self.run_procedure(self.driver.start(connection), "start")
        self._began(notifications)

    def ask_restart(self, reason: str, *, reconnect: bool) -> None:
        """Have the device started again, or even connected anew; returns at once."""
        self._restart.ask(reason, reconnect=reconnect)

    async def run(self) -> NoReturn:
        """Keep the device, which has begun, streaming until cancelled; then let it go."""
        try:
            while True:
                reason = await self._keep_streaming()
                waited = self.state is LinkState.STALLED
                await self._back_off(reason)
                await self._reconnect(waited=waited)
        finally:
            await self.close()

    async def close(self) -> None:
        """Stop and disconnect the device, if it is connected."""
        await self._disconnect()
        self._change(LinkState.STOPPED)

    async def run_procedure(self, procedure: Coroutine[Any, Any, T], doing: str) -> T:
        """Run a GATT procedure with the device and return its result.

        Raises
        ------
        DeviceLost
            If the connection is lost meanwhile, or the device does not answer.
        """
        _, notifications = self._connected()
        limit = self._times.command
        try:
            return await first(procedure, notifications.raise_failure(), expire(limit, self._sleep))
        except TimeoutError as error:
            name = self.device.name
            raise DeviceLost(f"{name} did not {doing} within {limit:g} s: {error}") from error

    async def _keep_streaming(self) -> str:
        """Watch the streaming device; return why that ended."""
        _, notifications = self._connected()
        self._restart.forget()
        since = self._clock.now()
        try:
            return await first(
                self._link_failure(notifications),
                self._stall(notifications),
                self._keep_alive().run(),
            )
        finally:
            if self._clock.now() - since >= self._times.stable_for:
                self._failures = 0
            elif notifications.has_heard:
                # It is within reach and works, if not for long: no reason to wait half a minute.
                self._failures = min(self._failures, _FEW)

    def _keep_alive(self) -> KeepAlive:
        connection, _ = self._connected()
        return KeepAlive(
            self.driver,
            connection,
            self._inbox,
            self._restart,
            run_procedure=self.run_procedure,
            start_again=self.start_again,
            clock=self._clock,
            sleep=self._sleep,
            battery_every=self._times.battery,
        )

    async def _link_failure(self, notifications: Notifications) -> str:
        try:
            await notifications.raise_failure()
        except BiosenseError as error:
            return str(error)

    async def _stall(self, notifications: Notifications) -> str:
        """Return when the device is stalled and does not go on by itself."""
        while True:
            await self._wait_for_stall(notifications)
            reason = f"no packet for {self._clock.now() - notifications.heard:.1f} s"
            self._change(LinkState.STALLED, reason)
            # The pause before the first attempt is spent listening: jammed radio delivers late what
            # it held back, and a new connection costs seconds of samples.
            await self._sleep(self._backoff_pause())
            if self.state is LinkState.STALLED:
                return reason

    async def _wait_for_stall(self, notifications: Notifications) -> None:
        regular = [each.packet_interval for each in self.driver.signals if each.packet_interval]
        # Where nothing comes regularly only the connection and the battery can tell.
        usual = self._times.limit(min(regular, default=_NEVER_S))
        not_before = 0.0
        while True:
            limit = usual if notifications.has_heard else max(usual, self._times.first_packet)
            left = max(notifications.heard + limit, not_before) - self._clock.now()
            if left <= _INSTANT_S and self.state is not LinkState.SUBSCRIBING:
                return
            wait = min(left, usual) if left > _INSTANT_S else usual
            wake = self._clock.now() + wait
            await self._sleep(wait)
            if self._clock.now() - wake > _HELD_UP_S:
                # This program was held up: what came meanwhile is read before it is judged.
                not_before = self._clock.now() + usual

    async def _back_off(self, reason: str) -> None:
        self._change(LinkState.BACKING_OFF, reason)  # known at once: the rest takes a while
        _, notifications = self._connected()
        notifications.close()
        await self._disconnect()

    async def _reconnect(self, *, waited: bool) -> None:
        while True:
            if not waited:
                await self._sleep(self._backoff_pause())
            waited = False
            self._failures += 1
            try:
                await self._find_and_connect()
                await self.begin()
                return
            except BiosenseError as error:
                await self._disconnect()
                self._change(LinkState.BACKING_OFF, str(error))

    async def _find_and_connect(self) -> None:
        self._change(LinkState.SCANNING)
        address = self.device.address
        async with self._adapter.turn():
            heard = await self._adapter.find(lambda each: each.address == address, self._times.scan)
            for device in heard:
                if device.address == address:
                    await self.connect(device)
                    return
        raise StreamNotFound(f"{self.device.name} is not to be heard")

    def _backoff_pause(self) -> float:
        pause = self._times.least_pause * 2.0 ** min(self._failures, 30)
        pause = min(pause, self._times.most_pause / _JITTER)
        return max(pause * self._jitter.uniform(1.0, _JITTER), self._times.least_pause)

    def _began(self, notifications: Notifications) -> None:
        self._inbox.put(DeviceStarted(self._clock.now(), self.driver.decoder()))
        self._change(LinkState.STARTING)
        notifications.release()

    async def _disconnect(self) -> None:
        connection, notifications = self._connection, self._notifications
        if connection is None or notifications is None:
            return
        if notifications.started and not notifications.is_lost:
            await self._try(self.driver.stop(connection), "stop", self._times.stop)
        notifications.close()
        await self._try(connection.disconnect(), "disconnect", self._times.disconnect)
        self._connection = self._notifications = None

    async def _try(self, procedure: Coroutine[Any, Any, None], doing: str, seconds: float) -> None:
        try:
            await within(seconds, procedure, self._sleep)
        except (BiosenseError, TimeoutError) as error:
            # A device that is gone cannot be told anything; there is nothing else to do.
            log.info("could not %s %s: %s", doing, self.device.name, error)

    def _connected(self) -> tuple[Connection, Notifications]:
        if self._connection is None or self._notifications is None:
            raise DeviceLost(f"{self.device.name} is not connected")
        return self._connection, self._notifications

    def _change(self, state: LinkState, reason: str = "") -> None:
        self.state = state
        log.debug("%s: %s %s", self.device.name, state, reason)
        self._inbox.put(LinkChanged(self._clock.now(), state, reason, self.device.rssi))

    def _receive(self, packet: Packet) -> None:
        if self.state in (LinkState.STARTING, LinkState.STALLED):
            self._change(LinkState.STREAMING)
        self._inbox.put(packet)
