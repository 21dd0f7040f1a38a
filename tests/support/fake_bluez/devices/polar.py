"""Polar H10 and Verity Sense: heart rate, and the measurements behind Polar's control point.

Sources: polar-ble-sdk, technical_documentation/online_measurement.pdf and KnownIssues.md.
"""

from __future__ import annotations

import asyncio
import struct
from collections.abc import Callable, Mapping

from biosense.core.clock import Clock
from biosense.core.types import Ints
from tests.support.ble import packets_polar as packets
from tests.support.ble.packets_polar import (
    ACC,
    CHANNELS,
    ECG,
    GYRO,
    MAG,
    PPG,
    PPI,
    RANGE,
    RATE,
    RESOLUTION,
)
from tests.support.fake_bluez.att import INVALID_LENGTH, AttError
from tests.support.fake_bluez.devices.heart_rate import HEART_RATE_SERVICE, MEASUREMENT, beats
from tests.support.fake_bluez.devices.stream import (
    BATTERY_SERVICE,
    DEVICE_INFORMATION,
    about,
    sample,
)
from tests.support.fake_bluez.peripheral import Characteristic, Peripheral, Service

CONTROL = "fb005c81-02e7-f387-1cad-8acd2d8df0c8"
DATA = "fb005c82-02e7-f387-1cad-8acd2d8df0c8"
PMD = Service(
    "fb005c80-02e7-f387-1cad-8acd2d8df0c8",
    (
        Characteristic(CONTROL, ("read", "write", "indicate")),
        Characteristic(DATA, ("notify",)),
    ),
)
ADVERTISED = "0000feee-0000-1000-8000-00805f9b34fb"  # Polar Electro Oy

FORGOTTEN_NS = 599_616_000_000_000_000  # 2019-01-01, which an H10 restarts at, since 2000-01-01
LEAST_MTU = 232
ANSWER_HEADER = 5  # bytes of an answer before its parameters
OK, BAD_OPERATION, BAD_TYPE, BAD_LENGTH, BAD_PARAMETER, ALREADY = 0, 1, 2, 4, 5, 6
BAD_RESOLUTION, BAD_RATE, BAD_RANGE, BAD_MTU, BAD_CHANNELS = 7, 8, 9, 10, 11
REFUSALS = {RATE: BAD_RATE, RESOLUTION: BAD_RESOLUTION, RANGE: BAD_RANGE, CHANNELS: BAD_CHANNELS}
SIZES = {RATE: 2, RESOLUTION: 2, RANGE: 2, CHANNELS: 1}
SAMPLES = {ECG: 73, ACC: 36, PPG: 36, GYRO: 36, MAG: 36}  # of a frame
# The H10's crystal is a little fast: 130.06 Hz were measured where 130 are announced.
H10_PPM = 460.0


class Polar(Peripheral):
    """A Polar sensor. ECG sample n has the value n microvolt, for identification.

    Other signals count in 16 bits: channel c of sample n is (n + c) modulo 1000.

    Parameters
    ----------
    settings
        The measurements it has: all values that each setting may take, in its own notation.
    number
        Makes name, address and serial number its own.
    """

    def __init__(
        self,
        model: str,
        settings: Mapping[int, bytes],
        *,
        clock: Clock,
        number: int = 1,
        firmware: str,
        ppm: float = 0.0,
    ) -> None:
        serial = f"{0xA1B2C300 + number:08X}"
        table = (HEART_RATE_SERVICE, DEVICE_INFORMATION, BATTERY_SERVICE, PMD)
        super().__init__(
            f"{model} {serial}",
            f"A0:9E:1A:00:00:{number:02X}",
            table,
            clock=clock,
            advertised=(HEART_RATE_SERVICE.uuid, ADVERTISED),
            ppm=ppm,
        )
        self.settings = settings
        self.values = about("Polar Electro Oy", model.split()[1], serial, firmware, 87)
        self.values[CONTROL] = packets.features_value(*settings)
        self.running: dict[int, asyncio.Task[None]] = {}
        self.stopped: list[int] = []
        self.reset_clock()

    def reset_clock(self, ns: int = FORGOTTEN_NS) -> None:
        """Forget the time, as off the strap and disconnected for a minute, or have it set."""
        self._epoch_ns = ns - round(self.crystal.time() * 1e9)

    def stop_by_itself(self, *kinds: int) -> None:
        """End measurements and say so, as when it is put into its charger."""
        for kind in kinds:
            self.running.pop(kind).cancel()
        self.notify(CONTROL, packets.stopped_notice(*kinds))

    async def on_subscribe(self, uuid: str) -> None:
        if uuid == MEASUREMENT:
            self.run(beats(self))

    async def on_disconnect(self) -> None:
        self.running.clear()

    async def on_write(self, uuid: str, data: bytes) -> None:
        if len(data) < 2:
            raise AttError(INVALID_LENGTH)
        operation, kind = data[0], data[1] & 0x3F
        commands = {
            packets.GET_SETTINGS: self._tell_settings,
            packets.START: self._start,
            packets.STOP: self._stop,
        }
        if operation not in commands:
            self._answer(operation, kind, BAD_OPERATION)
        elif kind not in self.settings:
            self._answer(operation, kind, BAD_TYPE)
        else:
            commands[operation](kind, data[2:])

    def _answer(self, operation: int, kind: int, status: int, parameters: bytes = b"") -> None:
        room = self.mtu - 3 - ANSWER_HEADER
        parts = [parameters[at : at + room] for at in range(0, len(parameters), room)] or [b""]
        for left, part in zip(reversed(range(len(parts))), parts, strict=True):
            more = int(left > 0)
            self.notify(CONTROL, packets.control_answer(operation, kind, status, part, more=more))

    def _tell_settings(self, kind: int, _: bytes) -> None:
        self._answer(packets.GET_SETTINGS, kind, OK, self.settings[kind])

    def _start(self, kind: int, request: bytes) -> None:
        wanted, status = self._wanted(kind, request)
        if kind in self.running:
            status = ALREADY
        elif self.mtu < LEAST_MTU:
            status = BAD_MTU
        if status:
            self._answer(packets.START, kind, status)
            return
        factor = packets.settings_tlv({}, 1.0) if kind != PPI else b""
        self._answer(packets.START, kind, OK, factor)
        self.running[kind] = self.run(self._measure(kind, wanted.get(RATE, 0)))

    def _stop(self, kind: int, _: bytes) -> None:
        task = self.running.pop(kind, None)
        if task is None:
            self._answer(packets.STOP, kind, ALREADY)
            return
        task.cancel()
        self.stopped.append(kind)
        self._answer(packets.STOP, kind, OK)

    def _wanted(self, kind: int, request: bytes) -> tuple[dict[int, int], int]:
        """Return the settings asked for, and the status that refuses them (0 for none)."""
        offered, wanted = read_settings(self.settings[kind]), read_settings(request)
        if {*wanted} != {*offered}:
            return {}, BAD_PARAMETER
        for setting, values in wanted.items():
            if len(values) != 1 or values[0] not in offered[setting]:
                return {}, REFUSALS[setting]
        return {setting: values[0] for setting, values in wanted.items()}, OK

    def _ns(self, seconds: float) -> int:
        return self._epoch_ns + round(seconds * 1e9)

    async def _measure(self, kind: int, rate: int) -> None:
        if kind == PPI:
            await self._intervals()
            return
        frame = FRAMES[kind]

        def send(numbers: Ints) -> None:
            self.notify(DATA, frame(self._ns(float(numbers[-1]) / rate), numbers))

        await sample(self.crystal, rate, SAMPLES[kind], send)

    async def _intervals(self) -> None:
        def send(numbers: Ints) -> None:
            beat = [(75, 800, 10, 0b110) for _ in numbers]
            self.notify(DATA, packets.ppi_frame(self._ns(float(numbers[-1]) * 0.8), beat))

        await sample(self.crystal, 1 / 0.8, 5, send)


def read_settings(encoded: bytes) -> dict[int, list[int]]:
    """Read `type count values` until the end."""
    found, position = {}, 0
    while position + 2 <= len(encoded):
        kind, count = encoded[position], encoded[position + 1]
        size = SIZES.get(kind, 1)
        values = encoded[position + 2 : position + 2 + count * size]
        form = f"<{len(values) // size}{'BH'[size - 1]}"
        found[kind] = list(struct.unpack(form, values[: len(values) // size * size]))
        position += 2 + count * size
    return found


def counting(numbers: Ints, channels: int) -> list[list[int]]:
    """Return rows that tell which samples they are: channel c of sample n is (n + c) % 1000."""
    return [[int((n + channel) % 1000) for channel in range(channels)] for n in numbers]


def _ecg(ns: int, numbers: Ints) -> bytes:
    return packets.ecg_frame(ns, [int(n) for n in numbers])


def _acc(ns: int, numbers: Ints) -> bytes:
    return packets.acc_frame(ns, counting(numbers, 3))


def _compressed(kind: int, channels: int, resolution: int) -> Callable[[int, Ints], bytes]:
    def frame(ns: int, numbers: Ints) -> bytes:
        rows = counting(numbers, channels)
        return packets.delta_frame(kind, ns, rows, resolution=resolution, block=12)

    return frame


FRAMES: Mapping[int, Callable[[int, Ints], bytes]] = {
    ECG: _ecg,
    ACC: _acc,
    PPG: _compressed(PPG, 4, 22),
    GYRO: _compressed(GYRO, 3, 16),
    MAG: _compressed(MAG, 3, 16),
}


def h10(clock: Clock, number: int = 1, ppm: float = H10_PPM) -> Polar:
    """Make a Polar H10: ECG and acceleration, on a chest strap."""
    return Polar(
        "Polar H10", packets.H10_SETTINGS, clock=clock, number=number, firmware="5.0.0", ppm=ppm
    )


def verity(clock: Clock, number: int = 2, ppm: float = 0.0) -> Polar:
    """Make a Polar Verity Sense: PPG, pulse intervals and motion, on the arm."""
    settings = {**packets.VERITY_SETTINGS, PPI: b""}
    return Polar("Polar Sense", settings, clock=clock, number=number, firmware="2.1.0", ppm=ppm)
