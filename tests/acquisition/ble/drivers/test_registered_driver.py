"""The driver of the template, on the simulated radio: found by scanning, opened, decoded."""

from __future__ import annotations

import struct

import numpy as np

from biosense.acquisition.ble.link.discovery import find_sensors
from biosense.acquisition.ble.link.radio import Radio
from biosense.core.clock import Clock
from biosense.core.types import Ints, Modality
from tests.support.examples import registered, template
from tests.support.fake_bluez.clock import ScaledClock
from tests.support.fake_bluez.devices.stream import sample
from tests.support.fake_bluez.harness import listening
from tests.support.fake_bluez.peripheral import Characteristic, Peripheral, Service

MODULE = template("own_ble_driver")
SERVICE = Service(
    "0000dd00-0000-1000-8000-00805f9b34fb", (Characteristic(MODULE.DATA, ("notify",)),)
)


class DewdropSensor(Peripheral):
    """Sends the number of each sample, 8 in a packet."""

    def __init__(self, clock: Clock) -> None:
        super().__init__("Dewdrop 7", "D0:11:22:00:00:07", (SERVICE,), clock=clock)

    async def on_subscribe(self, uuid: str) -> None:
        self.run(sample(self.crystal, MODULE.EDA.sfreq, 8, self.send))

    def send(self, numbers: Ints) -> None:
        counter = int(numbers[0]) % 65536
        self.notify(MODULE.DATA, struct.pack("<9H", counter, *(numbers % 65536).tolist()))


async def test_it_is_found_opened_and_decoded(bluetooth) -> None:
    clock = ScaledClock(10.0)
    with registered("own_ble_driver"):
        async with bluetooth(DewdropSensor(clock)):
            (found,) = await find_sensors(2.0, Radio(sleep=clock.sleep))
            assert (found.name, found.family) == ("Dewdrop 7", "Dewdrop")
            async with listening("dewdrop", clock) as heard:
                await heard.until(lambda: heard.count("eda") >= 64)
    times, data = heard.samples("eda")
    (info,) = {chunk.info for chunk in heard.chunks("eda")}
    assert (info.modality, info.unit, info.sfreq) == (Modality.EDA, "nS", 32.0)
    assert np.diff(data[:, 0]).tolist() == [1.0] * (len(data) - 1)
    assert np.diff(times).mean() * 32.0 > 0.9
