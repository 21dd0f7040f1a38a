"""Packages of plug-ins as an installer leaves them: a dist-info folder beside their modules."""

from __future__ import annotations

import importlib
import shutil
import sys
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from unittest.mock import patch

from biosense.core.registry import Registry
from tests.support.examples import TABLES, table_at

Groups = Mapping[str, Mapping[str, str]]


def install(folder: Path, name: str, groups: Groups, modules: Mapping[str, str]) -> None:
    """Write modules and the metadata by which `importlib.metadata` knows them as version 0.1."""
    info = folder / f"{name.replace('-', '_')}-0.1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 0.1\n")
    lines = []
    for group, parts in groups.items():
        lines += [f"[{group}]", *(f"{part} = {target}" for part, target in parts.items())]
    (info / "entry_points.txt").write_text("\n".join(lines))
    for module, text in modules.items():
        (folder / f"{module}.py").write_text(text)


def install_project(project: Path, folder: Path) -> None:
    """Install what a pyproject.toml says, without an installer."""
    said = tomllib.loads((project / "pyproject.toml").read_text("utf-8"))
    for module in said["tool"]["setuptools"]["py-modules"]:
        shutil.copy(project / f"{module}.py", folder)
    install(folder, said["project"]["name"], said["project"]["entry-points"], {})


@contextmanager
def as_a_new_process(folder: Path) -> Iterator[None]:
    """Let tables find what is installed in a folder; forget it, and what was imported, behind."""
    with ExitStack() as stack:
        stack.enter_context(patch.object(sys, "path", [str(folder), *sys.path]))
        stack.callback(_unload, folder)
        for target in TABLES:
            _forget(stack, table_at(target))
        importlib.invalidate_caches()
        yield


def _unload(folder: Path) -> None:
    for name, module in list(sys.modules.items()):
        if Path(getattr(module, "__file__", None) or "").is_relative_to(folder):
            del sys.modules[name]


def _forget(stack: ExitStack, table: Registry[object]) -> None:
    stack.enter_context(patch.dict(vars(table), _loaded={}, _problems={}, _registered={}))
    vars(table).pop("_found", None)
