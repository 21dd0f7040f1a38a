"""Walk through the chunks of an XDF file, whatever wrote it and however it ends."""

from __future__ import annotations

import logging
import mmap
from collections.abc import Iterator
from dataclasses import dataclass, replace
from xml.etree import ElementTree

import numpy as np
from numpy.typing import NDArray

from biosense.acquisition.stream_xml import parse_info, parse_xml
from biosense.acquisition.xdf.layout import (
    BOUNDARY,
    MAGIC,
    STREAM_TAGS,
    Malformed,
    SampleLayout,
    Tag,
    read_length,
    unpack_offset,
)
from biosense.core.errors import BadInput
from biosense.core.types import Floats, StreamInfo

_log = logging.getLogger(__name__)
_TAGS = frozenset(int(tag) for tag in Tag)
_HEAD = 15  # bytes of the longest length, tag and stream id


@dataclass(frozen=True)
class Damage:
    """Tell which bytes of a file could not be used, and why."""

    start: int
    stop: int
    reason: str

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


@dataclass(frozen=True)
class FileHeader:
    """Hold the file's own header."""

    root: ElementTree.Element


@dataclass(frozen=True)
class Header:
    """Announce stream `number`, counted from 0 in the order of the file."""

    number: int
    info: StreamInfo


@dataclass(frozen=True, eq=False)
class Samples:
    """Hold samples of stream `number` with the sender's stamps."""

    number: int
    stamps: Floats
    data: NDArray[np.generic]


@dataclass(frozen=True)
class Offset:
    """Hold a clock measurement of stream `number`."""

    number: int
    time: float
    offset: float


@dataclass(frozen=True)
class Footer:
    """Mark the end of stream `number`."""

    number: int


Parsed = FileHeader | Header | Samples | Offset | Footer


class ChunkWalker:
    """Iterate over the chunks of a file; damage is stepped over to the next boundary.

    Examples
    --------
    >>> from biosense.acquisition.xdf.layout import pack_chunk
    >>> walker = ChunkWalker(MAGIC + pack_chunk(Tag.BOUNDARY, BOUNDARY) + bytes([4, 9]))
    >>> [chunk.tag for chunk in walker], walker.damage[0].start
    ([5], 27)
    """

    def __init__(self, data: bytes | mmap.mmap) -> None:
        self.damage: list[Damage] = []
        self._data = data
        self._at = len(MAGIC)

    def __iter__(self) -> Iterator[RawChunk]:
        while self._at < len(self._data):
            start = self._at
            try:
                chunk = self._read(start)
            except Malformed as error:
                self._skip(start, str(error))
                continue
            if chunk.tag not in _TAGS and not self._continues(chunk.stop):
                self._skip(start, f"tag {chunk.tag} is unknown and nothing follows it")
                continue
            self._at = chunk.stop
            yield chunk

    def reject(self, chunk: RawChunk, reason: str) -> None:
        """Say that the chunk just given is no good: walk on behind it, if there is a chunk."""
        if self._continues(chunk.stop):
            self._note(Damage(chunk.start, chunk.stop, reason))
        else:
            self._skip(chunk.start, reason)

    def _continues(self, at: int) -> bool:
        if at == len(self._data):
            return True
        try:
            self._head(at)
        except Malformed:
            return False
        return True

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

    def _read(self, start: int) -> RawChunk:
        tag, at, stop = self._head(start)
        content = self._data[at:stop]
        if tag not in STREAM_TAGS:
            return RawChunk(tag, -1, start, stop, content)
        if len(content) < 4:
            raise Malformed(f"the chunk at byte {start} names no stream")
        stream_id = int.from_bytes(content[:4], "little")
        return RawChunk(tag, stream_id, start, stop, content[4:])

    def _skip(self, start: int, reason: str) -> None:
        found = self._data.find(BOUNDARY, start + 1)
        self._at = len(self._data) if found < 0 else found + len(BOUNDARY)
        self._note(Damage(start, self._at, reason))

    def _note(self, damage: Damage) -> None:
        _log.debug("bytes %d to %d: %s", damage.start, damage.stop, damage.reason)
        before = self.damage[-1] if self.damage else None
        if before and before.stop == damage.start and before.reason == damage.reason:
            self.damage[-1] = replace(before, stop=damage.stop)
        else:
            self.damage.append(damage)


class XdfParser:
    """Turn chunks into headers, samples and clock offsets; what cannot be used goes to `damage`.

    Streams are counted in the order of their headers: a repeated stream id begins a new stream, a
    repeated name gets " (2)".
    """

    def __init__(self, data: bytes | mmap.mmap) -> None:
        self._walker = ChunkWalker(data)
        self._streams: dict[int, tuple[int, SampleLayout]] = {}
        self._names: set[str] = set()
        self._last: dict[int, float] = {}

    @property
    def damage(self) -> list[Damage]:
        """Bytes that could not be used so far."""
        return self._walker.damage

    def __iter__(self) -> Iterator[Parsed]:
        for _, parsed in self.pairs():
            if parsed is not None:
                yield parsed

    def pairs(self) -> Iterator[tuple[RawChunk, Parsed | None]]:
        """Yield each usable chunk with its content, None where that says nothing (a boundary)."""
        for chunk in self._walker:
            try:
                parsed = self._parse(chunk)
            except (Malformed, BadInput) as error:
                self._walker.reject(chunk, str(error))
                continue
            yield chunk, parsed

    def _parse(self, chunk: RawChunk) -> Parsed | None:
        if chunk.tag == Tag.FILE_HEADER:
            return FileHeader(parse_xml(chunk.content.decode("utf-8", "replace")))
        if chunk.tag == Tag.STREAM_HEADER:
            return self._header(chunk)
        if chunk.tag not in STREAM_TAGS:
            return None
        if chunk.stream_id not in self._streams:
            raise Malformed(f"stream {chunk.stream_id} has no usable header")
        number, layout = self._streams[chunk.stream_id]
        if chunk.tag == Tag.SAMPLES:
            stamps, data = layout.unpack(chunk.content, self._last.get(number, 0.0))
            if len(stamps):
                self._last[number] = float(stamps[-1])
            return Samples(number, stamps, data)
        if chunk.tag == Tag.CLOCK_OFFSET:
            return Offset(number, *unpack_offset(chunk.content))
        return Footer(number)

    def _header(self, chunk: RawChunk) -> Header:
        self._streams.pop(chunk.stream_id, None)  # the old stream ends here, readable or not
        info = parse_info(chunk.content.decode("utf-8", "replace"))
        name, copy = info.name, 1
        while name in self._names:
            copy += 1
            name = f"{info.name} ({copy})"
        self._names.add(name)
        number = len(self._names) - 1
        info = replace(info, name=name)
        self._streams[chunk.stream_id] = number, SampleLayout(info)
        return Header(number, info)
