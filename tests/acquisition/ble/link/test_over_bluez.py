"""Bluetooth sensors through everything that lies between: bleak, D-Bus, and a simulated BlueZ."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest

from biosense.acquisition.ble.drivers.muse.driver import Muse as MuseDriver
from biosense.acquisition.ble.link.discovery import find_sensors
from biosense.acquisition.ble.link.radio import Radio
from biosense.acquisition.ble.link.states import LinkState, LinkTimes
from biosense.core.errors import DeviceRefused
from biosense.core.types import EventKind
from tests.support.fake_bluez import (
    Corrupt,
    Duplicate,
    Peripheral,
    Reorder,
    ScaledClock,
    Truncate,
    impostor,
)
from tests.support.fake_bluez.att import CONNECT_REFUSED
from tests.support.fake_bluez.devices.athena import Athena, RecordedAthena
from tests.support.fake_bluez.devices.ganglion import Ganglion
from tests.support.fake_bluez.devices.heart_rate import HeartRateStrap
from tests.support.fake_bluez.devices.muse import Muse
from tests.support.fake_bluez.devices.polar import DATA, ECG, FORGOTTEN_NS, h10, verity
from tests.support.fake_bluez.harness import Heard, listening
from tests.support.fake_bluez.soak import judge, torment

SPEED = 20.0
# Of a machine with other work, 10 ms look like 0.2 s here: no reason to connect anew.
PATIENT = LinkTimes(silence=10.0)
ECG_HZ = 130.0


@dataclass(frozen=True)
class Expected:
    """A sensor, the signals that it sends with what one count of their value is, how it is ended.

    `steps` names regular signals: how much the first channel grows from sample to sample.
    """

    make: Callable[[ScaledClock], Peripheral]
    model: str
    steps: dict[str, float]
    stop: tuple[bytes, ...]
    battery: bool = True


EEG_UV, ATHENA_UV = 0.48828125, 1450 / 16383
GANGLION_UV = 2**6 * 1.2e6 / (8388607 * 1.5 * 51)
DEVICES = {
    "h10": Expected(h10, "H10", {"ecg": 1.0}, (b"\x03\x00",)),
    "verity": Expected(verity, "Sense", {"ppg": 1.0}, (b"\x03\x01",)),
    "strap": Expected(HeartRateStrap, "Strap", {}, ()),
    "muse": Expected(Muse, "Muse 2", {"eeg": EEG_UV}, (b"\x02h\n",)),
    "athena": Expected(Athena, "Athena", {"eeg": ATHENA_UV}, (b"\x02h\n",)),
    "ganglion": Expected(Ganglion, "", {"exg": GANGLION_UV}, (b"s",), battery=False),
}


def ecg_numbers(heard: Heard) -> np.ndarray:
    return np.rint(heard.samples("ecg")[1][:, 0]).astype(int)


def only_ecg(clock: ScaledClock, **settings):
    return listening("Polar H10", clock, signals=["ecg"], **settings)


@pytest.mark.parametrize("name", DEVICES)
async def test_a_sensor_is_found_streams_and_is_stopped(name, bluetooth):
    clock, expected = ScaledClock(SPEED), DEVICES[name]
    sensor = expected.make(clock)
    async with bluetooth(sensor):
        found = await find_sensors(0.5, Radio(sleep=clock.sleep))
        assert [each.name for each in found] == [sensor.name]
        async with listening(sensor.name, clock, times=PATIENT) as heard:
            await clock.sleep(3.0)
            for key in expected.steps:
                await heard.until(lambda key=key: heard.count(key) > 400)
            assert heard.source.state is LinkState.STREAMING
        assert not sensor.connected
    assert heard.events(EventKind.GAP, EventKind.LOST, EventKind.ERROR) == []
    silent = [info.name for info in heard.source.infos if not heard.count(info.name.split()[-1])]
    assert silent == []
    state = heard.states()[-1]
    assert expected.model in state.model
    assert (state.battery is not None) is expected.battery
    for key, step in expected.steps.items():
        times, data = heard.samples(key)
        assert np.allclose(np.diff(data[:, 0]), step, atol=step / 20)
        rate = heard.chunks(key)[0].info.sfreq
        assert np.abs(np.diff(times) * rate - 1).max() < 0.1
    assert {*expected.stop} <= {data for _, data in sensor.written[-3:]}


@pytest.mark.parametrize("has_sockets", [True, False], ids=["AcquireNotify", "StartNotify"])
async def test_each_sample_comes_once_at_the_moment_when_it_was_measured(bluetooth, has_sockets):
    clock = ScaledClock(20.0)
    sensor = h10(clock)
    sensor.has_sockets = has_sockets
    async with bluetooth(sensor), only_ecg(clock) as heard:
        await heard.until(lambda: heard.count("ecg") > 10 * ECG_HZ)
    times, numbers = heard.samples("ecg")[0], ecg_numbers(heard)
    assert (np.diff(numbers) == 1).all()
    truth = np.array([sensor.crystal.session(n / ECG_HZ) for n in numbers])
    # At 20 times real time the 1 ms of D-Bus is 20 ms.
    assert np.median(np.abs(times - truth)) < 0.05
    states = heard.states(" ecg")
    assert states[-1].battery == 0.87
    assert states[-1].firmware == "5.0.0"


async def test_drops_and_silences_lose_nothing_but_what_falls_into_marked_gaps(bluetooth):
    clock, rng = ScaledClock(40.0), np.random.default_rng(4)
    sensor = h10(clock)
    async with bluetooth(sensor), only_ecg(clock, keep_packets=False) as heard:
        await heard.until(lambda: heard.count("ecg") > 0)
        faults = await torment(sensor, heard, clock, rng, faults=8, seconds=60.0)
    verdict = judge(sensor, heard, faults, 60.0)
    assert verdict.is_clean, verdict
    assert len(verdict.gaps) >= 4
    lost, back = (heard.events(kind) for kind in (EventKind.LOST, EventKind.RECOVERED))
    assert len(lost) == len(back) > 0


async def test_a_sensor_that_is_away_comes_back_and_nobody_takes_its_place(bluetooth):
    clock = ScaledClock(SPEED)
    sensor = h10(clock)
    async with bluetooth(sensor) as (_, bluez), only_ecg(clock) as heard:
        await heard.until(lambda: heard.streams)
        other = impostor(sensor, "A0:9E:1A:00:00:FF")
        bluez.add(other)
        sensor.present = False
        sensor.drop()
        await heard.until(lambda: heard.events(EventKind.LOST))
        await clock.sleep(5.0)
        sensor.present = True
        await heard.until(lambda: heard.events(EventKind.RECOVERED))
    assert other.connections == 0
    assert sensor.connections == 2


async def test_two_sensors_of_the_same_name_are_not_guessed_between(bluetooth):
    clock = ScaledClock(SPEED)
    sensor = h10(clock)
    async with bluetooth(sensor, impostor(sensor, "A0:9E:1A:00:00:FF")):
        with pytest.raises(ValueError, match=r"several sensors: .*FF"):
            async with only_ecg(clock):
                pass
        async with listening(sensor.address, clock, signals=["ecg"]) as heard:
            await heard.until(lambda: heard.streams)


async def test_a_device_that_is_none_of_its_kind_is_refused(bluetooth):
    clock = ScaledClock(SPEED)
    async with bluetooth(impostor(h10(clock), "A0:9E:1A:00:00:FF")):
        with pytest.raises(DeviceRefused):
            async with only_ecg(clock):
                pass


async def test_a_clock_that_begins_anew_while_away_moves_no_times(bluetooth):
    clock = ScaledClock(SPEED)
    sensor = h10(clock)
    sensor.reset_clock(FORGOTTEN_NS + 10**17)
    async with bluetooth(sensor), only_ecg(clock) as heard:
        await heard.until(lambda: heard.count("ecg") > 10 * 73)
        sensor.drop()
        sensor.reset_clock()
        before = heard.count("ecg")
        await heard.until(lambda: heard.count("ecg") > before + 10 * 73)
    assert len(heard.events(EventKind.CLOCK_RESET)) == 1
    times, numbers = heard.samples("ecg")[0], ecg_numbers(heard)
    truth = np.array([sensor.crystal.session(n / ECG_HZ) for n in numbers])
    assert np.abs(times - truth).max() < 0.3


async def test_bluetoothd_bus_and_adapter_may_go_and_come_back(bluetooth):
    clock = ScaledClock(SPEED)
    sensor = h10(clock)

    async def told(text: str) -> None:
        await heard.until(lambda: text in heard.events(*EventKind)[-1].text)

    async def back(times: int) -> None:
        await heard.until(lambda: len(heard.events(EventKind.RECOVERED, key=" ecg")) == times)

    async with bluetooth(sensor) as (bus, bluez), only_ecg(clock) as heard:
        await heard.until(lambda: heard.streams)
        bluez.power(False)
        await told("switched off")
        bluez.power(True)
        await back(1)
        await bluez.stop()
        await told("systemctl start bluetooth")
        await bluez.start()
        await back(2)
        bus.kill()
        await bluez.stop()
        await told("message bus")
        bus.start()
        await bluez.start()
        await back(3)
    assert (np.diff(ecg_numbers(heard)) > 0).all()


async def test_bad_packets_cost_themselves_alone(bluetooth):
    clock, rng = ScaledClock(20.0), np.random.default_rng(7)
    sensor = h10(clock)
    async with bluetooth(sensor), only_ecg(clock) as heard:
        await heard.until(lambda: heard.streams)
        sensor.faults.packets[DATA] = [Truncate(0.3, 40, rng), Corrupt(0.2, rng)]
        await clock.sleep(8.0)
        sensor.faults.packets.clear()
        before = heard.count("ecg")
        await heard.until(lambda: heard.count("ecg") > before + 5 * 73)
    good = ecg_numbers(heard)[-4 * 73 :]
    assert (np.diff(good) == 1).all()
    assert (np.diff(heard.samples("ecg")[0]) > 0).all()
    assert sensor.connections == 1


async def test_packets_that_come_twice_or_out_of_order_are_sorted(bluetooth):
    # Slowly: a headband's packets wait 0.2 s for each other, and this machine may be busy.
    clock, rng = ScaledClock(2.0), np.random.default_rng(7)
    sensor = Muse(clock)
    settings = {"signals": ["eeg"], "times": PATIENT}
    async with bluetooth(sensor), listening(sensor.address, clock, **settings) as heard:
        sensor.faults.packets[""] = [Duplicate(0.2, rng), Reorder(0.2, rng)]
        await heard.until(lambda: heard.count("eeg") > 400)
        sensor.faults.packets.clear()
    times, data = heard.samples("eeg")
    raw = np.rint(data / EEG_UV).astype(int)
    assert (np.diff(raw, axis=0) % 4096 == 1).all()
    assert (np.diff(times) > 0).all()


async def test_a_headband_is_kept_awake(bluetooth, monkeypatch):
    clock = ScaledClock(SPEED)
    sensor = Muse(clock, light=False)
    sensor.asleep_after = 4.0
    monkeypatch.setattr(MuseDriver, "keep_alive_every", 1.5)
    async with bluetooth(sensor), listening("Muse", clock, times=PATIENT) as heard:
        await clock.sleep(8.0)
        assert heard.source.state is LinkState.STREAMING
    assert sensor.commands.count("k") >= 2
    assert sensor.connections == 1


async def test_a_measurement_that_the_sensor_ends_is_started_again(bluetooth):
    clock = ScaledClock(SPEED)
    sensor = h10(clock)
    async with bluetooth(sensor), only_ecg(clock) as heard:
        await heard.until(lambda: heard.streams)
        sensor.stop_by_itself(ECG)
        before = heard.count("ecg")
        await heard.until(lambda: heard.count("ecg") > before + 5 * 73)
    assert (np.diff(ecg_numbers(heard)) > 0).all()


async def test_a_first_connection_that_fails_is_tried_again(bluetooth):
    clock = ScaledClock(SPEED)
    sensor = h10(clock)
    sensor.faults.connect = [CONNECT_REFUSED]
    async with bluetooth(sensor), only_ecg(clock) as heard:
        await heard.until(lambda: heard.streams)


async def test_a_sensor_left_connected_by_a_dead_program_is_taken_over(bluetooth):
    clock = ScaledClock(SPEED)
    sensor = h10(clock)
    async with bluetooth(sensor):
        from bleak import BleakClient, BleakScanner

        client = BleakClient(await BleakScanner.find_device_by_name(sensor.name))
        await client.connect()
        await client._backend._release_bus()
        client._backend._on_disconnected()
        assert sensor.connected
        async with only_ecg(clock) as heard:
            await heard.until(lambda: heard.count("ecg") > 0)
    assert not sensor.connected


async def test_a_recorded_athena_streams_as_it_did(bluetooth, public_file):
    clock = ScaledClock(SPEED)
    sensor = RecordedAthena(clock, public_file("ble/openmuse_p1041.txt"))
    async with bluetooth(sensor), listening(sensor.name, clock, times=PATIENT) as heard:
        await heard.until(lambda: heard.count("eeg") > 1000)
    assert heard.events(EventKind.ERROR) == []
    assert heard.count("eeg") > 256
