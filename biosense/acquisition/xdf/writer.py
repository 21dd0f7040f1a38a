"""Write XDF so that the file is whole at every moment: a crash leaves complete chunks only."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Self
from xml.etree import ElementTree

import numpy as np

from biosense.acquisition.header_xml import header_xml
from biosense.acquisition.stream_xml import Description
from biosense.acquisition.xdf.append_file import AppendFile
from biosense.acquisition.xdf.layout import BOUNDARY, MAGIC, WRITER, Tag, pack_chunk, pack_offset
from biosense.acquisition.xdf.sample_layout import SampleLayout
from biosense.core.errors import BadInput
from biosense.core.types import Chunk, ClockOffset, Floats, StreamInfo


@dataclass
class StreamFooter:
    """Count what the file holds of a stream: the content of its footer."""

    info: StreamInfo
    samples: int = 0
    first: float = 0.0
    last: float = 0.0
    offsets: list[tuple[float, float]] = field(default_factory=list)

    def count(self, stamps: Floats) -> None:
        """Count samples by their stamps, shape (n,)."""
        if len(stamps):
            self.first = self.first if self.samples else float(stamps[0])
            self.samples += len(stamps)
            self.last = float(stamps[-1])

    def to_xml(self) -> str:
        """Write the stream's footer."""
        root = ElementTree.Element("info")
        texts = {"sample_count": str(self.samples)}
        if self.samples:
            stamps = {"first_timestamp": repr(self.first), "last_timestamp": repr(self.last)}
            texts = stamps | texts
        for tag, text in texts.items():
            ElementTree.SubElement(root, tag).text = text
        offsets = ElementTree.SubElement(root, "clock_offsets")
        for time, value in self.offsets:
            offset = ElementTree.SubElement(offsets, "offset")
            ElementTree.SubElement(offset, "time").text = repr(time)
            ElementTree.SubElement(offset, "value").text = repr(value)
        return '<?xml version="1.0"?>' + ElementTree.tostring(root, encoding="unicode")


class XdfWriter:
    """Append streams, samples and clock offsets to a new XDF file.

    Every call appends one chunk to an `AppendFile`: what was written outlives this process.

    Parameters
    ----------
    path
        The file; it must not exist.
    started
        Wall time of the beginning, for the file header; now if it is not given.

    Raises
    ------
    FileExistsError
        If there is a file already: recordings are never overwritten.
    OSError
        If the disk refuses data, here and from every method. The file then still ends with the
        last complete chunk, and the same call may succeed later.

    Examples
    --------
    >>> import tempfile
    >>> from biosense.core.types import Modality
    >>> info = StreamInfo("eda", Modality.EDA, ("eda",), 4.0, "S")
    >>> path = Path(tempfile.mkdtemp()) / "recording.xdf"
    >>> with XdfWriter(path) as writer:
    ...     number = writer.add_stream(info)
    ...     writer.write(Chunk.of(info, [0.0, 0.25], [[1e-6], [2e-6]]))
    >>> number, path.read_bytes()[:4]
    (1, b'XDF:')
    """

    def __init__(self, path: Path, *, started: datetime | None = None) -> None:
        self.path = path
        self.footers: dict[int, StreamFooter] = {}
        self._ids: dict[str, int] = {}
        self._layouts: dict[int, SampleLayout] = {}
        self.file = AppendFile(path)
        self._is_open = True
        when = (started or datetime.now().astimezone()).isoformat(timespec="seconds")
        header = (
            f'<?xml version="1.0"?><info><version>1.0</version><datetime>{when}</datetime>'
            f"<writer>{WRITER}</writer></info>"
        )
        try:
            self.file.append(MAGIC + pack_chunk(Tag.FILE_HEADER, header.encode()))
        except OSError:
            self.file.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    @property
    def size(self) -> int:
        """Bytes written so far."""
        return self.file.end

    def add_stream(self, info: StreamInfo, *, extra_desc: Description | str = "") -> int:
        """Write the header of a stream and return its number, counted from 1.

        A stream of a known name takes its place: what follows under that name belongs to it.
        """
        number = len(self.footers) + 1
        header = header_xml(info, extra_desc=extra_desc).encode("utf-8")
        self.file.append(pack_chunk(Tag.STREAM_HEADER, header, number))
        self.footers[number] = StreamFooter(info)
        self._layouts[number] = SampleLayout(info)
        self._ids[info.name] = number
        return number

    def write(self, chunk: Chunk) -> None:
        """Write samples with the sender's stamps; nothing for an empty chunk.

        Raises
        ------
        BadInput
            If a stamp is not finite, or the data is not what the stream was announced as.
        """
        number = self._number(chunk.info)
        stamps = chunk.times if chunk.stamps is None else chunk.stamps
        if len(stamps) == 0:
            return
        content = self._layouts[number].pack(stamps, chunk.data)
        self.file.append(pack_chunk(Tag.SAMPLES, content, number))
        self.footers[number].count(stamps)

    def write_offset(self, offset: ClockOffset) -> None:
        """Write a clock measurement: `offset.time` is in the stream's own clock."""
        number = self._number(offset.info)
        if not np.isfinite([offset.time, offset.offset]).all():
            raise BadInput(
                f"a clock offset of {offset.info.name!r} must be finite, got time={offset.time}, "
                f"offset={offset.offset}: leave a failed measurement out"
            )
        content = pack_offset(offset.time, offset.offset)
        self.file.append(pack_chunk(Tag.CLOCK_OFFSET, content, number))
        self.footers[number].offsets.append((float(offset.time), float(offset.offset)))

    def boundary(self) -> None:
        """Write a mark from which a reader of a damaged file can go on."""
        self.file.append(pack_chunk(Tag.BOUNDARY, BOUNDARY))

    def sync(self) -> None:
        """Bring everything written so far to the disk, past all caches of the system."""
        self.file.sync()

    def close(self) -> None:
        """Write a boundary and the footers, sync, close. Closing twice is fine."""
        if not self._is_open:
            return
        try:
            self.boundary()
            for number, footer in self.footers.items():
                content = footer.to_xml().encode("utf-8")
                self.file.append(pack_chunk(Tag.STREAM_FOOTER, content, number))
            self.sync()
        finally:
            self._is_open = False
            self.file.close()

    def _number(self, info: StreamInfo) -> int:
        if info.name not in self._ids:
            raise BadInput(f"stream {info.name!r} has no header in {self.path}: add_stream first")
        return self._ids[info.name]
