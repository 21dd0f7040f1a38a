"""What a look through a recording tells without keeping its samples: spans, markers, sketches."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from biosense.core.recording import Marker
from biosense.core.types import Chunk, Event, EventKind, Record, StreamInfo
from biosense.recordings.streams import markers_in

SKETCH_POINTS = 500


@dataclass(frozen=True, eq=False)
class StreamOutline:
    """Hold what is known of one stream.

    Parameters
    ----------
    info
        The stream.
    samples
        How many there are.
    first, last
        Session times of the first and the last one, seconds; NaN where there is none.
    sketch
        Values of the first channel, evenly picked, about 500; empty for text.
    """

    info: StreamInfo
    samples: int
    first: float
    last: float
    sketch: NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Outline:
    """Hold what is known of a recording: streams by name, markers and events in order of time."""

    streams: Mapping[str, StreamOutline]
    markers: tuple[Marker, ...]
    events: tuple[Event, ...]

    @property
    def begin(self) -> float:
        """Session time of the first sample of all streams, seconds; NaN where there is none."""
        return min((each.first for each in self.streams.values() if each.samples), default=np.nan)

    @property
    def end(self) -> float:
        """Session time of the last sample of all streams, seconds; NaN where there is none."""
        return max((each.last for each in self.streams.values() if each.samples), default=np.nan)


def outline(streams: Iterable[tuple[StreamInfo, int]], items: Iterable[Record]) -> Outline:
    """Look through a recording once; memory holds no samples but those of the sketches.

    Parameters
    ----------
    streams
        Each with the number of its samples.
    items
        Of the recording, in their order.

    Examples
    --------
    >>> info = StreamInfo("eda", None, ("eda",), 4.0, "S")
    >>> found = outline([(info, 2)], [Chunk.of(info, [1.0, 1.25], [[3.0], [4.0]])])
    >>> found.begin, found.end, found.streams["eda"].sketch.tolist()
    (1.0, 1.25, [3.0, 4.0])
    """
    sketches = {info.name: _Sketch(info, count) for info, count in streams}
    markers: list[Marker] = []
    events: list[Event] = []
    for item in items:
        markers += markers_in(item)
        if isinstance(item, Event) and item.kind is not EventKind.MARKER:
            events.append(item)
        elif isinstance(item, Chunk) and item.info.name in sketches:
            sketches[item.info.name].add(item)
    return Outline(
        {name: sketch.outline() for name, sketch in sketches.items()},
        tuple(sorted(markers, key=lambda marker: marker.time)),
        tuple(sorted(events, key=lambda event: event.time)),
    )


@dataclass
class _Sketch:
    """What is kept of one stream while its chunks pass by."""

    info: StreamInfo
    expected: int
    samples: int = 0
    first: float = np.nan
    last: float = np.nan
    parts: list[NDArray[np.float64]] = field(default_factory=list)

    def add(self, chunk: Chunk) -> None:
        if chunk.n == 0:
            return
        if not self.samples:
            self.first = float(chunk.times[0])
        self.last = float(chunk.times[-1])
        if not self.info.is_text:
            step = max(1, self.expected // SKETCH_POINTS)
            self.parts.append(chunk.data[-self.samples % step :: step, 0].astype(np.float64))
        self.samples += chunk.n

    def outline(self) -> StreamOutline:
        sketch = np.concatenate(self.parts) if self.parts else np.empty(0)
        return StreamOutline(self.info, self.samples, self.first, self.last, sketch)
