"""Imports point down only, and a newcomer's `import biosense` loads nothing heavy."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "biosense"
FILES = sorted(PACKAGE.rglob("*.py"))

SIBLINGS = {"acquisition", "processing", "models", "datasets"}
RUNS = {"live", "study"}
MAY_IMPORT = {
    "core": {"core"},
    **{name: {"core", name} for name in SIBLINGS},
    "live": {"core", "live"} | SIBLINGS,
    "study": {"core", "live", "study"} | SIBLINGS,
    "gui": {"core", "gui"} | SIBLINGS | RUNS,
    "cli": {"core", "gui", "cli"} | SIBLINGS | RUNS,
    "__main__": {"cli"},
    "__init__": set(),
}
ONLY_IN = {
    "PySide6": ("gui",),
    "pyqtgraph": ("gui",),
    "pylsl": ("acquisition",),
    "bleak": ("acquisition",),
    "cv2": ("acquisition",),
    "mediapipe": ("acquisition/camera",),
    "torch": ("models", "live", "study"),
}
HEAVY = (
    *("torch", "PySide6", "pyqtgraph", "mne", "bleak", "cv2", "neurokit2", "mediapipe", "pandas"),
    "matplotlib",
)


def imports_of(file: Path) -> Iterator[str]:
    """Return the full names of the modules that a file imports, wherever in it."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file}:{node.lineno}: imports are absolute here"
            module = node.module or ""
            yield from (f"{module}.{alias.name}" for alias in node.names)


def layer_of(file: Path) -> str:
    return file.relative_to(PACKAGE).parts[0].removesuffix(".py")


def label(file: Path) -> str:
    return str(file.relative_to(PACKAGE))


@pytest.mark.parametrize("file", FILES, ids=label)
def test_imports_point_down(file: Path) -> None:
    layer = layer_of(file)
    assert layer in MAY_IMPORT, f"{layer} has no place in the layers: DESIGN names them"
    used = {name.split(".")[1] for name in imports_of(file) if name.startswith("biosense.")}
    used -= {"__version__"}
    assert used <= MAY_IMPORT[layer], f"{label(file)} imports {used - MAY_IMPORT[layer]}"


@pytest.mark.parametrize("file", FILES, ids=label)
def test_third_parties_stay_behind_their_fence(file: Path) -> None:
    place = file.relative_to(PACKAGE).with_suffix("").as_posix()
    for name in imports_of(file):
        allowed = ONLY_IN.get(name.split(".")[0])
        fenced = allowed is None or any(
            place == folder or place.startswith(f"{folder}/") for folder in allowed
        )
        assert fenced, f"{label(file)} imports {name}, which only {allowed} may"


@pytest.mark.parametrize("file", [file for file in FILES if layer_of(file) == "core"], ids=label)
def test_core_needs_numpy_only(file: Path) -> None:
    parties = {name.split(".")[0] for name in imports_of(file)} - set(sys.stdlib_module_names)
    assert parties <= {"numpy", "biosense"}


def test_the_layers_that_the_tests_know_are_there() -> None:
    found = {layer_of(file) for file in FILES}
    assert SIBLINGS | {"core", "live", "gui", "cli"} <= found


def loaded_by(*arguments: str) -> set[str]:
    """Return which heavy libraries a fresh interpreter has loaded at the end of a run."""
    script = (
        "import atexit, runpy, sys\n"
        "atexit.register(lambda: sys.stderr.write('LOADED ' + ' '.join(sys.modules)))\n"
        "sys.argv = sys.argv[1:]\n"
        "runpy.run_module(sys.argv[0], run_name='__main__', alter_sys=True)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    modules = done.stderr.rpartition("LOADED ")[2].split()
    return {name.split(".")[0] for name in modules} & set(HEAVY)


def test_import_biosense_is_light() -> None:
    script = "import biosense, biosense.core, sys; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True
    )
    modules = {name.split(".")[0] for name in done.stdout.split()}
    assert "biosense" in modules
    assert modules & {*HEAVY, "scipy", "pylsl"} == set()


def test_help_is_light() -> None:
    if not (PACKAGE / "__main__.py").exists():
        pytest.skip("biosense/__main__.py is not written yet")
    assert loaded_by("biosense", "--help") == set()
