"""What users are told when Bluetooth cannot be used, through bleak and a simulated BlueZ."""

from __future__ import annotations

import pytest

from biosense.core.errors import BluetoothUnavailable, DeviceRefused, StreamNotFound
from tests.support.fake_bluez import ScaledClock
from tests.support.fake_bluez.bus import VARIABLE
from tests.support.fake_bluez.devices.heart_rate import HeartRateStrap
from tests.support.fake_bluez.devices.polar import h10
from tests.support.fake_bluez.harness import listening


async def said(error: type[Exception], wanted: str = "Polar H10") -> str:
    """Return what a user is told who asks for a sensor."""
    clock = ScaledClock(50.0)
    with pytest.raises(error) as raised:
        async with listening(wanted, clock, timeout=3.0):
            pass
    return str(raised.value)


async def test_no_bus(bluetooth, monkeypatch):
    monkeypatch.setenv(VARIABLE, "unix:path=/nowhere/at/all")
    text = await said(BluetoothUnavailable)
    assert "message bus" in text
    assert "BlueZ must be installed" in text


async def test_no_bluetoothd(bluetooth):
    async with bluetooth() as (_, bluez):
        await bluez.stop()
        assert "systemctl start bluetooth" in await said(BluetoothUnavailable)


async def test_an_adapter_that_is_off(bluetooth):
    async with bluetooth() as (_, bluez):
        bluez.power(False)
        assert "switch it on" in await said(BluetoothUnavailable)


async def test_no_adapter(bluetooth):
    async with bluetooth() as (_, bluez):
        bluez.remove_adapter()
        assert "no Bluetooth adapter" in await said(BluetoothUnavailable)


async def test_no_permission(bluetooth):
    async with bluetooth(denied=True):
        assert "group `bluetooth`" in await said(BluetoothUnavailable)


async def test_a_sensor_that_wants_to_be_paired(bluetooth):
    sensor = h10(ScaledClock(50.0))
    sensor.needs_pairing = True
    async with bluetooth(sensor):
        text = await said(DeviceRefused)
    assert sensor.name in text
    assert "pair it" in text


async def test_nothing_within_reach(bluetooth):
    async with bluetooth(HeartRateStrap(ScaledClock(50.0))):
        assert "HRM 0001" in await said(StreamNotFound)


async def test_an_mtu_too_small_is_said(bluetooth):
    sensor = h10(ScaledClock(50.0))
    sensor.faults.mtu = 23
    async with bluetooth(sensor):
        assert "MTU" in await said(DeviceRefused)
