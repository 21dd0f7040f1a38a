"""What everything in biosense speaks: streams, chunks, stages, clocks. Needs numpy only."""

from biosense.core.errors import BiosenseError
from biosense.core.stage import Pipeline, Stage
from biosense.core.types import (
    Chunk,
    ClockOffset,
    Epoch,
    Estimate,
    Event,
    FusionInput,
    Marker,
    Modality,
    Rating,
    Recording,
    StreamInfo,
)

__all__ = [
    "BiosenseError",
    "Chunk",
    "ClockOffset",
    "Epoch",
    "Estimate",
    "Event",
    "FusionInput",
    "Marker",
    "Modality",
    "Pipeline",
    "Rating",
    "Recording",
    "Stage",
    "StreamInfo",
]
