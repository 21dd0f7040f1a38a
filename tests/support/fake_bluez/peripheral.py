"""A simulated sensor: what it advertises, its GATT table, and what it does when it is talked to."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass
from typing import Any, Protocol

from biosense.core.clock import Clock
from tests.support.fake_bluez.clock import Crystal
from tests.support.fake_bluez.faults import Faults

NOTIFY = ("notify",)
READ = ("read",)


@dataclass(frozen=True)
class Characteristic:
    """Describe a characteristic: `flags` are BlueZ's words for what may be done with it.

    read, write, write-without-response, notify, indicate.
    """

    uuid: str
    flags: tuple[str, ...]


@dataclass(frozen=True)
class Service:
    """Describe a service of the GATT table."""

    uuid: str
    characteristics: tuple[Characteristic, ...]


@dataclass(frozen=True)
class Sent:
    """Tell of a notification that left a sensor: when, and how many packets of it arrived."""

    time: float
    uuid: str
    packet: bytes
    arrived: int


class Link(Protocol):
    """The connection of a peripheral, as the peripheral sees it."""

    mtu: int

    def listened(self, uuid: str) -> bool:
        """Tell whether somebody has subscribed."""
        ...

    def send(self, uuid: str, packet: bytes) -> None:
        """Send a notification or indication."""
        ...

    def close(self) -> None:
        """Break the connection."""
        ...


class Peripheral:
    """Base of the simulated sensors: override the `on_` methods, call `notify` and `run`.

    Parameters
    ----------
    name, address
        As advertised.
    table
        Services with their characteristics.
    advertised
        UUIDs in its advertisement.
    clock
        The time in which it lives.
    ppm
        How fast its crystal is.

    Attributes
    ----------
    present
        Within reach: advertises when not connected, and can be connected.
    faults
        What is wrong with it.
    needs_pairing
        Nothing can be read, written or subscribed before the computer has paired with it.
    forgotten
        BlueZ drops the device's object when the connection ends (as it does for unpaired devices).
    has_sockets
        BlueZ offers AcquireNotify for it; an old BlueZ does not.
    log
        Notifications that were sent while somebody listened; None to keep none.
    """

    advertising_interval = 0.1
    connect_seconds = 0.0

    def __init__(
        self,
        name: str,
        address: str,
        table: tuple[Service, ...],
        *,
        clock: Clock,
        advertised: tuple[str, ...] = (),
        ppm: float = 0.0,
    ) -> None:
        self.name, self.address, self.table, self.advertised = name, address, table, advertised
        self.clock = clock
        self.crystal = Crystal(clock, clock.now(), ppm)
        self.faults = Faults()
        self.values: dict[str, bytes] = {}
        self.present = self.forgotten = True
        self.needs_pairing = False
        self.has_sockets = True
        self.connections = 0
        self.written: list[tuple[str, bytes]] = []
        self.log: list[Sent] | None = []
        self.failures: list[BaseException] = []
        self._link: Link | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def on_connect(self) -> None:
        """A computer has connected."""

    async def on_disconnect(self) -> None:
        """The connection has ended; what `run` began has been stopped already."""

    async def on_read(self, uuid: str) -> bytes:
        """Return the value of a characteristic."""
        return self.values[uuid]

    async def on_write(self, uuid: str, data: bytes) -> None:
        """Take what was written; answers go out by `notify`."""

    async def on_subscribe(self, uuid: str) -> None:
        """Somebody wants notifications of a characteristic from now on."""

    async def on_unsubscribe(self, uuid: str) -> None:
        """Nobody wants notifications of a characteristic any more."""

    @property
    def connected(self) -> bool:
        return self._link is not None

    @property
    def mtu(self) -> int:
        return 23 if self._link is None else self._link.mtu

    def notify(self, uuid: str, packet: bytes) -> None:
        """Send a notification, as far as somebody listens and the faults let it through."""
        if self._link is None or not self._link.listened(uuid):
            return
        arriving = self.faults.on_air(uuid, packet)
        if self.log is not None:
            self.log.append(Sent(self.clock.now(), uuid, packet, len(arriving)))
        for arrived in arriving:
            if self._link is not None:  # a fault may have broken the connection
                self._link.send(*arrived)

    def run(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Begin to do something that ends with the connection; what it raises ends the test."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    def stop_running(self) -> None:
        """End everything that `run` began."""
        for task in [*self._tasks]:
            task.cancel()

    def drop(self) -> None:
        """Break the connection from this side: out of range, or switched off."""
        if self._link is not None:
            self._link.close()

    async def linked(self, link: Link) -> None:
        """Take the connection (called by the simulated BlueZ)."""
        self._link = link
        self.connections += 1
        await self.on_connect()

    async def unlinked(self) -> None:
        """Stop everything that ends with the connection (called by the simulated BlueZ)."""
        self._link = None
        self.stop_running()
        if self._tasks:
            await asyncio.wait([*self._tasks])
        await self.on_disconnect()

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            self.failures.append(task.exception())


def impostor(of: Peripheral, address: str) -> Peripheral:
    """Make a device that calls itself like another one and has nothing that the other has."""
    return Peripheral(of.name, address, (), clock=of.clock, advertised=of.advertised)
