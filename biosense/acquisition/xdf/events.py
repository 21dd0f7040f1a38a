"""Events of a run as samples of a text stream, and back."""

from __future__ import annotations

import json
from collections.abc import Iterator

import numpy as np

from biosense.core.own_streams import HEALTH_TYPE, OWN_EVENTS, RAW_PACKETS
from biosense.core.types import TEXT, Chunk, Event, EventKind, StreamInfo

EVENTS = StreamInfo(
    OWN_EVENTS,
    None,
    ("event",),
    0.0,
    source_id=OWN_EVENTS,
    dtype=TEXT,
    content_type="Markers",
)
"""The stream of a recording that holds its events: JSON with "kind", "stream" and "text"."""

NO_MARKERS = (RAW_PACKETS, HEALTH_TYPE)
"""Content types of text streams that programs write for programs: hundreds of samples a minute."""


def event_chunk(event: Event) -> Chunk:
    """Return an event as one sample of `EVENTS`, stamped at the event.

    Parameters
    ----------
    event
        What happened.

    Returns
    -------
    Chunk
        One sample of text.

    Examples
    --------
    >>> chunk = event_chunk(Event(2.5, EventKind.GAP, "chest", "3 s"))
    >>> chunk.data[0, 0], next(chunk_events(chunk)).text
    ('{"kind": "gap", "stream": "chest", "text": "3 s"}', '3 s')
    """
    content = {"kind": event.kind, "stream": event.stream, "text": event.text}
    return Chunk.of(EVENTS, [event.time], [[json.dumps(content, ensure_ascii=False)]])


def chunk_events(chunk: Chunk) -> Iterator[Event | Chunk]:
    """Yield what `event_chunk` was given; a sample that is no event is given back as it is.

    Parameters
    ----------
    chunk
        Samples of a stream of events.

    Yields
    ------
    Event or Chunk
        Events in their order.
    """
    for number in range(chunk.n):
        event = _event(float(chunk.times[number]), str(chunk.data[number, 0]))
        yield chunk.slice(number, number + 1) if event is None else event


def _event(time: float, text: str) -> Event | None:
    try:
        content = json.loads(text)
        return Event(time, EventKind(content["kind"]), str(content["stream"]), str(content["text"]))
    except (ValueError, KeyError, TypeError):
        return None


def no_samples(info: StreamInfo) -> Chunk:
    """Return an empty chunk of a stream.

    Parameters
    ----------
    info
        The stream.

    Returns
    -------
    Chunk
        Of shape (0, channels).
    """
    return Chunk.of(info, [], np.empty((0, info.n_channels)))
