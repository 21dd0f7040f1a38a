"""A Bluetooth of wood: sensors that can fail in every way, in time that costs nothing.

The link layer is the real one; what is imitated here is the radio below it, the driver above it.
"""

from __future__ import annotations

import asyncio
import struct
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np

from biosense.acquisition.ble.driver import Advertisement, Block, Decoded, Gatt, Report, Signal
from biosense.acquisition.ble.link.states import Receiver
from biosense.acquisition.ble.streams.source import BleSource
from biosense.core.errors import BluetoothUnavailable, DeviceLost, DeviceRefused, PacketError
from biosense.core.types import Chunk, Event, EventKind, Item, Modality
from tests.support.fake_bluez.clock import ScaledClock
from tests.support.virtual_time import CLOCK, LoopClock

DATA, CONTROL = (f"0000{number}-0000-1000-8000-00805f9b34fb" for number in ("ff01", "ff02"))
BATTERY = "00002a19-0000-1000-8000-00805f9b34fb"
RATE, PER_PACKET = 10.0, 5
INTERVAL = PER_PACKET / RATE
FAST, SLOW, BEAT = 0, 1, 2  # first byte of a packet; SLOW and BEAT have one sample


class CountingDecoder:
    """Decode packets that are: kind, number of the packet since the device was started."""

    def feed(self, uuid: str, packet: bytes, arrived: float) -> Sequence[Decoded]:
        if len(packet) != 5 or uuid != DATA:
            raise PacketError(f"{packet.hex()} is no packet of a fake sensor")
        kind, number = struct.unpack("<BI", packet)
        match kind:
            case 0:
                at = number * PER_PACKET + np.arange(PER_PACKET)
                return [Block("fast", at / RATE, at[:, None].astype(float), arrived)]
            case 1:
                return [Block("slow", np.array([number * INTERVAL]), np.array([[number]]), arrived)]
            case 2:
                data = np.array([[float(number)]])
                return [Block("beat", np.array([arrived]), data, arrived, by_arrival=True)]
            case 250:
                return [Report(stopped=True)]
            case 251:
                raise ZeroDivisionError("a bug in the decoder")
        return [Report(text="hello")]

    def release(self, now: float) -> Sequence[Decoded]:
        return []


class CountingDriver:
    family: ClassVar[str] = "Fake"
    keep_alive_every: ClassVar[float] = 20.0

    def __init__(self, *, keys: tuple[str, ...] = ("fast", "slow", "beat")) -> None:
        self._keys = keys

    @classmethod
    def recognises(cls, advertisement: Advertisement) -> bool:
        return advertisement.name.startswith("Fake")

    @property
    def signals(self) -> tuple[Signal, ...]:
        every = (
            Signal("fast", Modality.ECG, ("ecg",), RATE, "uV", INTERVAL, "float64"),
            Signal("slow", None, ("number",), 1 / INTERVAL, "1", INTERVAL, "float64"),
            Signal("beat", None, ("number",), 0.0, "1", 0.0, "float64"),
        )
        return tuple(each for each in every if each.key in self._keys)

    async def prepare(self, gatt: Gatt) -> Sequence[Report]:
        assert gatt.has(DATA)
        level = (await gatt.read(BATTERY))[0] / 100
        return [Report(battery=level, firmware="1.2", model="Fake 1", serial="S7")]

    async def start(self, gatt: Gatt) -> None:
        await gatt.subscribe(DATA)
        await gatt.write(CONTROL, b"start", response=True)

    async def keep_alive(self, gatt: Gatt) -> None:
        await gatt.write(CONTROL, b"keep", response=False)

    async def stop(self, gatt: Gatt) -> None:
        await gatt.write(CONTROL, b"stop", response=True)

    def decoder(self) -> CountingDecoder:
        return CountingDecoder()


def recognise(advertisement: Advertisement) -> type[CountingDriver] | None:
    return CountingDriver if CountingDriver.recognises(advertisement) else None


@dataclass
class FakeSensor:
    """A sensor; what is set on it happens from then on."""

    name: str = "Fake 1"
    address: str = "AA:00:00:00:00:01"
    present: bool = True
    accepts: bool = True  # connections
    answers: bool = True  # commands
    refuses: bool = False  # to start
    sends: set[int] = field(default_factory=lambda: {FAST, SLOW, BEAT})
    battery: int = 80
    clock_goes_on: bool = False  # over connections
    most: float = float("inf")  # packets
    clock: LoopClock | ScaledClock = CLOCK
    commands: list[tuple[float, bytes]] = field(default_factory=list)
    connected_at: list[float] = field(default_factory=list)
    link: FakeConnection | None = None
    _origin: float = float("nan")
    _sending: asyncio.Task[None] | None = None

    @property
    def advertisement(self) -> Advertisement:
        return Advertisement(self.address, self.name, (), -50)

    def drop(self) -> None:
        """Break the connection off."""
        link, self.link = self.link, None
        self.stop_sending()
        if link is not None:
            link.receiver.lost()

    def send(self, packet: bytes, uuid: str = DATA) -> None:
        assert self.link is not None
        self.link.receiver.packet(uuid, packet)

    def start_sending(self) -> None:
        self.stop_sending()
        self._sending = asyncio.get_running_loop().create_task(self._send())

    def stop_sending(self) -> None:
        if self._sending is not None:
            self._sending.cancel()
            self._sending = None

    async def _send(self) -> None:
        if np.isnan(self._origin) or not self.clock_goes_on:
            self._origin = self.clock.now()
        number = int((self.clock.now() - self._origin) / INTERVAL + 1e-6)
        while number < self.most:
            await self.clock.sleep(self._origin + (number + 1) * INTERVAL - self.clock.now())
            for kind in sorted(self.sends):
                self.send(struct.pack("<BI", kind, number))
            number += 1


@dataclass
class FakeConnection:
    sensor: FakeSensor
    receiver: Receiver

    def has(self, uuid: str) -> bool:
        return uuid in (DATA, CONTROL, BATTERY)

    async def read(self, uuid: str) -> bytes:
        await self._answer()
        return bytes([self.sensor.battery])

    async def write(self, uuid: str, data: bytes, *, response: bool) -> None:
        await self._answer()
        self.sensor.commands.append((self.sensor.clock.now(), data))
        if data == b"start":
            if self.sensor.refuses:
                raise DeviceRefused("it is in its charger: take it out")
            self.sensor.start_sending()
        elif data == b"stop":
            self.sensor.stop_sending()

    async def subscribe(self, uuid: str, callback: Callable[[bytes], None] | None = None) -> None:
        await self._answer()

    async def sleep(self, seconds: float) -> None:
        await self.sensor.clock.sleep(seconds)

    async def disconnect(self) -> None:
        await self.sensor.clock.sleep(0.05)
        self.sensor.stop_sending()
        self.sensor.link = None

    async def _answer(self) -> None:
        await self.sensor.clock.sleep(0.02 if self.sensor.answers else 1e6)
        if self.sensor.link is not self:
            raise DeviceLost("not connected")


class FakeAdapter:
    """The Bluetooth of a computer, with sensors about."""

    def __init__(self, *sensors: FakeSensor, clock: LoopClock | ScaledClock = CLOCK) -> None:
        self.clock = clock
        self.sensors = list(sensors)
        self.is_on = True
        self.scans: list[float] = []
        self._lock = asyncio.Lock()

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        async with self._lock:
            yield

    async def find(
        self, match: Callable[[Advertisement], bool], seconds: float, *, settle: float = 0.0
    ) -> list[Advertisement]:
        assert self._lock.locked()
        self.scans.append(self.clock.now())
        until = self.clock.now() + seconds
        while self.clock.now() < until:
            if not self.is_on:
                raise BluetoothUnavailable("Bluetooth is switched off: switch it on")
            await self.clock.sleep(0.1)
            if any(match(each) for each in self._heard()):
                await self.clock.sleep(settle)
                break
        return self._heard()

    async def connect(
        self, device: Advertisement, receiver: Receiver, *, sleep: object
    ) -> FakeConnection:
        assert self._lock.locked()
        await self.clock.sleep(0.2)
        sensor = next(each for each in self.sensors if each.address == device.address)
        if not (sensor.accepts and sensor.present and self.is_on):
            raise DeviceLost(f"cannot connect {device.name}: no answer in time")
        sensor.link = FakeConnection(sensor, receiver)
        sensor.connected_at.append(self.clock.now())
        return sensor.link

    def _heard(self) -> list[Advertisement]:
        return [each.advertisement for each in self.sensors if each.present and each.link is None]


def source_of(adapter: FakeAdapter, wanted: str = "Fake 1", **changes: Any) -> BleSource:
    clock = adapter.clock
    return BleSource(
        wanted, radio=adapter, clock=clock, sleep=clock.sleep, recognise=recognise, **changes
    )


async def listen(source: BleSource, seconds: float) -> list[Item]:
    """Return what a source that is entered brings within `seconds`."""
    items: list[Item] = []

    async def read() -> None:
        async for item in source:
            items.append(item)  # noqa: PERF401 - what came counts also when reading is cut off

    reader = asyncio.create_task(read())
    await asyncio.wait((reader,), timeout=seconds)
    reader.cancel()
    endings = await asyncio.gather(reader, return_exceptions=True)
    if isinstance(endings[0], Exception):
        raise endings[0]
    return items


def events(items: Sequence[Item], *kinds: EventKind, stream: str = "") -> list[Event]:
    return [
        item
        for item in items
        if isinstance(item, Event)
        and (not kinds or item.kind in kinds)
        and (not stream or item.stream == stream)
    ]


def samples_of(items: Sequence[Item], stream: str) -> tuple[np.ndarray, np.ndarray]:
    """Return times (n,) and values (n,) of a stream."""
    parts = [each for each in items if isinstance(each, Chunk) and each.info.name == stream]
    if not parts:
        return np.zeros(0), np.zeros(0)
    times = np.concatenate([each.times for each in parts])
    return times, np.concatenate([each.data[:, 0] for each in parts])
