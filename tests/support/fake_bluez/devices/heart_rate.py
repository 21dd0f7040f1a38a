"""A heart rate strap of any maker: the Heart Rate Service of the Bluetooth SIG, and no more."""

from __future__ import annotations

from math import ceil

from biosense.core.clock import Clock
from tests.support.ble import packets_polar as packets
from tests.support.fake_bluez.devices.stream import (
    BATTERY_SERVICE,
    DEVICE_INFORMATION,
    about,
    uuid16,
)
from tests.support.fake_bluez.peripheral import Characteristic, Peripheral, Service

MEASUREMENT, LOCATION = uuid16(0x2A37), uuid16(0x2A38)
HEART_RATE_SERVICE = Service(
    uuid16(0x180D), (Characteristic(MEASUREMENT, ("notify",)), Characteristic(LOCATION, ("read",)))
)
CHEST = 1
RR, VARIES = 896, 32  # 1/1024 s: beat n comes 896 + n % 32 after the one before


def beat_ticks(n: int) -> int:
    """Return when beat n comes, in 1/1024 s of the sensor's crystal: the sum of its intervals."""
    turns, rest = divmod(n, VARIES)
    return RR * n + turns * VARIES * (VARIES - 1) // 2 + rest * (rest + 1) // 2


async def beats(sensor: Peripheral) -> None:
    """Notify heart rate and the newest interval, at each beat."""
    n = ceil(sensor.crystal.time() * 1024 / (RR + (VARIES - 1) / 2))
    while beat_ticks(n) < 1024 * sensor.crystal.time():
        n += 1
    while True:
        await sensor.crystal.wait(beat_ticks(n) / 1024)
        interval = beat_ticks(n) - beat_ticks(n - 1)
        packet = packets.heart_rate_packet(round(60 * 1024 / interval), [interval], contact=True)
        sensor.notify(MEASUREMENT, packet)
        n += 1


class HeartRateStrap(Peripheral):
    """A strap; the interval of beat n tells n modulo 32."""

    def __init__(self, clock: Clock, number: int = 1, name: str = "HRM") -> None:
        super().__init__(
            f"{name} {number:04d}",
            f"D0:11:22:00:00:{number:02X}",
            (HEART_RATE_SERVICE, DEVICE_INFORMATION, BATTERY_SERVICE),
            clock=clock,
            advertised=(HEART_RATE_SERVICE.uuid,),
        )
        self.values = about("Strapmaker", "Strap", f"{number:06d}", "1.0", 64)
        self.values[LOCATION] = bytes([CHEST])

    async def on_subscribe(self, uuid: str) -> None:
        if uuid == MEASUREMENT:
            self.run(beats(self))
