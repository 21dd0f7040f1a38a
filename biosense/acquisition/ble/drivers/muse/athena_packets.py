"""Packets of the Muse S Athena: many blocks of several sensors in one notification.

Facts from brainflow-dev/brainflow (muse_athena.cpp), alexandrebarachant/muse-lsl (athena.py) and
DominiqueMakowski/OpenMuse (decode.py); where they disagree, from what public captures show:

- Bytes 1-2 count packets and bytes 3-8 are milliseconds. (OpenMuse reads bytes 2-5 as ticks of
  256 kHz, which are the same milliseconds with a part of the counter mixed in.)
- What follows a block's counter, which nobody had read, are microseconds: in the header 16 bits, a
  fraction of its millisecond; in the other blocks 24 bits, signed, the time from the header's to
  when that sensor was read. Read so, the battery's reports lie within 1 ms of a straight line in
  two captures of four, and within 16 ms in the others; by the milliseconds alone within 87 ms.
- EEG is unsigned about 8192 (OpenMuse and BrainFlow leave the offset in); the battery is in 1/256
  percent (OpenMuse; the others 1/512, half of what the headband's own replies say).
- Block 0x34 holds the inner optodes, channels 4-7 of 16 (OpenMuse, muse-lsl; BrainFlow: 0-3).
- Block 0x88 fills the rest of its packet (BrainFlow: 20 bytes).
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Final

import numpy as np

from biosense.acquisition.ble.drivers.muse.classic_packets import ACC_G, GYRO_DPS, muse_uuid
from biosense.acquisition.ble.drivers.timing.bits import unpack_lsb
from biosense.core.errors import PacketError
from biosense.core.types import Floats

DATA: Final = (muse_uuid(0x13), muse_uuid(0x14))

EEG_CHANNELS = ("TP9", "AF7", "AF8", "TP10", "AUX_1", "AUX_2", "AUX_3", "AUX_4")
# Left or right, outer or inner optode; 730, 850 and 660 nm, and no light (OpenMuse).
OPTICS_CHANNELS = (
    *("LO_NIR", "RO_NIR", "LO_IR", "RO_IR", "LI_NIR", "RI_NIR", "LI_IR", "RI_IR"),
    *("LO_RED", "RO_RED", "LO_AMB", "RO_AMB", "LI_RED", "RI_RED", "LI_AMB", "RI_AMB"),
)
MOTION_CHANNELS = ("acc_x", "acc_y", "acc_z", "gyro_x", "gyro_y", "gyro_z")

MOTION, DRL_REF = 0x47, 0x53
BATTERIES = (0x98, 0x88)  # older and newer firmware
_EEG_UV = 1450 / 16383  # microvolt per count
_EEG_ZERO = 8192
_MOTION_UNITS = np.repeat([ACC_G, -GYRO_DPS], 3)  # the gyroscope is mounted the other way round
_HEADER_BYTES = 14
_BLOCK_HEADER_BYTES = 5
_REST = -1  # of the packet
_MOST_OFFSET_US = 500_000  # 0.09 s was seen; more would be something else that is sent there


@dataclass(frozen=True)
class Layout:
    """Describe the blocks of a sensor: samples, their channels, bits of a number, rate in Hz."""

    samples: int
    channels: tuple[str, ...]
    bits: int
    sfreq: float


LAYOUTS = {
    0x11: Layout(4, EEG_CHANNELS[:4], 14, 256.0),
    0x12: Layout(2, EEG_CHANNELS, 14, 256.0),
    0x34: Layout(3, OPTICS_CHANNELS[4:8], 20, 64.0),
    0x35: Layout(2, OPTICS_CHANNELS[:8], 20, 64.0),
    0x36: Layout(1, OPTICS_CHANNELS, 20, 64.0),
    MOTION: Layout(3, MOTION_CHANNELS, 16, 52.0),
}
_SIZES = {
    **{tag: each.samples * len(each.channels) * each.bits // 8 for tag, each in LAYOUTS.items()},
    DRL_REF: 24,
    0x98: 20,
    0x88: _REST,
}


@dataclass(frozen=True)
class RawBlock:
    """Hold a block: its sensor's tag and counter (0-255), and when that sensor was read, seconds.

    What was read had been gathering in the sensor for up to 0.13 s.
    """

    tag: int
    counter: int
    read: float
    payload: bytes


@dataclass(frozen=True)
class AthenaPacket:
    """Hold a packet: its counter (16 bits), its time in seconds, and its blocks.

    `unknown` is the tag at which reading had to stop, None where all was read.
    """

    counter: int
    time: float
    blocks: tuple[RawBlock, ...]
    unknown: int | None


def packets(notification: bytes) -> list[AthenaPacket]:
    """Split a notification into packets.

    Raises
    ------
    PacketError
        If it is not made of whole packets, each with at least its header.
    """
    found = []
    start = 0
    while start < len(notification):
        size = notification[start]
        if size < _HEADER_BYTES or start + size > len(notification):
            raise PacketError(
                f"an Athena packet of {size} bytes cannot be at byte {start} of "
                f"{len(notification)}; at least {_HEADER_BYTES} are needed"
            )
        found.append(_packet(notification[start : start + size]))
        start += size
    if not found:
        raise PacketError("an Athena notification holds at least one packet, got 0 bytes")
    return found


def samples(block: RawBlock) -> Floats:
    """Return the samples, shape (samples, channels): microvolt; counts; g and degrees per second.

    The tag is one of `LAYOUTS`.
    """
    layout = LAYOUTS[block.tag]
    shape = (layout.samples, len(layout.channels))
    if block.tag == MOTION:
        motion: Floats = _MOTION_UNITS * np.frombuffer(block.payload, dtype="<i2").reshape(shape)
        return motion
    raw = unpack_lsb(block.payload, layout.bits, shape[0] * shape[1]).reshape(shape)
    if layout.channels[0] in EEG_CHANNELS:
        return np.multiply(raw - _EEG_ZERO, _EEG_UV, dtype=np.float64)
    return raw.astype(np.float64)


def battery(block: RawBlock) -> float | None:
    """Return the state of the battery as a share of 1; None where it makes no sense."""
    if len(block.payload) < 2:
        raise PacketError(f"an Athena battery block has at least 2 bytes, got {len(block.payload)}")
    percent = int.from_bytes(block.payload[:2], "little") / 256
    return min(percent / 100, 1.0) if percent < 110 else None


def _packet(packet: bytes) -> AthenaPacket:
    (counter,) = struct.unpack_from("<H", packet, 1)
    milliseconds = int.from_bytes(packet[3:9], "little")
    # Byte 13 is 0 in older firmware and something else in newer (OpenMuse): it is not read.
    microseconds = milliseconds * 1000 + int.from_bytes(packet[11:13], "little")
    blocks = []
    tag, count, read, at = packet[9], packet[10], microseconds, _HEADER_BYTES
    while tag in _SIZES:
        size = len(packet) - at if _SIZES[tag] == _REST else _SIZES[tag]
        if at + size > len(packet):
            raise PacketError(
                f"Athena block {tag:#x} needs {size} bytes, the packet has {len(packet) - at} left"
            )
        blocks.append(RawBlock(tag, count, read * 1e-6, packet[at : at + size]))
        at += size
        if at + _BLOCK_HEADER_BYTES > len(packet):
            return AthenaPacket(counter, milliseconds * 1e-3, tuple(blocks), None)
        tag, count = packet[at], packet[at + 1]
        read = microseconds + _offset(packet[at + 2 : at + 5])
        at += _BLOCK_HEADER_BYTES
    return AthenaPacket(counter, milliseconds * 1e-3, tuple(blocks), tag)


def _offset(raw: bytes) -> int:
    offset = int.from_bytes(raw, "little", signed=True)
    return offset if abs(offset) < _MOST_OFFSET_US else 0
