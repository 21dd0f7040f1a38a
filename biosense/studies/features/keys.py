"""What features depend on, as one key: contents of files, settings, pipelines, code, libraries."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from biosense.processing.pipelines import fingerprints
from biosense.processing.registry import STAGES
from biosense.studies.code_hash import foreign_code, library_versions, running_code
from biosense.studies.features.extract import ExtractSettings
from biosense.studies.features.video import can_track_faces
from biosense.studies.kept_files import write_atomically

FEATURE_CODE = (
    "core",
    "processing",
    "datasets",
    "acquisition/camera",
    "acquisition/stream_xml.py",
    "estimation",
    "models/sequences.py",
    "studies/features",
)
"""What computes features, below the package: a change of it makes every kept feature void."""

LIBRARIES = ("numpy", "scipy")
FILM_LIBRARIES = ("cv2", "mediapipe")

_MEMO = "contents.json"


@dataclass
class Contents:
    """Know the SHA-256 of files, and remember it for as long as a file is left alone.

    Reading gigabytes to find that nothing changed takes minutes. A file counts as the same while
    its place, size, number and times of change all are.

    Parameters
    ----------
    folder
        Where it is remembered from run to run; None forgets.
    """

    folder: Path | None = None
    _known: dict[str, list[str]] = field(default_factory=dict, init=False, repr=False)

    def __post_init__(self) -> None:
        if self.folder is not None and (self.folder / _MEMO).is_file():
            try:
                said = json.loads((self.folder / _MEMO).read_text(encoding="utf-8"))
                self._known = {str(path): [str(a), str(b)] for path, (a, b) in said.items()}
            except (OSError, ValueError, AttributeError, TypeError):
                self._known = {}  # everything is read again

    def hash(self, path: Path) -> str:
        """Return the SHA-256 of a file's bytes."""
        state = path.stat()
        mark = repr((state.st_size, state.st_mtime_ns, state.st_ctime_ns, state.st_ino))
        known = self._known.get(str(path.absolute()))
        if known is not None and known[0] == mark:
            return known[1]
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        self._known[str(path.absolute())] = [mark, digest]
        return digest

    def remember(self) -> None:
        """Write down what is known."""
        if self.folder is not None:
            self.folder.mkdir(parents=True, exist_ok=True)
            write_atomically(self.folder / _MEMO, json.dumps(self._known).encode())


def feature_key(
    name: str,
    subject: str,
    files: Sequence[Path],
    settings: ExtractSettings,
    contents: Contents,
    reader: type[Any],
) -> str:
    """Return the key of one person's features: equal keys, equal features.

    Parameters
    ----------
    name
        Of the data set.
    subject
        Who; a key of no two people is the same.
    files
        What is read of the person; their contents count, and their names within their folder.
    settings
        What changes the numbers.
    contents
        Where hashes of files are remembered.
    reader
        Class of the data set: where another package brought it, its code counts.

    Returns
    -------
    str
        A SHA-256 in hexadecimal.
    """
    brought = [reader, *(STAGES[each.name] for each in settings.processor.stages)]
    parts = (
        name,
        subject,
        sorted((path.name, contents.hash(path)) for path in files),
        repr(settings),
        sorted((modality.value, mark) for modality, mark in fingerprints().items()),
        running_code(FEATURE_CODE),
        foreign_code(brought),
        libraries(),
    )
    return hashlib.sha256(repr(parts).encode()).hexdigest()


def libraries() -> tuple[str, ...]:
    """Name the libraries that features depend on, with their versions."""
    return library_versions((*LIBRARIES, *(FILM_LIBRARIES if can_track_faces() else ())))
