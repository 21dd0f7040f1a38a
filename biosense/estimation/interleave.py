"""Whole streams in small pieces, as a run would have got them."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise

import numpy as np

from biosense.core.types import Chunk

CUT_S = 0.5


def interleave(streams: Iterable[Chunk], seconds: float = CUT_S) -> list[Chunk]:
    """Cut whole streams into pieces, in the order in which they would have come.

    Parameters
    ----------
    streams
        Whole streams.
    seconds
        Longest piece, seconds.

    Returns
    -------
    list of Chunk
        In the order of their last samples.
    """
    pieces: list[tuple[float, Chunk]] = []
    for stream in streams:
        if stream.n == 0:
            continue
        ends = np.arange(stream.times[0] + seconds, stream.times[-1] + seconds, seconds)
        cuts = [0, *np.searchsorted(stream.times, ends).tolist(), stream.n]
        for start, stop in pairwise(cuts):
            if stop > start:
                pieces.append((float(stream.times[stop - 1]), stream.slice(start, stop)))
    return [piece for _, piece in sorted(pieces, key=lambda piece: piece[0])]
