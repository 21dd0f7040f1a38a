"""The services that most Bluetooth sensors share: device information and battery.

References
----------
Bluetooth SIG: Assigned Numbers, Battery Service, Device Information Service.
"""

from __future__ import annotations

from biosense.acquisition.ble.driver import Gatt, Report
from biosense.core.errors import DeviceRefused, PacketError


def uuid16(number: int) -> str:
    """Return the long form, lower case, of a UUID that the Bluetooth SIG assigned.

    Parameters
    ----------
    number
        16-bit number that the Bluetooth SIG assigned.

    Returns
    -------
    str
        The UUID in its long form, lower case.

    Examples
    --------
    >>> uuid16(0x180D)
    '0000180d-0000-1000-8000-00805f9b34fb'
    """
    return f"{number:08x}-0000-1000-8000-00805f9b34fb"


# Bluetooth SIG, Assigned Numbers, sections 3.4 and 3.8.
HEART_RATE_SERVICE = uuid16(0x180D)
HEART_RATE_MEASUREMENT = uuid16(0x2A37)
BATTERY_LEVEL = uuid16(0x2A19)
MODEL_NUMBER = uuid16(0x2A24)
SERIAL_NUMBER = uuid16(0x2A25)
FIRMWARE_REVISION = uuid16(0x2A26)
MANUFACTURER_NAME = uuid16(0x2A29)


def decode_battery(packet: bytes) -> Report:
    """Decode the battery level characteristic: one byte of percent.

    Parameters
    ----------
    packet
        Value of the Battery Level characteristic.

    Returns
    -------
    Report
        `battery` as a share of 1.

    Raises
    ------
    PacketError
        If it is not one byte of at most 100.

    Examples
    --------
    >>> decode_battery(bytes([80])).battery
    0.8
    """
    if len(packet) != 1 or packet[0] > 100:
        raise PacketError(f"battery level {packet.hex(' ')!r} must be one byte of 0 to 100 (0x64)")
    return Report(battery=packet[0] / 100)


async def read_device(gatt: Gatt) -> Report:
    """Ask a device for its battery, manufacturer, model, serial number and firmware.

    What it does not have, refuses to tell (some want to be paired first) or tells as nonsense stays
    None: nothing of it is needed to record. `model` begins with the name of the manufacturer.

    Parameters
    ----------
    gatt
        The connected device.

    Returns
    -------
    Report
        Model, firmware, serial number and battery, as far as it says them.
    """
    model = await _read_text(gatt, MODEL_NUMBER)
    maker = await _read_text(gatt, MANUFACTURER_NAME)
    if maker and not (model or "").startswith(maker):
        model = f"{maker} {model or ''}".strip()
    return Report(
        battery=await _read_battery(gatt),
        firmware=await _read_text(gatt, FIRMWARE_REVISION),
        model=model,
        serial=await _read_text(gatt, SERIAL_NUMBER),
    )


async def subscribe_battery(gatt: Gatt) -> None:
    """Have changes of the battery level sent to the decoder, where the device can send them.

    Parameters
    ----------
    gatt
        The connected device.
    """
    if gatt.has(BATTERY_LEVEL):
        # Many devices let the level be read but never notify it.
        try:
            await gatt.subscribe(BATTERY_LEVEL)
        except DeviceRefused:
            return


async def _read_text(gatt: Gatt, uuid: str) -> str | None:
    if not gatt.has(uuid):
        return None
    try:
        raw = await gatt.read(uuid)
    except DeviceRefused:
        return None
    # Polar and others end their strings with zero bytes, or pad them.
    text = raw.decode("utf-8", errors="replace").split("\0")[0].strip()
    return text or None


async def _read_battery(gatt: Gatt) -> float | None:
    if not gatt.has(BATTERY_LEVEL):
        return None
    try:
        return decode_battery(await gatt.read(BATTERY_LEVEL)).battery
    except (DeviceRefused, PacketError):
        return None
