"""Packets of the OpenBCI Ganglion with firmware 3: bytes in, numbers out.

Facts from https://docs.openbci.com/Ganglion/GanglionDataFormat/ and brainflow-dev/brainflow
(ganglion_native.cpp, custom_cast.h).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from biosense.acquisition.ble.drivers.timing.bits import signed, unpack_msb
from biosense.core.errors import PacketError
from biosense.core.types import Floats

SERVICE = "0000fe84-0000-1000-8000-00805f9b34fb"
NOTIFY = "2d30c082-f39f-4ce6-923f-3484ea480596"
WRITE = "2d30c083-f39f-4ce6-923f-3484ea480596"

CHANNELS = 4
SAMPLES = 2  # of each channel in a packet
SFREQ = 200.0
ACC_G = 0.016  # g per count
_ID_TURN = 100  # ids 0-99 carry 18 bits and motion, 100-199 carry 19 bits; each range wraps
_ID_IMPEDANCE = range(201, 206)
_REFERENCE_V, _GAIN = 1.2, 1.5 * 51  # of the AD converter and the amplifier in front of it
UV_PER_COUNT = _REFERENCE_V * 1e6 / ((2**23 - 1) * _GAIN)
_PACKET_BYTES = 20


@dataclass(frozen=True, eq=False)
class SamplePacket:
    """Hold two samples of four channels in microvolt, shape (2, 4).

    `counter` is the place in the turn of 100. `acc` is (axis, g) where the packet carries one.
    """

    counter: int
    data: Floats
    acc: tuple[int, float] | None


@dataclass(frozen=True)
class ImpedancePacket:
    """Hold the impedance in ohms of channel 1-4, or of the reference (5)."""

    channel: int
    ohms: int


def decode_packet(packet: bytes) -> SamplePacket | ImpedancePacket:
    """Read a packet.

    The samples are plain two's complement. BrainFlow takes one more off negative ones, as if they
    were ones' complement: 0.06 to 0.12 microvolt, which is below the noise.

    Parameters
    ----------
    packet
        A notification of 20 bytes.

    Returns
    -------
    SamplePacket, ImpedancePacket or None
        What it holds; None for text.

    Raises
    ------
    PacketError
        If the bytes are no packet of firmware 3.
    """
    if not packet:
        raise PacketError("a Ganglion packet has at least its id, got 0 bytes")
    number = packet[0]
    if number in _ID_IMPEDANCE:
        return ImpedancePacket(number - 200, _ohms(packet[1:]))
    if number >= 2 * _ID_TURN:
        raise PacketError(f"id {number} of a Ganglion packet is not known (0-199, 201-205)")
    if len(packet) != _PACKET_BYTES:
        raise PacketError(f"a Ganglion packet has {_PACKET_BYTES} bytes, got {len(packet)}")
    bits = 18 if number < _ID_TURN else 19
    top = signed(unpack_msb(packet[1:], bits, SAMPLES * CHANNELS), bits)
    data = (top << (24 - bits)).astype(np.float64) * UV_PER_COUNT
    counter = number % _ID_TURN
    acc = None
    if bits == 18 and counter % 10 < 3:
        acc = (counter % 10, ACC_G * int.from_bytes(packet[19:20], signed=True))
    return SamplePacket(counter, data.reshape(SAMPLES, CHANNELS), acc)


def _ohms(text: bytes) -> int:
    digits = text.rstrip(b"\x00").partition(b"Z")[0].strip()
    if not digits.isdigit() or len(digits) > 10:
        raise PacketError(f"a Ganglion impedance is digits and a Z, got {text[:20]!r}")
    return int(digits)
