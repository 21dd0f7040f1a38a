"""A simulated sensor that counts, and how the tests of the simulated BlueZ talk to it."""

import asyncio

from bleak import BleakScanner

from tests.support.fake_bluez import AttError, Characteristic, Peripheral, ScaledClock, Service
from tests.support.fake_bluez.att import UNKNOWN_COMMAND

BASE = "-0000-1000-8000-00805f9b34fb"
SERVICE, DATA, CONTROL, TEXT = (f"0000{n:04x}{BASE}" for n in (0xAA00, 0xAA01, 0xAA02, 0xAA03))
ADDRESS = "C0:00:00:00:00:01"
USE_SOCKET = {"use_start_notify": False}


class Counter(Peripheral):
    """Sends numbers while subscribed; answers `+n` written to its control point with `=n+1`."""

    def __init__(self, clock=None, name="counter", address=ADDRESS):
        characteristics = (
            Characteristic(DATA, ("notify",)),
            Characteristic(CONTROL, ("read", "write", "write-without-response", "indicate")),
            Characteristic(TEXT, ("read",)),
        )
        table = (Service(SERVICE, characteristics),)
        clock = clock or ScaledClock()
        super().__init__(name, address, table, clock=clock, advertised=(SERVICE,))
        self.values = {TEXT: b"counter 1", CONTROL: b"ready"}
        self.size = 8

    async def on_write(self, uuid, data):
        if not data.startswith(b"+"):
            raise AttError(UNKNOWN_COMMAND)
        self.notify(CONTROL, b"=" + str(int(data[1:]) + 1).encode())

    def send(self, *numbers):
        for number in numbers:
            self.notify(DATA, number.to_bytes(self.size, "little"))


async def true(claim):
    async with asyncio.timeout(2):
        while not claim():  # noqa: ASYNC110 - it waits for another process: nothing else tells
            await asyncio.sleep(0.001)


async def heard_by_bleak():
    """Wait until bleak has heard what the service said so far: a bus keeps the order."""
    from bleak.backends.bluezdbus.manager import get_global_bluez_manager
    from dbus_fast import Message

    from tests.support.fake_bluez.objects import OBJECT_MANAGER

    manager = await get_global_bluez_manager()
    call = {"path": "/", "interface": OBJECT_MANAGER, "member": "GetManagedObjects"}
    await manager._bus.call(Message(destination="org.bluez", **call))


class Inbox(list):
    """Notifications as numbers."""

    def __call__(self, _, packet):
        self.append(int.from_bytes(packet, "little"))
        self.sizes = [*getattr(self, "sizes", ()), len(packet)]

    async def until(self, n):
        await true(lambda: len(self) >= n)
        return [*self]


async def find(name="counter"):
    device = await BleakScanner.find_device_by_name(name, timeout=2)
    assert device is not None
    return device


async def gone(event):
    async with asyncio.timeout(2):
        await event.wait()
