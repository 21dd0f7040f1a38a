"""What BlueZ answers when something does not work: names and texts as in its source."""

from __future__ import annotations

from dbus_fast import DBusError

from tests.support.fake_bluez import att

# BlueZ, src/gatt-client.c, create_gatt_dbus_error: some ATT errors have D-Bus errors of their own.
_ATT = {
    att.READ_NOT_PERMITTED: ("NotPermitted", "Read not permitted"),
    att.WRITE_NOT_PERMITTED: ("NotPermitted", "Write not permitted"),
    att.INSUFFICIENT_AUTHENTICATION: ("NotPermitted", "Not paired"),
    att.INSUFFICIENT_ENCRYPTION: ("NotPermitted", "Not paired"),
    att.KEY_TOO_SHORT: ("NotPermitted", "Not paired"),
    att.INVALID_OFFSET: ("InvalidArguments", "Invalid offset"),
    att.INVALID_LENGTH: ("InvalidArguments", "Invalid Length"),
    att.INSUFFICIENT_AUTHORIZATION: ("NotAuthorized", "Operation Not Authorized"),
    att.REQUEST_NOT_SUPPORTED: ("NotSupported", "Operation is not supported"),
}


def bluez_error(name: str, text: str) -> DBusError:
    """Make an error of BlueZ; it reaches the caller as `org.bluez.Error.<name>`."""
    return DBusError(f"org.bluez.Error.{name}", text)


def att_error(code: int) -> DBusError:
    """Make the error that BlueZ answers when the sensor answered with ATT error `code`."""
    if code in _ATT:
        return bluez_error(*_ATT[code])
    return bluez_error("Failed", f"Operation failed with ATT error: 0x{code:02x}")


def not_ready() -> DBusError:
    """Make the error of a call to an adapter that is off."""
    return bluez_error("NotReady", "Resource Not Ready")


def failed(text: str) -> DBusError:
    """Make the error that BlueZ has for everything else."""
    return bluez_error("Failed", text)
