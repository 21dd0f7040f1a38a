"""Imports point down only, and a newcomer's `import biosense` loads nothing heavy."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "biosense"
FILES = sorted(PACKAGE.rglob("*.py"))

LAYERS = (
    {"core"},
    {"acquisition", "processing", "models", "datasets", "viz"},
    {"estimation"},
    {"live", "recordings", "studies"},
    {"gui", "api"},
    {"cli"},
    {"__main__", "testing"},
)
"""From the bottom up: a folder imports those of lower lines, and none of its own line."""

ONLY_IN = {
    "PySide6": ("gui/widgets", "gui/app"),
    "pyqtgraph": ("gui/widgets", "gui/app"),
    "pylsl": ("acquisition/lsl", "live/output/lsl_outlet"),
    "bleak": ("acquisition/ble/link",),
    "cv2": ("acquisition",),
    "mediapipe": ("acquisition/camera/tracking",),
    "torch": ("models", "estimation", "live", "studies", "testing"),
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


def layer_of(name: str) -> int:
    """Return the number of the line of `LAYERS` that a folder or file of the package stands in."""
    found = [number for number, names in enumerate(LAYERS) if name in names]
    assert found, f"{name} has no place in the layers: docs/design.md names them"
    return found[0]


def test_imports_point_down() -> None:
    wrong = []
    for file in FILES:
        place = file.relative_to(PACKAGE)
        own = place.parts[0].removesuffix(".py")
        used = {name.split(".")[1] for name in imports_of(file) if name.startswith("biosense.")}
        used -= {own, "__version__"}
        if own != "__init__":
            wrong += [f"{place}: {name}" for name in used if layer_of(name) >= layer_of(own)]
    assert wrong == []


def test_no_circles() -> None:
    """Wherever in a file it stands: modules that need each other are read and changed as one."""
    modules = {module_name(file): file for file in FILES if file != PACKAGE / "__init__.py"}
    needs = {}
    for name, file in modules.items():
        found = {parent for used in imports_of(file) for parent in (used, used.rpartition(".")[0])}
        needs[name] = (found & modules.keys()) - {name}
    circle: list[str] = []
    try:
        TopologicalSorter(needs).prepare()
    except CycleError as error:
        circle = error.args[1]
    assert circle == []


def module_name(file: Path) -> str:
    """Return the name by which a file is imported."""
    parts = file.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts).removesuffix(".__init__")


def test_third_parties_stay_behind_their_fence() -> None:
    wrong = []
    for file in FILES:
        place = file.relative_to(PACKAGE).with_suffix("").as_posix()
        for name in {name.split(".")[0] for name in imports_of(file)}:
            fences = ONLY_IN.get(name)
            if fences and not any(place == at or place.startswith(f"{at}/") for at in fences):
                wrong.append(f"{place} imports {name}, which only {fences} may")
            numpy_only = place.startswith("core/") and name not in sys.stdlib_module_names
            if numpy_only and name not in ("numpy", "biosense"):
                wrong.append(f"{place} imports {name}: core knows numpy only")
    assert wrong == []


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
    assert loaded_by("biosense", "--help") == set()


def test_a_run_without_a_model_loads_no_torch() -> None:
    used = "biosense.cli.session, biosense.live.config.make_sources"
    script = f"import {used}, sys; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert "biosense.live.run" in done.stdout.split()
    assert not {"torch", "PySide6"} & set(done.stdout.split())


def test_files_and_folders_can_be_taken_in() -> None:
    """A file is read in one sitting, a folder in one look."""
    roots = [ROOT / name for name in ("biosense", "tests", "benchmarks", "examples")]
    files = [file for root in roots for file in root.rglob("*.py")]
    long = [str(file) for file in files if len(file.read_text("utf-8").splitlines()) > 300]
    full = Counter(str(file.parent) for file in files)
    assert long == []
    assert [folder for folder, count in full.items() if count > 25] == []
