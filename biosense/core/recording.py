"""Recordings: whole streams, what was shown, and what was said of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from biosense.core.errors import BadInput
from biosense.core.suggest import unknown_name
from biosense.core.types import Chunk


@dataclass(frozen=True)
class Marker:
    """Hold a timed event in words.

    Parameters
    ----------
    time
        Session time, seconds.
    text
        What happened.
    stream
        Name of the stream that it came by.
    """

    time: float
    text: str
    stream: str = "markers"


@dataclass(frozen=True)
class Rating:
    """Hold a self-report of a person, mapped to [-1, 1] by the reader.

    Parameters
    ----------
    time
        Session time, seconds.
    valence, arousal
        In [-1, 1].
    """

    time: float
    valence: float
    arousal: float


@dataclass(frozen=True)
class Trial:
    """Hold one presentation of a stimulus within a recording.

    Parameters
    ----------
    start, stop
        Session time of the stimulus, seconds.
    stimulus
        What was shown, by the data set's own identifier.
    group
        Stimuli of one group never fall on both sides of a split; empty: the stimulus is its own.
    baseline
        Session time at which the rest before the stimulus begins; `start` where there is none.
    rating
        The person's one rating of the whole, where there is one.
    raw
        Labels as the data set gives them, by its own names and scales.
    video
        Film of the face during the trial, where there is one; its first frame is at `video_start`.
    """

    start: float
    stop: float
    stimulus: str
    group: str = ""
    baseline: float | None = None
    rating: Rating | None = None
    raw: Mapping[str, float] = field(default_factory=dict)
    video: Path | None = None
    video_start: float = 0.0

    def __post_init__(self) -> None:
        if not self.start < self.stop:
            raise BadInput(f"trial {self.stimulus!r} runs from {self.start} to {self.stop} s")


@dataclass(frozen=True, eq=False)
class Recording:
    """Hold a recording: whole streams as single chunks, with what was said and done beside them.

    Parameters
    ----------
    streams
        Each with a gap in its times where nothing was recorded.
    annotations
        Continuous ratings: chunks with the channels ("valence", "arousal"), in [-1, 1].
    trials
        In the order in which they were shown, where the data set tells.
    notes
        What the reader left out or changed, and why: nothing is dropped silently.
    """

    streams: tuple[Chunk, ...]
    markers: tuple[Marker, ...] = ()
    ratings: tuple[Rating, ...] = ()
    annotations: tuple[Chunk, ...] = ()
    subject: str = ""
    started: datetime | None = None
    trials: tuple[Trial, ...] = ()
    notes: tuple[str, ...] = ()

    def stream(self, name: str) -> Chunk:
        """Return the stream of that name, or say which there are."""
        for chunk in self.streams:
            if chunk.info.name == name:
                return chunk
        names = (chunk.info.name for chunk in self.streams)
        raise unknown_name("stream", name, names, " in the recording")
