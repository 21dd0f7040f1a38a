"""Recognise chunks of known streams where lengths, counts or headers are damaged."""

from __future__ import annotations

import mmap
import re
from collections.abc import Iterator, Mapping

from biosense.acquisition.stream_xml import parse_info
from biosense.acquisition.xdf.chunk_scanner import RawChunk
from biosense.acquisition.xdf.layout import BOUNDARY, Malformed, Tag, read_length, unpack_offset
from biosense.acquisition.xdf.sample_layout import SampleLayout
from biosense.core.errors import BadInput
from biosense.core.types import StreamInfo

_TAG = rb"[\x01-\x06]\x00"
_HEADS = re.compile(rb"\x01.(?=%b)|\x04.{4}(?=%b)|\x08.{8}(?=%b)" % (_TAG, _TAG, _TAG), re.DOTALL)
_FORMS = (4, 1, 8)  # bytes that a length may have, the usual one first
_XML = (Tag.FILE_HEADER, Tag.STREAM_HEADER, Tag.STREAM_FOOTER)
_XML_BEGIN = b"<info>"
_XML_END = b"</info>"
_FIELD = re.compile(
    r"<(name|type|channel_count|channel_format|source_id|nominal_srate)>([^<]*)</\1>"
)


class KnownStreams:
    """Recognise the chunks of a file by the layouts of its streams.

    Parameters
    ----------
    data
        The file.
    layouts
        Of the streams found so far, by stream id; grows as the file is read.

    Examples
    --------
    >>> from biosense.acquisition.xdf.layout import pack_chunk
    >>> layout = SampleLayout(StreamInfo("n", None, ("n",), 1.0, dtype="int8"))
    >>> content = bytes.fromhex("0101 08 0000000000001440 07")
    >>> chunk = pack_chunk(Tag.SAMPLES, content, 1)
    >>> broken = bytes([4, 255]) + chunk[2:]
    >>> known = KnownStreams(broken, {1: layout})
    >>> known.mended(0).content == content, known.declared(0)
    (True, (1, 1))
    """

    def __init__(self, data: bytes | mmap.mmap, layouts: Mapping[int, SampleLayout]) -> None:
        self._data = data
        self._layouts = layouts

    def is_sound(self, chunk: RawChunk) -> bool:
        """Tell whether a chunk is what it claims to be, to the last byte."""
        try:
            if chunk.tag in _XML:
                return chunk.content.lstrip().startswith(b"<")
            if chunk.tag == Tag.SAMPLES:
                stamps, _ = self._layouts[chunk.stream_id].unpack(chunk.content, 0.0)
                return len(stamps) > 0
            if chunk.tag == Tag.CLOCK_OFFSET:
                unpack_offset(chunk.content)
                return chunk.stream_id in self._layouts
        except (Malformed, KeyError):
            return False
        return chunk.tag == Tag.BOUNDARY and chunk.content == BOUNDARY

    def mended(self, start: int) -> RawChunk | None:
        """Return the chunk at `start` if only its length is wrong."""
        for form in _FORMS:
            tag, stream_id, at = self._named(start, form)
            if tag == Tag.BOUNDARY and self._data[at - 4 : at + 12] == BOUNDARY:
                return RawChunk(tag, -1, start, at + 12, BOUNDARY)
            try:
                stop = at + self._size(tag, stream_id, at)
            except (Malformed, KeyError):
                continue
            if stop <= len(self._data):
                return RawChunk(tag, stream_id, start, stop, self._data[at:stop])
        return None

    def candidates(self, start: int, stop: int) -> Iterator[int]:
        """Yield where chunks may start."""
        for match in _HEADS.finditer(self._data, start, stop):
            yield match.start()

    def recounted(self, chunk: RawChunk) -> bytes | None:
        """Return the content of a Samples chunk if only its number of samples is wrong."""
        layout = self._layouts.get(chunk.stream_id)
        if chunk.tag != Tag.SAMPLES or layout is None:
            return None
        return layout.recounted(chunk.content)

    def declared(self, start: int) -> tuple[int, int] | None:
        """Return stream id and number of samples of an unusable Samples chunk, if it says so."""
        for form in _FORMS:
            tag, stream_id, at = self._named(start, form)
            if tag == Tag.SAMPLES and stream_id in self._layouts:
                try:
                    return stream_id, read_length(self._data[at : at + 9], 0)[0]
                except Malformed:
                    return stream_id, 0
        return None

    def _named(self, start: int, form: int) -> tuple[int, int, int]:
        """Return tag, stream id and start of the content behind a length of so many bytes."""
        at = start + 1 + form
        tag = int.from_bytes(self._data[at : at + 2], "little")
        return tag, int.from_bytes(self._data[at + 2 : at + 6], "little"), at + 6

    def _size(self, tag: int, stream_id: int, at: int) -> int:
        if tag == Tag.SAMPLES:
            return self._layouts[stream_id].size(self._data, at)
        if tag == Tag.CLOCK_OFFSET and stream_id in self._layouts:
            return 16
        if tag in (Tag.STREAM_HEADER, Tag.STREAM_FOOTER) and self._data[at : at + 1] == b"<":
            end = self._data.find(_XML_END, at)
            # Another one's end may follow where this one has lost its own.
            if end >= 0 and self._data[at:end].count(_XML_BEGIN) == 1:
                return end + len(_XML_END) - at
        raise Malformed(f"no chunk of a known stream is at byte {at}")


def damaged_header(xml: str) -> StreamInfo | None:
    """Return what can be saved of a stream header that is no valid XML.

    What says how to read the samples stands at its beginning; the description behind it may hold
    anything.

    >>> damaged_header("<info><name>n</name><channel_count>1</channel_count><channel_format>int8"
    ...     "</channel_format><nominal_srate>4</nominal_srate><desc><x>").sfreq
    4.0
    """
    fields = {tag: f"<{tag}>{text}</{tag}>" for tag, text in reversed(_FIELD.findall(xml))}
    try:
        return parse_info(f"<info>{''.join(fields.values())}</info>")
    except BadInput:
        return None
