"""Packages of plug-ins as an installer leaves them: a dist-info folder beside their modules."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

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
