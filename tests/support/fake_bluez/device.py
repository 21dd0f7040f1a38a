"""org.bluez.Device1: connecting a simulated peripheral, and its GATT objects while it lasts."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from dbus_fast import Message, Variant

from tests.support.fake_bluez.att import ABORTED_HERE, CONNECT_TIMEOUT
from tests.support.fake_bluez.characteristic import GattCharacteristic
from tests.support.fake_bluez.clock import sleep_until
from tests.support.fake_bluez.errors import bluez_error, failed, not_ready
from tests.support.fake_bluez.objects import PROPERTIES, BusObject, ObjectTree, Reply
from tests.support.fake_bluez.peripheral import Peripheral

INTERFACE = "org.bluez.Device1"
SERVICE_INTERFACE = "org.bluez.GattService1"
GENERIC_SERVICES = tuple(  # generic access and generic attribute: every sensor has them
    f"0000{n:04x}-0000-1000-8000-00805f9b34fb" for n in (0x1800, 0x1801)
)
CONNECT_TIMEOUT_S = 20.0  # after which BlueZ gives up a device that is not there


class Device:
    """Show one peripheral to the bus, and be its link while it is connected.

    Parameters
    ----------
    adapter
        Path of the adapter's object.
    powered
        Tells whether the adapter is on.
    begin
        Begins something that the service waits for, or cancels, when it ends.
    """

    def __init__(
        self,
        tree: ObjectTree,
        adapter: str,
        peripheral: Peripheral,
        powered: Callable[[], bool],
        begin: Callable[[Coroutine[Any, Any, None]], object],
    ) -> None:
        self.peripheral = peripheral
        self.path = f"{adapter}/dev_{peripheral.address.replace(':', '_')}"
        self.mtu = peripheral.faults.mtu
        self.paired = False
        self._tree, self._adapter, self._powered, self._begin = tree, adapter, powered, begin
        self._services: list[str] = []
        self._characteristics: dict[str, GattCharacteristic] = {}
        self._linked = False
        self._connecting: asyncio.Task[Any] | None = None
        self._advertised = 0

    @property
    def connected(self) -> bool:
        return self._linked

    def advertise(self) -> None:
        """Let the scanning computer hear one advertisement."""
        if not self.peripheral.present or self._linked:
            return
        if self.path not in self._tree:
            self._show()
        # The strength is never twice the same: BlueZ tells of an advertisement by this change.
        self._advertised += 1
        self._tree.change(self.path, RSSI=Variant("n", -60 - self._advertised % 5))

    def unheard(self) -> None:
        """Discovery has ended: strength of the signal is known no more."""
        if self.path in self._tree:
            self._tree.invalidate(self.path, "RSSI")

    # The peripheral's side.

    def listened(self, uuid: str) -> bool:
        """Tell whether somebody has subscribed."""
        characteristic = self._characteristics.get(uuid)
        return characteristic is not None and characteristic.listened

    def send(self, uuid: str, packet: bytes) -> None:
        """Send a notification."""
        self._characteristics[uuid].send(packet)

    def close(self) -> None:
        """Break the connection, now; what the peripheral was doing ends a little later."""
        if self._connecting is not None:
            self._connecting.cancel()
        if not self._linked:
            return
        self._linked = False
        self._tree.change(self.path, ServicesResolved=Variant("b", False))
        self._tree.change(self.path, Connected=Variant("b", False))
        for characteristic in self._characteristics.values():
            characteristic.close()
        for path in self._services:
            self._tree.remove(path)
        self._characteristics, self._services = {}, []
        if self.peripheral.forgotten and not self.paired:
            self._tree.remove(self.path)
        self._begin(self.peripheral.unlinked())

    async def left(self, client: str) -> None:
        """A client of the bus is gone. BlueZ keeps the connection that it had asked for."""
        for characteristic in [*self._characteristics.values()]:
            await characteristic.left(client)

    # The computer's side.

    def _show(self) -> None:
        name = Variant("s", self.peripheral.name)
        properties = {
            "Address": Variant("s", self.peripheral.address),
            "AddressType": Variant("s", "random"),
            "Name": name,
            "Alias": name,
            "Adapter": Variant("o", self._adapter),
            "UUIDs": Variant("as", [*self.peripheral.advertised]),
            "RSSI": Variant("n", -60),
            **{
                flag: Variant("b", False)
                for flag in ("Blocked", "Trusted", "Connected", "ServicesResolved")
            },
            "Paired": Variant("b", self.paired),
        }
        methods = {
            "Connect": self._connect,
            "Disconnect": self._disconnect,
            "Pair": self._pair,
            "Set": self._set_property,
        }
        self._tree.add(BusObject(self.path, INTERFACE, properties, methods))

    async def _connect(self, _: Message) -> Reply:
        if not self._powered():
            raise not_ready()
        if self._linked:
            return Reply()  # BlueZ answers so when asked twice
        if self._connecting is not None:
            raise bluez_error("InProgress", "Operation already in progress")
        self._connecting = asyncio.current_task()
        try:
            await self._establish()
        except asyncio.CancelledError:
            raise failed(ABORTED_HERE) from None  # by Disconnect
        finally:
            self._connecting = None
        return Reply()

    async def _establish(self) -> None:
        peripheral = self.peripheral
        if peripheral.faults.hang:
            await asyncio.get_running_loop().create_future()
        if not peripheral.present:
            await self._wait(CONNECT_TIMEOUT_S)
            raise failed(CONNECT_TIMEOUT)
        await self._wait(peripheral.connect_seconds)
        if peripheral.faults.connect:
            self._fail(peripheral.faults.connect.pop(0))
        self._linked, self.mtu = True, peripheral.faults.mtu
        self._tree.change(self.path, Connected=Variant("b", True))
        await peripheral.linked(self)
        if not self._linked:  # it broke while it began
            raise failed(ABORTED_HERE)
        self._show_services()
        # Now known: all that it has, in place of what it advertised.
        known = {
            *GENERIC_SERVICES,
            *peripheral.advertised,
            *(each.uuid for each in peripheral.table),
        }
        self._tree.change(self.path, UUIDs=Variant("as", sorted(known)))
        self._tree.change(self.path, ServicesResolved=Variant("b", True))

    async def _wait(self, seconds: float) -> None:
        await sleep_until(self.peripheral.clock, self.peripheral.clock.now() + seconds)

    def _fail(self, text: str) -> None:
        if text == ABORTED_HERE:  # connected for a moment, which bleak waits to see
            self._tree.change(self.path, Connected=Variant("b", True))
            self._tree.change(self.path, Connected=Variant("b", False))
        raise failed(text)

    def _show_services(self) -> None:
        handle = 0
        for service in self.peripheral.table:
            handle += 1
            path = f"{self.path}/service{handle:04x}"
            properties = {
                "UUID": Variant("s", service.uuid),
                "Primary": Variant("b", True),
                "Device": Variant("o", self.path),
            }
            self._tree.add(BusObject(path, SERVICE_INTERFACE, properties))
            self._services.append(path)
            for described in service.characteristics:
                handle += 2  # the declaration and the value have a handle each
                self._characteristics[described.uuid] = GattCharacteristic(
                    *(self._tree, f"{path}/char{handle:04x}", path, described),
                    *(self.peripheral, lambda: self.paired, self.mtu),
                )

    async def _disconnect(self, _: Message) -> Reply:
        if self._connecting is None and not self._linked:
            raise bluez_error("NotConnected", "Not Connected")
        self.close()
        return Reply()

    async def _set_property(self, message: Message) -> Reply:
        _, name, value = message.body
        if message.interface != PROPERTIES or name not in ("Trusted", "Blocked", "Alias"):
            raise bluez_error("NotPermitted", f"{name} cannot be set")
        self._tree.change(self.path, **{name: value})
        return Reply()

    async def _pair(self, message: Message) -> Reply:
        if self.paired:
            raise bluez_error("AlreadyExists", "Already Exists")
        self.paired = True
        self._tree.change(self.path, Paired=Variant("b", True))
        return await self._connect(message)
