"""What everything in biosense speaks: streams, chunks, stages, clocks. Needs numpy only."""

from biosense.core.affect import Estimate, FusionInput
from biosense.core.errors import BiosenseError
from biosense.core.recording import Marker, Rating, Recording, Trial
from biosense.core.stage import Pipeline, Stage
from biosense.core.types import Chunk, ClockOffset, Epoch, Event, Modality, StreamInfo

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
    "Trial",
]
