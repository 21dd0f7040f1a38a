"""Which Bluetooth sensors are within reach, and which one a user means."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from biosense.acquisition.ble.driver import Advertisement, Driver
from biosense.acquisition.ble.drivers.registry import recognise
from biosense.acquisition.ble.link.radio import Radio
from biosense.core.errors import BadInput, DeviceRefused

Recognise = Callable[[Advertisement], type[Driver] | None]


@dataclass(frozen=True)
class FoundSensor:
    """Hold a sensor that is within reach; `rssi` in dBm, None for one that is connected already."""

    name: str
    family: str
    address: str
    rssi: int | None

    def __str__(self) -> str:
        return f"{self.name or 'unnamed'} ({self.address})"


async def find_sensors(seconds: float, radio: Radio) -> list[FoundSensor]:
    """Listen for the sensors that biosense knows, for `seconds`.

    Returns
    -------
    list of FoundSensor
        The strongest first.

    Parameters
    ----------
    seconds
        How long to listen.
    radio
        The Bluetooth of this computer.

    Raises
    ------
    BluetoothUnavailable
        If this computer cannot use Bluetooth; the message says why and what to do.
    """
    return known_sensors(await radio.scan(seconds), recognise)


def known_sensors(heard: Iterable[Advertisement], recognise: Recognise) -> list[FoundSensor]:
    """Return those of the devices heard that biosense knows, in their order.

    Parameters
    ----------
    heard
        Devices that were heard.
    recognise
        Finds the driver of a device.

    Returns
    -------
    list of FoundSensor
        In the order in which they were heard.
    """
    return [
        FoundSensor(each.name, driver.family, each.address, each.rssi)
        for each in heard
        if (driver := recognise(each)) is not None
    ]


def resolve(
    wanted: str, heard: Sequence[Advertisement], recognise: Recognise
) -> Advertisement | None:
    """Return the device that a user means: by address, name, start of the name, or family.

    Capitals do not count. None if it was not heard.

    Parameters
    ----------
    wanted
        Address, name, start of the name, or family.
    heard
        Devices that were heard.
    recognise
        Finds the driver of a device.

    Returns
    -------
    Advertisement or None
        The device that is meant.

    Raises
    ------
    BadInput
        If several are meant.
    DeviceRefused
        If it was heard and is no sensor that biosense knows.
    """
    by_address = {each.address: each for each in heard}
    sensors = known_sensors(heard, recognise)
    for fits in (_is_address, _is_name, _begins_name_or_family):
        meant = [each for each in sensors if fits(wanted, each)]
        if len(meant) > 1:
            names = ", ".join(str(each) for each in meant)
            raise BadInput(f"{wanted!r} means several sensors: {names}; name one by its address")
        if meant:
            return by_address[meant[0].address]
    for each in heard:
        found = FoundSensor(each.name, "", each.address, each.rssi)
        if _is_address(wanted, found) or _is_name(wanted, found):
            raise DeviceRefused(f"{found} is within reach, but is no sensor that biosense knows")
    return None


def matches(wanted: str, device: Advertisement, recognise: Recognise) -> bool:
    """Tell whether a device may be the one that a user means.

    Parameters
    ----------
    wanted
        Address, name, start of the name, or family.
    device
        One that was heard.
    recognise
        Finds the driver of a device.

    Returns
    -------
    bool
        Whether it may be meant.

    Examples
    --------
    >>> matches("aa:bb", Advertisement("AA:BB", "Polar H10 1"), lambda _: None)
    True
    """
    driver = recognise(device)
    found = FoundSensor(device.name, driver.family if driver else "", device.address, device.rssi)
    if _is_address(wanted, found) or _is_name(wanted, found):
        return True
    return driver is not None and _begins_name_or_family(wanted, found)


def _is_address(wanted: str, found: FoundSensor) -> bool:
    return wanted.casefold() == found.address.casefold()


def _is_name(wanted: str, found: FoundSensor) -> bool:
    return bool(found.name) and wanted.casefold() == found.name.casefold()


def _begins_name_or_family(wanted: str, found: FoundSensor) -> bool:
    start = wanted.casefold()
    return found.name.casefold().startswith(start) or found.family.casefold().startswith(start)
