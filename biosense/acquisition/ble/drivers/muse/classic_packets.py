"""Packets of Muse 2016, Muse 2 and Muse S: bytes in, numbers out, and the commands.

Facts from alexandrebarachant/muse-lsl (constants.py, muse.py) and brainflow-dev/brainflow
(muse_constants.h).
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

import numpy as np

from biosense.acquisition.ble.drivers.timing.bits import unpack_msb
from biosense.core.errors import PacketError
from biosense.core.types import Floats, Ints


def muse_uuid(number: int) -> str:
    """Return the long form of a Muse characteristic.

    >>> muse_uuid(0x13)
    '273e0013-4c4d-454d-96be-f03bac821358'
    """
    return f"273e{number:04x}-4c4d-454d-96be-f03bac821358"


SERVICE = "0000fe8d-0000-1000-8000-00805f9b34fb"
CONTROL = muse_uuid(0x01)
EEG = {
    "TP9": muse_uuid(0x03),
    "AF7": muse_uuid(0x04),
    "AF8": muse_uuid(0x05),
    "TP10": muse_uuid(0x06),
}
AUX_RIGHT = muse_uuid(0x07)
GYRO = muse_uuid(0x09)
ACC = muse_uuid(0x0A)
TELEMETRY = muse_uuid(0x0B)
PPG = {"ambient": muse_uuid(0x0F), "infrared": muse_uuid(0x10), "red": muse_uuid(0x11)}

EEG_SAMPLES = 12  # of one electrode in a packet
EEG_HZ = 256.0
EEG_UV = 0.48828125  # microvolt per count
_EEG_ZERO = 2048
IMU_SAMPLES = 3
IMU_HZ = 52.0
ACC_G = 0.0000610352  # g per count
GYRO_DPS = 0.0074768  # degrees per second per count
PPG_SAMPLES = 6
PPG_HZ = 64.0
_BATTERY = 512  # counts per percent
_FUEL_MV = 2.2  # millivolt per count
_PACKET_BYTES = 20


@dataclass(frozen=True)
class Telemetry:
    """Hold what a Muse says of its battery: share of 1, its voltage in mV, temperature (raw)."""

    counter: int
    battery: float
    fuel_mv: float
    adc: int
    temperature: int


def command(text: str) -> bytes:
    """Return the bytes of a control command; the first counts those that follow.

    >>> command("p1041").hex(" ")
    '06 70 31 30 34 31 0a'
    """
    body = text.encode("ascii") + b"\n"
    return bytes([len(body)]) + body


def eeg(packet: bytes) -> tuple[int, Floats]:
    """Return the counter and 12 samples in microvolt, shape (12,)."""
    _check(packet, "EEG")
    raw = unpack_msb(packet[2:], 12, EEG_SAMPLES)
    return _counter(packet), (raw - _EEG_ZERO).astype(np.float64) * EEG_UV


def imu(packet: bytes, unit: float) -> tuple[int, Floats]:
    """Return the counter and 3 samples of x, y, z, shape (3, 3), `unit` being that of a count."""
    _check(packet, "motion")
    values = np.frombuffer(packet, dtype=">i2", offset=2).astype(np.float64)
    values *= unit
    return _counter(packet), values.reshape(IMU_SAMPLES, 3)


def ppg(packet: bytes) -> tuple[int, Ints]:
    """Return the counter and 6 samples of one light in counts, shape (6,)."""
    _check(packet, "PPG")
    return _counter(packet), unpack_msb(packet[2:], 24, PPG_SAMPLES)


def telemetry(packet: bytes) -> Telemetry:
    """Return what the packet says of the battery; longer ones carry more that is not known."""
    if len(packet) < 10:
        raise PacketError(f"a Muse telemetry packet has at least 10 bytes, got {len(packet)}")
    counter, battery, fuel, adc, temperature = struct.unpack_from(">5H", packet)
    percent = battery / _BATTERY
    if percent > 100:
        raise PacketError(f"a Muse battery cannot be at {percent:.1f} %")
    return Telemetry(counter, percent / 100, fuel * _FUEL_MV, adc, temperature)


def reply_part(packet: bytes) -> str:
    """Return the useful characters of a control reply: its first byte counts them."""
    if not packet or packet[0] > len(packet) - 1:
        raise PacketError(
            f"a Muse control reply counts its characters in the first byte, got {packet.hex(' ')!r}"
        )
    try:
        return packet[1 : 1 + packet[0]].decode("ascii")
    except UnicodeDecodeError as error:
        raise PacketError(f"a Muse control reply is ASCII, got {packet.hex(' ')!r}") from error


def _counter(packet: bytes) -> int:
    return int.from_bytes(packet[:2], "big")


def _check(packet: bytes, what: str) -> None:
    if len(packet) != _PACKET_BYTES:
        raise PacketError(f"a Muse {what} packet has {_PACKET_BYTES} bytes, got {len(packet)}")
