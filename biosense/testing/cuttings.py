"""Ways to cut a stream into chunks: what a stage gives does not depend on them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import cycle, repeat

from biosense.core.types import Chunk, Epoch

Cutting = Callable[[], Iterator[int]]
"""Makes the sizes of the chunks, without end."""

Stream = Chunk | Sequence[Epoch]
"""A whole stream: samples as one chunk, or epochs one by one."""

CUTTINGS: dict[str, Cutting] = {
    "ones": lambda: repeat(1),
    "primes": lambda: cycle((2, 3, 5, 7, 11, 13, 17, 19, 23)),
    "ragged with empties": lambda: cycle((0, 0, 1, 64, 0, 5, 1, 1, 0, 333, 2)),
    "whole": lambda: repeat(1 << 40),
}


def split(chunk: Chunk, sizes: Iterator[int]) -> list[Chunk]:
    """Cut a chunk into pieces of the given sizes, the rest in the last one."""
    pieces, start = [], 0
    while start < chunk.n:
        stop = min(start + next(sizes), chunk.n)
        pieces.append(chunk.slice(start, stop))
        start = stop
    return [*pieces, chunk.slice(chunk.n, chunk.n)]


def cut_stream(stream: Stream, cutting: Cutting) -> list[Chunk] | list[Epoch]:
    """Cut a stream of samples; epochs come one by one whatever the cutting."""
    return split(stream, cutting()) if isinstance(stream, Chunk) else list(stream)
