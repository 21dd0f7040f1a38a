"""What features depend on, as one key: contents of files, settings, pipelines, code, libraries."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path

import biosense
from biosense.processing.pipelines import fingerprints
from biosense.studies.features.cache import write_whole
from biosense.studies.features.extract import ExtractSettings
from biosense.studies.features.video import can_track_faces

FEATURE_CODE = (
    "core",
    "processing",
    "datasets",
    "acquisition/camera",
    "estimation",
    "models/sequences.py",
    "studies/features",
)
"""What computes features, below the package: a change of it makes every kept feature void."""

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
            write_whole(self.folder / _MEMO, json.dumps(self._known).encode())


def feature_key(
    name: str,
    subject: str,
    files: Sequence[Path],
    settings: ExtractSettings,
    contents: Contents,
) -> str:
    """Return the key of one person's features: equal keys, equal features.

    Parameters
    ----------
    name
        Of the data set.
    files
        What is read of the person; their contents count, and their names within their folder.
    """
    parts = (
        name,
        subject,
        sorted((path.name, contents.hash(path)) for path in files),
        repr(settings),
        sorted((modality.value, mark) for modality, mark in fingerprints().items()),
        code_hash(FEATURE_CODE),
        libraries(),
    )
    return hashlib.sha256(repr(parts).encode()).hexdigest()


def libraries() -> tuple[str, ...]:
    """Name the libraries that features depend on, with their versions."""
    used = ("numpy", "scipy", *(("mediapipe",) if can_track_faces() else ()))
    return tuple(f"{name} {version(name)}" for name in used)


def code_hash(parts: Iterable[str]) -> str:
    """Return a hash of source files of this package, given by file or folder below it.

    >>> code_hash(["core"]) == code_hash(["core"]), code_hash(["core"]) == code_hash(["models"])
    (True, False)
    """
    package = Path(biosense.__file__).parent
    digest = hashlib.sha256()
    for part in parts:
        place = package / part
        if not place.exists():  # nothing would be found changed, ever
            raise FileNotFoundError(f"{part} is no part of the package")
        for path in [place] if place.is_file() else sorted(place.rglob("*.py")):
            digest.update(path.relative_to(package).as_posix().encode() + b"\0")
            digest.update(path.read_bytes().replace(b"\r\n", b"\n") + b"\0")
    return digest.hexdigest()
