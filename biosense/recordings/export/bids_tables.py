"""Tables and sidecars of a BIDS data set that mne-bids does not write."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np

from biosense.acquisition.xdf.reader import XdfReader
from biosense.core.errors import BadInput
from biosense.core.grid import contiguous_runs, sample_indices
from biosense.core.recording import Marker
from biosense.core.types import Floats, StreamInfo
from biosense.processing.offline.on_grid import grid_stages
from biosense.processing.offline.to_mne import LONGEST_GAP_S, gap_problem
from biosense.recordings.export.result import drafted
from biosense.recordings.streams import chunks_of, gridded_chunks

MISSING = "n/a"
_README = """A data set in the Brain Imaging Data Structure (https://bids.neuroimaging.io), written
by biosense. Participants are known here by pseudonyms only.
"""


def write_physio(reader: XdfReader, info: StreamInfo, path: Path, zero: float) -> int:
    """Write a stream as a BIDS physio file with its sidecar; return how many samples it has.

    Such a file has no time of its own, so that samples are those of the sample grid, and a gap is
    rows of "n/a".

    Raises BadInput for a gap of more than four hours.

    Parameters
    ----------
    path
        Ends in _physio.tsv.gz.
    zero
        Session time that `StartTime` counts from: the first sample of the EEG, or the beginning.
    """
    first, rows = _write_samples(reader, info, path)
    unit = grid_stages(info).start(info).unit
    names = distinct(info.channels)
    write_json(
        path.with_name(path.name.removesuffix(".tsv.gz") + ".json"),
        {
            "SamplingFrequency": info.sfreq,
            "StartTime": round(first / info.sfreq - zero, 9),
            "Columns": list(names),
            **{name: _column(info, unit) for name in names},
        },
    )
    return rows


def _write_samples(reader: XdfReader, info: StreamInfo, path: Path) -> tuple[int, int]:
    """Return the position of the first sample on the grid, and how many rows were written."""
    first: int | None = None
    expected = 0
    missing = "\t".join([MISSING] * info.n_channels) + "\n"
    # No time of writing in the file: the same recording gives the same bytes.
    with (
        drafted(path) as draft,
        draft.open("wb") as file,
        gzip.GzipFile("", "wb", 6, file, 0) as out,
    ):
        for chunk in gridded_chunks(reader, info):
            positions = sample_indices(chunk)
            for start, stop, _ in contiguous_runs(positions, expected):
                position = int(positions[start])
                if first is None:
                    first = expected = position
                if position - expected > LONGEST_GAP_S * info.sfreq:
                    raise BadInput(gap_problem(info, (position - expected) / info.sfreq))
                for _ in range(position - expected):
                    out.write(missing.encode())
                out.write(_rows(np.asarray(chunk.data[start:stop], np.float64)).encode())
                expected = position + stop - start
    return first or 0, expected - (first or 0)


def write_events(
    path: Path, markers: Sequence[Marker], spans: Iterable[tuple[float, float, str]], zero: float
) -> int:
    """Write markers and spans (start, seconds, text) as events; return how many."""
    rows = [(marker.time - zero, 0.0, marker.text or "marker", marker.stream) for marker in markers]
    rows += [(start - zero, seconds, text, MISSING) for start, seconds, text in spans]
    lines = [
        (f"{onset:.6f}", f"{seconds:.6f}", text.strip() or MISSING, stream)
        for onset, seconds, text, stream in sorted(rows)
    ]
    write_tsv(path, ("onset", "duration", "trial_type", "stream"), lines)
    write_json(
        path.with_suffix(".json"),
        {
            "trial_type": {"Description": "Text of the marker; BAD_ for spans not to be used"},
            "stream": {"Description": "Stream of the recording that the marker came from"},
        },
    )
    return len(lines)


def write_behaviour(reader: XdfReader, info: StreamInfo, path: Path, zero: float) -> int:
    """Write a stream without a rate as a table of onsets and values; return how many rows."""
    rows: list[tuple[str, ...]] = []
    for chunk in chunks_of(reader, info.name):
        values = _rows(np.asarray(chunk.data, np.float64)).splitlines()
        times = (chunk.times - zero).tolist()
        rows += [(f"{time:.6f}", value) for time, value in zip(times, values, strict=True)]
    head = "\t".join(("onset", *distinct(info.channels)))
    with drafted(path) as draft:
        draft.write_text(
            "\n".join([head, *("\t".join(row) for row in rows)]) + "\n", "utf-8", newline="\n"
        )
    about = {name: _column(info, info.unit) for name in distinct(info.channels)}
    about["onset"] = {"Description": "Time of the value", "Units": "s"}
    write_json(path.with_suffix(".json"), about)
    return len(rows)


def write_participant(root: Path, subject: str) -> None:
    """Add a person to participants.tsv, if need be; nothing is known of them but the label."""
    path, label = root / "participants.tsv", f"sub-{subject}"
    if not path.exists():
        write_tsv(path, ("participant_id",), [(label,)])
        return
    head, *rows = path.read_text("utf-8-sig").splitlines()
    if label not in (row.split("\t")[0] for row in rows):
        others = [MISSING] * head.count("\t")
        with drafted(path) as draft:
            text = "\n".join([head, *rows, "\t".join([label, *others])])
            draft.write_text(text + "\n", "utf-8", newline="\n")


def write_readme(root: Path) -> None:
    """Write a README where there is none."""
    if not any(root.glob("README*")):
        (root / "README").write_text(_README, "utf-8")


def write_tsv(path: Path, heads: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Write a table with a head."""
    # No quotes: BIDS knows none, so that a cell may hold neither tabs nor line breaks.
    lines = ["\t".join(" ".join(cell.split()) for cell in row) for row in (heads, *rows)]
    with drafted(path) as draft:
        draft.write_text("\n".join(lines) + "\n", "utf-8", newline="\n")


def write_json(path: Path, content: Mapping[str, object]) -> None:
    """Write a sidecar."""
    with drafted(path) as draft:
        draft.write_text(
            json.dumps(content, indent=2, ensure_ascii=False) + "\n", "utf-8", newline="\n"
        )


def distinct(channels: Sequence[str]) -> tuple[str, ...]:
    r"""Number names that occur twice, and take out what would break a table.

    >>> distinct(("x", "x", "a\tb"))
    ('x', 'x-2', 'a b')
    """
    seen: dict[str, int] = {}
    names = []
    for channel in channels:
        name = " ".join(channel.split()) or "channel"
        seen[name] = seen.get(name, 0) + 1
        names.append(name if seen[name] == 1 else f"{name}-{seen[name]}")
    return tuple(names)


def _rows(values: Floats) -> str:
    line = "\t".join(["%.9g"] * values.shape[1]) + "\n"
    return (line * len(values) % tuple(values.ravel().tolist())).replace("nan", MISSING)


def _column(info: StreamInfo, unit: str) -> dict[str, str]:
    kind = str(info.modality or info.content_type or "signal")
    return {"Description": f"{kind} of stream {info.name}", "Units": unit or "arbitrary"}
