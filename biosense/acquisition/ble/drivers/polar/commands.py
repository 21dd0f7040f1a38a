"""Commands to Polar sensors and their answers, settings included: pure bytes.

Facts from polarofficial/polar-ble-sdk: technical_documentation/online_measurement.pdf,
PmdControlPointResponse.kt and PmdSetting.kt.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from types import MappingProxyType

from biosense.acquisition.ble.drivers.polar.frames import MeasurementType
from biosense.core.errors import PacketError


class Command(IntEnum):
    """Name what the control point can be asked."""

    GET_SETTINGS = 1
    START = 2
    STOP = 3


ALREADY_IN_STATE = 6
REFUSALS: Mapping[int, str] = MappingProxyType(
    {
        1: "it does not know the command",
        2: "it does not know the measurement",
        3: "it does not support this",
        4: "the command has the wrong length",
        5: "a setting is not one that it offers",
        6: "it is doing that already: switch the sensor off and on",
        7: "it does not offer this resolution",
        8: "it does not offer this sample rate",
        9: "it does not offer this range",
        10: "the packets of this connection are too short for it (the MTU must be 232 or more): "
        "connect anew, or use another Bluetooth adapter",
        11: "it does not offer this number of channels",
        12: "it cannot do this now: end its own training or recording, or switch it off and on",
        13: "it lies in its charger: take it out",
        14: "its memory is full: delete recordings with the maker's app",
    }
)
"""What the status of an answer means, and what to do about it; 0 is success."""

_ANSWER, _STOPPED, _FEATURES = 0xF0, 0x01, 0x0F
_RATE, _RESOLUTION, _RANGE, _RANGE_MILLI, _CHANNELS, _FACTOR, _SECURITY = range(7)
_FORMATS = {
    _RATE: "<H",
    _RESOLUTION: "<H",
    _RANGE: "<H",
    _RANGE_MILLI: "<I",
    _CHANNELS: "<B",
    _FACTOR: "<f",
    _SECURITY: "<16s",
}
_MOST_FACTOR = 1e9  # far above any, and far below what overflows


@dataclass(frozen=True)
class Settings:
    """Hold what a sensor offers for a measurement, or what was chosen; empty where not settable.

    `rates` in Hz, `resolutions` in bits, `ranges` in g, degrees per second or gauss (`milli_ranges`
    in thousandths of these). `factor` is what compressed samples are multiplied by.
    """

    rates: tuple[int, ...] = ()
    resolutions: tuple[int, ...] = ()
    ranges: tuple[int, ...] = ()
    milli_ranges: tuple[int, ...] = ()
    channels: tuple[int, ...] = ()
    factor: float = 1.0


@dataclass(frozen=True)
class ControlPointResponse:
    """Hold the answer to a command; `more` where another packet goes on with the parameters."""

    command: int
    kind: int
    status: int
    more: bool = False
    parameters: bytes = b""


@dataclass(frozen=True)
class MeasurementStopped:
    """Hold the notice of a sensor that ended measurements by itself."""

    kinds: tuple[int, ...]


def decode_control(packet: bytes) -> ControlPointResponse | MeasurementStopped:
    """Decode what the control point indicates.

    Parameters
    ----------
    packet
        An indication of the PMD control point.

    Returns
    -------
    ControlPointResponse or MeasurementStopped
        What it says.

    Raises
    ------
    PacketError
        If it is neither an answer nor a notice of stopped measurements.

    Examples
    --------
    >>> decode_control(bytes.fromhex("f002000d"))
    ControlPointResponse(command=2, kind=0, status=13, more=False, parameters=b'')
    >>> decode_control(bytes.fromhex("010002"))
    MeasurementStopped(kinds=(0, 2))
    """
    if len(packet) >= 2 and packet[0] == _STOPPED:
        return MeasurementStopped(tuple(each & 0x3F for each in packet[1:]))
    if len(packet) < 4 or packet[0] != _ANSWER:
        raise PacketError(
            f"a Polar control point sends f0, command, measurement and status, or 01 and "
            f"measurements, got {packet.hex(' ')!r}"
        )
    command, kind, status = packet[1], packet[2] & 0x3F, packet[3]
    if status:
        return ControlPointResponse(command, kind, status)
    return ControlPointResponse(command, kind, 0, packet[4:5] > b"\0", packet[5:])


def decode_features(value: bytes) -> frozenset[MeasurementType]:
    """Return what a sensor can measure, from reading its control point.

    Parameters
    ----------
    value
        Read from the PMD control point.

    Returns
    -------
    frozenset of MeasurementType
        What the sensor can measure.

    Raises
    ------
    PacketError
        If the value is no list of features.

    Examples
    --------
    >>> [kind.name for kind in sorted(decode_features(bytes.fromhex("0f0500")))]
    ['ECG', 'ACC']
    """
    if len(value) < 2 or value[0] != _FEATURES:
        raise PacketError(
            f"the features of a Polar sensor begin with 0f and a byte of them, "
            f"got {value.hex(' ')!r}"
        )
    return frozenset(kind for kind in MeasurementType if value[1] >> kind & 1)


def decode_settings(parameters: bytes) -> Settings:
    """Decode the parameters of an answer: type, count and values, one after another.

    Parameters
    ----------
    parameters
        Of the answer to GET_SETTINGS or START.

    Returns
    -------
    Settings
        What is offered, or was chosen.

    Raises
    ------
    PacketError
        If they are cut short, of a type that is not known, or no usable factor.

    Examples
    --------
    >>> decode_settings(bytes.fromhex("000182000101 0e00")).rates
    (130,)
    """
    found: dict[int, tuple[int, ...]] = {}
    factor, at = 1.0, 0
    while at < len(parameters):
        kind, count = parameters[at], parameters[at + 1 : at + 2]
        if kind not in _FORMATS or not count:
            raise PacketError(f"setting {parameters[at:].hex(' ')!r} is none of a Polar sensor")
        layout = _FORMATS[kind]
        stop = at + 2 + count[0] * struct.calcsize(layout)
        if stop > len(parameters):
            raise PacketError(f"setting {parameters[at:].hex(' ')!r} is cut short")
        values = tuple(each[0] for each in struct.iter_unpack(layout, parameters[at + 2 : stop]))
        if kind == _FACTOR:
            factor = values[0] if values else factor
            if not 0 < factor < _MOST_FACTOR:
                raise PacketError(f"factor {factor} of a Polar sensor must be positive")
        else:
            found[kind] = values
        at = stop
    return Settings(
        found.get(_RATE, ()),
        found.get(_RESOLUTION, ()),
        found.get(_RANGE, ()),
        found.get(_RANGE_MILLI, ()),
        found.get(_CHANNELS, ()),
        factor,
    )


def request(command: Command, kind: MeasurementType, chosen: Settings | None = None) -> bytes:
    """Return the bytes of a command; of each setting the first value is asked for.

    Parameters
    ----------
    command
        What is asked.
    kind
        Which measurement.
    chosen
        Its settings, where it is to start.

    Returns
    -------
    bytes
        To be written to the PMD control point.

    Examples
    --------
    >>> request(Command.START, MeasurementType.ECG, Settings((130,), (14,))).hex(" ")
    '02 00 00 01 82 00 01 01 0e 00'
    """
    packet = bytes([command, kind])
    if chosen is None:
        return packet
    listed = (
        chosen.rates,
        chosen.resolutions,
        chosen.ranges,
        chosen.milli_ranges,
        chosen.channels,
    )
    for number, values in enumerate(listed):
        if values:
            packet += bytes([number, 1]) + struct.pack(_FORMATS[number], values[0])
    return packet


def choose_settings(offered: Settings, rate: float | None) -> Settings:
    """Choose one of each setting: the lowest rate that is `rate` at least, the highest of the rest.

    None asks for the highest rate.

    Parameters
    ----------
    offered
        What the sensor offers.
    rate
        Wanted, Hz; None for the highest.

    Returns
    -------
    Settings
        One value of each.
    """
    enough = [each for each in offered.rates if rate is not None and each >= rate]
    rates = (min(enough),) if enough else offered.rates and (max(offered.rates),)
    return Settings(
        rates,
        offered.resolutions and (max(offered.resolutions),),
        offered.ranges and (max(offered.ranges),),
        offered.milli_ranges and (max(offered.milli_ranges),),
        offered.channels and (max(offered.channels),),
    )
