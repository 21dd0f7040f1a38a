"""What a driver of a Bluetooth sensor is: how to know the device, start it and read its packets.

A driver knows one family of devices and nothing of scanning, reconnecting or clocks: those are
written once, in the link layer, which calls the driver. Decoding does no I/O at all, so that a
recorded packet decodes as the packet in the air did.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

from numpy.typing import NDArray

from biosense.core.types import Floats, Modality


@dataclass(frozen=True)
class Advertisement:
    """Hold what a sensor says of itself before it is connected.

    `address` is a MAC address, or on macOS an identifier that this computer made up. `services` are
    the advertised UUIDs in their long form, lower case.
    """

    address: str
    name: str
    services: tuple[str, ...] = ()
    rssi: int | None = None


@dataclass(frozen=True)
class Signal:
    """Describe one signal of a device, which becomes one stream.

    Parameters
    ----------
    key
        Short name within the device ("ecg"); the end of the stream's name and source id.
    modality
        What is measured, or None for a signal that is recorded but not processed.
    channels, unit, sfreq, dtype
        As in `StreamInfo`; the unit is the one in which blocks are given, sfreq 0 is irregular.
    packet_interval
        Seconds between two packets of this signal when all is well; it decides what counts as
        silence. 0 for a signal that comes when it comes (a beat), which cannot be silent.
    hold
        Longest time in seconds for which the decoder holds packets back to sort them; part of the
        latency that users see.
    """

    key: str
    modality: Modality | None
    channels: tuple[str, ...]
    sfreq: float
    unit: str
    packet_interval: float
    dtype: str = "float32"
    hold: float = 0.0


@dataclass(frozen=True, eq=False)
class Block:
    """Hold samples that a decoder made from one or more packets of a signal.

    Parameters
    ----------
    signal
        Key of the signal.
    stamps
        Time of each sample in seconds of the device's own clock, shape (n,), rising within a block;
        from a sample counter over the nominal rate where the device sends no time. Their zero is
        arbitrary. They jump where samples are missing, and go on as the device's clock does.
    data
        Samples, shape (n, channels); NaN where a channel's packet was lost.
    arrived
        Session time at which the newest packet used here arrived, as given to `Decoder.feed`.
    restarted
        True where the stamps have nothing to do with those before (the device's clock was set, its
        counter restarted): the clock's fit begins anew.
    by_arrival
        True where the device gives neither time nor count: `stamps` are session times already,
        made from the arrival, and no clock is fitted.
    """

    signal: str
    stamps: Floats
    data: NDArray[Any]
    arrived: float
    restarted: bool = False
    by_arrival: bool = False


@dataclass(frozen=True)
class Report:
    """Hold what a device says of itself; None where this packet says nothing about it.

    `battery` is a share of 1. `contact` tells whether the electrodes or the strap touch the skin.
    `text` is something that the user should read (an event). `stopped` means that the device ended
    its measurement by itself: the link layer starts it again.
    """

    battery: float | None = None
    contact: bool | None = None
    firmware: str | None = None
    model: str | None = None
    serial: str | None = None
    text: str = ""
    stopped: bool = False


Decoded = Block | Report


class Decoder(Protocol):
    """Turn the notifications of one connection into samples; no I/O, made anew per connection."""

    def feed(self, uuid: str, packet: bytes, arrived: float) -> Sequence[Decoded]:
        """Take a notification of characteristic `uuid` (long form, lower case).

        `arrived` is session time and never decreases. It serves to choose between whole turns of a
        counter and to limit how long packets are held back, never to place samples where the device
        counts.

        Raises
        ------
        PacketError
            If the bytes are no packet of this device. What came before stays valid, and the next
            packet may be fed.
        """
        ...

    def release(self, now: float) -> Sequence[Decoded]:
        """Return what was held back for too long by session time `now`; called now and then."""
        ...


class Gatt(Protocol):
    """The part of a connection that drivers use; `uuid` is the long form, lower case."""

    def has(self, uuid: str) -> bool:
        """Tell whether the device has a characteristic."""
        ...

    async def read(self, uuid: str) -> bytes:
        """Read a characteristic."""
        ...

    async def write(self, uuid: str, data: bytes, *, response: bool) -> None:
        """Write a characteristic."""
        ...

    async def subscribe(self, uuid: str, callback: Callable[[bytes], None] | None = None) -> None:
        """Have notifications (or indications) of a characteristic sent from now on.

        Without a callback they go to the decoder. A driver that waits for an answer to a command
        gives a callback; what it gets does not reach the decoder. A second call for the same
        characteristic only changes where its notifications go.
        """
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait, in the time of the run."""
        ...


class Driver(Protocol):
    """Know one family of devices. One instance serves one device over all its reconnections.

    `signals` are known after the first `prepare`; they do not change afterwards.
    """

    family: ClassVar[str]  # as users say it: "Polar", "Muse 2"
    keep_alive_every: ClassVar[float]  # seconds; 0 where the device needs none

    @classmethod
    def recognises(cls, advertisement: Advertisement) -> bool:
        """Tell whether an advertisement is one of this family."""
        ...

    @property
    def signals(self) -> tuple[Signal, ...]:
        """The signals that the device will send."""
        ...

    async def prepare(self, gatt: Gatt) -> Sequence[Report]:
        """Ask a connected device what it is and can: model, firmware, battery, settings.

        Raises
        ------
        DeviceRefused
            If the device says no, or is one that cannot be used; the message says what to do.
        """
        ...

    async def start(self, gatt: Gatt) -> None:
        """Subscribe and have the device send; after `prepare` on the same connection."""
        ...

    async def keep_alive(self, gatt: Gatt) -> None:
        """Send what keeps the device from falling asleep."""
        ...

    async def stop(self, gatt: Gatt) -> None:
        """Have the device stop: some run their battery down otherwise."""
        ...

    def decoder(self) -> Decoder:
        """Make the decoder of a new connection; after `start`."""
        ...
