"""What files of the package import, read from their text: nothing is imported for it."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from pathlib import Path

PACKAGE = Path(__file__).resolve().parents[2] / "biosense"


def followed_imports(starts: Iterable[str], package: Path = PACKAGE) -> tuple[set[str], set[str]]:
    """Follow imports from some files to all that they rest on, wherever in a file they stand.

    Parameters
    ----------
    starts
        Files below the package, such as "core/grid.py".
    package
        The folder of the package.

    Returns
    -------
    files, libraries
        Files below the package; names of everything else that is imported.
    """
    files: set[str] = set()
    libraries: set[str] = set()
    left = list(starts)
    while left:
        file = left.pop()
        if file in files:
            continue
        files.add(file)
        for name in runtime_imports(package / file):
            if name.partition(".")[0] == package.name:
                left += _files_of(name, package)
            else:
                libraries.add(name.partition(".")[0])
    return files, libraries


def runtime_imports(file: Path) -> Iterator[str]:
    """Return the full names that a file imports when it runs, those for type checkers left out."""
    left: list[ast.AST] = [ast.parse(file.read_text(encoding="utf-8"))]
    while left:
        node = left.pop()
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            left += node.orelse
        else:
            left += ast.iter_child_nodes(node)


def _files_of(name: str, package: Path) -> Iterator[str]:
    """Return the file of a module, and of every package on the way to it.

    The package's own `__init__` is left out: it offers names and computes nothing.
    """
    place = package
    for part in name.split(".")[1:]:
        place = place / part
        for file in (place / "__init__.py", place.with_suffix(".py")):
            if file.is_file():
                yield file.relative_to(package).as_posix()
