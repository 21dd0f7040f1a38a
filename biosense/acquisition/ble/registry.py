"""Every driver of a Bluetooth sensor: what scanning, the command line and the tests go by."""

from __future__ import annotations

from biosense.acquisition.ble.driver import Advertisement, Driver
from biosense.acquisition.ble.drivers.ganglion.driver import Ganglion
from biosense.acquisition.ble.drivers.heart_rate import HeartRateStrap
from biosense.acquisition.ble.drivers.muse.driver import Muse
from biosense.acquisition.ble.drivers.polar.driver import Polar
from biosense.core.registry import Registry

DRIVERS: Registry[type[Driver]] = Registry(
    "driver of a Bluetooth sensor",
    # In the order in which they are asked: a Polar sensor is a heart rate strap too.
    {"polar": Polar, "muse": Muse, "ganglion": Ganglion, "heart-rate": HeartRateStrap},
)


def recognise(advertisement: Advertisement) -> type[Driver] | None:
    """Return the driver of a device by what it says of itself, None where there is none.

    Examples
    --------
    >>> strap = "0000180d-0000-1000-8000-00805f9b34fb"
    >>> recognise(Advertisement("a", "Polar H10 12345678", (strap,))).family
    'Polar'
    >>> recognise(Advertisement("b", "TICKR", (strap,))).family
    'Heart rate strap'
    """
    known = (driver for driver in DRIVERS.values() if driver.recognises(advertisement))
    return next(known, None)
