"""What a run says about itself: the values that go to the window, the terminal and the log."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from biosense.core.stream_status import StreamState, StreamStatus


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
