"""Files as LabRecorder writes them, byte for byte, with what is odd about them.

From the documented layout: headers as liblsl makes them, lengths in their shortest form, samples
pulled every 0.5 s, clock offsets every 5 s and none before, a boundary every 10 s, footers at the
end. A stamp that is the one before plus an interval is left out; behind one that was left out, the
next is not, since the recorder's own last stamp then runs an interval ahead.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass, field
from xml.sax.saxutils import escape

import numpy as np

from biosense.acquisition.xdf.layout import BOUNDARY, MAGIC

BEGIN = 5000.0  # the recorder's time at the beginning: every time of a sender counts from here
PULL_S, OFFSETS_S, BOUNDARY_S = 0.5, 5.0, 10.0
FORMATS = {"float32": "<f4", "double64": "<f8", "int32": "<i4", "int16": "<i2", "int8": "<i1"}


@dataclass
class Sender:
    """One stream: when its samples were taken in the recorder's time, and its own clock.

    Add `offset` to its stamps to get the recorder's time; from `reset_at` on it is `reset_offset`.
    """

    name: str
    times: np.ndarray
    data: np.ndarray
    channel_format: str = "float32"
    srate: float = 100.0
    kind: str = "EEG"
    source_id: str = "amp-1"
    offset: float = 1000.0
    reset_at: float = np.inf
    reset_offset: float = 0.0
    garbage_at: float = np.inf
    appears_at: float = 0.0
    last: float = field(default=0.0, init=False)
    count: int = field(default=0, init=False)
    offsets: list[tuple[float, float]] = field(default_factory=list, init=False)

    def offset_at(self, now: float | np.ndarray) -> np.ndarray:
        return np.where(np.asarray(now) >= self.reset_at, self.reset_offset, self.offset)

    def __post_init__(self) -> None:
        self.times = self.times + BEGIN
        self.reset_at += BEGIN
        self.garbage_at += BEGIN
        self.appears_at += BEGIN

    @property
    def stamps(self) -> np.ndarray:
        return self.times - self.offset_at(self.times)


def record(senders: Sequence[Sender], seconds: float, *, footers: bool = True) -> bytes:
    """Return the file of a recording of so many seconds."""
    file = [MAGIC, _chunk(1, b'<?xml version="1.0"?><info><version>1.0</version></info>')]
    known: set[int] = set()
    for tick in range(int(seconds / PULL_S) + 1):
        now = BEGIN + tick * PULL_S
        for number, sender in enumerate(senders, 1):
            if sender.appears_at <= now and number not in known:
                known.add(number)
                file.append(_chunk(2, _header(sender), number))
            if number in known and tick:
                file.append(_samples(sender, number, now))
                if now % OFFSETS_S == 0:
                    file.append(_chunk(4, _measure(sender, now), number))
        if tick and now % BOUNDARY_S == 0:
            file.append(_chunk(5, BOUNDARY))
    if footers:
        file += [_chunk(6, _footer(sender), number) for number, sender in enumerate(senders, 1)]
    return b"".join(file)


def _chunk(tag: int, content: bytes, number: int | None = None) -> bytes:
    body = struct.pack("<H", tag) + (b"" if number is None else struct.pack("<I", number)) + content
    return _length(len(body)) + body


def _length(value: int) -> bytes:
    return struct.pack("<BB", 1, value) if value < 256 else struct.pack("<BI", 4, value)


def _samples(sender: Sender, number: int, now: float) -> bytes:
    due = (sender.times > now - PULL_S) & (sender.times <= now) & (now > sender.appears_at)
    if not due.any():
        return b""
    interval = 1.0 / sender.srate if sender.srate else 0.0
    parts = [struct.pack("<BI", 4, int(due.sum()))]
    for stamp, row in zip(sender.stamps[due].tolist(), sender.data[due], strict=True):
        if sender.last + interval == stamp:
            parts.append(b"\x00")
            sender.last = stamp + interval
        else:
            parts.append(b"\x08" + struct.pack("<d", stamp))
            sender.last = stamp
        parts.append(_values(sender, row))
    sender.count += int(due.sum())
    return _chunk(3, b"".join(parts), number)


def _values(sender: Sender, row: np.ndarray) -> bytes:
    if sender.channel_format != "string":
        return bytes(row.astype(FORMATS[sender.channel_format]).tobytes())
    texts = [str(value).encode() for value in row]
    return b"".join(_length(len(text)) + text for text in texts)


def _measure(sender: Sender, now: float) -> bytes:
    offset = float(sender.offset_at(now))
    if sender.garbage_at == now:
        return struct.pack("<dd", 6.9e-310, 4.6e-310)  # what stood in memory
    sender.offsets.append((now - offset, offset))
    return struct.pack("<dd", *sender.offsets[-1])


def _header(sender: Sender) -> bytes:
    fields = {
        "name": sender.name,
        "type": sender.kind,
        "channel_count": sender.data.shape[1],
        "channel_format": sender.channel_format,
        "source_id": sender.source_id,
        "nominal_srate": sender.srate,
        "version": 1.1,
        "created_at": 1234.5,
        "uid": "8ab1-4f0c",
        "session_id": "default",
        "hostname": "lab",
        "v4address": "",
        "v4data_port": 16572,
        "v4service_port": 16572,
        "v6address": "",
        "v6data_port": 0,
        "v6service_port": 0,
    }
    lines = "".join(f"\t<{tag}>{escape(str(text))}</{tag}>\n" for tag, text in fields.items())
    return f'<?xml version="1.0"?>\n<info>\n{lines}\t<desc />\n</info>\n'.encode()


def _footer(sender: Sender) -> bytes:
    offsets = "".join(
        f"<offset><time>{time!r}</time><value>{value!r}</value></offset>"
        for time, value in sender.offsets
    )
    first = sender.stamps[0] if sender.count else 0.0
    return (
        f'<?xml version="1.0"?><info><first_timestamp>{first!r}</first_timestamp>'
        f"<last_timestamp>{sender.last!r}</last_timestamp>"
        f"<sample_count>{sender.count}</sample_count>"
        f"<clock_offsets>{offsets}</clock_offsets></info>"
    ).encode()
