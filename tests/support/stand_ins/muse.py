"""A minute of notifications of a Muse S Athena, as a recorder of packets writes them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import groupby
from pathlib import Path

import numpy as np

from tests.support.ble import packets_muse as encode
from tests.support.fake_bluez.devices.athena import LARGEST, LAYOUT, SENSORS, payload

SECONDS = 60.0
BEGAN_S = 1_758_787_333.0  # 2025-09-25, UTC
BOOT_MS = 5_000_000.0
READ_EVERY_S = 0.06


@dataclass(frozen=True)
class Sensor:
    """What sends blocks of one tag: seconds between two, samples of each."""

    tag: int
    seconds: float
    samples: int = 1

    def blocks(self) -> Iterator[tuple[float, encode.AthenaBlock]]:
        """Yield when each block is read, and the block."""
        for counter in range(int(SECONDS / self.seconds)):
            read = np.ceil((counter + 1) * self.seconds / READ_EVERY_S) * READ_EVERY_S
            yield float(read), encode.AthenaBlock(self.tag, counter, self._payload(counter))

    def _payload(self, counter: int) -> bytes:
        if self.tag == encode.DRL_REF:
            return bytes(24)
        if self.tag == encode.MOTION:  # it lies on its back, and turns a little
            return encode.athena_motion([[0.02, -0.01, 1.0]] * 3, [[1.0, counter % 5, -2.0]] * 3)
        return payload(self.tag, np.arange(counter * self.samples, (counter + 1) * self.samples))


def notifications(path: Path) -> None:
    """Write lines of arrival, characteristic and bytes; the preset is in the file's name."""
    rng = np.random.default_rng(21)
    lines, arrived = [], 0.0
    for number, (read, blocks) in enumerate(_packed(path.stem.removeprefix("openmuse_"))):
        packet = encode.athena_packet(number, BOOT_MS + 1000 * read, blocks)
        late = 0.02 + (rng.exponential(0.02) if rng.random() < 0.7 else 0.0)
        arrived = max(arrived, read + late)
        stamp = datetime.fromtimestamp(BEGAN_S + arrived, UTC).isoformat(timespec="microseconds")
        lines.append(f"{stamp}\t{SENSORS}\t{packet.hex()}\n")
    path.write_text("".join(lines))


def _packed(preset: str) -> Iterator[tuple[float, list[encode.AthenaBlock]]]:
    tags = [tag for tag in (*LAYOUT[preset], encode.MOTION) if tag]
    sensors = [
        Sensor(tag, encode.SHAPES[tag][0] / encode.RATES[tag], encode.SHAPES[tag][0])
        for tag in tags
    ]
    sensors += [Sensor(encode.DRL_REF, 1.0), Sensor(encode.BATTERY, 1.0)]
    due = sorted((each for sensor in sensors for each in sensor.blocks()), key=lambda each: each[0])
    for read, group in groupby(due, key=lambda each: each[0]):
        packet: list[encode.AthenaBlock] = []
        for _, block in group:
            if packet and 9 + sum(5 + len(b.payload) for b in (*packet, block)) > LARGEST:
                yield read, packet
                packet = []
            packet.append(block)
        yield read, packet
