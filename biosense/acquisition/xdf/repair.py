"""Make a whole file of a damaged one, for programs that cannot step over damage."""

from __future__ import annotations

import mmap
import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from biosense.acquisition.header_xml import header_xml
from biosense.acquisition.stream_xml import parse_xml
from biosense.acquisition.xdf.chunk_scanner import RawChunk
from biosense.acquisition.xdf.layout import (
    BOUNDARY,
    MAGIC,
    STREAM_TAGS,
    Tag,
    pack_chunk,
    read_length,
)
from biosense.acquisition.xdf.losses import Loss, find_losses
from biosense.acquisition.xdf.parse import Footer, Header, Offset, Parsed, SamplesChunk, XdfParser
from biosense.acquisition.xdf.reader import XdfReader, opened
from biosense.acquisition.xdf.recording_folder import SIDECAR_NAME, XDF_NAME
from biosense.acquisition.xdf.sample_layout import SampleLayout
from biosense.acquisition.xdf.writer import StreamFooter
from biosense.core.errors import BadInput, RecordingFailed


@dataclass(frozen=True)
class Repair:
    """Tell what a repair kept, samples by stream name, and what is lost."""

    path: Path
    samples: dict[str, int]
    losses: tuple[Loss, ...]


def repair(path: Path, out: Path) -> Repair:
    """Copy the usable chunks of a recording and end them with exact footers.

    Parameters
    ----------
    path
        A recording folder or an .xdf file; it is not touched.
    out
        The new recording folder if `path` is one, else the new file; it must not exist.

    Raises
    ------
    RecordingDamaged
        If `path` is no XDF file at all.
    RecordingFailed
        If `out` cannot be written; nothing of it is left then.
    BadInput
        If `out` exists.

    Examples
    --------
    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> _ = (folder / "cut.xdf").write_bytes(MAGIC + bytes.fromhex("04 10 00"))
    >>> repair(folder / "cut.xdf", folder / "whole.xdf").losses[0].damage.size
    3
    """
    reader = XdfReader(path)
    if out.exists():
        raise BadInput(f"{out} exists already; recordings are never overwritten")
    losses = find_losses(reader) if reader.damage else ()
    try:
        target = _make_folder(path, out) if path.is_dir() else out
        with opened(reader.path) as data, target.open("xb") as file:
            samples = copy_usable(data, file)
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        shutil.rmtree(out) if out.is_dir() else out.unlink(missing_ok=True)
        raise RecordingFailed(f"{out} cannot be written: {error}; choose another disk") from error
    return Repair(target, samples, losses)


def _make_folder(path: Path, out: Path) -> Path:
    out.mkdir(parents=True)
    if (path / SIDECAR_NAME).is_file():
        shutil.copyfile(path / SIDECAR_NAME, out / SIDECAR_NAME)
    return out / XDF_NAME


def copy_usable(data: bytes | mmap.mmap, file: BinaryIO) -> dict[str, int]:
    """Write the usable chunks of a file, and exact footers; return the samples by stream.

    Parameters
    ----------
    data
        A damaged file.
    file
        Where what is usable goes.

    Returns
    -------
    mapping
        Samples that were saved, by stream.
    """
    footers: list[StreamFooter] = []
    file.write(MAGIC)
    for chunk, parsed in XdfParser(data).pairs():
        number = None
        if isinstance(parsed, Header):
            footers.append(StreamFooter(parsed.info))
        if isinstance(parsed, Footer):
            continue
        if isinstance(parsed, Header | SamplesChunk | Offset):
            number = parsed.number + 1
        if isinstance(parsed, SamplesChunk):
            footers[parsed.number].count(parsed.stamps)
        elif isinstance(parsed, Offset):
            footers[parsed.number].offsets.append((parsed.time, parsed.offset))
        if number is not None or chunk.tag not in STREAM_TAGS:
            file.write(pack_chunk(chunk.tag, _content(chunk, parsed, footers), number))
    file.write(pack_chunk(Tag.BOUNDARY, BOUNDARY))
    for number, footer in enumerate(footers, 1):
        file.write(pack_chunk(Tag.STREAM_FOOTER, footer.to_xml().encode("utf-8"), number))
    return {footer.info.name: footer.samples for footer in footers}


def _content(chunk: RawChunk, parsed: Parsed | None, footers: list[StreamFooter]) -> bytes:
    """Return the content as it is, or what was made of it where others could not read it."""
    if isinstance(parsed, Header) and not _is_xml(chunk.content):
        return header_xml(parsed.info).encode("utf-8")
    if isinstance(parsed, SamplesChunk) and _starts_unstamped(chunk.content):
        # A stamp that is left out goes on from the sample before, which may be lost.
        return SampleLayout(footers[parsed.number].info).pack(parsed.stamps, parsed.data)
    return chunk.content


def _starts_unstamped(content: bytes) -> bool:
    _, first = read_length(content, 0)
    return content[first : first + 1] == b"\x00"


def _is_xml(content: bytes) -> bool:
    try:
        parse_xml(content.decode("utf-8", "replace"))
    except BadInput:
        return False
    return True
