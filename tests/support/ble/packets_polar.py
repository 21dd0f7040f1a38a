"""Encoders of what Polar sensors and heart rate straps send: for tests and simulated sensors.

Written from the public layouts, apart from the decoders, so that each can be tested on the other.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from itertools import pairwise

ECG, PPG, ACC, PPI, GYRO, MAG = 0, 1, 2, 3, 5, 6
GET_SETTINGS, START, STOP, STATUS = 1, 2, 3, 5
RATE, RESOLUTION, RANGE, RANGE_MILLI, CHANNELS, FACTOR = range(6)
_SETTING_FORMATS = {RATE: "<H", RESOLUTION: "<H", RANGE: "<H", RANGE_MILLI: "<I", CHANNELS: "<B"}

Rows = Sequence[Sequence[int]]


def heart_rate_packet(
    bpm: int,
    rr_1024: Sequence[int] = (),
    *,
    contact: bool | None = None,
    energy_kj: int | None = None,
    wide: bool = False,
) -> bytes:
    """Encode a heart rate measurement (0x2A37); `rr_1024` in 1/1024 s, oldest first."""
    flags = 0x01 if wide or bpm > 255 else 0
    if contact is not None:
        flags |= 0x04 | (0x02 if contact else 0)
    if energy_kj is not None:
        flags |= 0x08
    if rr_1024:
        flags |= 0x10
    packet = bytes([flags]) + struct.pack("<H" if flags & 1 else "<B", bpm)
    if energy_kj is not None:
        packet += struct.pack("<H", energy_kj)
    return packet + b"".join(struct.pack("<H", rr) for rr in rr_1024)


def frame(kind: int, ns: int, frame_type: int, content: bytes) -> bytes:
    """Encode a data frame; `ns` is the time of the last sample since 2000-01-01."""
    return struct.pack("<BQB", kind, ns, frame_type) + content


def ecg_frame(ns: int, microvolts: Sequence[int]) -> bytes:
    """Encode ECG, frame type 0: 3 bytes a sample."""
    return frame(ECG, ns, 0, _integers([[value] for value in microvolts], 3))


def acc_frame(ns: int, milli_g: Rows, *, width: int = 2) -> bytes:
    """Encode acceleration uncompressed: three values of `width` bytes a sample."""
    return frame(ACC, ns, width - 1, _integers(milli_g, width))


def ppg_frame(ns: int, samples: Rows) -> bytes:
    """Encode PPG, frame type 0: four values of 3 bytes a sample."""
    return frame(PPG, ns, 0, _integers(samples, 3))


def ppi_frame(ns: int, beats: Sequence[tuple[int, int, int, int]]) -> bytes:
    """Encode pulse intervals: (heart rate, interval in ms, error in ms, flags) a beat."""
    return frame(PPI, ns, 0, b"".join(struct.pack("<BHHB", *beat) for beat in beats))


def delta_frame(
    kind: int, ns: int, samples: Rows, *, resolution: int, frame_type: int = 0, block: int = 255
) -> bytes:
    """Encode a compressed frame: the first sample whole, then blocks of up to `block` deltas.

    `samples` of shape (n, channels) are signed, of `resolution` bits.
    """
    content = _integers(samples[:1], -(-resolution // 8))
    rows = [
        [after - before for before, after in zip(old, new, strict=True)]
        for old, new in pairwise(samples)
    ]
    for start in range(0, len(rows), block):
        content += _delta_block(rows[start : start + block])
    return frame(kind, ns, 0x80 | frame_type, content)


def _delta_block(rows: Rows) -> bytes:
    flat = [value for row in rows for value in row]
    bits = max(max(v.bit_length() if v >= 0 else (~v).bit_length() for v in flat) + 1, 1)
    word = 0
    for position, value in enumerate(flat):
        word |= (value & ((1 << bits) - 1)) << (position * bits)
    return bytes([bits, len(rows)]) + word.to_bytes(-(-len(flat) * bits // 8), "little")


def _integers(rows: Rows, width: int) -> bytes:
    return b"".join(v.to_bytes(width, "little", signed=True) for row in rows for v in row)


def settings_tlv(settings: Mapping[int, Sequence[int]], factor: float | None = None) -> bytes:
    """Encode settings: all values of each kind (an answer), or one of each (a request)."""
    body = b""
    for kind, values in settings.items():
        packed = b"".join(struct.pack(_SETTING_FORMATS[kind], value) for value in values)
        body += bytes([kind, len(values)]) + packed
    if factor is not None:
        body += struct.pack("<BBf", FACTOR, 1, factor)
    return body


def control_answer(
    operation: int, kind: int, status: int = 0, parameters: bytes = b"", *, more: int = 0
) -> bytes:
    """Encode the answer to a command; an answer of refusal has neither `more` nor parameters."""
    head = bytes([0xF0, operation, kind, status])
    return head if status else head + bytes([more]) + parameters


def features_value(*kinds: int) -> bytes:
    """Encode what reading the control point gives: the measurement types the device has."""
    return bytes([0x0F, sum(1 << kind for kind in kinds), 0])


def stopped_notice(*kinds: int) -> bytes:
    """Encode the notice of a device that stopped measurements by itself."""
    return bytes([0x01, *kinds])


# What real devices answer to "get settings", by measurement type.
H10_SETTINGS: Mapping[int, bytes] = {
    ECG: settings_tlv({RATE: [130], RESOLUTION: [14]}),
    ACC: settings_tlv({RATE: [200, 100, 50, 25], RESOLUTION: [16], RANGE: [2, 4, 8]}),
}
VERITY_SETTINGS: Mapping[int, bytes] = {
    PPG: settings_tlv({RATE: [55], RESOLUTION: [22], CHANNELS: [4]}),
    ACC: settings_tlv({RATE: [52], RESOLUTION: [16], RANGE: [8], CHANNELS: [3]}),
    GYRO: settings_tlv({RATE: [52], RESOLUTION: [16], RANGE: [2000], CHANNELS: [3]}),
    MAG: settings_tlv({RATE: [10, 20, 50], RESOLUTION: [16], RANGE: [50], CHANNELS: [3]}),
}
