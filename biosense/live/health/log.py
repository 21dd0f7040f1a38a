"""The health of streams as a stream of text: for the recording, the network and the log."""

from __future__ import annotations

import json
import logging
import math
from collections.abc import Iterable
from dataclasses import fields

import numpy as np

from biosense.core.own_streams import HEALTH_TYPE, OWN_HEALTH, OWN_MARKERS
from biosense.core.stream_status import StreamStatus, is_low
from biosense.core.types import TEXT, Chunk, StreamInfo

log = logging.getLogger(__name__)

HEALTH = StreamInfo(
    OWN_HEALTH, None, ("status",), 0.0, "", OWN_HEALTH, TEXT, content_type=HEALTH_TYPE
)
"""One JSON object per sample: the health of one stream at one moment, null where not known."""

EVERY_S = 5.0
_CONSTANT = ("modality", "channels", "unit", "nominal_hz", "source_id", "published")
_NAMES = tuple(field.name for field in fields(StreamStatus) if field.name not in _CONSTANT)


class HealthLog:
    """Say the health of every stream every 5 s, and of one whose state changes at once.

    Examples
    --------
    >>> from biosense.estimation.stream_health import StreamHealth
    >>> status = StreamHealth(StreamInfo("chest", None, ("ecg",), 130.0)).status(0.0)
    >>> chunks = HealthLog()
    >>> [len(chunks.push([status], now)) for now in (0.0, 1.0, 5.0)]
    [1, 0, 1]
    """

    def __init__(self) -> None:
        self._due = -math.inf
        self._states: dict[str, tuple[object, ...]] = {}

    def push(self, streams: Iterable[StreamStatus], now: float) -> list[Chunk]:
        """Return what is to be said at session time `now`, as samples of `HEALTH`."""
        all_due = now >= self._due
        if all_due:
            self._due = now + EVERY_S
        chunks = []
        for stream in _others(streams):
            state = _state(stream)
            if all_due or self._states.get(stream.name) != state:
                chunks.append(_chunk(stream, now))
            self._states[stream.name] = state
        return chunks

    def finish(self, streams: Iterable[StreamStatus], now: float) -> list[Chunk]:
        """Return the last word on every stream."""
        return [_chunk(stream, now) for stream in _others(streams)]


def _others(streams: Iterable[StreamStatus]) -> list[StreamStatus]:
    return [stream for stream in streams if stream.name != OWN_MARKERS]


def _state(stream: StreamStatus) -> tuple[object, ...]:
    return stream.state, stream.link, stream.contact, is_low(stream.battery)


def _chunk(stream: StreamStatus, now: float) -> Chunk:
    values = {name: _plain(getattr(stream, name)) for name in _NAMES}
    text = json.dumps(values, ensure_ascii=False, allow_nan=False)
    log.info("health %s", text)
    return Chunk(HEALTH, np.array([now]), np.array([[text]], object), np.ones(1, bool))


def _plain(value: object) -> object:
    if isinstance(value, float):
        return None if math.isnan(value) else round(value, 6)
    return value
