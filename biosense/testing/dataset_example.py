"""A data set to be checked: how it is opened, a folder with some of it, what was read."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np

from biosense.core.recording import Recording
from biosense.core.types import Chunk
from biosense.datasets.base import DatasetKind
from biosense.testing.contract import require

_FILMS = (".avi", ".mp4")


@dataclass(frozen=True)
class DatasetExample:
    """Show a data set and a folder with some of its files.

    Parameters
    ----------
    kind
        How it is opened.
    folder
        Real files or a miniature; nothing is written into it.
    people
        How many there are in the folder; None where nobody says.
    seed
        That the miniature was fabricated with, if it was.
    name
        What it is registered as, if it is.
    """

    kind: DatasetKind
    folder: Path
    people: int | None = None
    seed: int | None = None
    name: str = ""

    def __str__(self) -> str:
        return f"data set {self.kind.about.name!r}"

    @cached_property
    def recordings(self) -> dict[str, Recording]:
        """What was recorded of each person."""
        dataset = self.kind.open(self.folder)
        return {subject: dataset.load(subject) for subject in dataset.subjects}

    @contextmanager
    def copy(self) -> Iterator[Path]:
        """Give a copy of which files may be replaced, never written to: they are links."""
        with tempfile.TemporaryDirectory(prefix="biosense-") as folder:
            copy = Path(folder) / "copy"
            shutil.copytree(self.folder, copy, copy_function=_link)
            yield copy

    def of_first_subject(self, folder: Path) -> tuple[str, Path]:
        """Return the first subject and its largest file, films of faces aside."""
        dataset = self.kind.open(folder)
        subject = dataset.subjects[0]
        files = [path for path in dataset.files(subject) if path.suffix not in _FILMS]
        return subject, max(files, key=lambda path: path.stat().st_size)


def _link(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except OSError:  # another disk, or one that knows no links
        shutil.copy2(source, target)


class _Entries(list[Any]):
    """A listing as `os.scandir` gives it: a context that is closed."""

    def __enter__(self) -> _Entries:
        return self

    def __exit__(self, *_: object) -> None:
        self.clear()

    def close(self) -> None:
        self.clear()


@contextmanager
def listed(*, backwards: bool) -> Iterator[None]:
    """Have the system list folders by name, or in the reverse order."""
    listdir, scandir = os.listdir, os.scandir

    def names(*where: Any) -> list[str]:
        return sorted(listdir(*where), reverse=backwards)

    def entries(*where: Any) -> _Entries:
        found = sorted(scandir(*where), key=lambda one: str(one.name), reverse=backwards)
        return _Entries(found)

    with patch.object(os, "listdir", names), patch.object(os, "scandir", entries):
        yield


def replaced(path: Path, raw: bytes) -> Path:
    """Put other bytes in place of a file that may be a link."""
    path.unlink()
    path.write_bytes(raw)
    return path


def everything(recording: Recording) -> list[Chunk]:
    """Return streams and annotations."""
    return [*recording.streams, *recording.annotations]


def assert_equal(one: Recording, other: Recording) -> None:
    """Raise an AssertionError unless two readings of a person are equal to the last bit."""
    for name in ("trials", "ratings", "notes"):
        got, wanted = getattr(one, name), getattr(other, name)
        require(got == wanted, f"{name} {got}", f"{wanted}, as read before")
    for left, right in zip(everything(one), everything(other), strict=True):
        require(left.info == right.info, left.info, f"{right.info}, as read before")
        for field in ("times", "data", "ok"):
            np.testing.assert_array_equal(
                getattr(left, field), getattr(right, field), f"{left.info.name} {field}"
            )
