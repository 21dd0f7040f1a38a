"""How long a notification takes from a sensor's radio to a chunk of samples, beside bleak alone.

Usage: python -m benchmarks.acquisition.ble_latency [--seconds 5] [--limit-ms 2]

A simulated sensor (tests/support/fake_bluez, in a process of its own, as bluetoothd is) sends
packets of 229 bytes, as large as a Polar H10's, over a private D-Bus; each holds the moment of its
sending. Measured until the application holds the chunk, beside what bleak alone needs for the same
packets until its callback, over both ways that BlueZ has to notify. Exit code 1 when the p99 at
1000 notifications a second exceeds the limit. Needs Linux and dbus-daemon.
"""

from __future__ import annotations

import argparse
import asyncio
import multiprocessing
import struct
import time
from collections.abc import Sequence
from typing import ClassVar

import numpy as np

from benchmarks.figures import Figure, tell
from biosense.acquisition.ble.driver import Advertisement, Block, Decoded, Gatt, Report, Signal
from biosense.acquisition.ble.link.radio import Radio
from biosense.acquisition.ble.streams.source import BleSource
from biosense.core.clock import SystemClock
from biosense.core.types import Chunk
from tests.support.fake_bluez import (
    Characteristic,
    Peripheral,
    PrivateBus,
    ScaledClock,
    Service,
    release_bleak,
    why_not,
)

SERVICE, DATA = (f"0000aa{n:02x}-0000-1000-8000-00805f9b34fb" for n in (0, 1))
BYTES = 229
NAME = "metronome"
RATES = (100, 1000, 3000)
JUDGED = 1000
WAYS = {"StartNotify": False, "AcquireNotify": True}
WARM_S = 0.5
HEADER = struct.Struct("<Id")  # number, moment of sending


class Metronome(Peripheral):
    """Sends `rate` packets a second while somebody listens."""

    def __init__(self, rate: float, *, has_sockets: bool) -> None:
        table = (Service(SERVICE, (Characteristic(DATA, ("notify",)),)),)
        address = "C0:00:00:00:00:01"
        super().__init__(NAME, address, table, clock=ScaledClock(), advertised=(SERVICE,))
        self.rate, self.has_sockets, self.log = rate, has_sockets, None

    async def on_subscribe(self, uuid: str) -> None:
        self.run(self._send())

    async def _send(self) -> None:
        begun, number = time.monotonic(), 0
        while True:
            while begun + number / self.rate <= time.monotonic():
                packet = HEADER.pack(number, time.monotonic()).ljust(BYTES, b"\0")
                self.notify(DATA, packet)
                number += 1
            await asyncio.sleep(begun + number / self.rate - time.monotonic())


class MetronomeDriver:
    """Driver and decoder of the metronome: a packet is one sample, the moment of its sending."""

    family: ClassVar[str] = NAME
    keep_alive_every: ClassVar[float] = 0.0
    signals = (Signal("moment", None, ("sent",), 1000.0, "s", 0.01, "float64"),)

    @classmethod
    def recognises(cls, advertisement: Advertisement) -> bool:
        return advertisement.name == NAME

    async def prepare(self, _: Gatt) -> Sequence[Report]:
        return ()

    async def start(self, gatt: Gatt) -> None:
        await gatt.subscribe(DATA)

    async def keep_alive(self, _: Gatt) -> None:
        return

    async def stop(self, _: Gatt) -> None:
        return

    def decoder(self) -> MetronomeDriver:
        return self

    def feed(self, _: str, packet: bytes, arrived: float) -> Sequence[Decoded]:
        number, sent = HEADER.unpack_from(packet)
        return [Block("moment", np.array([number / 1000.0]), np.array([[sent]]), arrived)]

    def release(self, _: float) -> Sequence[Decoded]:
        return ()


def simulate(address: str, rate: float, has_sockets: bool, ready: object, done: object) -> None:
    """Be BlueZ and the sensor, until told to end."""
    from tests.support.fake_bluez.service import FakeBlueZ

    async def serve() -> None:
        async with FakeBlueZ(address) as bluez:
            bluez.add(Metronome(rate, has_sockets=has_sockets))
            ready.set()
            await asyncio.to_thread(done.wait)

    asyncio.run(serve())


async def through_biosense(seconds: float) -> list[float]:
    """Return the delays of packets until their chunks, in seconds."""
    clock = SystemClock()
    source = BleSource(
        NAME, radio=Radio(), clock=clock, recognise=lambda _: MetronomeDriver, keep_packets=True
    )
    delays = []
    async with source:
        begun = clock.now()
        async for item in source:
            now = clock.now()
            if isinstance(item, Chunk) and item.info.name == f"{NAME} moment":
                if now - begun > WARM_S:
                    delays += (now - item.data[:, 0]).tolist()
                if now - begun > WARM_S + seconds:
                    break
    await release_bleak()
    return delays


async def through_bleak(seconds: float, sockets: bool) -> list[float]:
    """Return the delays of packets until the callback of bleak alone, in seconds."""
    from bleak import BleakClient, BleakScanner

    delays: list[float] = []
    device = await BleakScanner.find_device_by_name(NAME)

    def hear(_: object, packet: bytearray) -> None:
        delays.append(time.monotonic() - HEADER.unpack_from(packet)[1])

    async with BleakClient(device) as client:
        await client.start_notify(DATA, hear, bluez={"use_start_notify": not sockets})
        await asyncio.sleep(WARM_S)
        delays.clear()
        await asyncio.sleep(seconds)
        found = [*delays]
    await release_bleak()
    return found


def measure(rate: float, sockets: bool, seconds: float) -> dict[str, list[float]]:
    """Run the sensor once, and measure both ways of listening to it."""
    context = multiprocessing.get_context("spawn")
    ready, done = context.Event(), context.Event()
    with PrivateBus() as bus:
        sensor = context.Process(target=simulate, args=(bus.address, rate, sockets, ready, done))
        sensor.start()
        try:
            assert ready.wait(20), "the simulated BlueZ did not start"
            return {
                "bleak": asyncio.run(through_bleak(seconds, sockets)),
                "biosense": asyncio.run(through_biosense(seconds)),
            }
        finally:
            done.set()
            sensor.join()


def table(seconds: float) -> dict[tuple[int, str, str], float]:
    """Print all rates, and return the p99 in ms by rate, way and who waits."""
    heads = f"{'n':>6} {'p50':>7} {'p99':>7} {'max':>7}"
    print(f"{'per second':>10} {'way':<14} {'until':<12} {heads}  ms")
    late = {}
    for rate in RATES:
        for way, sockets in WAYS.items():
            for until, delays in measure(rate, sockets, seconds).items():
                p50, p99, most = 1000 * np.percentile(delays, [50, 99, 100])
                numbers = f"{len(delays):>6} {p50:>7.2f} {p99:>7.2f} {most:>7.2f}"
                print(f"{rate:>10} {way:<14} {until:<12} {numbers}", flush=True)
                late[rate, way, until] = p99
    return late


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--limit-ms", type=float, default=2.0)
    arguments = parser.parse_args()
    if reason := why_not():
        print(f"This cannot run here: {reason}.")
        return 2
    late = table(arguments.seconds)
    worst, alone = (max(late[JUDGED, way, who] for way in WAYS) for who in ("biosense", "bleak"))
    print(f"p99 at {JUDGED} a second: {worst:.2f} ms, at most {arguments.limit_ms:g} wanted")
    name = f"from notification to chunk, {JUDGED} a second, p99"
    tell(Figure(name, worst, "ms", alone, "bleak's callback alone", timed=True))
    return 0 if worst <= arguments.limit_ms else 1


if __name__ == "__main__":
    raise SystemExit(main())
