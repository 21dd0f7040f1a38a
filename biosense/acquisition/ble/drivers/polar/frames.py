"""Data frames of Polar sensors ("PMD": H10, Verity Sense, OH1): bytes in, numbers out.

Facts from polarofficial/polar-ble-sdk: technical_documentation/online_measurement.pdf and the
sources under api/ble/model/gatt/client/pmd.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from types import MappingProxyType

import numpy as np

from biosense.acquisition.ble.drivers.timing.bits import signed, unpack_lsb
from biosense.core.errors import PacketError
from biosense.core.types import Floats, Ints


def pmd_uuid(number: int) -> str:
    """Return the long form of a UUID of Polar's measurement service.

    >>> pmd_uuid(0x5C81)
    'fb005c81-02e7-f387-1cad-8acd2d8df0c8'
    """
    return f"fb00{number:04x}-02e7-f387-1cad-8acd2d8df0c8"


SERVICE, CONTROL, DATA = (pmd_uuid(number) for number in (0x5C80, 0x5C81, 0x5C82))


class MeasurementType(IntEnum):
    """Name what a Polar sensor can measure, as its packets number it."""

    ECG = 0
    PPG = 1
    ACC = 2
    PPI = 3
    GYRO = 5
    MAG = 6


_KIND_MASK = 0x3F
_HEADER = 10
_MOST_BITS = 32  # of a delta; samples have at most as many


@dataclass(frozen=True)
class PmdFrame:
    """Hold a data frame whose samples are not decoded yet.

    `last_ns` is when the last sample was taken, by the sensor's clock: nanoseconds since
    2000-01-01, or since whatever it was set to. `layout` is the frame type; its bit 7 is set where
    the content is compressed.
    """

    kind: MeasurementType
    last_ns: int
    layout: int
    content: bytes


@dataclass(frozen=True)
class Beats:
    """Hold pulse intervals, arrays of shape (n,), oldest first.

    `intervals` and `errors` are in seconds. `moved` is 1 where the sensor saw movement and takes
    the interval for none; `contact` is 1 on the skin, 0 off it, NaN where the sensor cannot tell
    (the maker's document and its programs disagree on the bit that says so: this is as the programs
    read it).
    """

    intervals: Floats
    errors: Floats
    moved: Floats
    contact: Floats


@dataclass(frozen=True)
class _Plain:
    """Samples of `channels` signed numbers of `width` bytes."""

    channels: int
    width: int


@dataclass(frozen=True)
class _Delta:
    """A sample of `channels` numbers of `bits`, and differences; the first `keep` are of use."""

    channels: int
    bits: int
    keep: int
    scale: float = 1.0
    is_float: bool = False


_PLAIN: Mapping[tuple[MeasurementType, int], _Plain] = MappingProxyType(
    {
        (MeasurementType.ECG, 0): _Plain(1, 3),
        (MeasurementType.PPG, 0): _Plain(4, 3),
        (MeasurementType.ACC, 0): _Plain(3, 1),
        (MeasurementType.ACC, 1): _Plain(3, 2),
        (MeasurementType.ACC, 2): _Plain(3, 3),
    }
)
_DELTA: Mapping[tuple[MeasurementType, int], _Delta] = MappingProxyType(
    {
        (MeasurementType.PPG, 0x80): _Delta(4, 24, 4),
        (MeasurementType.ACC, 0x80): _Delta(3, 16, 3, 1000.0),  # in g by its factor
        (MeasurementType.ACC, 0x81): _Delta(3, 16, 3),
        (MeasurementType.GYRO, 0x80): _Delta(3, 16, 3),
        (MeasurementType.GYRO, 0x81): _Delta(3, 32, 3, is_float=True),
        (MeasurementType.MAG, 0x80): _Delta(3, 16, 3),
        (MeasurementType.MAG, 0x81): _Delta(
            4, 16, 3, 1e-3
        ),  # in milligauss, and how well it is calibrated
    }
)
_ECG_14_BIT = 1


def read_frame(packet: bytes) -> PmdFrame:
    """Read the head of a data frame.

    Parameters
    ----------
    packet
        A notification of the PMD data characteristic.

    Returns
    -------
    PmdFrame
        Its type, time in nanoseconds and content.

    Raises
    ------
    PacketError
        If it is too short, without samples, or of something that is not known here.

    Examples
    --------
    >>> frame = read_frame(bytes.fromhex("00 0094357700000000 00 0280ff 028000"))
    >>> frame.kind.name, frame.last_ns, samples(frame).ravel().tolist()
    ('ECG', 2000000000, [-32766.0, 32770.0])
    """
    if len(packet) <= _HEADER:
        raise PacketError(
            f"a Polar frame has a head of {_HEADER} bytes and samples, got {packet.hex(' ')!r}"
        )
    number = packet[0] & _KIND_MASK
    if number not in MeasurementType.__members__.values():
        raise PacketError(
            f"measurement type {number} in a Polar frame is none of {list(MeasurementType)}"
        )
    return PmdFrame(
        MeasurementType(number), int.from_bytes(packet[1:9], "little"), packet[9], packet[_HEADER:]
    )


def samples(frame: PmdFrame, factor: float = 1.0) -> Floats:
    """Return the samples of a frame, shape (n, channels), n at least 1.

    ECG is in microvolt, acceleration in mg, rotation in degrees per second, magnetic field in
    gauss, PPG without unit (three lights and the ambient light).

    Parameters
    ----------
    frame
        Of anything but pulse intervals.
    factor
        What the sensor said at the start that compressed samples are to be multiplied by.

    Returns
    -------
    ndarray
        Shape (n, channels), in the unit of the signal.

    Raises
    ------
    PacketError
        If the content does not fit its frame type, or that is not known.
    """
    key = (frame.kind, frame.layout)
    if key in _PLAIN:
        return _whole_numbers(frame, _PLAIN[key]).astype(np.float64)
    if key == (MeasurementType.ECG, _ECG_14_BIT):
        # Bits above these tell of contact and impedance. That they are signed is an assumption.
        raw = _whole_numbers(frame, _Plain(1, 3)) & 0x3FFF
        return signed(raw, 14).astype(np.float64)
    if key in _DELTA:
        layout = _DELTA[key]
        numbers = unpack_deltas(frame.content, layout.channels, layout.bits)
        values = numbers.astype(np.uint32).view(np.float32) if layout.is_float else numbers
        with np.errstate(invalid="ignore", over="ignore"):  # a sensor may well send NaN
            scaled: Floats = values[:, : layout.keep].astype(np.float64) * (factor * layout.scale)
        return scaled
    raise PacketError(
        f"{frame.kind.name} frames of type 0x{frame.layout:02x} are not known here; "
        f"known are {[f'{kind.name} 0x{number:02x}' for kind, number in (*_PLAIN, *_DELTA)]}"
    )


def beats(frame: PmdFrame) -> Beats:
    """Return the pulse intervals of a frame.

    Parameters
    ----------
    frame
        Of pulse-to-pulse intervals.

    Returns
    -------
    Beats
        Intervals and their errors in seconds, movement, contact.

    Raises
    ------
    PacketError
        If the content is no list of them.
    """
    size = 6
    if frame.layout != 0 or len(frame.content) % size:
        raise PacketError(
            f"pulse intervals come in frames of type 0 with {size} bytes each, "
            f"got type 0x{frame.layout:02x} with {len(frame.content)} bytes"
        )
    raw = np.frombuffer(
        frame.content, dtype=[("bpm", "u1"), ("ms", "<u2"), ("error", "<u2"), ("flags", "u1")]
    )
    flags = raw["flags"]
    contact = np.where(flags & 4, (flags & 2) / 2, np.nan)
    return Beats(raw["ms"] / 1000, raw["error"] / 1000, (flags & 1).astype(float), contact)


def unpack_deltas(content: bytes, channels: int, bits: int) -> Ints:
    """Return compressed samples, shape (n, channels).

    The first sample is whole, in as many bytes as `bits` need. Blocks of differences follow: number
    of bits, number of samples, and the differences from the lowest bit on, up to a whole byte.

    Parameters
    ----------
    content
        Of a compressed frame: a reference sample, then blocks of differences.
    channels
        Of the signal.
    bits
        Of the reference sample.

    Returns
    -------
    ndarray of int
        Samples, shape (n, channels).

    Raises
    ------
    PacketError
        If a block is cut short, or has differences of 0 or more than 32 bits.

    Examples
    --------
    >>> unpack_deltas(bytes.fromhex("6400ceffe803 0402e1c370"), 3, 16).tolist()
    [[100, -50, 1000], [101, -52, 1003], [97, -52, 1010]]
    """
    at = channels * -(-bits // 8)
    if len(content) < at:
        raise PacketError(f"compressed samples begin with {at} bytes, got {len(content)}")
    parts = [_little(content[:at], channels, -(-bits // 8))]
    while at < len(content):
        head = content[at : at + 2]
        if len(head) < 2 or not 0 < head[0] <= _MOST_BITS:
            raise PacketError(
                f"a block of differences begins with bits (1 to {_MOST_BITS}) and samples, "
                f"got {head.hex(' ')!r} at byte {at}"
            )
        width, count = head[0], head[1] * channels
        size = -(-width * count // 8)
        block = unpack_lsb(content[at + 2 : at + 2 + size], width, count)
        parts.append(signed(block, width).reshape(-1, channels))
        at += 2 + size
    return np.cumsum(np.concatenate(parts), axis=0)


def _whole_numbers(frame: PmdFrame, layout: _Plain) -> Ints:
    size = layout.channels * layout.width
    if len(frame.content) % size:
        raise PacketError(
            f"{frame.kind.name} frames of type 0x{frame.layout:02x} have {size} bytes a sample, "
            f"got {len(frame.content)}"
        )
    return _little(frame.content, layout.channels, layout.width)


def _little(content: bytes, channels: int, width: int) -> Ints:
    """Return signed numbers of `width` bytes, shape (n, channels)."""
    raw = np.frombuffer(content, dtype=np.uint8).reshape(-1, channels, width).astype(np.int64)
    values: Ints = raw @ (np.int64(1) << (8 * np.arange(width)))
    return signed(values, 8 * width)
