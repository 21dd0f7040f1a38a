"""What the simulated sensors share: sampling by their own crystal, and the common services."""

from __future__ import annotations

from collections.abc import Callable
from math import ceil

import numpy as np

from biosense.core.types import Ints
from tests.support.fake_bluez.clock import Crystal
from tests.support.fake_bluez.peripheral import Characteristic, Service


def uuid16(number: int) -> str:
    return f"{number:08x}-0000-1000-8000-00805f9b34fb"


BATTERY = uuid16(0x2A19)
MODEL, SERIAL, FIRMWARE, MAKER = (uuid16(number) for number in (0x2A24, 0x2A25, 0x2A26, 0x2A29))
_TEXTS = tuple(Characteristic(each, ("read",)) for each in (MODEL, SERIAL, FIRMWARE, MAKER))
DEVICE_INFORMATION = Service(uuid16(0x180A), _TEXTS)
BATTERY_SERVICE = Service(uuid16(0x180F), (Characteristic(BATTERY, ("read", "notify")),))


def about(maker: str, model: str, serial: str, firmware: str, battery: int) -> dict[str, bytes]:
    """Return the values of the common services; strings end with a zero byte, as Polar's do."""
    texts = {MAKER: maker, MODEL: model, SERIAL: serial, FIRMWARE: firmware}
    return {uuid: text.encode() + b"\0" for uuid, text in texts.items()} | {
        BATTERY: bytes([battery])
    }


async def sample(
    crystal: Crystal, rate: float, per_packet: int, send: Callable[[Ints], None]
) -> None:
    """Measure for ever: call `send` with the numbers of each packet's samples, when it is full.

    Sample n is measured when the sensor's crystal shows n / rate, whether somebody listens or not,
    so that a number is the same sample over all connections.
    """
    first = ceil(crystal.time() * rate)
    while True:
        last = first + per_packet - 1
        await crystal.wait(last / rate)
        send(np.arange(first, last + 1))
        first = last + 1
