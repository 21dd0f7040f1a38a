"""org.bluez: the service that bleak talks to, with one adapter and the sensors within reach."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator, Coroutine
from typing import Any

from dbus_fast import DBusError, Message, MessageType, Variant
from dbus_fast.aio import MessageBus

from tests.support.fake_bluez.bus import PrivateBus, release_bleak
from tests.support.fake_bluez.clock import sleep_until
from tests.support.fake_bluez.device import Device
from tests.support.fake_bluez.errors import bluez_error, failed, not_ready
from tests.support.fake_bluez.objects import PROPERTIES, BusObject, ObjectTree, Reply
from tests.support.fake_bluez.peripheral import Peripheral

BUS_NAME = "org.freedesktop.DBus"
ADAPTER = "/org/bluez/hci0"
ADAPTER_INTERFACE = "org.bluez.Adapter1"


class FakeBlueZ:
    """Be `org.bluez` on a bus; `async with FakeBlueZ(address) as bluez: bluez.add(sensor)`."""

    def __init__(self, address: str) -> None:
        self.devices: list[Device] = []
        self._address = address
        self._bus: MessageBus | None = None
        self._tree = ObjectTree(self._send)
        self._scanning: set[str] = set()
        self._work: set[asyncio.Task[None]] = set()
        self._failures: list[BaseException] = []
        self._advertising: dict[Device, asyncio.Task[None]] = {}
        methods = {
            "SetDiscoveryFilter": self._set_filter,
            "StartDiscovery": self._start_discovery,
            "StopDiscovery": self._stop_discovery,
            "Set": self._set_property,
        }
        properties = {
            "Address": Variant("s", "02:00:00:00:00:00"),
            "Name": Variant("s", "simulated"),
            "Powered": Variant("b", True),
            "Discovering": Variant("b", False),
            "Roles": Variant("as", ["central", "peripheral"]),
        }
        self._adapter = BusObject(ADAPTER, ADAPTER_INTERFACE, properties, methods)
        self._tree.add(self._adapter)

    async def __aenter__(self) -> FakeBlueZ:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        for device in self.devices:
            device.close()
        await self.stop()
        while self._work:
            await asyncio.wait({*self._work})
        for device in self.devices:
            self._failures += device.peripheral.failures
        if self._failures:
            raise BaseExceptionGroup("the simulation failed", self._failures)

    def add(self, peripheral: Peripheral) -> Device:
        """Bring a sensor within reach."""
        device = Device(self._tree, ADAPTER, peripheral, self._powered, self._begin)
        self.devices.append(device)
        if self._scanning:
            self._advertise(device)
        return device

    async def start(self) -> None:
        """Connect to the bus as `org.bluez`; also again after `stop`."""
        bus = await MessageBus(bus_address=self._address, negotiate_unix_fd=True).connect()
        bus.add_message_handler(self._take)
        rule = f"type='signal',sender='{BUS_NAME}',member='NameOwnerChanged'"
        call = {"destination": BUS_NAME, "path": "/org/freedesktop/DBus", "interface": BUS_NAME}
        await bus.call(Message(**call, member="AddMatch", signature="s", body=[rule]))
        self._bus = bus
        await bus.request_name("org.bluez")
        for item in self._tree:
            self._tree.announce(item)

    async def stop(self) -> None:
        """Leave the bus, as a bluetoothd does that was stopped or has crashed.

        The kernel ends the connections then; nobody is told.
        """
        bus, self._bus = self._bus, None
        self._stop_scanning()
        if bus is not None:
            bus.disconnect()
            with contextlib.suppress(Exception):  # the bus itself may have died before
                await bus.wait_for_disconnect()
        for device in self.devices:
            device.close()

    def power(self, on: bool) -> None:
        """Switch the adapter; off ends every connection and the search."""
        if not on:
            self._stop_scanning()
            for device in self.devices:
                device.close()
        self._tree.change(ADAPTER, Powered=Variant("b", on))

    def remove_adapter(self) -> None:
        """Pull the adapter out of its socket."""
        self.power(False)
        self._tree.remove(ADAPTER)

    def _powered(self) -> bool:
        return bool(self._adapter.properties["Powered"].value)

    def _send(self, message: Message) -> None:
        if self._bus is not None and self._bus.connected:
            self._bus.send(message)

    def _begin(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._work.add(task)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._work.discard(task)
        if not task.cancelled() and task.exception() is not None:
            self._failures.append(task.exception())

    def _take(self, message: Message) -> bool:
        if message.message_type is MessageType.METHOD_CALL:
            self._begin(self._answer(message))
            return True
        if message.member == "NameOwnerChanged" and not message.body[2]:
            self._begin(self._left(message.body[0]))
        return False

    async def _answer(self, message: Message) -> None:
        try:
            reply = await self._tree.call(message)
        except DBusError as error:
            self._send(error._as_message(message))
            return
        body, fds = [*reply.body], [*reply.fds]
        answer = Message.new_method_return(message, reply.signature, body, fds)
        if self._bus is not None and self._bus.connected:
            await self._bus.send(answer)
        for fd in fds:  # the other side has its own by now
            os.close(fd)

    async def _left(self, client: str) -> None:
        self._scanning.discard(client)
        if not self._scanning:
            self._stop_scanning()
        for device in self.devices:
            await device.left(client)

    async def _set_property(self, message: Message) -> Reply:
        _, name, value = message.body
        if message.interface != PROPERTIES or name != "Powered":
            raise bluez_error("NotPermitted", f"{name} cannot be set")
        self.power(value.value)
        return Reply()

    async def _set_filter(self, _: Message) -> Reply:
        return Reply()  # every simulated sensor is a BLE sensor, which is what bleak asks for

    async def _start_discovery(self, message: Message) -> Reply:
        if not self._powered():
            raise not_ready()
        if message.sender in self._scanning:
            raise bluez_error("InProgress", "Operation already in progress")
        assert message.sender is not None
        self._scanning.add(message.sender)
        self._tree.change(ADAPTER, Discovering=Variant("b", True))
        for device in self.devices:
            self._advertise(device)
        return Reply()

    async def _stop_discovery(self, message: Message) -> Reply:
        if not self._powered():
            raise not_ready()
        if message.sender not in self._scanning:
            raise failed("No discovery started")
        self._scanning.discard(message.sender)
        if not self._scanning:
            self._stop_scanning()
        return Reply()

    def _stop_scanning(self) -> None:
        self._scanning.clear()
        for task in self._advertising.values():
            task.cancel()
        self._advertising.clear()
        if self._adapter.properties["Discovering"].value:
            self._tree.change(ADAPTER, Discovering=Variant("b", False))
            for device in self.devices:
                device.unheard()

    def _advertise(self, device: Device) -> None:
        if device not in self._advertising:
            self._advertising[device] = self._begin(self._keep_advertising(device))

    async def _keep_advertising(self, device: Device) -> None:
        # Again and again: what comes before StartDiscovery has returned is missed by the scanner.
        clock, interval = device.peripheral.clock, device.peripheral.advertising_interval
        while True:
            device.advertise()
            await sleep_until(clock, clock.now() + interval)


@contextlib.asynccontextmanager
async def simulated_bluetooth(
    *peripherals: Peripheral, denied: bool = False
) -> AsyncIterator[tuple[PrivateBus, FakeBlueZ]]:
    """Have BlueZ on a bus of its own for a while, with sensors within reach.

    Parameters
    ----------
    peripherals
        Sensors within reach.
    denied
        The bus lets nobody talk to BlueZ.
    """
    with PrivateBus(denied=denied) as bus:
        async with FakeBlueZ(bus.address) as bluez:
            for peripheral in peripherals:
                bluez.add(peripheral)
            try:
                yield bus, bluez
            finally:
                await release_bleak()
