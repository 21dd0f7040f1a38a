"""The bytes of XDF 1.0: chunks and samples.

Everything is little-endian. A file is `MAGIC` and then chunks `[length][tag][stream id][content]`,
where the length counts all that follows it.

References
----------
XDF 1.0, https://github.com/sccn/xdf/wiki/Specifications
"""

from __future__ import annotations

import mmap
import struct
from enum import IntEnum

import numpy as np

MAGIC = b"XDF:"
WRITER = "biosense"  # in the header of our own files
BOUNDARY = bytes.fromhex("43a546dccbf5410fb30ed5467383cbe4")

Bytes = bytes | memoryview
Sliced = bytes | mmap.mmap
LENGTH = struct.Struct("<BI")  # a length in its 4-byte form: constant size, accepted by all readers
_TAG = struct.Struct("<H")
_STREAM_ID = struct.Struct("<I")
_OFFSET = struct.Struct("<dd")
_SIZES = {1: "<B", 4: "<I", 8: "<Q"}


class Tag(IntEnum):
    """Name the kinds of chunks."""

    FILE_HEADER = 1
    STREAM_HEADER = 2
    SAMPLES = 3
    CLOCK_OFFSET = 4
    BOUNDARY = 5
    STREAM_FOOTER = 6


STREAM_TAGS = (Tag.STREAM_HEADER, Tag.SAMPLES, Tag.CLOCK_OFFSET, Tag.STREAM_FOOTER)


class Malformed(Exception):
    """Raise for bytes that are not what they should be; the reader goes on behind them."""


def pack_chunk(tag: int, content: bytes, stream_id: int | None = None) -> bytes:
    """Return a whole chunk.

    Parameters
    ----------
    tag
        Kind of the chunk.
    content
        What it holds.
    stream_id
        Of the stream, where the kind has one.

    Returns
    -------
    bytes
        Length, tag, number of the stream, content.

    Examples
    --------
    >>> pack_chunk(Tag.BOUNDARY, BOUNDARY)[:7].hex(" ")
    '04 12 00 00 00 05 00'
    """
    owner = b"" if stream_id is None else _STREAM_ID.pack(stream_id)
    return LENGTH.pack(4, 2 + len(owner) + len(content)) + _TAG.pack(tag) + owner + content


def pack_offset(time: float, offset: float) -> bytes:
    """Return the content of a ClockOffset chunk.

    Parameters
    ----------
    time
        Of the measurement, in the sender's clock, seconds.
    offset
        What is to be added to the sender's stamps, seconds.

    Returns
    -------
    bytes
        Content of a clock offset chunk.
    """
    return _OFFSET.pack(time, offset)


def unpack_offset(content: Bytes) -> tuple[float, float]:
    """Return time and offset of a ClockOffset chunk.

    Parameters
    ----------
    content
        Of a clock offset chunk.

    Returns
    -------
    tuple of float
        Time of the measurement, and offset, seconds.
    """
    if len(content) != _OFFSET.size:
        raise Malformed(f"a clock offset has {len(content)} bytes instead of {_OFFSET.size}")
    time, offset = _OFFSET.unpack(content)
    if not (np.isfinite(time) and np.isfinite(offset)):
        raise Malformed(f"a clock offset must be finite, got {time}, {offset}")
    return time, offset


def read_length(data: Bytes, at: int) -> tuple[int, int]:
    """Return the length that stands at `at`, and the position behind it."""
    form = _SIZES.get(data[at]) if at < len(data) else None
    if form is None or at + 1 + data[at] > len(data):
        raise Malformed(f"no length at byte {at}")
    return int(struct.unpack_from(form, data, at + 1)[0]), at + 1 + data[at]
