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


class StreamState(StrEnum):
    """Say at a glance how a stream does."""

    WAITING = "waiting"
    GOOD = "good"
    POOR = "poor"
    LOST = "lost"


@dataclass(frozen=True)
class StreamStatus:
    """Hold the health of one stream.

    Rates are in Hz, `age` (of the newest sample) in seconds, the clock's offset and residual in
    seconds, its drift in parts per million; `quality` is that of the newest features, 0 to 1, NaN
    where nothing is computed from the stream.
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


@dataclass(frozen=True)
class RunStatus:
    """Hold the health of a run: its streams, its recording, its load.

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
