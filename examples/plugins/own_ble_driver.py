"""A Bluetooth sensor of your own: a driver knows the family, a decoder turns packets into samples.

Scanning, reconnecting, clocks and raw packets are seen to. Once the package is installed
(pyproject.toml names the class), `biosense devices` lists such sensors, `--ble Dewdrop` opens one.
"""

import struct
from collections.abc import Sequence
from typing import ClassVar

import numpy as np

from biosense.acquisition.ble.driver import Advertisement, Block, Decoded, Gatt, Report, Signal
from biosense.acquisition.ble.drivers.registry import register_ble_driver
from biosense.core.errors import PacketError
from biosense.core.types import Modality

DATA = "0000dd01-0000-1000-8000-00805f9b34fb"  # notifies: u16 counter of samples, 8 x u16 in nS
EDA = Signal("eda", Modality.EDA, ("eda",), 32.0, "nS", packet_interval=0.25)


class DewdropDecoder:
    def __init__(self) -> None:
        self._count = 0

    def feed(self, uuid: str, packet: bytes, arrived: float) -> Sequence[Decoded]:
        if uuid != DATA or len(packet) != 18:
            raise PacketError(f"{len(packet)} bytes of {uuid}, wanted 18 of {DATA}")
        counter, *values = struct.unpack("<9H", packet)
        self._count += (counter - self._count) % 65536  # the counter wraps, the stamps go on
        stamps = (self._count + np.arange(8)) / EDA.sfreq
        return [Block("eda", stamps, np.array(values, np.float32)[:, None], arrived)]

    def release(self, now: float) -> Sequence[Decoded]:
        return []  # nothing is held back to be sorted


@register_ble_driver("dewdrop")
class Dewdrop:
    family: ClassVar[str] = "Dewdrop"
    keep_alive_every: ClassVar[float] = 0.0
    signals = (EDA,)

    @classmethod
    def recognises(cls, advertisement: Advertisement) -> bool:
        return advertisement.name.startswith("Dewdrop")

    async def prepare(self, gatt: Gatt) -> Sequence[Report]:
        return []  # here: read battery and firmware

    async def start(self, gatt: Gatt) -> None:
        await gatt.subscribe(DATA)

    async def keep_alive(self, gatt: Gatt) -> None: ...

    async def stop(self, gatt: Gatt) -> None: ...

    def decoder(self) -> DewdropDecoder:
        return DewdropDecoder()
