"""What a run publishes over LSL: estimates, events, markers, on request features, raw streams."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterable
from dataclasses import replace

import numpy as np

from biosense.core.own_streams import (
    OWN_FEATURES,
    OWN_MARKERS,
    OWN_PREFIX,
    is_packets,
    own_source_id,
)
from biosense.core.source import Source
from biosense.core.types import TEXT, Chunk, Epoch, StreamInfo
from biosense.live.output.lsl_outlet import LslOutlet

MARKERS = StreamInfo(
    OWN_MARKERS, None, ("marker",), 0.0, "", OWN_MARKERS, TEXT, content_type="Markers"
)
_LINGER_S = 0.5  # readers take what was sent last; with the outlet it would be gone


class Publisher:
    """Keep the LSL outlets of a run; for any thread.

    Parameters
    ----------
    run
        Tells the streams that the run itself writes (estimates, events, ..) from those of another
        run: it ends their source ids.
    """

    def __init__(self, run: str = "") -> None:
        self._run = run
        self._outlets: dict[str, LslOutlet] = {}
        self._lock = threading.Lock()
        self._closed = False

    def open(self, infos: Iterable[StreamInfo]) -> None:
        """Announce streams, so that others find them before their first sample."""
        with self._lock:
            for info in infos:
                self._outlets[info.name] = self._outlet(info)

    def push(self, chunk: Chunk) -> None:
        """Send samples, after `close` nowhere; a stream that is new is announced now."""
        with self._lock:
            if self._closed:
                return
            outlet = self._outlets.get(chunk.info.name)
            if outlet is None:
                outlet = self._outlets[chunk.info.name] = self._outlet(chunk.info)
            outlet.push(chunk)

    def close(self) -> None:
        """Take the streams off the network."""
        with self._lock:
            self._closed = True
            for outlet in self._outlets.values():
                outlet.close()
            self._outlets.clear()

    def _outlet(self, info: StreamInfo) -> LslOutlet:
        own = info.name.startswith(OWN_PREFIX)
        source_id = own_source_id(info.source_id, self._run) if own else info.source_id
        return LslOutlet(replace(info, source_id=source_id))


def text_chunk(info: StreamInfo, time: float, text: str) -> Chunk:
    """Make one sample of a marker stream.

    Parameters
    ----------
    info
        A stream of text.
    time
        Session time, seconds.
    text
        The marker.

    Returns
    -------
    Chunk
        One sample.
    """
    return Chunk(info, np.array([time]), np.array([[text]], object), np.ones(1, bool))


def feature_info(info: StreamInfo) -> StreamInfo:
    """Describe the published stream of a modality's features; its last channel is the quality.

    Parameters
    ----------
    info
        What the pipeline of the modality gives out.

    Returns
    -------
    StreamInfo
        One channel a feature, then `quality`.
    """
    return StreamInfo(
        f"{OWN_FEATURES}{info.modality}",
        None,
        (*info.channels, "quality"),
        info.sfreq,
        source_id=f"{OWN_FEATURES}{info.modality}",
        content_type="Features",
    )


def feature_chunk(epoch: Epoch) -> Chunk:
    """Make the sample of an epoch of features.

    Parameters
    ----------
    epoch
        Features of one modality.

    Returns
    -------
    Chunk
        One sample.
    """
    row = np.append(epoch.data, epoch.quality)[None]
    return Chunk(feature_info(epoch.info), np.array([epoch.stop]), row, np.ones(1, bool))


async def publish_source(source: Source, *, label: str = "") -> int:
    """Send everything that a source brings over LSL, until it ends; returns the number of samples.

    Parameters
    ----------
    source
        Not yet entered.
    label
        If given, each stream's source id becomes `<label>-<last word of its own>`.

    Returns
    -------
    int
        Samples sent.
    """
    samples = 0
    async with source:
        shown = (info for info in source.infos if not is_packets(info))
        infos = {info.name: _labelled(info, label) for info in shown}
        publisher = Publisher()
        publisher.open(infos.values())
        try:
            async for item in source:
                if isinstance(item, Chunk) and item.info.name in infos:
                    publisher.push(replace(item, info=infos[item.info.name]))
                    samples += item.n
            await asyncio.sleep(_LINGER_S)
        finally:
            publisher.close()
    return samples


def _labelled(info: StreamInfo, label: str) -> StreamInfo:
    if not label:
        return info
    return replace(info, source_id=f"{label}-{info.source_id.rsplit('-', 1)[-1]}")
