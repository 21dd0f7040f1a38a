"""Cut whole streams into spans in which each of them either goes on or is silent."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise

import numpy as np

from biosense.core.types import Chunk, Floats
from biosense.estimation.signal_quality import usable_rows

BREAK_S = 0.5  # a stream without a sample for longer is silent
LONGEST_S = 64.0
MOST_VALUES = 4_000_000  # of one stream in one span, 32 MB


def spans(streams: Iterable[Chunk]) -> list[list[Chunk]]:
    """Cut streams at the same moments, for `Processor.push_span`; absent ones are left out.

    Inside a span a stream has no gap longer than 0.5 s, or nothing at all: where it begins, ends
    and is interrupted a new span begins for all. Streams without a rate may pause as they like.

    Parameters
    ----------
    streams
        Whole ones, a chunk each.

    Returns
    -------
    list of list of Chunk
        The chunks of each span.

    Examples
    --------
    >>> from biosense.core import StreamInfo
    >>> eda = Chunk.of(StreamInfo("eda", None, ("eda",), 4.0), np.arange(40) / 4, np.zeros((40, 1)))
    >>> temp = Chunk.of(StreamInfo("temp", None, ("t",), 1.0), np.arange(3.0, 6), np.zeros((3, 1)))
    >>> [[(each.info.name, each.n) for each in span] for span in spans([eda, temp])]
    [[('eda', 12)], [('eda', 9), ('temp', 3)], [('eda', 19)]]
    """
    present = [stream for stream in streams if stream.n]
    if not present:
        return []
    cuts = [np.searchsorted(stream.times, _edges(present)).tolist() for stream in present]
    found = []
    for bounds in pairwise(zip(*cuts, strict=True)):
        parts = zip(present, *bounds, strict=True)
        span = [stream.slice(start, stop) for stream, start, stop in parts if stop > start]
        if span:
            found.append(span)
    return found


def _edges(streams: Sequence[Chunk]) -> Floats:
    """Return where spans begin, and a time behind the last sample."""
    breaks = [_breaks(stream) for stream in streams if stream.info.sfreq > 0]
    ends = [(float(stream.times[0]), _behind(stream.times[-1])) for stream in streams]
    first, last = min(start for start, _ in ends), max(stop for _, stop in ends)
    edges = np.unique(np.concatenate([[first, last], *breaks]))
    densest = max(stream.info.n_channels * max(stream.info.sfreq, 1.0) for stream in streams)
    longest = min(LONGEST_S, max(1.0, MOST_VALUES / densest))
    shorter = [np.arange(start, stop, longest) for start, stop in pairwise(edges)]
    return np.concatenate([*shorter, [last]])


def _breaks(stream: Chunk) -> Floats:
    """Return where a stream begins to send numbers, and where it has sent the last for a while."""
    times = stream.times[usable_rows(stream)]
    if len(times) == 0:
        return np.empty(0)
    silent = np.flatnonzero(np.diff(times) > max(BREAK_S, 1.5 / stream.info.sfreq))
    stops = np.nextafter(times[silent], np.inf)
    return np.concatenate([times[:1], stops, times[silent + 1], [_behind(times[-1])]])


def _behind(time: float) -> float:
    return float(np.nextafter(time, np.inf))
