"""What a device says of itself beside its samples: battery, contact, link, clock."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class ClockState:
    """Hold how the clock of a device is mapped to session time.

    Parameters
    ----------
    offset
        What is added to its stamps now, seconds.
    slope_ppm
        Its drift, parts per million.
    residual
        Scatter of the measurements about the fit, seconds.
    updated
        Session time of the newest measurement, seconds.
    """

    offset: float
    slope_ppm: float
    residual: float
    updated: float


@dataclass(frozen=True)
class DeviceState:
    """Report how the device behind a stream is doing; for health, it changes no number of a run.

    None and empty where nothing is known.

    Parameters
    ----------
    time
        Session time, seconds.
    stream
        Name of the stream.
    link
        State of the connection in one word.
    model, firmware
        As the device names them.
    battery
        Share of 1.
    contact
        Whether electrodes or strap touch the skin.
    rssi
        Strength of the radio signal, dBm.
    clock
        How its clock is mapped to session time.
    """

    time: float
    stream: str
    link: str = ""
    model: str = ""
    firmware: str = ""
    battery: float | None = None
    contact: bool | None = None
    rssi: int | None = None
    clock: ClockState | None = None
