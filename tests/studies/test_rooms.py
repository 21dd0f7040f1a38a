"""The rooms of studies stand in one order, and import those of lower lines only."""

from __future__ import annotations

from tests.support.package_imports import PACKAGE, runtime_imports

ORDER = (
    {"base.py", "code_hash.py", "executor.py", "kept_files.py"},
    {"splits", "scoring", "features"},
    {"candidates"},
    {"leak_checks"},
    {"execution"},
    {"results"},
    {"report"},
    {"run.py"},
    {"conduct.py", "evaluate.py", "train_final.py"},
)
"""From the bottom up, below biosense/studies."""


def line_of(name: str) -> int:
    (line,) = (number for number, names in enumerate(ORDER) if {name, f"{name}.py"} & names)
    return line


def test_every_room_has_its_line() -> None:
    there = {path.name for path in (PACKAGE / "studies").iterdir() if path.name[0] != "_"}
    assert there == set().union(*ORDER)


def test_rooms_import_those_of_lower_lines() -> None:
    wrong = []
    for file in sorted((PACKAGE / "studies").rglob("*.py")):
        own = file.relative_to(PACKAGE / "studies").parts[0]
        for name in runtime_imports(file):
            if name.startswith("biosense.studies."):
                room = name.split(".")[2]
                if room != own.removesuffix(".py") and line_of(room) >= line_of(own):
                    wrong.append(f"{file.relative_to(PACKAGE)} imports {name}")
    assert wrong == []
