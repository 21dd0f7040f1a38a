"""Which stream of a recording is meant, and one at a time, so that memory holds no more."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from biosense.acquisition.xdf.events import NO_MARKERS, no_samples
from biosense.acquisition.xdf.reader import XdfReader
from biosense.core.errors import BadInput
from biosense.core.own_streams import AFFECT, OWN_FEATURES
from biosense.core.recording import Marker
from biosense.core.suggest import unknown_name
from biosense.core.types import Chunk, Event, EventKind, Modality, Record, StreamInfo
from biosense.estimation.chunk_joiner import ChunkJoiner, joined
from biosense.processing.offline.on_grid import grid_stages

_DERIVED = (AFFECT, OWN_FEATURES)
"""What names of streams begin with that a run computed."""


def find_stream(infos: Sequence[StreamInfo], name: str) -> StreamInfo:
    """Return the stream that a name means: its own, or its modality where no other has it.

    Parameters
    ----------
    infos
        The streams of a recording.
    name
        "polar-ecg", or "ecg" where only one stream is an ECG.

    Returns
    -------
    StreamInfo
        The stream that is meant.

    Raises
    ------
    BadInput
        If there is none, or there are several; the message names them.

    Examples
    --------
    >>> chest = StreamInfo("chest", Modality.ECG, ("ecg",), 130.0)
    >>> find_stream([chest], "ecg") is find_stream([chest], "chest")
    True
    """
    by_name = {info.name: info for info in infos}
    if name in by_name:
        return by_name[name]
    measured = [info for info in infos if info.modality == name and not is_derived(info)]
    if len(measured) > 1:
        names = ", ".join(repr(info.name) for info in measured)
        raise BadInput(f"several streams are of modality {name!r}, say which by name: {names}")
    if measured:
        return measured[0]
    raise unknown_name("stream", name, by_name, " in the recording")


def choose_signal(infos: Sequence[StreamInfo], name: str | None = None) -> StreamInfo:
    """Return the signal that is meant: the one named, else the EEG, else the only one.

    Parameters
    ----------
    infos
        The streams of a recording.
    name
        As for `find_stream`; None where nothing was said.

    Returns
    -------
    StreamInfo
        The signal that is meant.

    Raises
    ------
    BadInput
        If there is none, or several could be meant; the message names them.
    """
    signals = [info for info in infos if is_signal(info)]
    known = ", ".join(repr(info.name) for info in signals) or "none"
    if name is not None:
        info = find_stream(infos, name)
        if info not in signals:
            raise BadInput(f"{info.name!r} is no signal of a steady rate; those are: {known}")
        return info
    eeg = [info for info in signals if info.modality is Modality.EEG]
    of_body = [info for info in signals if info.modality is not None]
    for choice in (eeg, of_body, signals):
        if len(choice) == 1:
            return choice[0]
    raise BadInput(f"one stream is wanted, say which: {known}")


def chunks_of(reader: XdfReader, name: str) -> Iterator[Chunk]:
    """Yield the samples of one stream, some seconds at a time.

    Parameters
    ----------
    reader
        Of the recording.
    name
        Of the stream.

    Yields
    ------
    Chunk
        Samples in session time.
    """
    joiner = ChunkJoiner()
    for item in reader.items():
        if isinstance(item, Chunk) and item.info.name == name:
            yield from joiner.push(item)
    yield from joiner.flush()


def gridded_chunks(
    reader: XdfReader, info: StreamInfo, *, sfreq: float | None = None
) -> Iterator[Chunk]:
    """Yield the samples of one stream on the sample grid, in SI units, some seconds at a time.

    Parameters
    ----------
    reader
        Of the recording.
    info
        The stream.
    sfreq
        Rate of the grid, Hz; that of the stream where None.

    Yields
    ------
    Chunk
        Samples on the grid.
    """
    stages = grid_stages(info, sfreq=sfreq)
    stages.start(info)
    for chunk in chunks_of(reader, info.name):
        yield from stages.push(chunk)
    yield from stages.flush()


def gridded_stream(reader: XdfReader, info: StreamInfo, *, sfreq: float | None = None) -> Chunk:
    """Return one whole stream on the sample grid, in SI units; empty where it has no value.

    Parameters
    ----------
    reader
        Of the recording.
    info
        The stream.
    sfreq
        Rate of the grid, Hz; that of the stream where None.

    Returns
    -------
    Chunk
        All samples on the grid.
    """
    parts = [chunk for chunk in gridded_chunks(reader, info, sfreq=sfreq) if chunk.n]
    return joined(parts) if parts else no_samples(grid_stages(info, sfreq=sfreq).start(info))


def markers_of(reader: XdfReader) -> tuple[Marker, ...]:
    """Return the markers of people and programs, in order of time; not what a run says of itself.

    Texts of several channels are joined by commas.

    Parameters
    ----------
    reader
        Of the recording.

    Returns
    -------
    tuple of Marker
        In order of time.
    """
    found = (marker for item in reader.items() for marker in markers_in(item))
    return tuple(sorted(found, key=lambda marker: marker.time))


def markers_in(item: Record) -> list[Marker]:
    """Return the markers that one item of a recording holds; none where the time is unknown.

    Parameters
    ----------
    item
        Of a recording.

    Returns
    -------
    list of Marker
        In their order.
    """
    found = []
    if isinstance(item, Event) and item.kind is EventKind.MARKER:
        found = [Marker(item.time, item.text, item.stream or "markers")]
    elif isinstance(item, Chunk) and is_markers(item.info):
        texts = (", ".join(map(str, row)) for row in item.data)
        timed = zip(item.times.tolist(), texts, strict=True)
        found = [Marker(time, text, item.info.name) for time, text in timed]
    return [marker for marker in found if np.isfinite(marker.time)]


def is_markers(info: StreamInfo) -> bool:
    """Tell streams of markers from other text: packets and health are written for programs."""
    return info.is_text and info.content_type not in NO_MARKERS


def is_signal(info: StreamInfo) -> bool:
    """Tell regular streams of numbers that were measured, not computed."""
    return not info.is_text and info.sfreq > 0 and not is_derived(info)


def is_derived(info: StreamInfo) -> bool:
    """Tell streams that a run computed, estimates and features, from what was measured or rated."""
    return info.name.startswith(_DERIVED)
