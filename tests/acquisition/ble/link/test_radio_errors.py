"""What goes wrong below bleak, in words that say what to do; and the manners of the radio."""

import sys

import pytest
from bleak.exc import (
    BleakBluetoothNotAvailableError,
    BleakBluetoothNotAvailableReason,
    BleakCharacteristicNotFoundError,
    BleakDBusError,
    BleakDeviceNotFoundError,
    BleakError,
    BleakGATTProtocolError,
)

from biosense.acquisition.ble.link.bleak_errors import explain, in_plain_words
from biosense.acquisition.ble.link.discovery import find_sensors
from biosense.acquisition.ble.link.radio import Radio
from biosense.core.errors import (
    BluetoothUnavailable,
    DeviceLost,
    DeviceRefused,
    PacketError,
    StreamNotFound,
)

linux = pytest.mark.skipif(sys.platform != "linux", reason="only BlueZ works like that")

REASON = BleakBluetoothNotAvailableReason


def unavailable(reason):
    return BleakBluetoothNotAvailableError("as bleak says", reason)


def dbus(name, *details):
    return BleakDBusError(f"org.{name}", list(details))


FREEDESKTOP = "freedesktop.DBus.Error."

COMPUTER = [
    (FileNotFoundError(2, "No such file or directory"), "message bus .* is not there.*BlueZ"),
    (ConnectionRefusedError(111, "Connection refused"), "service .* not running: start it"),
    (PermissionError(13, "Permission denied"), "may not use Bluetooth: allow it"),
    (EOFError(), "service .* not running"),
    (unavailable(REASON.NO_BLUETOOTH), "no Bluetooth adapter: plug one in"),
    (unavailable(REASON.NO_BLE_CENTRAL_ROLE), "Bluetooth 4.0 or newer"),
    (unavailable(REASON.POWERED_OFF), "switched off: switch it on"),
    (unavailable(REASON.DENIED_BY_USER), "may not use Bluetooth: allow it"),
    (unavailable(REASON.DENIED_BY_SYSTEM), "may not use Bluetooth: allow it"),
    (unavailable(REASON.UNKNOWN), "as bleak says"),
    (dbus(FREEDESKTOP + "ServiceUnknown", "not provided"), "systemctl start bluetooth"),
    (dbus(FREEDESKTOP + "Spawn.ServiceNotFound", "no unit"), "systemctl start bluetooth"),
    (dbus(FREEDESKTOP + "NameHasNoOwner", "gone"), "systemctl start bluetooth"),
    (dbus(FREEDESKTOP + "NoReply", "silence"), "does not answer"),
    (dbus(FREEDESKTOP + "AccessDenied", "rejected"), "may not use Bluetooth"),
    (dbus("bluez.Error.NotReady", "Resource Not Ready"), "switched off: switch it on"),
    (dbus("bluez.Error.InProgress", "Operation already in progress"), "off and on again"),
    (BleakError("adapter 'hci0' not found"), "hci0.*unplugged"),
    (TimeoutError("no answer within 10 s"), "no answer within 10 s"),
]

DEVICE = [
    (TimeoutError("no answer within 20 s"), DeviceLost, "no answer within 20 s"),
    (BleakError("Not connected"), DeviceLost, "Not connected"),
    (BleakError("failed to discover services, device disconnected"), DeviceLost, "disconnected"),
    (BleakDeviceNotFoundError("AA"), StreamNotFound, "out of reach before"),
    (BleakCharacteristicNotFoundError("2a37"), DeviceRefused, "no characteristic 2a37"),
    (BleakGATTProtocolError(0x05), DeviceRefused, "refused to .*paired first.*settings"),
    (BleakGATTProtocolError(0x0F), DeviceRefused, "paired first"),
    (BleakGATTProtocolError(0x03), DeviceRefused, "Write Not Permitted"),
    (dbus("bluez.Error.NotAuthorized", "no"), DeviceRefused, "paired first"),
    (dbus("bluez.Error.NotPermitted", "Not paired"), DeviceRefused, "paired first"),
    (dbus("bluez.Error.AuthenticationFailed", "no"), DeviceRefused, "paired first"),
    (dbus("bluez.Error.NotSupported", "no notify"), DeviceRefused, "no notify"),
    (dbus("bluez.Error.Failed", "le-connection-abort"), DeviceLost, "le-connection-abort"),
    (dbus("bluez.Error.InProgress", "busy"), DeviceLost, "busy"),
    (dbus("bluez.Error.NotReady", "off"), BluetoothUnavailable, "switched off"),
    (dbus("bluez.Error.DoesNotExist", "x"), DeviceLost, "forgotten"),
    (dbus(FREEDESKTOP + "UnknownObject", "x"), DeviceLost, "forgotten"),
    (dbus(FREEDESKTOP + "ServiceUnknown", "x"), BluetoothUnavailable, "systemctl"),
]


@pytest.mark.parametrize(("error", "words"), COMPUTER, ids=lambda case: repr(case)[:60])
def test_a_computer_without_bluetooth_is_told_what_to_do(error, words):
    match = f"cannot scan for sensors: .*{words}"
    with (
        pytest.raises(BluetoothUnavailable, match=match) as caught,
        in_plain_words("scan for sensors"),
    ):
        raise error
    assert caught.value.__cause__ is error


@pytest.mark.parametrize(("error", "kind", "words"), DEVICE, ids=lambda case: repr(case)[:60])
def test_a_device_that_fails_is_named_with_its_reason(error, kind, words):
    plain = explain(error, "write", "Polar H10")
    assert type(plain) is kind
    with pytest.raises(kind, match=words):
        raise plain
    assert "Polar H10" in str(plain)


def test_bugs_and_errors_of_ours_pass_unchanged():
    for error in (KeyError("bug"), AssertionError("bug"), PacketError("ours")):
        with pytest.raises(type(error)) as caught, in_plain_words("scan"):
            raise error
        assert caught.value is error


@linux
@pytest.mark.parametrize(
    ("address", "words"),
    [("unix:path=/nowhere/at/all", "not in a container"), ("rubbish", "message bus .* fails")],
)
async def test_a_computer_without_a_message_bus_is_told_so(address, words, monkeypatch):
    monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", address)
    with pytest.raises(BluetoothUnavailable, match=words):
        await find_sensors(1.0, Radio())
