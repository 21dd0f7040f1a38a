"""What can go wrong on the simulated BlueZ, as the unmodified backend of bleak sees it."""

import asyncio

import numpy as np
import pytest
from bleak import BleakClient, BleakScanner
from bleak.exc import (
    BleakBluetoothNotAvailableError,
    BleakBluetoothNotAvailableReason,
    BleakDBusError,
    BleakError,
    BleakGATTProtocolError,
)

from tests.support.ble.bluez_counter import (
    CONTROL,
    DATA,
    TEXT,
    USE_SOCKET,
    Counter,
    Inbox,
    find,
    gone,
    heard_by_bleak,
    true,
)
from tests.support.fake_bluez import Duplicate, LoseNext, Reorder, ScaledClock, Truncate
from tests.support.fake_bluez.att import ABORTED_HERE, CONNECT_REFUSED


@pytest.mark.parametrize("bluez", [{}, USE_SOCKET], ids=["StartNotify", "AcquireNotify"])
async def test_a_drop_is_told_and_the_sensor_can_be_found_and_connected_again(bluetooth, bluez):
    sensor, inbox = Counter(), Inbox()
    async with bluetooth(sensor):
        for turn in range(3):
            lost = asyncio.Event()
            client = BleakClient(await find(), disconnected_callback=lambda _, e=lost: e.set())
            await client.connect()
            await client.start_notify(DATA, inbox, bluez=bluez)
            sensor.send(turn)
            await inbox.until(turn + 1)
            sensor.drop()
            await gone(lost)
            assert not client.is_connected
            await client.disconnect()
    assert inbox == [0, 1, 2]
    assert sensor.connections == 3


async def test_a_device_that_bluez_forgot_is_not_found(bluetooth):
    sensor = Counter()
    async with bluetooth(sensor):
        device = await find()
        async with BleakClient(device):
            pass
        with pytest.raises(BleakError, match="not found"):
            await BleakClient(device).connect()


async def test_att_errors_reach_bleak_as_bluez_words_them(bluetooth):
    sensor = Counter()
    async with bluetooth(sensor), BleakClient(await find()) as client:
        with pytest.raises(BleakGATTProtocolError) as refused:
            await client.write_gatt_char(CONTROL, b"?", response=True)
        assert refused.value.code == 0x80
        sensor.faults.att[TEXT] = 0x08
        with pytest.raises(BleakGATTProtocolError) as refused:
            await client.read_gatt_char(TEXT)
        assert refused.value.code == 0x08
        with pytest.raises(BleakGATTProtocolError):
            await client.write_gatt_char(TEXT, b"", response=True)


async def test_a_sensor_that_wants_pairing_says_so_until_paired(bluetooth):
    sensor = Counter()
    sensor.needs_pairing = True
    async with bluetooth(sensor):
        async with BleakClient(await find()) as client:
            with pytest.raises(BleakDBusError, match="Not paired"):
                await client.read_gatt_char(TEXT)
        async with BleakClient(await find(), pair=True) as client:
            assert await client.read_gatt_char(TEXT) == b"counter 1"


async def test_connecting_can_fail_and_be_repeated(bluetooth):
    sensor = Counter()
    sensor.faults.connect = [CONNECT_REFUSED, ABORTED_HERE]
    async with bluetooth(sensor):
        with pytest.raises(BleakDBusError, match="refused"):
            await BleakClient(await find()).connect()
        async with BleakClient(await find()):  # bleak itself repeats what was aborted
            assert sensor.connected
    assert sensor.connections == 1


async def test_connecting_can_hang_and_time_out(bluetooth):
    sensor = Counter()
    sensor.faults.hang = True
    async with bluetooth(sensor):
        with pytest.raises(TimeoutError):
            await BleakClient(await find(), timeout=0.1).connect()
        sensor.faults.hang = False
        async with BleakClient(await find()):
            assert sensor.connected


async def test_connecting_to_a_sensor_that_left_times_out_in_its_own_time(bluetooth):
    sensor = Counter(ScaledClock(200.0))
    async with bluetooth(sensor):
        device = await find()
        sensor.present = False
        with pytest.raises(BleakDBusError, match="timeout"):
            await BleakClient(device).connect()


async def test_packets_can_be_lost_doubled_swapped_and_cut(bluetooth):
    sensor, inbox, rng = Counter(), Inbox(), np.random.default_rng(1)
    async with bluetooth(sensor), BleakClient(await find()) as client:
        await client.start_notify(DATA, inbox)
        sensor.faults.packets[DATA] = [LoseNext(2)]
        sensor.send(1, 2, 3)
        sensor.faults.packets[DATA] = [Duplicate(1.0, rng)]
        sensor.send(4)
        sensor.faults.packets[DATA] = [Reorder(1.0, rng)]
        sensor.send(5, 6)
        sensor.faults.packets[""] = [Truncate(1.0, 3, rng)]
        sensor.send(7, 8)
        sensor.faults.silent = True
        sensor.send(9)
        sensor.faults.silent = False
        sensor.faults.packets.clear()
        sensor.send(10)
        assert await inbox.until(8) == [3, 4, 4, 6, 5, 8, 7, 10]
    assert inbox.sizes == [8, 8, 8, 8, 8, 3, 3, 8]
    assert [sent.arrived for sent in sensor.log] == [0, 0, 1, 2, 0, 2, 0, 2, 0, 1]


async def test_a_small_mtu_cuts_notifications(bluetooth):
    sensor, inbox = Counter(), Inbox()
    sensor.size, sensor.faults.mtu = 100, 23
    async with bluetooth(sensor), BleakClient(await find()) as client:
        assert sensor.mtu == 23
        await client.start_notify(DATA, inbox)
        sensor.send(1)
        await inbox.until(1)
    assert inbox.sizes == [20]


async def test_an_adapter_that_is_off_or_absent(bluetooth):
    sensor = Counter()
    async with bluetooth(sensor) as (_, bluez):
        lost = asyncio.Event()
        client = BleakClient(await find(), disconnected_callback=lambda _: lost.set())
        await client.connect()
        bluez.power(False)
        await gone(lost)
        await client.disconnect()
        await heard_by_bleak()
        with pytest.raises(BleakBluetoothNotAvailableError) as refused:
            await BleakScanner.discover(timeout=0.1)
        assert refused.value.reason is BleakBluetoothNotAvailableReason.POWERED_OFF
        bluez.power(True)
        await heard_by_bleak()
        await find()
        bluez.remove_adapter()
        await heard_by_bleak()
        with pytest.raises(BleakBluetoothNotAvailableError) as refused:
            await BleakScanner.discover(timeout=0.1)
        assert refused.value.reason is BleakBluetoothNotAvailableReason.NO_BLUETOOTH


async def test_bluetoothd_that_is_away_and_comes_back(bluetooth):
    async with bluetooth(Counter()) as (_, bluez):
        await bluez.stop()
        with pytest.raises(BleakDBusError, match="ServiceUnknown"):
            await BleakScanner.discover(timeout=0.1)
        await bluez.start()
        await find()


async def test_a_bus_that_dies_and_comes_back(bluetooth):
    sensor, lost = Counter(), asyncio.Event()
    async with bluetooth(sensor) as (bus, bluez):
        client = BleakClient(await find(), disconnected_callback=lambda _: lost.set())
        await client.connect()
        bus.kill()
        await gone(lost)
        await client.disconnect()
        with pytest.raises(FileNotFoundError):
            await BleakScanner.discover(timeout=0.1)
        await bluez.stop()
        bus.start()
        await bluez.start()
        async with BleakClient(await find()):
            assert sensor.connected


async def test_a_bus_that_denies_bluez(bluetooth):
    async with bluetooth(Counter(), denied=True):
        with pytest.raises(BleakDBusError, match="AccessDenied"):
            await BleakScanner.discover(timeout=0.1)


async def test_a_client_that_vanishes_leaves_the_connection_behind(bluetooth):
    """As with the real BlueZ: the next run finds the sensor connected, and silent in a scan."""
    sensor = Counter()
    async with bluetooth(sensor):
        client = BleakClient(await find())
        await client.connect()
        await client.start_notify(DATA, Inbox())
        await client._backend._release_bus()
        await true(lambda: not sensor._link.listened(DATA))
        assert sensor.connected
        client._backend._on_disconnected()


async def test_what_a_simulated_sensor_raises_ends_the_test(bluetooth):
    class Broken(Counter):
        async def on_connect(self):
            self.run(self.fall())

        async def fall(self):
            raise ZeroDivisionError

    with pytest.raises(BaseExceptionGroup) as failed:
        async with bluetooth(Broken()), BleakClient(await find()):
            await asyncio.sleep(0)
    assert failed.group_contains(ZeroDivisionError)
