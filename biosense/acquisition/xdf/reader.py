"""Read XDF recordings, of our own or any other program, with the session times of the live run."""

from __future__ import annotations

import logging
import mmap
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import numpy as np

from biosense.acquisition.xdf.chunk_scanner import Damage
from biosense.acquisition.xdf.events import EVENTS, NO_MARKERS, chunk_events, no_samples
from biosense.acquisition.xdf.layout import MAGIC, WRITER
from biosense.acquisition.xdf.parse import (
    FileHeader,
    Footer,
    Header,
    Offset,
    SamplesChunk,
    XdfParser,
)
from biosense.acquisition.xdf.recording_folder import XDF_NAME, Sidecar, read_sidecar
from biosense.acquisition.xdf.session_times import SessionClock, StreamSummary, drop_impossible
from biosense.core.errors import BadInput, RecordingDamaged
from biosense.core.recording import Marker, Recording
from biosense.core.types import (
    Chunk,
    ClockOffset,
    Event,
    EventKind,
    Record,
    StreamInfo,
)

_log = logging.getLogger(__name__)


class XdfReader:
    """Look through a recording once, then read it as often as wanted.

    A cut tail, as a crash leaves it, and damage in the middle are stepped over: `damage` names the
    bytes that could not be used, and a warning is logged.

    Parameters
    ----------
    path
        A recording folder, or an .xdf file of any program.

    Raises
    ------
    RecordingDamaged
        If it is no XDF file at all.
    BadInput
        If there is no such file, or it is compressed.
    """

    def __init__(self, path: Path) -> None:
        self.path = locate(path)
        self.sidecar: Sidecar = read_sidecar(self.path.parent) if path.is_dir() else Sidecar()
        self.started = self.sidecar.started
        self.streams: list[StreamSummary] = []
        self._foreign = True
        self._measured: list[tuple[StreamSummary, int]] = []
        with opened(self.path) as data:
            self._size = len(data)  # a recording that is still being written grows on
            parser = XdfParser(data)
            for parsed in parser:
                self._index(parsed)
        if self._foreign:
            drop_impossible(self._measured)
        for summary in self.streams:
            summary.find_resets()
        self.damage: tuple[Damage, ...] = tuple(parser.damage)
        for damage in self.damage:
            _log.warning("%s: %d bytes are left out: %s", self.path, damage.size, damage.reason)

    @property
    def infos(self) -> tuple[StreamInfo, ...]:
        """The streams in the order of the file, without the events of the run."""
        infos = (summary.info for summary in self.streams)
        return tuple(info for info in infos if not _is_events(info))

    @property
    def begin(self) -> float:
        """Session time of the first sample of all streams; 0 where there is none."""
        firsts = (chunk.times[0] for chunk in self._first_chunks())
        return float(min(firsts, default=0.0))

    @property
    def complete(self) -> bool:
        """True if the recording was closed properly and nothing of it is damaged."""
        closed = all(summary.footer for summary in self.streams)
        return bool(self.streams) and closed and not self.damage

    def items(self) -> Iterator[Record]:
        """Yield chunks, clock measurements and events in the order of the file.

        A chunk has both the sender's `stamps`, where they differ, and session `times`. These come
        from a `ClockFit` that is fed as in the live run, so they are equal to the live ones.
        """
        for _, item in self.walk():
            if isinstance(item, Chunk) and _is_events(item.info):
                yield from chunk_events(item)
            elif item is not None:
                yield item

    def walk(self) -> Iterator[tuple[XdfParser, Chunk | ClockOffset | None]]:
        """Yield what each part of the file says with the parser that is at it, None for nothing."""
        clocks = [SessionClock(summary, self._foreign) for summary in self.streams]
        with opened(self.path, self._size) as data:
            parser = XdfParser(data)
            for parsed in parser:
                if isinstance(parsed, Offset):
                    clock = clocks[parsed.number]
                    used, info = clock.add(), clock.summary.info
                    is_said = used is not None and not clock.summary.own_clock
                    yield parser, ClockOffset(info, parsed.time, parsed.offset) if is_said else None
                elif isinstance(parsed, SamplesChunk):
                    yield parser, clocks[parsed.number].chunk(parsed)
            yield parser, None

    def load(self) -> Recording:
        """Return whole streams as single chunks, events and the texts of people as markers."""
        parts: dict[str, list[Chunk]] = {info.name: [] for info in self.infos}
        markers: list[Marker] = []
        for item in self.items():
            if isinstance(item, Event):
                markers.append(_event_marker(item))
            elif isinstance(item, Chunk) and item.info.is_text:
                markers.extend(() if item.info.content_type in NO_MARKERS else _markers(item))
            elif isinstance(item, Chunk):
                parts[item.info.name].append(item)
        streams = [_joined(info, parts[info.name]) for info in self.infos if not info.is_text]
        markers.sort(key=lambda marker: marker.time)
        return Recording(
            tuple(streams),
            tuple(markers),
            subject=self.sidecar.participant,
            started=self.started,
        )

    def _first_chunks(self) -> Iterator[Chunk]:
        waiting = {each.info.name for each in self.streams if each.samples}
        waiting &= {info.name for info in self.infos}
        for _, item in self.walk() if waiting else ():
            if isinstance(item, Chunk) and item.n and item.info.name in waiting:
                waiting.discard(item.info.name)
                yield item
            if not waiting:
                return

    def _index(self, parsed: object) -> None:
        if isinstance(parsed, Header):
            self.streams.append(StreamSummary(parsed.info))
        elif isinstance(parsed, SamplesChunk):
            self.streams[parsed.number].take(parsed)
        elif isinstance(parsed, Offset):
            summary = self.streams[parsed.number]
            self._measured.append((summary, len(summary.measured)))
            summary.take_offset(parsed)
        elif isinstance(parsed, Footer):
            self.streams[parsed.number].footer = True
            self.streams[parsed.number].declared = parsed.samples
        elif isinstance(parsed, FileHeader):
            self._foreign = parsed.root.findtext("writer") != WRITER
            self.started = self.started or _wall_time(parsed.root.findtext("datetime") or "")


def load(path: Path) -> Recording:
    """Return a recording with whole streams as single chunks.

    Parameters
    ----------
    path
        A recording folder, or an .xdf file of any program.

    Returns
    -------
    Recording
        Streams in session time, and markers.

    Examples
    --------
    >>> import tempfile
    >>> from biosense.acquisition.xdf.writer import XdfWriter
    >>> info = StreamInfo("chest", None, ("ecg",), 130.0, dtype="float32")
    >>> path = Path(tempfile.mkdtemp()) / "short.xdf"
    >>> with XdfWriter(path) as writer:
    ...     _ = writer.add_stream(info)
    ...     writer.write(Chunk.of(info, [1.0, 1.5], [[3.0], [4.0]]))
    >>> load(path).stream("chest").times.tolist()
    [1.0, 1.5]
    """
    return XdfReader(path).load()


def locate(path: Path) -> Path:
    """Return the .xdf file of a recording folder, or the file itself.

    Parameters
    ----------
    path
        A recording folder, or an .xdf file.

    Returns
    -------
    Path
        The .xdf file.
    """
    if path.is_dir():
        found = [path / XDF_NAME] if (path / XDF_NAME).is_file() else sorted(path.glob("*.xdf"))
        if len(found) != 1:
            raise BadInput(f"{path} holds {len(found)} .xdf files, a recording folder has one")
        return found[0]
    if not path.is_file():
        raise BadInput(f"there is no recording at {path}")
    return path


@contextmanager
def opened(path: Path, size: int = 0) -> Iterator[mmap.mmap]:
    """Open an .xdf file for reading, its first `size` bytes or all of it.

    Parameters
    ----------
    path
        An .xdf file.
    size
        Bytes from its beginning that are looked at; 0 for all.

    Returns
    -------
    context manager of mmap
        The bytes of the file.
    """
    with path.open("rb") as file:
        magic = file.read(4)
        if magic[:2] in (b"\x1f\x8b", b"\x78\x9c", b"\x78\xda", b"\x78\x01"):
            raise BadInput(f"{path} is a compressed recording (.xdfz): unpack it first")
        if magic != MAGIC:
            what = f"starts with {magic!r}" if magic else "is empty"
            raise RecordingDamaged(
                f"{path} is no XDF file: it {what}, wanted {MAGIC!r}; look for a copy of it, or "
                "for another file in its folder"
            )
        with mmap.mmap(file.fileno(), size, access=mmap.ACCESS_READ) as data:
            yield data


def _is_events(info: StreamInfo) -> bool:
    return info.is_text and info.name == EVENTS.name


def _joined(info: StreamInfo, parts: list[Chunk]) -> Chunk:
    if not parts:
        return no_samples(info)
    stamps = [part.stamps for part in parts if part.stamps is not None]
    return Chunk(
        info,
        np.concatenate([part.times for part in parts]),
        np.concatenate([part.data for part in parts]),
        np.concatenate([part.ok for part in parts]),
        np.concatenate(stamps) if stamps else None,
    )


def _markers(chunk: Chunk) -> list[Marker]:
    texts = (", ".join(str(value) for value in row) for row in chunk.data)
    times = chunk.times.tolist()
    return [Marker(time, text, chunk.info.name) for time, text in zip(times, texts, strict=True)]


def _event_marker(event: Event) -> Marker:
    if event.kind is EventKind.MARKER:
        return Marker(event.time, event.text, event.stream or "markers")
    text = ": ".join(part for part in (event.kind, event.stream, event.text) if part)
    return Marker(event.time, text, EVENTS.name)


def _wall_time(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text.strip())
    except ValueError:
        return None
