"""What a run says about itself: the values that go to the window, the terminal and the log."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any

AFFECT = "biosense-affect"
"""Name of the stream of estimates."""

OWN_MARKERS = "biosense-markers"
"""Name of the stream of the run's own markers."""

OWN_HEALTH = "biosense-health"
"""Name of the stream of the run's health."""

_LINKED = "streaming"  # state of a link to a device that needs no word


def own_source_id(name: str, run: str) -> str:
    """Return the LSL source id under which a run publishes a stream of its own.

    It differs from run to run, so that nobody who reads one run gets the samples of another.

    >>> own_source_id(AFFECT, "5e0c"), own_source_id(AFFECT, "")
    ('biosense-affect-5e0c', 'biosense-affect')
    """
    return f"{name}-{run}" if run else name


LOW_BATTERY = 0.2  # share of 1; a sensor may then stop within the hour


def is_low(battery: float | None) -> bool:
    """Tell whether a battery should be charged; where nothing is known of it, it need not."""
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

    Examples
    --------
    >>> from dataclasses import replace
    >>> from biosense.core import StreamInfo
    >>> from biosense.live.health import StreamHealth
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


@dataclass(frozen=True)
class RunStatus:
    """Hold the health of a run: its streams, its recording, its load.

    `run` tells it from other runs, see `own_source_id`. `preflight` holds the seconds left of the
    pre-flight, None once the run has begun.

    `features` holds the newest plain (not normalised) features by modality, heart rate in beats/min
    and so on, and `estimate` the newest estimate by channel, for display; None before the first.
    """

    time: float
    elapsed: float
    streams: tuple[StreamStatus, ...]
    features: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    estimate: Mapping[str, float] | None = None
    estimates: int = 0
    recording: str = ""
    recording_failed: str = ""
    participant: str = ""
    model: str = ""
    latency_ms: float = float("nan")
    cpu_cores: float = float("nan")
    rss_mb: float = float("nan")
    frames_dropped: int = 0
    run: str = ""
    preflight: float | None = None

    def to_json(self) -> dict[str, Any]:
        """Return plain values for `json.dumps`."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> RunStatus:
        """Make a status from what `to_json` gave."""
        streams = tuple(
            StreamStatus(
                **{
                    **stream,
                    "channels": tuple(stream["channels"]),
                    "state": StreamState(stream["state"]),
                }
            )
            for stream in values["streams"]
        )
        return cls(**{**values, "streams": streams})
