"""Two small XDF files of other programs: odd footers, streams without a sample.

Laid out by hand from the format's description, apart from our writer.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from pathlib import Path

import numpy as np

MAGIC = b"XDF:"
HEADER, STREAM_HEADER, SAMPLES, OFFSET, FOOTER = 1, 2, 3, 4, 6
OFFSETS = ((6.1, -0.1), (7.1, -0.1))


def minimal(path: Path) -> None:
    """Write nine samples of EEG and nine words; both footers contradict the clock offsets."""
    stamps = 5.1 + 0.1 * np.arange(9)
    first = [(192, 255, 238), *((12 + k, 22 + k, 32 + k) for k in range(8))]
    numbers = [struct.pack("<3h", *row) for row in first]
    footer = (
        "<info><first_timestamp>5.1</first_timestamp><last_timestamp>5.9</last_timestamp>"
        "<sample_count>9</sample_count><clock_offsets>"
        "<offset><time>50979.76</time><value>-.01</value></offset>"
        "<offset><time>50979.86</time><value>-.02</value></offset></clock_offsets></info>"
    )
    words = [footer, *("Hello", "World", "from", "LSL") * 2]
    texts = [_sized(text.encode()) for text in words]
    path.write_bytes(
        MAGIC
        + _chunk(HEADER, b"<info><version>1.0</version></info>")
        + _chunk(STREAM_HEADER, _described("SendDataC", "EEG", 3, "int16", 10), 0)
        + _chunk(STREAM_HEADER, _described("SendDataString", "StringMarker", 1, "string", 10), 7)
        + _chunk(SAMPLES, _samples(stamps, numbers), 0)
        + b"".join(_chunk(OFFSET, struct.pack("<2d", *each), 0) for each in OFFSETS)
        + _chunk(SAMPLES, _samples(stamps, texts), 7)
        + _chunk(FOOTER, footer.encode(), 0)
        + _chunk(FOOTER, footer.encode(), 7)
    )


def empty_streams(path: Path) -> None:
    """Write a marker, a counter at 1 Hz, and two streams that never sent anything."""
    named = [
        ("ctrl", "control", "string", 0),
        ("Data stream: test stream 0 counter", "data", "int32", 1),
        ("events", "Markers", "string", 0),
        ("test stream 1", "data", "float32", 1),
    ]
    begin = 91725.213948
    held = {
        0: _samples([91725.014004], [_sized(b'{"state": 2}')]),
        1: _samples(begin + np.arange(10), [struct.pack("<i", k) for k in range(10)]),
    }
    file = MAGIC + _chunk(HEADER, b"<info><version>1.0</version></info>")
    for number, (name, kind, dtype, rate) in enumerate(named):
        file += _chunk(STREAM_HEADER, _described(name, kind, 1, dtype, rate), number)
    for number in range(len(named)):
        for k in range(7):
            measured = struct.pack("<2d", begin + 5 * k, 1e-5 * (k % 3))
            file += _chunk(OFFSET, measured, number)
        if number in held:
            file += _chunk(SAMPLES, held[number], number)
    footers = (_chunk(FOOTER, b"<info><sample_count/></info>", n) for n in range(len(named)))
    path.write_bytes(file + b"".join(footers))


def _chunk(tag: int, content: bytes, number: int | None = None) -> bytes:
    body = struct.pack("<H", tag) + (b"" if number is None else struct.pack("<I", number)) + content
    return _length(len(body)) + body


def _length(size: int) -> bytes:
    return struct.pack("<BB", 1, size) if size < 256 else struct.pack("<BI", 4, size)


def _sized(text: bytes) -> bytes:
    return _length(len(text)) + text


def _samples(stamps: Sequence[float], values: Sequence[bytes]) -> bytes:
    rows = (b"\x08" + struct.pack("<d", t) + v for t, v in zip(stamps, values, strict=True))
    return _length(len(values)) + b"".join(rows)


def _described(name: str, kind: str, channels: int, dtype: str, rate: float) -> bytes:
    return (
        f"<info><name>{name}</name><type>{kind}</type><channel_count>{channels}</channel_count>"
        f"<nominal_srate>{rate}</nominal_srate><channel_format>{dtype}</channel_format>"
        "<created_at>50942.7</created_at><desc/></info>"
    ).encode()
