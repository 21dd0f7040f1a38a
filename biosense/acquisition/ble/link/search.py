"""Opening a sensor: hear it, know it, connect it, describe its streams."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass

from biosense.acquisition.ble.driver import Advertisement, Driver, Signal
from biosense.acquisition.ble.link.discovery import Recognise, known_sensors, matches, resolve
from biosense.acquisition.ble.link.states import Adapter
from biosense.core.clock import Clock
from biosense.core.errors import BadInput, StreamNotFound
from biosense.core.types import StreamInfo

_SETTLE_S = 2.0  # after the first that fits: long enough to hear of a second one
_LEAST_S = 0.1
_ADDRESS = re.compile(r"(?i)([0-9a-f]{2}:){5}[0-9a-f]{2}|[0-9a-f-]{36}")  # the second on macOS


@dataclass(frozen=True)
class Search:
    """Look for the sensor that a user means.

    Parameters
    ----------
    wanted
        Name, start of the name, address or family.
    seconds
        Of listening, at most; waiting for other sensors does not count.
    recognise
        Finds the driver of a device.
    """

    wanted: str
    seconds: float
    recognise: Recognise

    async def connect(
        self, radio: Adapter, clock: Clock, connect: Callable[[Advertisement], Awaitable[None]]
    ) -> None:
        """Hear the sensor and connect it, in one turn.

        Raises
        ------
        StreamNotFound
            If it is not heard.
        BadInput
            If several are meant.
        DeviceRefused
            If it is heard and is no sensor that biosense knows.
        """
        left = self.seconds
        settle = 0.0 if _ADDRESS.fullmatch(self.wanted) else _SETTLE_S
        heard: list[Advertisement] = []
        while left > 0:
            async with radio.turn():
                since = clock.now()
                heard = await radio.find(self._fits, left, settle=settle)
                device = resolve(self.wanted, heard, self.recognise)
                if device is not None:
                    await connect(device)
                    return
            left -= max(clock.now() - since, _LEAST_S)
        others = ", ".join(map(str, known_sensors(heard, self.recognise))) or "no sensor at all"
        raise StreamNotFound(
            f"Bluetooth sensor {self.wanted!r} was not heard within {self.seconds:g} s; heard: "
            f"{others}. Switch it on or put it on, and end its connection to a phone or another "
            f"program"
        )

    def _fits(self, device: Advertisement) -> bool:
        return matches(self.wanted, device, self.recognise)


def source_id_prefix(driver: Driver, device: Advertisement, serial: str) -> str:
    """Return what the source ids of a device begin with, the same in every run.

    Parameters
    ----------
    driver
        Of the device.
    device
        As it was heard.
    serial
        Its serial number; empty where it has none.

    Returns
    -------
    str
        Lower case, with hyphens.

    Examples
    --------
    >>> class Strap:
    ...     family = "Heart rate"
    >>> source_id_prefix(Strap(), Advertisement("AA:BB:CC:00:11:22", "HRM"), "")
    'heart-rate-aabbcc001122'
    """
    number = serial or device.address.replace(":", "")
    return "-".join(f"{driver.family} {number}".casefold().split())


def describe_streams(
    driver: Driver, name: str, identity: str, wanted: Collection[str] | None
) -> dict[str, tuple[StreamInfo, Signal]]:
    """Return stream and signal of each key that is wanted, None for all.

    Parameters
    ----------
    driver
        Of the connected device.
    name
        What the names of the streams begin with.
    identity
        What their source ids begin with.
    wanted
        Keys of signals; None for all.

    Returns
    -------
    dict
        Stream and signal by key.

    Raises
    ------
    BadInput
        If the device has not every signal that is wanted.
    """
    signals = {each.key: each for each in driver.signals}
    unknown = sorted(set(wanted or ()) - set(signals))
    if unknown or (wanted is not None and not wanted):
        raise BadInput(
            f"{name!r} has no signals {', '.join(unknown) or '(none named)'}; it sends: "
            f"{', '.join(signals)}"
        )
    return {
        key: (_info(signal, name, identity), signal)
        for key, signal in signals.items()
        if wanted is None or key in wanted
    }


def _info(signal: Signal, name: str, identity: str) -> StreamInfo:
    return StreamInfo(
        f"{name} {signal.key}",
        signal.modality,
        signal.channels,
        signal.sfreq,
        signal.unit,
        f"{identity}-{signal.key}",
        signal.dtype,
        lossy=True,
        content_type=(signal.modality or signal.key).upper(),
    )
