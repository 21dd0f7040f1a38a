"""Driver of any strap or watch with the standard heart rate service, and its decoder.

Bluetooth SIG, Heart Rate Service 1.0; layout of the measurement as in polarofficial/polar-ble-sdk,
BleHrClient.kt.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from biosense.acquisition.ble.driver import Advertisement, Block, Decoded, Gatt, Report, Signal
from biosense.acquisition.ble.drivers.timing.beat_times import BeatTimes
from biosense.acquisition.ble.gatt_services import (
    BATTERY_LEVEL,
    HEART_RATE_MEASUREMENT,
    HEART_RATE_SERVICE,
    decode_battery,
    read_device,
    subscribe_battery,
)
from biosense.core.errors import DeviceRefused, PacketError
from biosense.core.types import Floats

RR_TICKS = 1024.0  # of an interval between beats, per second
HR = Signal("hr", None, ("heart_rate", "energy_kj"), 0.0, "bpm", 0.0)
"""Heart rate as the strap works it out, about once per second; the energy in kJ, mostly NaN."""
RR = Signal("rr", None, ("rr",), 0.0, "s", 0.0)
"""One sample a beat: the time since the beat before. Stamped by `BeatTimes`."""

_WIDE, _CONTACT, _CONTACT_KNOWN, _ENERGY, _INTERVALS = (1 << bit for bit in range(5))
_RISE_S = 1e-6


@dataclass(frozen=True)
class HeartRate:
    """Hold a heart rate measurement; None where it does not say.

    `bpm` is 0 where the strap has no rate. `rr` are intervals between beats in seconds, oldest
    first. `energy_kj` is the energy expended since the strap was switched on.
    """

    bpm: int
    contact: bool | None = None
    energy_kj: int | None = None
    rr: tuple[float, ...] = ()


def decode_heart_rate(packet: bytes) -> HeartRate:
    """Decode a heart rate measurement (0x2A37).

    Bytes behind the fields that its flags name are not read.

    Parameters
    ----------
    packet
        Value of the Heart Rate Measurement characteristic.

    Returns
    -------
    HeartRate
        Rate, intervals in seconds, contact.

    Raises
    ------
    PacketError
        If it is cut short, also within an interval.

    Examples
    --------
    >>> decode_heart_rate(bytes.fromhex("163c00040004"))
    HeartRate(bpm=60, contact=True, energy_kj=None, rr=(1.0, 1.0))
    """
    flags = packet[0] if packet else 0
    energy_at = 3 if flags & _WIDE else 2
    rest_at = energy_at + (2 if flags & _ENERGY else 0)
    rest = packet[rest_at:] if flags & _INTERVALS else b""
    if len(packet) < rest_at or len(rest) % 2:
        raise PacketError(
            f"heart rate measurement {packet.hex(' ')!r} must have {rest_at} bytes by its flags, "
            "and two for each interval between beats"
        )
    energy = int.from_bytes(packet[energy_at:rest_at], "little") if flags & _ENERGY else None
    ticks = np.frombuffer(rest, dtype="<u2").tolist()
    return HeartRate(
        int.from_bytes(packet[1:energy_at], "little"),
        bool(flags & _CONTACT) if flags & _CONTACT_KNOWN else None,
        energy,
        tuple(each / RR_TICKS for each in ticks),
    )


class HeartRateDecoder:
    r"""Decode what a strap notifies: heart rate, intervals between beats, contact, battery.

    Intervals of 0, which some straps send off the skin, are no beats and are left out. A packet
    that says the same as the one before, and whose beats have not had the time to occur, came
    twice and is left out too.

    Examples
    --------
    >>> decoder = HeartRateDecoder()
    >>> report, rate, beats = decoder.feed(HEART_RATE_MEASUREMENT, b"\x16\x3c\x00\x04", 5.0)
    >>> report.contact, rate.data[0, 0].item(), beats.stamps.tolist()
    (True, 60.0, [5.0])
    """

    def __init__(self) -> None:
        self._beats = BeatTimes()
        self._packet = b""
        self._rated = -np.inf

    def feed(self, uuid: str, packet: bytes, arrived: float) -> Sequence[Decoded]:
        """Take a notification; see `Decoder`."""
        if uuid == BATTERY_LEVEL:
            return [decode_battery(packet)]
        if uuid != HEART_RATE_MEASUREMENT:
            raise PacketError(f"characteristic {uuid} is none of a heart rate strap")
        measured = decode_heart_rate(packet)
        intervals = np.array([each for each in measured.rr if each > 0])
        is_repeated = packet == self._packet and len(intervals) > 0
        self._packet = packet
        if is_repeated and not self._beats.could_follow(intervals, arrived):
            return []
        decoded: list[Decoded] = []
        if measured.contact is not None:
            decoded.append(Report(contact=measured.contact))
        decoded.append(self._rate(measured, arrived))
        if len(intervals):
            decoded.append(_beats(self._beats.place(intervals, arrived), intervals, arrived))
        return decoded

    def release(self, now: float) -> Sequence[Decoded]:
        """Return nothing: nothing is held back."""
        return []

    def _rate(self, measured: HeartRate, arrived: float) -> Block:
        self._rated = max(arrived, self._rated + _RISE_S)
        energy = np.nan if measured.energy_kj is None else measured.energy_kj
        data = np.array([[measured.bpm, energy]], dtype=HR.dtype)
        return Block(HR.key, np.array([self._rated]), data, arrived, by_arrival=True)


def _beats(times: Floats, intervals: Floats, arrived: float) -> Block:
    data = intervals[:, None].astype(RR.dtype)
    return Block(RR.key, times, data, arrived, by_arrival=True)


class HeartRateStrap:
    """Know every sensor with the standard heart rate service.

    It sends about once per second on its own: there is nothing to start or to stop.

    Examples
    --------
    >>> HeartRateStrap.recognises(Advertisement("a", "HRM-Dual", (HEART_RATE_SERVICE,)))
    True
    """

    family: ClassVar[str] = "Heart rate strap"
    keep_alive_every: ClassVar[float] = 0.0

    @classmethod
    def recognises(cls, advertisement: Advertisement) -> bool:
        """Tell whether a sensor advertises the heart rate service."""
        return HEART_RATE_SERVICE in advertisement.services

    @property
    def signals(self) -> tuple[Signal, ...]:
        """Heart rate, and intervals between beats: from straps that do not send them, none come."""
        return (HR, RR)

    async def prepare(self, gatt: Gatt) -> Sequence[Report]:
        """Ask the strap what it is."""
        if not gatt.has(HEART_RATE_MEASUREMENT):
            raise DeviceRefused(
                "this device has no heart rate measurement, although it says so: choose another"
            )
        return [await read_device(gatt)]

    async def start(self, gatt: Gatt) -> None:
        """Have measurements sent."""
        await subscribe_heart_rate(gatt)

    async def keep_alive(self, gatt: Gatt) -> None:
        """Do nothing: a strap stays awake while it is worn."""

    async def stop(self, gatt: Gatt) -> None:
        """Do nothing: a strap sends to who is connected, and that ends by itself."""

    def decoder(self) -> HeartRateDecoder:
        """Make the decoder of a new connection."""
        return HeartRateDecoder()


async def subscribe_heart_rate(gatt: Gatt) -> None:
    """Have heart rate measurements, and changes of the battery, sent to the decoder.

    Parameters
    ----------
    gatt
        The connected device.
    """
    await gatt.subscribe(HEART_RATE_MEASUREMENT)
    await subscribe_battery(gatt)
