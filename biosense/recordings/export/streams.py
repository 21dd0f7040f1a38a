"""One stream of a recording at a time, so that memory holds no more than that."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from biosense.acquisition.xdf.events import NO_MARKERS, no_samples
from biosense.acquisition.xdf.reader import XdfReader
from biosense.core.own_streams import AFFECT, OWN_FEATURES
from biosense.core.recording import Marker
from biosense.core.types import Chunk, Event, EventKind, StreamInfo
from biosense.estimation.chunk_joiner import ChunkJoiner, joined
from biosense.processing.offline.on_grid import grid_stages

"""What names of streams begin with that a run writes about itself."""

_DERIVED = (AFFECT, OWN_FEATURES)


def chunks_of(reader: XdfReader, name: str) -> Iterator[Chunk]:
    """Yield the samples of one stream, some seconds at a time."""
    joiner = ChunkJoiner()
    for item in reader.items():
        if isinstance(item, Chunk) and item.info.name == name:
            yield from joiner.push(item)
    yield from joiner.flush()


def gridded_chunks(
    reader: XdfReader, info: StreamInfo, *, sfreq: float | None = None
) -> Iterator[Chunk]:
    """Yield the samples of one stream on the sample grid, in SI units, some seconds at a time."""
    stages = grid_stages(info, sfreq=sfreq)
    stages.start(info)
    for chunk in chunks_of(reader, info.name):
        yield from stages.push(chunk)
    yield from stages.flush()


def gridded_stream(reader: XdfReader, info: StreamInfo, *, sfreq: float | None = None) -> Chunk:
    """Return one whole stream on the sample grid, in SI units; empty where it has no value."""
    parts = [chunk for chunk in gridded_chunks(reader, info, sfreq=sfreq) if chunk.n]
    return joined(parts) if parts else no_samples(grid_stages(info, sfreq=sfreq).start(info))


def markers_of(reader: XdfReader) -> tuple[Marker, ...]:
    """Return the markers of people and programs, in order of time; not what a run says of itself.

    Texts of several channels are joined by commas.
    """
    found: list[Marker] = []
    for item in reader.items():
        if isinstance(item, Event) and item.kind is EventKind.MARKER:
            found.append(Marker(item.time, item.text, item.stream or "markers"))
        elif isinstance(item, Chunk) and is_markers(item.info):
            for time, row in zip(item.times.tolist(), item.data, strict=True):
                found.append(Marker(time, ", ".join(map(str, row)), item.info.name))
    found = [marker for marker in found if np.isfinite(marker.time)]
    return tuple(sorted(found, key=lambda marker: marker.time))


def is_markers(info: StreamInfo) -> bool:
    """Tell streams of markers from other text: packets and health are written for programs."""
    return info.is_text and info.content_type not in NO_MARKERS


def is_signal(info: StreamInfo) -> bool:
    """Tell regular streams of numbers that were measured, not computed."""
    return not info.is_text and info.sfreq > 0 and not is_derived(info)


def is_derived(info: StreamInfo) -> bool:
    """Tell streams that a run computed, estimates and features, from what was measured or rated."""
    return info.name.startswith(_DERIVED)
