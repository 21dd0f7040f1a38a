"""What code and libraries a kept result depends on, as parts of its key."""

from __future__ import annotations

import hashlib
import secrets
import sys
from collections.abc import Iterable
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import biosense

PACKAGE = Path(biosense.__file__).parent
_DISTRIBUTIONS = {  # where these are not called as they are imported
    "sklearn": ("scikit-learn",),
    "cv2": (
        *("opencv-contrib-python", "opencv-contrib-python-headless"),
        *("opencv-python", "opencv-python-headless"),
    ),
}


def code_hash(parts: Iterable[str], package: Path = PACKAGE) -> str:
    """Return a hash of source files, given by file or folder below a package.

    Parameters
    ----------
    parts
        Such as "core" or "models/sequences.py"; of a folder all .py files count.
    package
        Where they lie.

    Returns
    -------
    str
        Equal for equal names and contents; how lines end does not count.

    Raises
    ------
    FileNotFoundError
        A part is not there: it would be found unchanged for ever.

    Examples
    --------
    >>> code_hash(["core"]) == code_hash(["core"]), code_hash(["core"]) == code_hash(["models"])
    (True, False)
    """
    digest = hashlib.sha256()
    for part in parts:
        place = package / part
        if not place.exists():
            raise FileNotFoundError(f"{part} is no part of the package at {package}")
        for path in [place] if place.is_file() else sorted(place.rglob("*.py")):
            digest.update(path.relative_to(package).as_posix().encode() + b"\0")
            digest.update(path.read_bytes().replace(b"\r\n", b"\n") + b"\0")
    return digest.hexdigest()


@cache
def running_code(parts: tuple[str, ...]) -> str:
    """Return the `code_hash` of parts of this package: what was imported stays as it is."""
    return code_hash(parts)


def foreign_code(parts: Iterable[type[Any]]) -> str:
    """Return a hash of the source of classes that other packages or scripts brought.

    Parameters
    ----------
    parts
        Classes; those of this package do not count, `running_code` knows them.

    Returns
    -------
    str
        Equal while the files of the packages (of the script, for one outside of any) are; of a
        class that was typed into a session, a hash that no other process has. Empty without any.
    """
    modules = sorted({part.__module__ for part in parts})
    found = [_source_hash(name) for name in modules if name.partition(".")[0] != "biosense"]
    return hashlib.sha256("".join(found).encode()).hexdigest() if found else ""


@cache
def _source_hash(module: str) -> str:
    parts = module.split(".")
    above = (sys.modules.get(".".join(parts[: k + 1])) for k in range(len(parts)))
    files = (getattr(each, "__file__", None) for each in above)  # a namespace package has none
    file = next((each for each in files if each and Path(each).is_file()), None)
    if file is None:
        return secrets.token_hex(16)
    path = Path(file)
    if path.name != "__init__.py":
        return code_hash([path.name], path.parent)
    return code_hash([path.parent.name], path.parents[1])


def library_versions(names: Iterable[str]) -> tuple[str, ...]:
    """Return libraries, by the names under which they are imported, with their versions.

    >>> library_versions(["numpy"]) == (f"numpy {version('numpy')}",)
    True
    """
    return tuple(f"{name} {_version(name)}" for name in names)


def _version(name: str) -> str:
    for distribution in _DISTRIBUTIONS.get(name, (name,)):
        try:
            return version(distribution)
        except PackageNotFoundError:
            continue
    return "is not installed"
