"""Walk from chunk to chunk through an XDF file, past whatever is damaged."""

from __future__ import annotations

import logging
import mmap
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Protocol

from biosense.acquisition.xdf.layout import (
    BOUNDARY,
    MAGIC,
    STREAM_TAGS,
    Malformed,
    Tag,
    read_length,
)

_log = logging.getLogger(__name__)
_TAGS = frozenset(int(tag) for tag in Tag)
_HEAD = 15  # bytes of the longest length, tag and stream id


@dataclass(frozen=True)
class Damage:
    """Tell which bytes of a file could not be used, and why; `mended` if all the same nothing is
    missing.
    """

    start: int
    stop: int
    reason: str
    mended: bool = False

    @property
    def size(self) -> int:
        """Number of bytes."""
        return self.stop - self.start


@dataclass(frozen=True)
class RawChunk:
    """Hold one chunk as it stands in the file, from byte `start` to byte `stop`."""

    tag: int
    stream_id: int
    start: int
    stop: int
    content: bytes


class Salvage(Protocol):
    """Know the streams of a file well enough to recognise their chunks without a boundary."""

    def is_sound(self, chunk: RawChunk) -> bool:
        """Tell whether a chunk is what it claims to be."""
        ...

    def mended(self, start: int) -> RawChunk | None:
        """Return the chunk at `start` if only its length is wrong."""
        ...

    def candidates(self, start: int, stop: int) -> Iterator[int]:
        """Yield where chunks may start."""
        ...


class ChunkScanner:
    """Iterate over the chunks of a file.

    Behind damage it goes on at the next boundary, or before it at the first chunk that `salvage`
    recognises.

    Examples
    --------
    >>> from biosense.acquisition.xdf.layout import pack_chunk
    >>> scanner = ChunkScanner(MAGIC + pack_chunk(Tag.BOUNDARY, BOUNDARY) + bytes([4, 9]))
    >>> [chunk.tag for chunk in scanner], scanner.damage[0].start
    ([5], 27)
    """

    def __init__(self, data: bytes | mmap.mmap, salvage: Salvage | None = None) -> None:
        self.damage: list[Damage] = []
        self._data = data
        self._salvage = salvage
        self._at = len(MAGIC)

    def __iter__(self) -> Iterator[RawChunk]:
        while self._at < len(self._data):
            start = self._at
            try:
                chunk = self.read(start)
            except Malformed as error:
                chunk = self._mended(start, str(error))
            if chunk.tag not in _TAGS and not self.continues(chunk.stop):
                chunk = self._mended(start, f"tag {chunk.tag} is unknown and nothing follows it")
            if chunk.stop > start:
                self._at = chunk.stop
                yield chunk

    def read(self, start: int) -> RawChunk:
        """Return the chunk that starts at a byte, or raise Malformed."""
        tag, at, stop = self._head(start)
        content = self._data[at:stop]
        if tag not in STREAM_TAGS:
            return RawChunk(tag, -1, start, stop, content)
        if len(content) < 4:
            raise Malformed(f"the chunk at byte {start} names no stream")
        stream_id = int.from_bytes(content[:4], "little")
        return RawChunk(tag, stream_id, start, stop, content[4:])

    def reject(self, chunk: RawChunk, reason: str) -> RawChunk | None:
        """Say that the chunk just given is no good: walk on behind it, if there is a chunk.

        Returns the chunk with its true length, if that was all that is wrong.
        """
        mended = self._true(chunk.start)
        if mended is not None and mended.stop != chunk.stop:
            self._say_mended(chunk.start, reason)
            self._at = mended.stop
            return mended
        if self.continues(chunk.stop):
            self.note(Damage(chunk.start, chunk.stop, reason))
        else:
            self._step_over(chunk.start, reason)
        return None

    def continues(self, at: int) -> bool:
        """Tell whether a chunk, or the end of the file, is at a byte."""
        if at == len(self._data):
            return True
        try:
            self._head(at)
        except Malformed:
            return False
        return True

    def note(self, damage: Damage) -> None:
        """Take note of damage."""
        _log.debug("bytes %d to %d: %s", damage.start, damage.stop, damage.reason)
        before = self.damage[-1] if self.damage else None
        if before and before.stop == damage.start and before.reason == damage.reason:
            self.damage[-1] = replace(before, stop=damage.stop)
        else:
            self.damage.append(damage)

    def _head(self, at: int) -> tuple[int, int, int]:
        head = self._data[at : at + _HEAD]
        length, size = read_length(head, 0)
        if length < 2 or len(head) < size + 2:
            raise Malformed(f"the chunk at byte {at} has no tag")
        stop = at + size + length
        if stop > len(self._data):
            missing = stop - len(self._data)
            raise Malformed(f"the chunk at byte {at} lacks its last {missing} bytes")
        return int.from_bytes(head[size : size + 2], "little"), at + size + 2, stop

    def _mended(self, start: int, reason: str) -> RawChunk:
        """Return the chunk with its true length; where that fails an empty one, and step on."""
        chunk = self._true(start)
        if chunk is not None:
            self._say_mended(start, reason)
            return chunk
        self._step_over(start, reason)
        return RawChunk(Tag.BOUNDARY, -1, start, start, b"")

    def _true(self, start: int) -> RawChunk | None:
        chunk = self._salvage.mended(start) if self._salvage else None
        return chunk if chunk is not None and self.continues(chunk.stop) else None

    def _say_mended(self, start: int, reason: str) -> None:
        self.note(Damage(start, start + 1, f"{reason}; its true length was found", mended=True))

    def _step_over(self, start: int, reason: str) -> None:
        self._at = self._next(start + 1)
        self.note(Damage(start, self._at, reason))

    def _next(self, start: int) -> int:
        """Return where to go on behind damage."""
        found = self._data.find(BOUNDARY, start)
        stop = len(self._data) if found < 0 else found
        for at in self._salvage.candidates(start, stop) if self._salvage else ():
            if self._is_chunk(at):
                return at
        return stop if found < 0 else found + len(BOUNDARY)

    def _is_chunk(self, at: int) -> bool:
        assert self._salvage is not None
        try:
            chunk = self.read(at)
        except Malformed:
            return False
        return self.continues(chunk.stop) and self._salvage.is_sound(chunk)
