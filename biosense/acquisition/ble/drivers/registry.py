"""Every driver of a Bluetooth sensor: what scanning, the command line and the tests go by."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from biosense.acquisition.ble.driver import Advertisement, Driver
from biosense.acquisition.ble.drivers.ganglion.driver import Ganglion
from biosense.acquisition.ble.drivers.heart_rate.driver import HeartRateStrap
from biosense.acquisition.ble.drivers.muse.driver import Muse
from biosense.acquisition.ble.drivers.polar.driver import Polar
from biosense.core.errors import BadInput
from biosense.core.registry import Registry

_MEMBERS = ("family", "keep_alive_every", "recognises", "signals", "prepare", "start", "decoder")

D = TypeVar("D", bound=type[Any])


def _as_driver(part: Any) -> type[Driver]:
    missing = [name for name in _MEMBERS if not hasattr(part, name)]
    if missing or not isinstance(part, type):
        raise BadInput(
            f"got {part!r} as a driver, wanted a class with {', '.join(_MEMBERS)} (see "
            f"biosense.acquisition.ble.driver.Driver); it lacks {', '.join(missing) or 'a class'}"
        )
    return part


DRIVERS: Registry[type[Driver]] = Registry(
    "driver of a Bluetooth sensor",
    # In the order in which they are asked: a Polar sensor is a heart rate strap too.
    {"polar": Polar, "muse": Muse, "ganglion": Ganglion, "heart-rate": HeartRateStrap},
    group="biosense.ble_drivers",
    adapt=_as_driver,
)


def register_ble_driver(name: str) -> Callable[[D], D]:
    """Register the driver of a family of Bluetooth sensors.

    `biosense devices` then lists such sensors, and `--ble NAME` opens them. It is known to the
    process that runs the decorator; for the command line, name the class in an entry point of the
    group "biosense.ble_drivers" of your package instead.

    Parameters
    ----------
    name
        For lists and messages; people name their sensor, or its `family`.

    Returns
    -------
    callable
        Decorates a class that fits `biosense.acquisition.ble.driver.Driver`; gives it back.

    Raises
    ------
    BadInput
        The name is one of biosense's own, or the class is no driver.

    See Also
    --------
    biosense.testing.check_decoder : Try a decoder on good and damaged packets.

    Notes
    -----
    `examples/plugins/own_ble_driver.py` in biosense's repository is a template.
    """
    return lambda driver: DRIVERS.register(name, driver)


def recognise(advertisement: Advertisement) -> type[Driver] | None:
    """Return the driver of a device by what it says of itself, None where there is none.

    Parameters
    ----------
    advertisement
        What the device says of itself.

    Returns
    -------
    type or None
        The class of its driver.

    Examples
    --------
    >>> strap = "0000180d-0000-1000-8000-00805f9b34fb"
    >>> recognise(Advertisement("a", "Polar H10 12345678", (strap,))).family
    'Polar'
    >>> recognise(Advertisement("b", "TICKR", (strap,))).family
    'Heart rate strap'
    """
    # The strap of the standard last: whoever registers a driver means a sensor more closely.
    asked = sorted(DRIVERS.values(), key=lambda driver: driver is HeartRateStrap)
    return next((driver for driver in asked if driver.recognises(advertisement)), None)
