"""Write the items of a run to a file: each stream under one header, each in a stated clock."""

from __future__ import annotations

from collections import Counter

from biosense.acquisition.stream_xml import Description
from biosense.acquisition.xdf.events import event_chunk
from biosense.acquisition.xdf.writer import XdfWriter
from biosense.core.types import Chunk, ClockOffset, Event, Record, StreamInfo

OFFSET_EVERY_S = 5.0  # as LabRecorder does; readers judge clock resets by this spacing


class ItemWriter:
    """Write chunks, clock measurements and events as they come; every method may raise OSError.

    A stream keeps its header over reconnects. One whose chunks are in session time gets constant
    offsets of 0, so that every reader knows its clock.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> info = StreamInfo("chest", None, ("ecg",), 130.0, dtype="float32")
    >>> items = ItemWriter(XdfWriter(Path(tempfile.mkdtemp()) / "recording.xdf"))
    >>> items.write(Chunk.of(info, [1.0, 1.5], [[3.0], [4.0]]))
    >>> items.finish()
    >>> items.samples
    {'chest': 2}
    """

    def __init__(self, writer: XdfWriter) -> None:
        self._writer = writer
        self._current: dict[str, StreamInfo] = {}
        self._zero_at: dict[str, float] = {}
        self._last: dict[str, float] = {}
        self._measured: set[str] = set()  # streams that bring their own measurements

    @property
    def infos(self) -> tuple[StreamInfo, ...]:
        """The streams as they were announced."""
        return tuple(self._current.values())

    @property
    def samples(self) -> dict[str, int]:
        """Samples written, by stream name."""
        counts: Counter[str] = Counter()
        for footer in self._writer.footers.values():
            counts[footer.info.name] += footer.samples
        return dict(counts)

    def announce(self, info: StreamInfo, extra_desc: Description | str = "") -> None:
        """Write the header of a stream, unless it came back as it was."""
        known = self._current.get(info.name)
        if known and _layout(known) == _layout(info) and not extra_desc:
            return
        self._writer.add_stream(info, extra_desc=extra_desc)
        self._current[info.name] = info
        self._zero_at.pop(info.name, None)
        self._measured.discard(info.name)

    def write(self, item: Record) -> None:
        """Write one item, behind a header if its stream is new."""
        if isinstance(item, Event):
            item = event_chunk(item)
        if isinstance(item, ClockOffset):
            self.announce(item.info)
            self._writer.write_offset(item)
            self._measured.add(item.info.name)
            self._zero_at.pop(item.info.name, None)
        elif item.n:
            self.announce(item.info)
            if item.stamps is None and item.info.name not in self._measured:
                self._state_clock(item)
            self._writer.write(item)

    def finish(self) -> None:
        """Write the last offsets and close the file."""
        try:
            for name, time in self._zero_at.items():
                if self._last[name] > time:
                    self._writer.write_offset(ClockOffset(self._current[name], self._last[name], 0))
        finally:
            self._writer.close()

    def _state_clock(self, chunk: Chunk) -> None:
        name, last = chunk.info.name, float(chunk.times[-1])
        if name not in self._zero_at:
            self._zero(chunk.info, float(chunk.times[0]))
        elif last - self._zero_at[name] >= OFFSET_EVERY_S:
            self._zero(chunk.info, last)
        self._last[name] = last

    def _zero(self, info: StreamInfo, time: float) -> None:
        self._writer.write_offset(ClockOffset(info, time, 0.0))
        self._zero_at[info.name] = time


def _layout(info: StreamInfo) -> tuple[str, int]:
    return info.dtype, info.n_channels
