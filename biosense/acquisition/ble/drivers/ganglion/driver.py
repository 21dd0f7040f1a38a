"""Driver of the OpenBCI Ganglion with firmware 3."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import numpy as np

from biosense.acquisition.ble.driver import Advertisement, Decoded, Decoder, Gatt, Report, Signal
from biosense.acquisition.ble.drivers.ganglion import packets
from biosense.acquisition.ble.drivers.timing.counted_signal import CountedSignal
from biosense.acquisition.ble.gatt_services import read_device, uuid16
from biosense.core.errors import BadInput, DeviceRefused, PacketError
from biosense.core.types import Modality

SOFTWARE_REVISION = uuid16(0x2A28)  # holds the firmware: "3.0.2"
CHANNELS = ("1", "2", "3", "4")
_HOLD_S = 0.05  # 5 packets; the board does not let packets overtake, but a computer may
_TURN = 100
_AXES = 3
_ACC_EVERY = 10  # packets
_RESET_S = 0.5  # the board starts anew when it is connected
_BETWEEN_S = 0.05  # between commands


class Ganglion:
    """Know the OpenBCI Ganglion with firmware 3: four channels at 200 Hz.

    Parameters
    ----------
    modality
        What the electrodes pick up: EEG, ECG or EMG.
    channels
        Names of the four channels, such as the sites of the electrodes.
    acc
        True to have acceleration sent too, at 10 Hz; samples then have 18 bits instead of 19.

    Examples
    --------
    >>> [signal.key for signal in Ganglion(channels=("Fp1", "Fp2", "O1", "O2")).signals]
    ['exg', 'acc']
    """

    family: ClassVar[str] = "Ganglion"
    keep_alive_every: ClassVar[float] = 0.0

    def __init__(
        self,
        modality: Modality | str = Modality.EEG,
        *,
        channels: tuple[str, ...] = CHANNELS,
        acc: bool = True,
    ) -> None:
        if len(channels) != packets.CHANNELS or len(set(channels)) != len(channels):
            raise BadInput(f"channels={channels} must be {packets.CHANNELS} different names")
        if modality not in (Modality.EEG, Modality.ECG, Modality.EMG):
            raise BadInput(f"modality={modality} of a Ganglion must be EEG, ECG or EMG")
        kind, names = Modality(modality), tuple(channels)
        interval = packets.SAMPLES / packets.SFREQ
        self._signals = [Signal("exg", kind, names, packets.SFREQ, "uV", interval, hold=_HOLD_S)]
        if acc:
            every = _ACC_EVERY * interval
            xyz = ("x", "y", "z")
            self._signals.append(Signal("acc", None, xyz, 1 / every, "g", every, hold=_HOLD_S))

    @classmethod
    def recognises(cls, advertisement: Advertisement) -> bool:
        """Tell whether an advertisement is a Ganglion's ("Simblee" is its radio's own name)."""
        return packets.SERVICE in advertisement.services or advertisement.name.startswith(
            ("Ganglion", "Simblee")
        )

    @property
    def signals(self) -> tuple[Signal, ...]:
        """The signals that the board sends."""
        return tuple(self._signals)

    async def prepare(self, gatt: Gatt) -> Sequence[Report]:
        """Ask the board for its firmware.

        Raises
        ------
        DeviceRefused
            If it is not firmware 3: that of before sends differences, and one lost packet then
            spoils everything for up to a second.
        """
        if not (gatt.has(packets.NOTIFY) and gatt.has(packets.WRITE)):
            raise DeviceRefused("this device has no data or command characteristic: no Ganglion")
        await gatt.sleep(_RESET_S)
        firmware = "unknown"
        if gatt.has(SOFTWARE_REVISION):
            raw = await gatt.read(SOFTWARE_REVISION)
            firmware = raw.decode("ascii", errors="replace").split("\0")[0].strip() or firmware
        if not firmware.startswith("3"):
            raise DeviceRefused(
                f"this Ganglion has firmware {firmware}, 3 is needed: OpenBCI's site tells how to "
                "update it"
            )
        known = await read_device(gatt)
        return [Report(known.battery, None, firmware, "OpenBCI Ganglion", known.serial)]

    async def start(self, gatt: Gatt) -> None:
        """Subscribe and have the board send."""
        await gatt.subscribe(packets.NOTIFY)
        await _command(gatt, b"n" if len(self._signals) > 1 else b"N")
        await gatt.sleep(_BETWEEN_S)
        await _command(gatt, b"b")

    async def keep_alive(self, gatt: Gatt) -> None:
        """Do nothing: the board stays awake."""

    async def stop(self, gatt: Gatt) -> None:
        """Have the board stop."""
        await _command(gatt, b"s")

    def decoder(self) -> Decoder:
        """Make the decoder of a new connection."""
        return GanglionDecoder(self._signals)


class GanglionDecoder:
    """Decode what a Ganglion sends.

    Ids count packets from 0 to 99 (with motion) or 100 to 199 (without), a turn of one second: loss
    of up to half a second is told from the id alone, and of more by the time that passed.

    Examples
    --------
    >>> decoder = GanglionDecoder(Ganglion(acc=False).signals)
    >>> [block] = decoder.feed(packets.NOTIFY, bytes([100]) + bytes(19), 5.0)
    >>> block.data.shape
    (2, 4)
    """

    def __init__(self, signals: Sequence[Signal]) -> None:
        self._exg = CountedSignal(signals[0], _TURN, packets.SAMPLES)
        self._acc: CountedSignal | None = None
        if len(signals) > 1:
            self._acc = CountedSignal(signals[1], _TURN // _ACC_EVERY, 1, parts=_AXES)

    def feed(self, uuid: str, packet: bytes, arrived: float) -> Sequence[Decoded]:
        """Take a notification; return what became complete with it, and what waited too long."""
        if uuid != packets.NOTIFY:
            raise PacketError(f"no packets are expected from characteristic {uuid}")
        decoded = packets.decode_packet(packet)
        if isinstance(decoded, packets.ImpedancePacket):
            name = "reference" if decoded.channel > packets.CHANNELS else f"{decoded.channel}"
            return [Report(text=f"impedance of electrode {name}: {decoded.ohms} ohm")]
        blocks = self._exg.feed(decoded.counter, decoded.data, arrived)
        if self._acc is not None and decoded.acc is not None:
            axis, value = decoded.acc
            turn = decoded.counter // _ACC_EVERY
            blocks += self._acc.feed(turn, np.full((1, 1), value), arrived, axis)
        return blocks

    def release(self, now: float) -> Sequence[Decoded]:
        """Return what waited too long."""
        blocks = self._exg.release(now)
        return blocks if self._acc is None else blocks + self._acc.release(now)


async def _command(gatt: Gatt, letter: bytes) -> None:
    await gatt.write(packets.WRITE, letter, response=False)
