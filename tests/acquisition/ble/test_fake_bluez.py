"""The simulated BlueZ, as the unmodified BlueZ backend of bleak sees it."""

import asyncio
import os

import pytest
from bleak import BleakClient, BleakScanner

from tests.support.ble.bluez_counter import (
    ADDRESS,
    CONTROL,
    DATA,
    SERVICE,
    TEXT,
    USE_SOCKET,
    Counter,
    Inbox,
    find,
    true,
)
from tests.support.fake_bluez import PrivateBus, ScaledClock
from tests.support.fake_bluez.bus import VARIABLE


async def test_a_scan_hears_name_services_and_strength(bluetooth):
    async with bluetooth(Counter(), Counter(name="other", address=ADDRESS[:-1] + "2")):
        await find()
        found = await BleakScanner.discover(timeout=0.3, return_adv=True)
    device, heard = found[ADDRESS]
    assert device.name == heard.local_name == "counter"
    assert heard.service_uuids == [SERVICE]
    assert -70 < heard.rssi < -50
    assert {item.name for item, _ in found.values()} == {"counter", "other"}


async def test_a_sensor_out_of_reach_or_connected_is_not_heard(bluetooth):
    here, away = Counter(), Counter(name="away", address=ADDRESS[:-1] + "2")
    away.present = False
    async with bluetooth(here, away):
        async with BleakClient(await find()):
            found = await BleakScanner.discover(timeout=0.2)
        assert found == []


async def test_table_reading_and_writing(bluetooth):
    sensor = Counter()
    async with bluetooth(sensor):
        async with BleakClient(await find()) as client:
            found = client.services.characteristics.values()
            flags = {characteristic.uuid: characteristic.properties for characteristic in found}
            assert flags[DATA] == ["notify"]
            assert set(flags) == {DATA, CONTROL, TEXT}
            assert client.services.get_characteristic(DATA).max_write_without_response_size == 244
            assert await client.read_gatt_char(TEXT) == b"counter 1"
            await client.write_gatt_char(CONTROL, b"+1", response=True)
            await client.write_gatt_char(CONTROL, b"+2", response=False)
            assert sensor.connected
        assert not sensor.connected
    assert sensor.written == [(CONTROL, b"+1"), (CONTROL, b"+2")]


@pytest.mark.parametrize("bluez", [{}, USE_SOCKET], ids=["StartNotify", "AcquireNotify"])
async def test_notifications_arrive_once_and_in_order(bluetooth, bluez):
    sensor, inbox = Counter(), Inbox()
    async with bluetooth(sensor), BleakClient(await find()) as client:
        sensor.send(1)  # nobody listens yet
        await client.start_notify(DATA, inbox, bluez=bluez)
        sensor.send(*range(2, 102))
        assert await inbox.until(100) == [*range(2, 102)]
        await client.stop_notify(DATA)
        await true(lambda: not sensor._link.listened(DATA))
        sensor.send(102)
        await client.start_notify(DATA, inbox, bluez=bluez)
        sensor.send(103)
        assert await inbox.until(101) == [*range(2, 102), 103]
    assert [sent.arrived for sent in sensor.log[:100]] == [1] * 100


async def test_an_indication_answers_a_command(bluetooth):
    sensor, answers = Counter(), asyncio.Queue()
    async with bluetooth(sensor), BleakClient(await find()) as client:
        await client.start_notify(CONTROL, lambda _, packet: answers.put_nowait(bytes(packet)))
        await client.write_gatt_char(CONTROL, b"+41", response=True)
        async with asyncio.timeout(1):
            assert await answers.get() == b"=42"
        # As with the real BlueZ, a value that is read while StartNotify is on looks notified too.
        assert await client.read_gatt_char(CONTROL) == b"ready"
        async with asyncio.timeout(1):
            assert await answers.get() == b"ready"


async def test_scaled_time_runs_fast_and_wakes_in_order():
    clock, woken = ScaledClock(100.0), []

    async def sleeper(seconds):
        before = clock.now()
        await clock.sleep(seconds)
        woken.append(seconds)
        assert seconds <= clock.now() - before < seconds + 5

    async with asyncio.timeout(2), asyncio.TaskGroup() as group:
        for seconds in (3.0, 1.0, 2.0, 0.0):
            group.create_task(sleeper(seconds))
    assert woken == [0.0, 1.0, 2.0, 3.0]


def test_the_bus_gives_the_environment_back(monkeypatch, bluetooth):
    monkeypatch.setenv(VARIABLE, "unix:path=/nowhere")
    with PrivateBus() as bus:
        assert bus.address.startswith("unix:path=/")
    assert os.environ[VARIABLE] == "unix:path=/nowhere"
