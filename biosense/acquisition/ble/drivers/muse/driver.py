"""Driver of Muse headbands of all generations, which are told apart once connected."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from biosense.acquisition.ble.driver import Advertisement, Decoder, Gatt, Report, Signal
from biosense.acquisition.ble.drivers.muse import athena
from biosense.acquisition.ble.drivers.muse import classic as muse_classic
from biosense.acquisition.ble.drivers.muse.athena_packets import DATA
from biosense.acquisition.ble.drivers.muse.classic_packets import CONTROL, SERVICE
from biosense.acquisition.ble.drivers.muse.control import MuseControl, send
from biosense.core.errors import BadInput, DeviceRefused

_KNOWN = ("auto", *dict.fromkeys((*muse_classic.PRESETS, *athena.PRESETS)))


class Muse:
    """Know Muse 2016, Muse 2, Muse S and Muse S Athena.

    Parameters
    ----------
    preset
        What the headband sends. "auto" takes all that it has: p1041 on an Athena; on the others EEG
        and motion (p21), with an optical sensor that too (p50, or p61 on a Muse S).
    aux
        True for the auxiliary electrodes too.

    Examples
    --------
    >>> Muse.recognises(Advertisement("00:55:DA:B0:00:00", "MuseS-1234"))
    True
    """

    family: ClassVar[str] = "Muse"
    keep_alive_every: ClassVar[float] = 60.0  # some stop after minutes without (muse-lsl issue 184)

    def __init__(self, preset: str = "auto", *, aux: bool = False) -> None:
        if preset not in _KNOWN:
            raise BadInput(f"preset={preset!r} is no preset of a Muse; there are {_KNOWN}")
        self._preset, self._aux = preset, aux
        self._headband: muse_classic.Classic | athena.Athena | None = None

    @classmethod
    def recognises(cls, advertisement: Advertisement) -> bool:
        """Tell whether an advertisement is a Muse's."""
        return SERVICE in advertisement.services or advertisement.name.startswith(
            ("Muse-", "MuseS-")
        )

    @property
    def signals(self) -> tuple[Signal, ...]:
        """The signals that the headband will send; none before `prepare`."""
        return () if self._headband is None else self._headband.signals

    async def prepare(self, gatt: Gatt) -> Sequence[Report]:
        """Ask the headband what it is, and choose its preset."""
        if not gatt.has(CONTROL):
            raise DeviceRefused("this device has no control characteristic: it is no Muse")
        control = MuseControl(gatt)
        await control.open()
        identify = athena.identify if any(map(gatt.has, DATA)) else muse_classic.identify
        self._headband, reply = await identify(gatt, control, self._preset, self._aux)
        return [reply.report(self._headband.model)]

    async def start(self, gatt: Gatt) -> None:
        """Subscribe and have the headband send."""
        await self._known().start(gatt)

    async def keep_alive(self, gatt: Gatt) -> None:
        """Keep the headband from falling asleep."""
        await send(gatt, "k")

    async def stop(self, gatt: Gatt) -> None:
        """Have the headband stop."""
        await send(gatt, "h")

    def decoder(self) -> Decoder:
        """Make the decoder of a new connection."""
        return self._known().decoder()

    def _known(self) -> muse_classic.Classic | athena.Athena:
        if self._headband is None:
            raise BadInput("a Muse must be prepared before it is started")
        return self._headband
