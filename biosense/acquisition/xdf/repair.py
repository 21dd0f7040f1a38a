"""Make a whole file of a damaged one, for programs that cannot step over damage."""

from __future__ import annotations

import mmap
import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from biosense.acquisition.xdf.folder import SIDECAR_NAME, XDF_NAME
from biosense.acquisition.xdf.layout import BOUNDARY, MAGIC, STREAM_TAGS, Tag, pack_chunk
from biosense.acquisition.xdf.parse import Damage, Footer, Header, Offset, Samples, XdfParser
from biosense.acquisition.xdf.reader import locate, opened
from biosense.acquisition.xdf.writer import Tally
from biosense.core.errors import BadInput


@dataclass(frozen=True)
class Repair:
    """Tell what a repair kept: samples by stream name, and the bytes that it had to leave out."""

    path: Path
    samples: dict[str, int]
    left_out: tuple[Damage, ...]


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
    BadInput
        If `out` exists.

    Examples
    --------
    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> _ = (folder / "cut.xdf").write_bytes(MAGIC + bytes.fromhex("04 10 00"))
    >>> repair(folder / "cut.xdf", folder / "whole.xdf").left_out[0].size
    3
    """
    source = locate(path)
    if out.exists():
        raise BadInput(f"{out} exists already; recordings are never overwritten")
    if path.is_dir():
        out.mkdir(parents=True)
        if (path / SIDECAR_NAME).is_file():
            shutil.copyfile(path / SIDECAR_NAME, out / SIDECAR_NAME)
        out = out / XDF_NAME
    with opened(source) as data, out.open("xb") as file:
        made = _copy(data, file, out)
        file.flush()
        os.fsync(file.fileno())
    return made


def _copy(data: mmap.mmap, file: BinaryIO, out: Path) -> Repair:
    parser = XdfParser(data)
    tallies: list[Tally] = []
    file.write(MAGIC)
    for chunk, parsed in parser.pairs():
        number = None
        if isinstance(parsed, Header):
            tallies.append(Tally(parsed.info))
        if isinstance(parsed, Footer):
            continue
        if isinstance(parsed, Header | Samples | Offset):
            number = parsed.number + 1
        if isinstance(parsed, Samples):
            tallies[parsed.number].count(parsed.stamps)
        elif isinstance(parsed, Offset):
            tallies[parsed.number].offsets.append((parsed.time, parsed.offset))
        if number is not None or chunk.tag not in STREAM_TAGS:
            file.write(pack_chunk(chunk.tag, chunk.content, number))
    file.write(pack_chunk(Tag.BOUNDARY, BOUNDARY))
    for number, tally in enumerate(tallies, 1):
        file.write(pack_chunk(Tag.STREAM_FOOTER, tally.footer_xml().encode("utf-8"), number))
    samples = {tally.info.name: tally.samples for tally in tallies}
    return Repair(out, samples, tuple(parser.damage))
