"""One stream of a recording as a .fif file, which MNE opens."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from biosense.acquisition.xdf.reader import XdfReader
from biosense.core.errors import BadInput
from biosense.processing.offline.to_mne import to_raw
from biosense.recordings.export.result import Exported, ExportedFile, refuse_existing
from biosense.recordings.streams import choose_signal, gridded_stream, is_signal, markers_of

_ENDINGS = (".fif", ".fif.gz")


def export_fif(
    reader: XdfReader, path: Path, *, stream: str | None = None, overwrite: bool = False
) -> Exported:
    """Write one stream as a .fif file: volts, channel types and places, gaps, markers, date.

    Values are stored in double precision. MNE splits files beyond 2 GB by itself.

    Parameters
    ----------
    reader
        Of the recording.
    path
        Ends in .fif or .fif.gz.
    stream
        Which; the EEG if there is one, or the only signal there is.
    overwrite
        Replace a file that exists.

    Returns
    -------
    Exported
        What was written, and what was left out.

    Raises
    ------
    BadInput
        If the file exists, the stream cannot be chosen, or it holds no sample.
    MissingExtra
        If MNE is not installed.
    """
    if not path.name.endswith(_ENDINGS):
        raise BadInput(f"{path} must end in {' or '.join(_ENDINGS)}")
    refuse_existing([path], overwrite=overwrite)
    info = choose_signal(reader.infos, stream)
    chunk, markers = gridded_stream(reader, info), markers_of(reader)
    raw = to_raw(chunk, markers, started=wall_time(reader), begin=reader.begin)
    path.parent.mkdir(parents=True, exist_ok=True)
    raw.save(path, fmt="double", overwrite=overwrite, verbose="error")
    outside = sum(not chunk.times[0] <= marker.time <= chunk.times[-1] for marker in markers)
    notes = [outside_note(outside, info.name)] if outside else []
    others = [each.name for each in reader.infos if is_signal(each) and each.name != info.name]
    if others:
        notes.append(f"a .fif file holds one stream; not in it: {', '.join(others)}")
    return Exported(
        path, (ExportedFile(path.name, "stream", info.name, len(raw.times)),), tuple(notes)
    )


def wall_time(reader: XdfReader) -> datetime | None:
    """Return when a recording began, in the zone of this computer where none was recorded."""
    return None if reader.started is None else reader.started.astimezone()


def outside_note(count: int, stream: str) -> str:
    """Say how many markers a file cannot hold."""
    markers = "1 marker lies" if count == 1 else f"{count} markers lie"
    return f"{markers} outside of {stream}, left out there"
