"""Kept features and fits are found again only where no file that they rest on was edited.

What they rest on is found by following imports, not by the lists that the keys are made of.
"""

from __future__ import annotations

import importlib
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from types import ModuleType

import pytest

from biosense.studies.candidates.families import FamilyCandidate
from biosense.studies.candidates.without_signal import Permuted
from biosense.studies.code_hash import PACKAGE, _source_hash, code_hash, foreign_code
from biosense.studies.execution import jobs
from biosense.studies.features import keys
from biosense.studies.features.cache import FeatureCache
from tests.support.package_imports import followed_imports

KINDS = {
    "features": (
        ("studies/features/extract.py", "datasets/registry.py"),
        keys.FEATURE_CODE,
        {*keys.LIBRARIES, *keys.FILM_LIBRARIES},
    ),
    "fits": (("studies/execution/jobs.py",), jobs.STUDY_CODE, set(jobs.LIBRARIES)),
}


def part_of(file: str, parts: tuple[str, ...]) -> str | None:
    """Return the part of a key that a file belongs to."""
    own = PurePosixPath(file)
    return next((part for part in parts if own.is_relative_to(part)), None)


def unnamed(files: set[str], parts: tuple[str, ...]) -> list[str]:
    """Return the files that no part names; a package that holds a part is named by it."""
    above = {
        str(folder / "__init__.py") for part in parts for folder in PurePosixPath(part).parents
    }
    return sorted(file for file in files - above if part_of(file, parts) is None)


@pytest.mark.parametrize("kind", KINDS)
def test_every_file_and_library_that_counts_is_named(kind: str) -> None:
    starts, parts, named = KINDS[kind]
    files, libraries = followed_imports(starts)
    assert len(files) > 50
    assert unnamed(files, parts) == []
    assert libraries - set(sys.stdlib_module_names) <= named


def test_a_file_that_no_room_names_is_found() -> None:
    """The estimation room was once not named, and edited rules of quality gave old features."""
    starts, parts, _ = KINDS["features"]
    files, _ = followed_imports(starts)
    without = tuple(part for part in parts if part != "estimation")
    assert "estimation/signal_quality.py" in unnamed(files, without)


@pytest.mark.parametrize("kind", KINDS)
def test_editing_any_of_them_changes_the_key(kind: str, tmp_path: Path) -> None:
    starts, parts, _ = KINDS[kind]
    for part in parts:
        copy = tmp_path / part
        copy.parent.mkdir(parents=True, exist_ok=True)
        if (PACKAGE / part).is_file():
            shutil.copy(PACKAGE / part, copy)
        else:
            shutil.copytree(PACKAGE / part, copy, ignore=shutil.ignore_patterns("__pycache__"))
    assert code_hash(parts, tmp_path) == code_hash(parts)
    before = {part: code_hash([part], tmp_path) for part in parts}
    files, _ = followed_imports(starts)
    for file in sorted(files):
        part = part_of(file, parts)
        if part is not None:  # the packages around parts compute nothing
            text = (tmp_path / file).read_bytes()
            (tmp_path / file).write_bytes(text + b"# edited\n")
            assert code_hash([part], tmp_path) != before[part], file
            (tmp_path / file).write_bytes(text)
    assert code_hash(parts, tmp_path) == code_hash(parts)


def test_a_new_file_changes_the_key_and_the_end_of_lines_does_not(tmp_path: Path) -> None:
    (tmp_path / "core").mkdir()
    (tmp_path / "core" / "a.py").write_bytes(b"x = 1\n")
    first = code_hash(["core"], tmp_path)
    (tmp_path / "core" / "a.py").write_bytes(b"x = 1\r\n")
    assert code_hash(["core"], tmp_path) == first
    (tmp_path / "core" / "b.py").write_bytes(b"")
    assert code_hash(["core"], tmp_path) != first


def test_a_part_that_is_gone_is_named() -> None:
    with pytest.raises(FileNotFoundError, match=r"studies/gone\.py is no part"):
        code_hash(["studies/gone.py"])


@pytest.fixture
def brought(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A script and a package outside of biosense, each with a class `Own`."""
    (tmp_path / "own_script.py").write_text("class Own: ...\n")
    (tmp_path / "own_package").mkdir()
    (tmp_path / "own_package" / "__init__.py").write_text("from own_package.part import Own\n")
    (tmp_path / "own_package" / "part.py").write_text("class Own: ...\n")
    (tmp_path / "own_package" / "layers.py").write_text("width = 3\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    yield tmp_path
    for name in [each for each in sys.modules if each.startswith(("own_script", "own_package"))]:
        monkeypatch.delitem(sys.modules, name)


@pytest.mark.parametrize(
    ("module", "edited"),
    [("own_script", "own_script.py"), ("own_package", "own_package/layers.py")],
)
def test_editing_what_others_brought_changes_the_key(
    module: str, edited: str, brought: Path
) -> None:
    own = importlib.import_module(module).Own
    before = foreign_code([own])
    _source_hash.cache_clear()
    assert foreign_code([own]) == before != ""
    with (brought / edited).open("a") as file:
        file.write("more = 4\n")
    _source_hash.cache_clear()
    assert foreign_code([own]) != before


def test_code_of_this_package_is_counted_elsewhere() -> None:
    assert foreign_code([FeatureCache]) == ""


def test_a_class_typed_into_a_session_is_never_found_again() -> None:
    own = type("Own", (), {"__module__": "typed"})
    sys.modules["typed"] = ModuleType("typed")
    try:
        before = foreign_code([own])
        _source_hash.cache_clear()  # as in the next session
        assert foreign_code([own]) != before
    finally:
        del sys.modules["typed"]


@dataclass(frozen=True)
class OwnCandidate:
    name: str = "own"


def test_a_candidate_of_ones_own_counts_wherever_it_is_wrapped() -> None:
    assert OwnCandidate in set(jobs._classes(Permuted(OwnCandidate())))
    assert foreign_code(jobs._classes(Permuted(OwnCandidate()))) != ""
    assert foreign_code(jobs._classes(Permuted(FamilyCandidate("early")))) == ""
