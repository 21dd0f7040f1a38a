"""What an export wrote, and how files are written so that there are only whole ones."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from biosense.core.errors import BadInput

_NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9._-]+")
_MOST_NAMED = 3  # existing files that a refusal names


@dataclass(frozen=True)
class ExportedFile:
    """Hold one file that was written.

    Parameters
    ----------
    path
        Below the target, with forward slashes.
    what
        In a word or two: "stream", "features", "markers".
    stream
        The stream of the recording that it holds, empty for a file about several.
    rows
        Samples, or lines of a table; None where that says nothing.
    """

    path: str
    what: str
    stream: str = ""
    rows: int | None = None


@dataclass(frozen=True)
class Exported:
    """Hold what an export wrote, and in `notes` what it left out or changed, and why."""

    target: Path
    files: tuple[ExportedFile, ...]
    notes: tuple[str, ...] = ()


def refuse_existing(paths: Iterable[Path], *, overwrite: bool) -> None:
    """Raise BadInput for files that exist already, unless they may be overwritten."""
    found = [path for path in paths if path.exists()]
    if found and not overwrite:
        names = ", ".join(str(path) for path in found[:_MOST_NAMED])
        rest = f" and {len(found) - _MOST_NAMED} more" if len(found) > _MOST_NAMED else ""
        raise BadInput(f"{names}{rest} exist already: choose another target, or say --overwrite")


def file_name(stream: str, taken: set[str]) -> str:
    """Return a file name without ending for a stream, unlike all `taken`, and add it to them.

    >>> taken: set[str] = set()
    >>> file_name("Muse S (left)", taken), file_name("muse s/left", taken)
    ('Muse_S_left', 'muse_s_left-2')
    """
    plain = _NOT_IN_NAMES.sub("_", stream).strip("._") or "stream"
    name, copy = plain, 1
    while name.lower() in taken:  # not every file system tells capitals
        copy += 1
        name = f"{plain}-{copy}"
    taken.add(name.lower())
    return name


@contextmanager
def drafted(path: Path) -> Iterator[Path]:
    """Give a path to write to; it takes its place when all is written, and goes when it is not."""
    draft = path.with_name(f".{path.name}.part")
    try:
        yield draft
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
