"""What a recording holds, on disk or in memory: streams, markers, and what a processor makes of it.

Streams on disk are read when they are asked for, and kept while there is room.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from biosense.acquisition.xdf.events import no_samples
from biosense.acquisition.xdf.reader import XdfReader
from biosense.core.recording import Recording as WholeRecording
from biosense.core.types import Chunk, Event, EventKind, Record, StreamInfo
from biosense.estimation.chunk_joiner import joined
from biosense.estimation.estimate_stream import EstimateHeader
from biosense.estimation.processor import Outcome, Processor
from biosense.estimation.recorded_run import process_recording, recorded_header
from biosense.estimation.run_processor import process_whole
from biosense.processing.offline.on_grid import put_on_grid
from biosense.recordings.export.fif import wall_time
from biosense.recordings.outline import Outline, outline
from biosense.recordings.streams import gridded_stream

ROOM_BYTES = 512 << 20  # streams that are kept: an hour of 64 channels at 512 Hz in float32


class ContentOnDisk:
    """Read a recording from its file; several streams in one pass.

    Parameters
    ----------
    reader
        Of the file.
    room
        Bytes of streams that are kept at most; a stream that is larger is read again each time.
    """

    def __init__(self, reader: XdfReader, room: int = ROOM_BYTES) -> None:
        self.reader = reader
        self.infos = reader.infos
        self.participant = reader.sidecar.participant
        self._room = room
        self._kept: OrderedDict[str, Chunk] = OrderedDict()

    @property
    def title(self) -> str:
        """The folder's name, or the file's."""
        path = self.reader.path
        return f"{path.parent.name}/{path.name}"

    @property
    def started(self) -> datetime | None:
        """Wall time of the beginning."""
        return wall_time(self.reader)

    @property
    def begin(self) -> float:
        """Session time of the first sample."""
        return self.reader.begin

    def load(self, infos: Sequence[StreamInfo]) -> list[Chunk]:
        """Return whole streams; their arrays cannot be written to, as others use them too."""
        found = {info.name: self._kept[info.name] for info in infos if info.name in self._kept}
        found |= self._read([info for info in infos if info.name not in found])
        for name, chunk in found.items():
            self._kept[name] = chunk
            self._kept.move_to_end(name)
        while sum(_size(chunk) for chunk in self._kept.values()) > self._room:
            self._kept.popitem(last=False)
        return [found[info.name] for info in infos]

    @property
    def header(self) -> EstimateHeader | None:
        """What the live run said of itself."""
        return recorded_header(self.reader)

    def process(self, processor: Processor) -> Iterator[Outcome]:
        """Push it through a fresh processor as the live run did."""
        return process_recording(self.reader, processor, self.header)

    def gridded(self, info: StreamInfo) -> Chunk:
        """Return a whole stream on the sample grid, in SI units, without its raw samples."""
        return gridded_stream(self.reader, info)

    def outline(self) -> Outline:
        """Look through the file once."""
        known = {info.name for info in self.infos}
        counted = [(each.info, each.samples) for each in self.reader.streams]
        return outline([pair for pair in counted if pair[0].name in known], self.reader.items())

    def _read(self, infos: Iterable[StreamInfo]) -> dict[str, Chunk]:
        parts: dict[str, list[Chunk]] = {info.name: [] for info in infos}
        for item in self.reader.items() if parts else ():
            if isinstance(item, Chunk) and item.n and item.info.name in parts:
                parts[item.info.name].append(item)
        return {
            info.name: _frozen(joined(parts[info.name]) if parts[info.name] else no_samples(info))
            for info in infos
        }


class ContentInMemory:
    """Serve a recording that is in memory, as data sets give it.

    Parameters
    ----------
    whole
        Whole streams; its continuous annotations count as streams, too.
    """

    header: EstimateHeader | None = None

    def __init__(self, whole: WholeRecording) -> None:
        self.whole = whole
        self._chunks = {each.info.name: each for each in (*whole.streams, *whole.annotations)}
        self.infos = tuple(each.info for each in self._chunks.values())
        self.participant = whole.subject
        self.started = whole.started

    @property
    def title(self) -> str:
        """Whose it is."""
        return f"of {self.participant!r}" if self.participant else "in memory"

    @property
    def begin(self) -> float:
        """Session time of the first sample."""
        return min((float(each.times[0]) for each in self._chunks.values() if each.n), default=0.0)

    def load(self, infos: Sequence[StreamInfo]) -> list[Chunk]:
        """Return whole streams."""
        return [self._chunks[info.name] for info in infos]

    def process(self, processor: Processor) -> Iterator[Outcome]:
        """Push it through a fresh processor as a study does."""
        return process_whole(self.whole.streams, processor)

    def gridded(self, info: StreamInfo) -> Chunk:
        """Return a whole stream on the sample grid, in SI units."""
        return put_on_grid(self._chunks[info.name])

    def outline(self) -> Outline:
        """Look at every stream."""
        return outline([(each.info, each.n) for each in self._chunks.values()], self._items())

    def _items(self) -> Iterator[Record]:
        yield from self._chunks.values()
        for marker in self.whole.markers:
            yield Event(marker.time, EventKind.MARKER, marker.stream, marker.text)


Content = ContentOnDisk | ContentInMemory


def _size(chunk: Chunk) -> int:
    return chunk.times.nbytes + chunk.data.nbytes + chunk.ok.nbytes


def _frozen(chunk: Chunk) -> Chunk:
    for array in (chunk.times, chunk.data, chunk.ok):
        array.flags.writeable = False
    return chunk
