"""Turn the chunks of an XDF file, whatever wrote it and however it ends, into what they say."""

from __future__ import annotations

import mmap
from collections.abc import Iterator
from dataclasses import dataclass, replace
from xml.etree import ElementTree

import numpy as np
from numpy.typing import NDArray

from biosense.acquisition.stream_xml import parse_info, parse_xml
from biosense.acquisition.xdf.chunk_scanner import ChunkScanner, Damage, RawChunk
from biosense.acquisition.xdf.layout import BOUNDARY, STREAM_TAGS, Malformed, Tag, unpack_offset
from biosense.acquisition.xdf.salvage import KnownStreams, damaged_header
from biosense.acquisition.xdf.sample_layout import SampleLayout
from biosense.core.errors import BadInput
from biosense.core.types import Floats, StreamInfo


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
class SamplesChunk:
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
    """Mark the end of stream `number`; `samples` is how many it had, if that is said."""

    number: int
    samples: int | None = None


Parsed = FileHeader | Header | SamplesChunk | Offset | Footer


class XdfParser:
    """Turn chunks into headers, samples and clock offsets; what cannot be used goes to `damage`.

    Streams are counted in the order of their headers: a repeated stream id begins a new stream, a
    repeated name gets " (2)".

    Examples
    --------
    >>> from biosense.acquisition.xdf.layout import MAGIC
    >>> parser = XdfParser(MAGIC + bytes([4, 9]))
    >>> list(parser), len(parser.damage)
    ([], 1)
    """

    def __init__(self, data: bytes | mmap.mmap) -> None:
        self._layouts: dict[int, SampleLayout] = {}
        self._numbers: dict[int, int] = {}
        self._known = KnownStreams(data, self._layouts)
        self._scanner = ChunkScanner(data, self._known)
        self._names: set[str] = set()
        self._last: dict[int, tuple[float, int]] = {}  # stamp, and the damage before it

    @property
    def damage(self) -> list[Damage]:
        """Bytes that could not be used so far."""
        return self._scanner.damage

    def __iter__(self) -> Iterator[Parsed]:
        for _, parsed in self.pairs():
            if parsed is not None:
                yield parsed

    def pairs(self) -> Iterator[tuple[RawChunk, Parsed | None]]:
        """Yield each usable chunk with its content, None where that says nothing (a boundary)."""
        for chunk in self._scanner:
            try:
                yield chunk, self._parse(chunk)
            except (Malformed, BadInput) as error:
                yield from self._saved(chunk, str(error))

    def declared(self, damage: Damage) -> tuple[int, int] | None:
        """Return the number of the stream whose Samples chunk is damaged, and of its samples."""
        said = self._known.declared(damage.start)
        return None if said is None else (self._numbers[said[0]], said[1])

    def _saved(self, chunk: RawChunk, reason: str) -> Iterator[tuple[RawChunk, Parsed | None]]:
        """Yield what is left of a chunk that cannot be used as it is."""
        content = self._known.recounted(chunk)
        mended: RawChunk | None = None
        if content is not None:
            note = f"{reason}: it was recounted"
            self._scanner.note(Damage(chunk.start, chunk.start + 1, note, mended=True))
            mended = replace(chunk, content=content)
        else:
            mended = self._scanner.reject(chunk, reason)
        if mended is not None:
            try:
                yield mended, self._parse(mended)
            except (Malformed, BadInput) as error:
                self._scanner.note(Damage(mended.start, mended.stop, str(error)))
        elif chunk.tag == Tag.STREAM_HEADER:
            info = damaged_header(chunk.content.decode("utf-8", "replace"))
            if info is not None:
                yield chunk, self._announce(chunk.stream_id, info)

    def _parse(self, chunk: RawChunk) -> Parsed | None:
        if chunk.tag == Tag.FILE_HEADER:
            return FileHeader(parse_xml(chunk.content.decode("utf-8", "replace")))
        if chunk.tag == Tag.STREAM_HEADER:
            return self._header(chunk)
        if chunk.tag == Tag.BOUNDARY and chunk.content != BOUNDARY:
            raise Malformed("a boundary that is none")
        if chunk.tag not in STREAM_TAGS:
            return None
        if chunk.stream_id not in self._numbers:
            raise Malformed(f"stream {chunk.stream_id} has no usable header")
        number = self._numbers[chunk.stream_id]
        if chunk.tag == Tag.SAMPLES:
            layout = self._layouts[chunk.stream_id]
            last, damage = self._last.get(number, (0.0, 0))
            stamps, data = layout.unpack(chunk.content, last, continues=damage == len(self.damage))
            if len(stamps):
                self._last[number] = float(stamps[-1]), len(self.damage)
            return SamplesChunk(number, stamps, data)
        if chunk.tag == Tag.CLOCK_OFFSET:
            return Offset(number, *unpack_offset(chunk.content))
        return Footer(number, _sample_count(chunk.content))

    def _header(self, chunk: RawChunk) -> Header:
        self._layouts.pop(chunk.stream_id, None)  # the old stream ends here, readable or not
        self._numbers.pop(chunk.stream_id, None)
        return self._announce(chunk.stream_id, parse_info(chunk.content.decode("utf-8", "replace")))

    def _announce(self, stream_id: int, info: StreamInfo) -> Header:
        name, copy = info.name, 1
        while name in self._names:
            copy += 1
            name = f"{info.name} ({copy})"
        self._names.add(name)
        number = len(self._names) - 1
        info = replace(info, name=name)
        self._layouts[stream_id] = SampleLayout(info)
        self._numbers[stream_id] = number
        return Header(number, info)


def _sample_count(content: bytes) -> int | None:
    text = parse_xml(content.decode("utf-8", "replace")).findtext("sample_count")
    try:
        return int(text or "")
    except ValueError:
        return None
