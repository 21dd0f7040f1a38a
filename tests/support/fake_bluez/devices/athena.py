"""Muse S Athena: many sensors in one characteristic, in packets of blocks; or a recorded one.

Sources: alexandrebarachant/muse-lsl, DominiqueMakowski/OpenMuse, brainflow-dev/brainflow.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np

from biosense.core.clock import Clock
from biosense.core.types import Ints
from tests.support.ble import packets_muse as packets
from tests.support.ble.packets_muse import AthenaBlock
from tests.support.fake_bluez.devices.muse import MuseControl, control_service, motion, muse_uuid

SENSORS, SENSORS_TOO = muse_uuid(0x13), muse_uuid(0x14)
EPOCH_MS = 1_733_184_000_000  # 2024-12-03, which it believes in when switched on
SLICE_S = 1 / 32  # measured blocks are packed and sent so often
LARGEST = 240  # bytes of a packet
BATTERY_S = 10.0
LAYOUT = {  # by preset: EEG, optics
    **dict.fromkeys(("p20", "p21", "p50", "p51", "p60", "p61"), (packets.EEG4, None)),
    **dict.fromkeys(("p1034", "p1043", "p1044"), (packets.EEG8, packets.OPTICS8)),
    "p1035": (packets.EEG4, packets.OPTICS4),
    **dict.fromkeys(("p1041", "p1042"), (packets.EEG8, packets.OPTICS16)),
    **dict.fromkeys(("p1045", "p1046"), (packets.EEG8, packets.OPTICS4)),
}


@dataclass
class Measured:
    """Count the blocks of one sensor: `done` of them have been measured."""

    tag: int
    done: int

    @property
    def seconds(self) -> float:
        """Time between two blocks."""
        return BATTERY_S if self.tag == packets.BATTERY else self.samples / packets.RATES[self.tag]

    @property
    def samples(self) -> int:
        """Samples of a block."""
        return 1 if self.tag == packets.BATTERY else packets.SHAPES[self.tag][0]


class Athena(MuseControl):
    """An Athena. Raw EEG of sample n on channel c is (n + 512 c) modulo 16384."""

    presets = tuple(LAYOUT)
    firmware = "3.0.2"

    def __init__(self, clock: Clock, number: int = 1, *, ppm: float = 0.0) -> None:
        address = f"00:55:DA:BB:00:{number:02X}"
        service = control_service(SENSORS, SENSORS_TOO)
        super().__init__(f"MuseS-{number:04X}", address, service, clock=clock, ppm=ppm)
        self._count = self._asked = 0
        self._epoch_ms = float(EPOCH_MS)

    def restart_clock(self) -> None:
        """Begin with its packets and its time anew, as after it was switched off and on."""
        self._count, self._epoch_ms = 0, EPOCH_MS - 1000 * self.crystal.time()

    async def on_connect(self) -> None:
        await super().on_connect()
        self._asked = 0

    def is_starting(self, command: str) -> bool:
        self._asked += command == "dc001"
        return command == "dc001" and self._asked > 1  # it does not start at the first

    def begin(self) -> None:
        tags = (*LAYOUT[self.preset], packets.MOTION, packets.BATTERY)
        self.run(self._stream([tag for tag in tags if tag]))

    async def _stream(self, tags: list[int]) -> None:
        time = self.crystal.time()
        sensors = [Measured(tag, 0) for tag in tags]
        for sensor in sensors:
            sensor.done = int(np.ceil(time / sensor.seconds))
        while True:
            time += SLICE_S
            await self.crystal.wait(time)
            blocks = sorted(_due(sensors, time), key=lambda block: block[0])
            if self.sends:
                for packet in self._packed(blocks):
                    self.notify(SENSORS, packet)

    def _packed(self, blocks: list[tuple[float, AthenaBlock]]) -> Iterator[bytes]:
        group: list[tuple[float, AthenaBlock]] = []
        size = 9
        for at, block in blocks:
            length = 5 + len(block.payload)
            if group and size + length > LARGEST:
                yield self._packet(group)
                group, size = [], 9
            group.append((at, block))
            size += length
        if group:
            yield self._packet(group)

    def _packet(self, group: list[tuple[float, AthenaBlock]]) -> bytes:
        at = group[0][0]
        blocks = [
            AthenaBlock(block.tag, block.counter, block.payload, round(1e6 * (time - at)))
            for time, block in group
        ]
        self._count += 1
        return packets.athena_packet(self._count - 1, self._epoch_ms + 1000 * at, blocks)


def _due(sensors: list[Measured], time: float) -> Iterable[tuple[float, AthenaBlock]]:
    for sensor in sensors:
        while (sensor.done + 1) * sensor.seconds <= time:
            numbers = np.arange(sensor.done * sensor.samples, (sensor.done + 1) * sensor.samples)
            sensor.done += 1
            block = AthenaBlock(sensor.tag, sensor.done - 1, payload(sensor.tag, numbers))
            yield sensor.done * sensor.seconds, block


def payload(tag: int, numbers: Ints) -> bytes:
    """Encode samples that tell which they are."""
    if tag == packets.BATTERY:
        return packets.athena_battery(0.82)
    if tag == packets.MOTION:
        rows = motion(numbers)
        return packets.athena_motion(rows[:, :3], rows[:, 3:])
    channels = packets.SHAPES[tag][1]
    rows = numbers[:, None] + 512 * np.arange(channels)
    if tag in (packets.EEG4, packets.EEG8):
        return packets.athena_eeg(tag, packets.ATHENA_EEG_UV * (rows % 16384 - 8192.0))
    return packets.athena_optics(tag, rows % 2**20)


class RecordedAthena(Athena):
    """An Athena that sends what a real one sent: lines of `time <tab> characteristic <tab> hex`."""

    def __init__(self, clock: Clock, recording: Path, number: int = 9) -> None:
        super().__init__(clock, number)
        self.lines: list[tuple[float, str, bytes]] = []
        for line in recording.read_text().splitlines():
            time, uuid, data = line.split("\t")
            seconds = datetime.fromisoformat(time).timestamp()
            self.lines.append((seconds, uuid, bytes.fromhex(data)))

    @property
    def seconds(self) -> float:
        """How long the recording is."""
        return self.lines[-1][0] - self.lines[0][0]

    def begin(self) -> None:
        self.run(self._replay())

    async def _replay(self) -> None:
        offset = self.crystal.time() - self.lines[0][0]
        for seconds, uuid, data in self.lines:
            await self.crystal.wait(seconds + offset)
            self.notify(uuid, data)
