"""Files that keep results: written whole or not at all, and refused where they are damaged."""

from __future__ import annotations

import os
import tempfile
import zipfile
import zlib
from pathlib import Path

from biosense.core.errors import BiosenseError

UNREADABLE = (OSError, ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile, zlib.error)
"""What a damaged .npz file can raise while it is read."""


class CacheDamaged(BiosenseError):
    """Raise for an entry that cannot be read; it is computed again."""


def write_atomically(path: Path, content: bytes) -> None:
    """Write a file so that it is there whole or not at all, also when two write it at once."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
