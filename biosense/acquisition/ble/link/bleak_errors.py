"""What bleak and the systems below it say, in words that tell a user what to do."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from biosense.core.errors import (
    BiosenseError,
    BluetoothUnavailable,
    DeviceLost,
    DeviceRefused,
    MissingExtra,
    StreamNotFound,
)

if TYPE_CHECKING:
    from bleak.exc import BleakBluetoothNotAvailableError, BleakDBusError, BleakGATTProtocolError

_SWITCH_ON = "Bluetooth is switched off: switch it on"
_SERVICE = (
    "the Bluetooth service of this computer is not running: start it "
    "(Linux: `sudo systemctl start bluetooth`; it is in the package bluez)"
)
_DENIED = (
    "this program may not use Bluetooth: allow it in the system's privacy settings "
    "(Linux: the user needs the group `bluetooth`, a container the system's D-Bus)"
)
_REASONS = {
    "NO_BLUETOOTH": "this computer has no Bluetooth adapter: plug one in, or connect it to the "
    "virtual machine",
    "NO_BLE_CENTRAL_ROLE": "the Bluetooth adapter knows no Bluetooth Low Energy: use one of "
    "Bluetooth 4.0 or newer",
    "POWERED_OFF": _SWITCH_ON,
    "DENIED_BY_USER": _DENIED,
    "DENIED_BY_SYSTEM": _DENIED,
    "DENIED_BY_UNKNOWN": _DENIED,
}
_PAIR = "it wants to be paired first: pair it in the Bluetooth settings of this computer"
_PAIRING_CODES = (0x05, 0x08, 0x0C, 0x0F)  # Core specification 5.2, vol 3 part F, 3.4.1.1
_NO_SERVICE = ("ServiceUnknown", "NameHasNoOwner", "Spawn", "ServiceDoesNotExist")
_GONE = ("Disconnected", "NoReply", "Timeout", "TimedOut", "NoServer")  # of the bus itself
_FORGOTTEN = ("UnknownObject", "UnknownMethod", "UnknownInterface", "DoesNotExist")
_PAIRING = ("NotAuthorized", "AuthenticationFailed", "AuthenticationRejected")
_REFUSALS = ("NotSupported", "NotPermitted", "InvalidArguments", "ImproperlyConfigured")


@contextmanager
def in_plain_words(doing: str, device: str = "") -> Iterator[None]:
    """Turn what bleak raises within into errors of ours.

    Parameters
    ----------
    doing
        What is attempted, as in "scan for sensors".
    device
        Name of the device that it is attempted with; empty where only the computer is involved.

    Raises
    ------
    BluetoothUnavailable
        If the computer cannot use Bluetooth.
    StreamNotFound
        If the device went out of reach before it was connected.
    DeviceRefused
        If the device says no.
    DeviceLost
        If it does not answer, or is gone.
    """
    try:
        yield
    except (BiosenseError, AssertionError):
        raise
    except Exception as error:
        plain = explain(error, doing, device)
        if plain is None:
            raise
        raise plain from error


def explain(error: Exception, doing: str, device: str = "") -> BiosenseError | None:
    """Return the error of ours that says what one of bleak, D-Bus or the system means.

    None for one that is not about Bluetooth at all: a bug.

    Examples
    --------
    >>> print(explain(FileNotFoundError(2, "No such file or directory"), "scan for sensors"))
    cannot scan for sensors: the system's message bus (D-Bus) is not there: run biosense on the \
computer itself, not in a container; BlueZ must be installed
    """
    from bleak import exc

    cannot = f"{device}: cannot {doing}" if device else f"cannot {doing}"
    match error:
        case exc.BleakBluetoothNotAvailableError():
            return BluetoothUnavailable(f"{cannot}: {_not_available(error)}")
        case exc.BleakGATTProtocolError():
            return DeviceRefused(f"{device} refused to {doing}: {_att(error)}")
        case exc.BleakDeviceNotFoundError():
            return StreamNotFound(f"{cannot}: it went out of reach before it was connected")
        case exc.BleakCharacteristicNotFoundError():
            return DeviceRefused(f"{cannot}: it has no characteristic {error.char_specifier}")
        case exc.BleakDBusError():
            return _dbus(error, cannot, device)
        case TimeoutError():
            return _lost(f"{cannot}: {error or 'no answer in time'}", device)
        case exc.BleakError() if "adapter '" in str(error):
            return BluetoothUnavailable(f"{cannot}: {error}; was it unplugged?")
        case exc.BleakError():
            return _lost(f"{cannot}: {error}", device)
        case FileNotFoundError():
            return BluetoothUnavailable(
                f"{cannot}: the system's message bus (D-Bus) is not there: run biosense on the "
                f"computer itself, not in a container; BlueZ must be installed"
            )
        case PermissionError():
            return BluetoothUnavailable(f"{cannot}: {_DENIED}")
        case OSError() | EOFError():
            return BluetoothUnavailable(f"{cannot}: {_SERVICE} [{error or type(error).__name__}]")
    if type(error).__module__.split(".")[0] == "dbus_fast":
        return BluetoothUnavailable(f"{cannot}: the system's message bus (D-Bus) fails: {error}")
    return None


def load_bleak() -> Any:
    """Return the `bleak` module.

    Raises
    ------
    MissingExtra
        If it is not installed.
    """
    try:
        import bleak
    except ImportError as error:
        raise MissingExtra(
            "Bluetooth sensors need bleak, which is not installed: pip install 'biosense[ble]'"
        ) from error
    return bleak


def _not_available(error: BleakBluetoothNotAvailableError) -> str:
    return _REASONS.get(error.reason.name, str(error.args[0]))


def _att(error: BleakGATTProtocolError) -> str:
    return _PAIR if int(error.code) in _PAIRING_CODES else str(error.args[1])


def _dbus(error: BleakDBusError, cannot: str, device: str) -> BiosenseError:
    kind = error.dbus_error.rpartition(".")[2]
    details = error.dbus_error_details or kind
    if kind.startswith(_NO_SERVICE) or ".Spawn." in error.dbus_error:
        return BluetoothUnavailable(f"{cannot}: {_SERVICE}")
    if kind in _GONE and error.dbus_error.startswith("org.freedesktop."):
        return BluetoothUnavailable(f"{cannot}: the Bluetooth service does not answer [{details}]")
    if kind == "AccessDenied":
        return BluetoothUnavailable(f"{cannot}: {_DENIED}")
    if kind == "NotReady" or "ResourceNotReady" in details:
        return BluetoothUnavailable(f"{cannot}: {_SWITCH_ON}")
    if not device:
        return BluetoothUnavailable(f"{cannot}: {details}; switch Bluetooth off and on again")
    if kind in _PAIRING or "Not paired" in details:
        return DeviceRefused(f"{cannot}: {_PAIR}")
    if kind in _REFUSALS:
        return DeviceRefused(f"{cannot}: {details}")
    if kind in _FORGOTTEN:
        return DeviceLost(f"{cannot}: the system has forgotten it since it was seen")
    return DeviceLost(f"{cannot}: {details}")


def _lost(text: str, device: str) -> BiosenseError:
    return DeviceLost(text) if device else BluetoothUnavailable(text)
