"""Encoders of what Muse headbands send: for tests and simulated headbands.

Written from the public layouts, apart from the decoders, so that each can be tested on the other.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

EEG4, EEG8, OPTICS4, OPTICS8, OPTICS16 = 0x11, 0x12, 0x34, 0x35, 0x36
MOTION, DRL_REF, BATTERY, BATTERY_NEW = 0x47, 0x53, 0x98, 0x88
SHAPES = {  # samples and channels of a block
    EEG4: (4, 4),
    EEG8: (2, 8),
    OPTICS4: (3, 4),
    OPTICS8: (2, 8),
    OPTICS16: (1, 16),
    MOTION: (3, 6),
}
RATES = {EEG4: 256, EEG8: 256, OPTICS4: 64, OPTICS8: 64, OPTICS16: 64, MOTION: 52}
ACC_G, GYRO_DPS, EEG_UV = 0.0000610352, 0.0074768, 0.48828125
ATHENA_EEG_UV = 1450 / 16383


# Muse 2016, Muse 2, Muse S: one characteristic a signal, 20 bytes, big-endian.


def eeg_packet(counter: int, microvolts: ArrayLike) -> bytes:
    """Encode 12 samples of one electrode."""
    raw = np.clip(np.round(np.asarray(microvolts) / EEG_UV) + 2048, 0, 4095).astype(np.int64)
    assert raw.shape == (12,)
    return _counter(counter) + _pack(raw, 12, "big")


def acc_packet(counter: int, g: ArrayLike) -> bytes:
    """Encode 3 samples of acceleration, shape (3, 3), in g."""
    return _counter(counter) + _int16(np.asarray(g) / ACC_G, ">i2")


def gyro_packet(counter: int, dps: ArrayLike) -> bytes:
    """Encode 3 samples of rotation, shape (3, 3), in degrees per second."""
    return _counter(counter) + _int16(np.asarray(dps) / GYRO_DPS, ">i2")


def ppg_packet(counter: int, counts: ArrayLike) -> bytes:
    """Encode 6 samples of one light."""
    raw = np.asarray(counts, dtype=np.int64)
    assert raw.shape == (6,)
    return _counter(counter) + _pack(raw, 24, "big")


def telemetry_packet(
    counter: int, battery: float, *, fuel_mv: float = 3900.0, temperature: int = 30
) -> bytes:
    """Encode the telemetry; `battery` is a share of 1."""
    fields = (round(battery * 100 * 512), round(fuel_mv / 2.2), 0, temperature)
    return _counter(counter) + struct.pack(">4H", *fields) + bytes(10)


def control_packets(reply: dict[str, object]) -> list[bytes]:
    """Encode a reply as the 20-byte packets over which a headband spreads its JSON."""
    text = json.dumps(reply, separators=(",", ":")).encode("ascii")
    parts = [text[start : start + 19] for start in range(0, len(text), 19)]
    # What is behind the counted characters is left from the reply before.
    return [bytes([len(part)]) + part.ljust(19, b"x") for part in parts]


def read_command(data: bytes) -> str:
    """Return the text of a command, as a headband reads it."""
    assert data[0] == len(data) - 1, "the first byte counts those that follow"
    assert data[-1:] == b"\n"
    return data[1:-1].decode("ascii")


# Muse S Athena: many blocks in a packet, one or more packets in a notification, little-endian.


@dataclass(frozen=True)
class AthenaBlock:
    """A block of one sensor; `microseconds` is when it was read, from the packet's time on."""

    tag: int
    counter: int
    payload: bytes
    microseconds: int = 0


def athena_packet(counter: int, milliseconds: float, blocks: Sequence[AthenaBlock]) -> bytes:
    """Encode a packet; `milliseconds` is the device's clock. The first block sits in the header."""
    head, *rest = blocks
    whole = int(milliseconds)
    fraction = round((milliseconds - whole) * 1000) + head.microseconds
    body = bytes([head.tag, head.counter % 256]) + _int24(fraction) + head.payload
    for block in rest:
        body += bytes([block.tag, block.counter % 256]) + _int24(block.microseconds) + block.payload
    size = 9 + len(body)
    assert size <= 255, f"{size} bytes do not fit into a packet"
    header = bytes([size]) + struct.pack("<H", counter % 65536) + struct.pack("<Q", whole)[:6]
    return header + body


def athena_eeg(tag: int, microvolts: ArrayLike) -> bytes:
    """Encode the samples of a block of EEG: (4, 4) for 0x11, (2, 8) for 0x12."""
    raw = np.clip(np.round(np.asarray(microvolts) / ATHENA_EEG_UV) + 8192, 0, 16383)
    assert raw.shape == SHAPES[tag]
    return _pack(raw.astype(np.int64).ravel(), 14, "little")


def athena_optics(tag: int, counts: ArrayLike) -> bytes:
    """Encode the samples of a block of optics: (3, 4), (2, 8) or (1, 16), 20 bits each."""
    raw = np.asarray(counts, dtype=np.int64)
    assert raw.shape == SHAPES[tag]
    return _pack(raw.ravel(), 20, "little")


def athena_motion(g: ArrayLike, dps: ArrayLike) -> bytes:
    """Encode 3 samples of acceleration and rotation, both (3, 3), in g and degrees per second."""
    both = np.concatenate((np.asarray(g) / ACC_G, np.asarray(dps) / -GYRO_DPS), axis=1)
    assert both.shape == SHAPES[MOTION]
    return _int16(both, "<i2")


def athena_battery(battery: float, tag: int = BATTERY) -> bytes:
    """Encode the battery, a share of 1, as older (20 bytes) or newer firmware does."""
    return struct.pack("<H", round(battery * 100 * 256)) + bytes(18 if tag == BATTERY else 186)


def _counter(counter: int) -> bytes:
    return struct.pack(">H", counter % 65536)


def _int24(value: int) -> bytes:
    return value.to_bytes(3, "little", signed=True)


def _int16(values: np.ndarray, dtype: str) -> bytes:
    return np.clip(np.round(values), -32768, 32767).astype(dtype).tobytes()


def _pack(values: np.ndarray, bits: int, order: str) -> bytes:
    places = np.arange(bits) if order == "little" else np.arange(bits)[::-1]
    single = (values[:, None] >> places) & 1
    bitorder = "little" if order == "little" else "big"
    return np.packbits(single.astype(np.uint8), bitorder=bitorder).tobytes()
