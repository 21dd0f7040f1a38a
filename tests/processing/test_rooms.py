"""The rooms of processing stand side by side: each knows `signal`, none its neighbour."""

from __future__ import annotations

import ast
from pathlib import Path

import biosense.processing

ROOT = Path(biosense.processing.__path__[0])
SHARED = "signal"
ALSO = {"offline": {"eeg"}}
"""Offline cleaning reads the montages of EEG, so that both name electrodes in the same way."""


def rooms_used(folder: Path) -> set[str]:
    """Return the parts of processing that the files of a folder import."""
    names = set()
    for file in folder.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith(
                "biosense.processing"
            ):
                parts = [*(node.module or "").split(".")[2:], *(alias.name for alias in node.names)]
                names.add(parts[0])
    return names - {folder.name}


def test_a_room_of_processing_imports_what_all_share_and_no_neighbour() -> None:
    folders = [folder for folder in ROOT.iterdir() if (folder / "__init__.py").exists()]
    assert SHARED in {folder.name for folder in folders}
    used = {folder.name: rooms_used(folder) for folder in folders}
    assert used.pop(SHARED) == set()
    wrong = {
        name: sorted(others - {SHARED} - ALSO.get(name, set())) for name, others in used.items()
    }
    assert {name: others for name, others in wrong.items() if others} == {}
