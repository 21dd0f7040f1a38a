"""OpenBCI Ganglion: four channels at 200 Hz, commands of one letter.

Source: https://docs.openbci.com/Ganglion/GanglionDataFormat/
"""

from __future__ import annotations

import asyncio

import numpy as np

from biosense.core.clock import Clock
from biosense.core.types import Ints
from tests.support.ble import packets_ganglion as packets
from tests.support.fake_bluez.devices.stream import sample, uuid16
from tests.support.fake_bluez.peripheral import Characteristic, Peripheral, Service

SERVICE, FIRMWARE_TEXT = uuid16(0xFE84), uuid16(0x2A28)
NOTIFY, WRITE, DISCONNECT = (f"2d30c08{n}-f39f-4ce6-923f-3484ea480596" for n in (2, 3, 4))
TABLE = (
    Service(
        SERVICE,
        (
            Characteristic(NOTIFY, ("notify",)),
            Characteristic(WRITE, ("write", "write-without-response")),
            Characteristic(DISCONNECT, ("write", "write-without-response")),
        ),
    ),
    Service(uuid16(0x180A), (Characteristic(FIRMWARE_TEXT, ("read",)),)),
)
SFREQ = 200.0
OFF, ON = "1234", "!@#$"
IMPEDANCES = (5_000, 10_000, 15_000, 20_000, 2_000)  # ohms; the last is the reference


class Ganglion(Peripheral):
    """A board. Sample n counts n + 10 c on channel c, of 18 bits with motion or 19 without."""

    def __init__(
        self, clock: Clock, number: int = 1, *, firmware: str = "3.0.2", ppm: float = 0.0
    ) -> None:
        name, address = f"Ganglion-{number:04x}", f"E4:31:00:00:00:{number:02X}"
        super().__init__(name, address, TABLE, clock=clock, advertised=(SERVICE,), ppm=ppm)
        self.values[FIRMWARE_TEXT] = firmware.encode()
        self.commands = ""
        self._reset()

    async def on_connect(self) -> None:
        self._reset()  # as a real board does

    async def on_write(self, uuid: str, data: bytes) -> None:
        if uuid == DISCONNECT:
            self.drop()
            return
        for letter in data.decode("ascii", errors="replace"):
            self.commands += letter
            self._obey(letter)

    def _reset(self) -> None:
        self.motion, self.channels = False, [True] * 4
        self._running: asyncio.Task[None] | None = None
        self._first: int | None = None

    def _obey(self, letter: str) -> None:
        if letter in "bz":
            self._start(impedance=letter == "z")
        elif letter in "sZ" and self._running is not None:
            self._running.cancel()
            self._running = None
        elif letter in "nN":
            self.motion = letter == "n"
        elif letter in OFF + ON:
            self.channels[(OFF + ON).index(letter) % 4] = letter in ON

    def _start(self, *, impedance: bool) -> None:
        if self._running is None:
            self._first = None
            work = self._impedance if impedance else self._samples
            rate, per_packet = (5.0, 1) if impedance else (SFREQ, 2)
            self._running = self.run(sample(self.crystal, rate, per_packet, work))

    def _samples(self, numbers: Ints) -> None:
        if self._first is None:
            self._first = int(numbers[0])
        count = (int(numbers[0]) - self._first) // 2
        bits = 18 if self.motion else 19
        counts = counted(numbers, bits) * self.channels
        microvolts = counts * packets.UV * 2 ** (24 - bits)
        if self.motion:
            self.notify(NOTIFY, packets.packet_18bit(count, microvolts, acc=count % 100))
        else:
            self.notify(NOTIFY, packets.packet_19bit(count, microvolts))

    def _impedance(self, numbers: Ints) -> None:
        channel = int(numbers[0]) % 5
        self.notify(NOTIFY, packets.impedance_packet(channel + 1, IMPEDANCES[channel]))


def counted(numbers: Ints, bits: int) -> Ints:
    """Return what samples count on the four channels, shape (n, 4): their number, as it fits."""
    half = 2 ** (bits - 1)
    return (numbers[:, None] + 10 * np.arange(4)) % (2 * half) - half
