"""The walks of docs/design.md are in the code as they are told, and return to no room."""

from __future__ import annotations

import re
from itertools import groupby
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "biosense"
DESIGN = (ROOT / "docs" / "design.md").read_text(encoding="utf-8")
STEP = re.compile(r"^\d+\. `(?P<file>[\w/]+\.py)` `(?P<name>\w+)` .+\.$", re.MULTILINE)


def walks() -> dict[str, list[tuple[str, str]]]:
    """Return file and name of each step, by the heading of the walk."""
    section = DESIGN.split("\n## Four walks\n")[1].split("\n## ")[0]
    parts = [part.split("\n", 1) for part in section.split("\n### ")[1:]]
    return {title: STEP.findall(text) for title, text in parts}


WALKS = walks()


def test_there_are_four_and_every_line_is_read() -> None:
    assert len(WALKS) == 4
    lines = re.findall(r"^\d+\. ", DESIGN.split("\n## Four walks\n")[1].split("\n## ")[0], re.M)
    assert len(lines) == sum(map(len, WALKS.values()))


@pytest.mark.parametrize("title", WALKS)
def test_every_step_is_in_its_file(title: str) -> None:
    for file, name in WALKS[title]:
        code = (PACKAGE / file).read_text(encoding="utf-8")
        assert re.search(rf"^(class|def|async def) {name}\b", code, re.M), f"{file} has no {name}"


@pytest.mark.parametrize("title", WALKS)
def test_no_walk_returns_to_a_room_that_it_left(title: str) -> None:
    rooms = [room for room, _ in groupby(Path(file).parent.as_posix() for file, _ in WALKS[title])]
    assert len(set(rooms)) == len(rooms), rooms


def test_every_room_has_its_place_in_the_tree() -> None:
    tree = DESIGN.split("```")[1]
    named = {line.split()[0].rstrip("/") for line in tree.splitlines() if line.strip()}
    rooms = {path.name for path in PACKAGE.iterdir() if (path / "__init__.py").is_file()}
    assert rooms <= named, rooms - named
