"""Fewer, longer chunks where nobody waits for them: the same results, several times as fast."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from biosense.core.types import Chunk


@dataclass
class ChunkJoiner:
    """Join the chunks of each stream until they are some seconds long.

    Stages give the same results however a stream is cut, so what is computed of one stream does not
    change. The order between streams does: not for use before a join.

    Parameters
    ----------
    seconds
        Length from which on a chunk is given out.

    Examples
    --------
    >>> from biosense.core import StreamInfo
    >>> info = StreamInfo("eda", None, ("eda",), 4.0, "S")
    >>> joiner = ChunkJoiner(1.0)
    >>> joiner.push(Chunk.of(info, [0.0, 0.25], [[1.0], [2.0]]))
    []
    >>> [chunk.n for chunk in joiner.push(Chunk.of(info, [1.0], [[3.0]]))]
    [3]
    """

    seconds: float = 4.0
    _waiting: dict[str, list[Chunk]] = field(default_factory=dict, init=False, repr=False)

    def push(self, chunk: Chunk) -> list[Chunk]:
        """Take a chunk; return a longer one if it is complete."""
        if chunk.n == 0:
            return []
        if chunk.info.is_text:
            return [chunk]
        waiting = self._waiting.setdefault(chunk.info.name, [])
        waiting.append(chunk)
        if chunk.times[-1] - waiting[0].times[0] < self.seconds:
            return []
        del self._waiting[chunk.info.name]
        return [joined(waiting)]

    def flush(self) -> list[Chunk]:
        """Return what is left of every stream."""
        left = [joined(waiting) for waiting in self._waiting.values()]
        self._waiting.clear()
        return left


def joined(chunks: list[Chunk]) -> Chunk:
    """Return chunks of one stream as one, in their order; without the sender's stamps.

    Parameters
    ----------
    chunks
        Of one stream, at least one.

    Returns
    -------
    Chunk
    """
    if len(chunks) == 1:
        return chunks[0]
    return Chunk(
        chunks[-1].info,
        np.concatenate([chunk.times for chunk in chunks]),
        np.concatenate([chunk.data for chunk in chunks]),
        np.concatenate([chunk.ok for chunk in chunks]),
        arrived=chunks[-1].arrived,
    )
