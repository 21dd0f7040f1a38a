"""What is known of the health of one stream, and how it is said."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

_LINKED = "streaming"  # state of a link to a device that needs no word


LOW_BATTERY = 0.2  # share of 1; a sensor may then stop within the hour


def is_low(battery: float | None) -> bool:
    """Tell whether a battery should be charged; where nothing is known of it, it need not.

    Parameters
    ----------
    battery
        Share of 1; None where nobody knows.

    Returns
    -------
    bool
    """
    return battery is not None and battery < LOW_BATTERY


class StreamState(StrEnum):
    """Say at a glance how a stream does."""

    WAITING = "waiting"
    GOOD = "good"
    POOR = "poor"
    LOST = "lost"
    ENDED = "ended"


@dataclass(frozen=True)
class StreamStatus:
    """Hold the health of one stream.

    Rates are in Hz, `age` (of the newest sample) in seconds, the clock's offset and residual in
    seconds, its drift in parts per million, and `clock_age` the age of its newest measurement in
    seconds; `quality` is that of the newest features, 0 to 1, NaN where nothing is computed from
    the stream. What the device says of itself is as in `DeviceState`: `battery` a share of 1. None
    and empty where nothing is known.

    Parameters
    ----------
    name, modality, channels, unit, source_id
        As in `StreamInfo`.
    nominal_hz, rate_hz
        Declared rate, and that of the last seconds, Hz.
    samples, gaps, lost
        Counted since the run began.
    age
        Seconds since the newest sample arrived.
    offset, residual
        Of the sender's clock, seconds.
    drift_ppm
        Of the sender's clock, parts per million.
    quality
        Of the newest features, 0 to 1.
    state
        In a word.
    published
        Whether the run itself sends it over LSL.
    clock_age
        Seconds since the clock was measured; None before.
    battery
        Share of 1; None where nobody knows.
    contact
        Whether it touches the skin; None where nobody knows.
    link, device, firmware
        What the device says of itself.
    rssi
        dBm; None where nobody knows.
    """

    name: str
    modality: str
    channels: tuple[str, ...]
    unit: str
    nominal_hz: float
    rate_hz: float
    samples: int
    age: float
    gaps: int
    lost: int
    offset: float
    drift_ppm: float
    residual: float
    quality: float
    state: StreamState
    source_id: str = ""
    published: bool = False
    clock_age: float | None = None
    battery: float | None = None
    contact: bool | None = None
    link: str = ""
    device: str = ""
    firmware: str = ""
    rssi: int | None = None


def device_words(stream: StreamStatus) -> tuple[str, bool]:
    """Say in few words how the device behind a stream is, and whether all is well with it.

    Parameters
    ----------
    stream
        Its status.

    Returns
    -------
    words : str
        What to show of it.
    is_bad : bool
        Whether somebody should act.

    Examples
    --------
    >>> from dataclasses import replace
    >>> from biosense.core import StreamInfo
    >>> from biosense.estimation.stream_health import StreamHealth
    >>> status = StreamHealth(StreamInfo("strap", None, ("ecg",), 130.0)).status(0.0)
    >>> device_words(replace(status, battery=0.84, contact=False, link="streaming"))
    ('84 %, no contact', False)
    >>> device_words(status)
    ('', True)
    """
    if stream.link not in ("", _LINKED):
        return stream.link, False  # what it said before is old
    words = [] if stream.battery is None else [f"{100 * stream.battery:.0f} %"]
    if stream.contact is False:
        words.append("no contact")
    return ", ".join(words), stream.contact is not False and not is_low(stream.battery)
