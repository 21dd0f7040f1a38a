"""Streams of a recording by name: which is meant, and how it is shown in a line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path

import numpy as np

from biosense.api.html import sparkline
from biosense.core.errors import BadInput
from biosense.core.types import Chunk, Modality, StreamInfo
from biosense.viz.palette import LIGHT, colour_name

STREAM_HEADS = ("stream", "modality", "channels", "Hz", "unit", "samples", "")
_SPARK_SAMPLES = 2000


def stream_named(streams: Mapping[str, StreamInfo], name: str, path: Path) -> StreamInfo:
    """Return a stream by its name, and answer a wrong one with the right ones."""
    if name in streams:
        return streams[name]
    close = get_close_matches(name, streams, 1)
    meant = f", did you mean {close[0]!r}?" if close else ""
    known = ", ".join(map(repr, streams)) or "none"
    raise BadInput(f"no stream {name!r} in {path}{meant}; there are: {known}")


def chosen_signal(signals: Sequence[StreamInfo], named: StreamInfo | None) -> StreamInfo:
    """Return the signal that is meant: the one named, else the EEG, else the only one there is.

    Parameters
    ----------
    signals
        Streams of a steady rate that were measured.
    named
        By the user; None where nothing was said.
    """
    if named is not None:
        if named not in signals:
            raise BadInput(f"{named.name!r} is no signal of a steady rate: take .to_pandas(..)")
        return named
    eeg = [info for info in signals if info.modality is Modality.EEG]
    for choice in (eeg, [info for info in signals if info.modality], signals):
        if len(choice) == 1:
            return choice[0]
    known = ", ".join(repr(info.name) for info in signals) or "none"
    raise BadInput(f"say which signal is meant: stream=, one of: {known}")


def stream_row(chunk: Chunk) -> tuple[object, ...]:
    """Return the line of a stream, under `STREAM_HEADS`."""
    info = chunk.info
    spark: object = ""
    if not info.is_text and chunk.n:
        column = chunk.data[:: max(1, chunk.n // _SPARK_SAMPLES), 0]
        spark = sparkline(column.astype(np.float64), LIGHT[colour_name(info.modality)])
    kind = info.modality or info.content_type
    return (info.name, kind, info.n_channels, info.sfreq or "irregular", info.unit, chunk.n, spark)


def no_samples(info: StreamInfo) -> Chunk:
    """Return a stream of which the recording holds no sample."""
    data = np.empty((0, info.n_channels), object if info.is_text else np.float64)
    return Chunk(info, np.empty(0), data, np.empty(0, bool))
