"""org.bluez.GattCharacteristic1: reading, writing, and the two ways to be notified."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable

from dbus_fast import Message, Variant

from tests.support.fake_bluez.att import INSUFFICIENT_AUTHENTICATION, INVALID_LENGTH, AttError
from tests.support.fake_bluez.errors import att_error, bluez_error, failed
from tests.support.fake_bluez.objects import BusObject, ObjectTree, Reply
from tests.support.fake_bluez.peripheral import Characteristic, Peripheral

INTERFACE = "org.bluez.GattCharacteristic1"
MAX_LENGTH = 512  # of any attribute's value


class GattCharacteristic:
    """Show one characteristic of a connected peripheral.

    A notification reaches subscribers as PropertiesChanged of `Value` (StartNotify) or as a packet
    on a socket of their own (AcquireNotify).
    """

    def __init__(
        self,
        tree: ObjectTree,
        path: str,
        service: str,
        described: Characteristic,
        peripheral: Peripheral,
        paired: Callable[[], bool],
        mtu: int,
    ) -> None:
        self.path, self.described = path, described
        self._tree, self._peripheral, self._paired, self._mtu = tree, peripheral, paired, mtu
        self._listeners: set[str] = set()
        self._socket: socket.socket | None = None
        self._acquired_by = ""
        self._busy = False
        tree.add(BusObject(path, INTERFACE, self._properties(service), self._methods()))

    @property
    def listened(self) -> bool:
        """Whether somebody has subscribed."""
        return bool(self._listeners) or self._socket is not None

    def send(self, packet: bytes) -> None:
        """Deliver a notification; what is longer than the connection allows is cut."""
        packet = packet[: self._mtu - 3]
        if self._socket is not None:
            try:
                self._socket.send(packet)
            except (BlockingIOError, BrokenPipeError):
                return  # nobody reads it: BlueZ drops it too
        elif self._listeners:
            self._tree.change(self.path, Value=Variant("ay", packet))

    async def left(self, client: str) -> None:
        """A client of the bus is gone: its subscription ends."""
        if self._acquired_by == client:
            self._release()
        elif client not in self._listeners:
            return
        await self._stop(client)

    def close(self) -> None:
        """The connection has ended."""
        self._release()
        self._listeners.clear()
        self._tree.remove(self.path)

    def _properties(self, service: str) -> dict[str, Variant]:
        properties = {
            "UUID": Variant("s", self.described.uuid),
            "Service": Variant("o", service),
            "Flags": Variant("as", [*self.described.flags]),
            "Value": Variant("ay", b""),
            "MTU": Variant("q", self._mtu),
        }
        if self._notifies:
            properties["Notifying"] = Variant("b", False)
        if self._notifies and self._peripheral.has_sockets:
            properties["NotifyAcquired"] = Variant("b", False)
        return properties

    def _methods(self) -> dict[str, Callable]:
        return {
            "ReadValue": self._read,
            "WriteValue": self._write,
            "StartNotify": self._start_notify,
            "StopNotify": self._stop_notify,
            "AcquireNotify": self._acquire_notify,
        }

    @property
    def _notifies(self) -> bool:
        return bool({"notify", "indicate"} & {*self.described.flags})

    def _check(self, *flags: str) -> None:
        """Refuse what the sensor cannot do, what a fault forbids, and strangers."""
        if not {*flags} & {*self.described.flags}:
            raise bluez_error("NotSupported", "Operation is not supported")
        if self._peripheral.needs_pairing and not self._paired():
            raise att_error(INSUFFICIENT_AUTHENTICATION)
        code = self._peripheral.faults.att.get(self.described.uuid)
        if code is not None:
            raise att_error(code)

    async def _read(self, _: Message) -> Reply:
        self._check("read")
        try:
            value = await self._peripheral.on_read(self.described.uuid)
        except AttError as error:
            raise att_error(error.code) from error
        # BlueZ does the same: with StartNotify, a value that was read also looks notified.
        self._tree.change(self.path, Value=Variant("ay", value))
        return Reply("ay", (value,))

    async def _write(self, message: Message) -> Reply:
        data, options = bytes(message.body[0]), message.body[1]
        kind = options["type"].value if "type" in options else "request"
        self._check("write" if kind == "request" else "write-without-response")
        if kind == "command" and len(data) > self._mtu - 3:
            raise failed("Failed to initiate write")
        if len(data) > MAX_LENGTH:
            raise att_error(INVALID_LENGTH)
        if self._busy:
            raise bluez_error("InProgress", "Operation already in progress")
        self._busy = kind == "request"
        self._peripheral.written.append((self.described.uuid, data))
        try:
            await self._peripheral.on_write(self.described.uuid, data)
        except AttError as error:
            if kind == "request":  # a command has no answer, not even this one
                raise att_error(error.code) from error
        finally:
            self._busy = False
        return Reply()

    async def _start_notify(self, message: Message) -> Reply:
        self._check("notify", "indicate")
        if self._socket is not None:
            raise bluez_error("NotPermitted", "Notify acquired")
        assert message.sender is not None
        if message.sender in self._listeners:
            raise bluez_error("InProgress", "Operation already in progress")
        await self._subscribe(message.sender)
        self._listeners.add(message.sender)
        self._tree.change(self.path, Notifying=Variant("b", True))
        return Reply()

    async def _stop_notify(self, message: Message) -> Reply:
        if message.sender not in self._listeners:
            raise failed("No notify session started")
        await self._stop(message.sender)
        return Reply()

    async def _acquire_notify(self, message: Message) -> Reply:
        self._check("notify", "indicate")
        if self.listened:
            raise bluez_error("NotPermitted", "Notify acquired")
        assert message.sender is not None
        await self._subscribe(message.sender)
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        ours.setblocking(False)
        self._socket, self._acquired_by = ours, message.sender
        asyncio.get_running_loop().add_reader(ours, self._hung_up)
        self._tree.change(self.path, NotifyAcquired=Variant("b", True))
        return Reply("hq", (0, self._mtu), (theirs.detach(),))

    async def _subscribe(self, client: str) -> None:
        if self.listened:
            return
        # Listened to from now on: some sensors send at once.
        self._listeners.add(client)
        try:
            await self._peripheral.on_subscribe(self.described.uuid)
        except AttError as error:
            raise att_error(error.code) from error
        finally:
            self._listeners.discard(client)

    async def _stop(self, client: str | None) -> None:
        self._listeners.discard(client or "")
        if self.listened:
            return
        self._tree.change(self.path, Notifying=Variant("b", False))
        await self._peripheral.on_unsubscribe(self.described.uuid)

    def _hung_up(self) -> None:
        """The other side has closed its socket, which is how it unsubscribes; it sends nothing."""
        self._release()
        self._peripheral.run(self._stop(None))

    def _release(self) -> None:
        if self._socket is not None:
            asyncio.get_running_loop().remove_reader(self._socket)
            self._socket.close()
            self._socket, self._acquired_by = None, ""
            self._tree.change(self.path, NotifyAcquired=Variant("b", False))
