"""A recording as tables, one file a stream, in one pass whose memory does not grow."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

import numpy as np

from biosense.acquisition.xdf.reader import XdfReader
from biosense.core.errors import BadInput
from biosense.core.own_streams import AFFECT, OWN_PREFIX
from biosense.core.types import Chunk, Epoch, Event, EventKind, StreamInfo
from biosense.estimation.chunk_joiner import ChunkJoiner
from biosense.estimation.processor import Outcome, Processor
from biosense.estimation.recorded_run import from_first, recorded_header, recorded_settings
from biosense.recordings.export.result import Exported, ExportedFile, drafted, file_name
from biosense.recordings.streams import is_markers

_FORMATS = {"float32": "%.9g", "float64": "%r"}  # the fewest digits that give the number again
_ABOUT = "about.json"


def export_csv(
    reader: XdfReader,
    folder: Path,
    *,
    mains_hz: float | None = None,
    features: bool = True,
    overwrite: bool = False,
) -> Exported:
    """Write a recording as .csv files: streams as they were sent, features, estimates, markers.

    Every table begins with `time` in session seconds. Features are those of the live run, at 4 Hz,
    with `quality` and `reason`. `about.json` says what the files hold. Missing values are empty.

    Parameters
    ----------
    reader
        Of the recording.
    folder
        Made if it is not there.
    mains_hz
        Mains frequency of the features, Hz; that of the live run by default.
    features
        False leaves them out, which is several times as fast.
    overwrite
        Write into a folder that holds something.

    Returns
    -------
    Exported
        What was written.

    Raises
    ------
    BadInput
        If the folder holds something already.
    """
    if folder.exists() and not (folder.is_dir() and (overwrite or not any(folder.iterdir()))):
        raise BadInput(f"{folder} exists already: choose another folder, or say --overwrite")
    folder.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        files = _Files(folder, stack)
        lanes = [info for info in reader.infos if features and not info.name.startswith(OWN_PREFIX)]
        settings = recorded_settings(recorded_header(reader), mains_hz)
        notes = _write_all(reader, files, lanes, Processor(settings))
    _describe(folder, reader, files)
    written = tuple(
        ExportedFile(table.path.name, table.what, table.stream, table.rows)
        for table in files.tables.values()
    )
    return Exported(folder, (*written, ExportedFile(_ABOUT, "what is in the files")), notes)


@dataclass
class _Table:
    """One file that is being written."""

    path: Path
    file: IO[str]
    what: str
    stream: str
    rows: int = 0

    def write(self, text: str, rows: int) -> None:
        self.file.write(text)
        self.rows += rows


@dataclass
class _Files:
    """The files of an export, opened when the first row comes."""

    folder: Path
    stack: ExitStack
    tables: dict[str, _Table] = field(default_factory=dict)
    taken: set[str] = field(default_factory=set)

    def table(self, name: str, heads: Sequence[str], what: str, stream: str = "") -> _Table:
        key = f"{what}:{name}"
        if key not in self.tables:
            path = self.folder / f"{file_name(name, self.taken)}.csv"
            draft = self.stack.enter_context(drafted(path))
            file = self.stack.enter_context(draft.open("w", encoding="utf-8", newline=""))
            self.tables[key] = _Table(path, file, what, stream)
            file.write(_lines([_distinct(heads)]))
        return self.tables[key]


def _write_all(
    reader: XdfReader, files: _Files, lanes: Iterable[StreamInfo], processor: Processor
) -> tuple[str, ...]:
    header = recorded_header(reader)
    first = header.first_samples if header is not None else {}
    notes = [event for info in lanes for event in processor.add_stream(info)]
    joiner = ChunkJoiner()
    for info in sorted(reader.infos, key=lambda info: info.name != AFFECT):
        _open(files, info)
    for item in reader.items():
        if isinstance(item, Event):
            _event(files, item)
        elif isinstance(item, Chunk):
            for chunk in joiner.push(item):
                _stream(files, chunk)
        for used in from_first([item], first):
            _features(files, processor.push(used))
    for chunk in joiner.flush():
        _stream(files, chunk)
    _features(files, processor.flush())
    return tuple(f"{note.stream}: {note.text}" for note in notes)


def _open(files: _Files, info: StreamInfo) -> _Table:
    if is_markers(info):
        return files.table("markers", ("time", "text", "stream"), "markers")
    is_affect = info.name == AFFECT
    what = "estimates" if is_affect else "text" if info.is_text else "stream"
    name = "estimates" if is_affect else info.name
    return files.table(name, ("time", *info.channels), what, info.name)


def _stream(files: _Files, chunk: Chunk) -> None:
    table = _open(files, chunk.info)
    if is_markers(chunk.info):
        texts = (", ".join(map(str, row)) for row in chunk.data)
        rows = zip(chunk.times.tolist(), texts, [chunk.info.name] * chunk.n, strict=True)
        table.write(_lines(rows), chunk.n)
    elif chunk.info.is_text:
        rows = zip(chunk.times.tolist(), *chunk.data.T.tolist(), strict=True)
        table.write(_lines(rows), chunk.n)
    else:
        table.write(_numbers(chunk), chunk.n)


def _numbers(chunk: Chunk) -> str:
    """Return the rows of a chunk; `nan` is written as nothing, which every reader understands."""
    value = _FORMATS.get(chunk.info.dtype, "%d")
    line = "%r" + f",{value}" * chunk.info.n_channels + "\n"
    cells = np.empty((chunk.n, chunk.info.n_channels + 1), object)
    cells[:, 0] = chunk.times
    cells[:, 1:] = chunk.data
    return (line * chunk.n % tuple(cells.ravel().tolist())).replace("nan", "")


def _event(files: _Files, event: Event) -> None:
    if event.kind is EventKind.MARKER:
        table = files.table("markers", ("time", "text", "stream"), "markers")
        table.write(_lines([(event.time, event.text, event.stream or "markers")]), 1)
    else:
        table = files.table("events", ("time", "kind", "stream", "text"), "events")
        table.write(_lines([(event.time, event.kind, event.stream, event.text)]), 1)


def _features(files: _Files, outcomes: Iterable[Outcome]) -> None:
    for epoch in outcomes:
        if isinstance(epoch, Epoch):
            heads = ("time", *epoch.info.channels, "quality", "reason")
            name = f"features_{epoch.info.modality}"
            table = files.table(name, heads, "features", epoch.info.name)
            values = ("" if value != value else value for value in epoch.data.tolist())
            table.write(_lines([(epoch.stop, *values, epoch.quality, epoch.reason)]), 1)


def _lines(rows: Iterable[Sequence[object]]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue()


def _distinct(heads: Sequence[str]) -> list[str]:
    """Number the heads that occur twice; a channel called `time` is one of them."""
    taken: set[str] = set()
    names = []
    for head in heads:
        name, copy = head, 1
        while name in taken:
            copy += 1
            name = f"{head}-{copy}"
        taken.add(name)
        names.append(name)
    return names


def _describe(folder: Path, reader: XdfReader, files: _Files) -> None:
    """Say what the files hold: no more of a person than the pseudonym."""
    infos = {info.name: info for info in reader.infos}
    about = {
        "participant": reader.sidecar.participant,
        "started": None if reader.started is None else reader.started.isoformat(),
        "begin": reader.begin,
        "time": "session seconds, as in the recording; `started` is the wall time of the beginning",
        "files": {
            table.path.name: {"what": table.what, "stream": table.stream, "rows": table.rows}
            | (_described(infos[table.stream]) if table.what == "stream" else {})
            for table in files.tables.values()
        },
    }
    with drafted(folder / _ABOUT) as draft:
        draft.write_text(json.dumps(about, indent=2, ensure_ascii=False) + "\n", "utf-8")


def _described(info: StreamInfo) -> dict[str, object]:
    return {
        "modality": info.modality,
        "content_type": info.content_type,
        "sfreq": info.sfreq,
        "unit": info.unit,
        "dtype": info.dtype,
    }
