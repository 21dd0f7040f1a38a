"""Every code block of the pages is run: Python in one namespace a page, commands by themselves.

Blocks of `python` and `console` run where `REC` is a recording. Blocks without a language show what
needs hardware, a data set or a display: of their commands the options are checked.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from sybil import Example, Sybil
from sybil.parsers.myst import CodeBlockParser, PythonCodeBlockParser
from typer.testing import CliRunner

from biosense.api.simulation import simulate
from biosense.cli.app import app
from tests.conftest import lsl_session

__all__ = ["lsl_session"]

ROOT = Path(__file__).resolve().parents[1]
PLUGINS = ROOT / "examples" / "plugins"


@pytest.fixture(scope="session")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder to work in, with a recording in it and the presets of the checkout."""
    folder = tmp_path_factory.mktemp("desk")
    sensors, markers = ("eeg", "ecg", "eda"), [(10.0, "stimulus"), (20.0, "stimulus")]
    simulate(30, modalities=sensors, markers=markers, folder=folder / "REC")
    shutil.copytree(ROOT / "examples", folder / "examples")
    return folder


@pytest.fixture
def at_the_desk(
    desk: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> Path:
    """Each page has a place of its own, with a fresh recording."""
    page = Path(request.node.example.path).relative_to(ROOT / "docs").with_suffix("")
    place = desk.parent / f"{desk.name}-pages" / page
    if not place.exists():
        shutil.copytree(desk, place)
    monkeypatch.chdir(place)
    monkeypatch.setenv("MPLBACKEND", "agg")
    return place


def run_commands(example: Example) -> None:
    """Run the lines behind a `$`: each must end well."""
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join((str(ROOT), str(PLUGINS))),
        "COLUMNS": "100",
    }
    for line in re.findall(r"^\$ (.+)$", example.parsed, re.MULTILINE):
        words = shlex.split(line, comments=True)
        if words[0] == "biosense":
            words = [sys.executable, "-m", *words]
        elif words[0] == "python":
            words[0] = sys.executable
        done = subprocess.run(
            words, env=environment, capture_output=True, text=True, timeout=100, check=False
        )
        assert done.returncode == 0, f"{line}\n{done.stdout[-1000:]}\n{done.stderr[-2000:]}"


def check_options(example: Example) -> None:
    """See that the commands of a block that cannot run here exist, with their options."""
    joined = example.parsed.replace("\\\n", " ")
    for line in re.findall(r"^(?:make .*|biosense .+)$", joined, re.MULTILINE):
        words = shlex.split(line, comments=True)
        if words[0] == "make":
            assert re.search(rf"^{words[1]}:", (ROOT / "Makefile").read_text(), re.MULTILINE), line
            continue
        shown = CliRunner().invoke(app, [words[1], "--help"], env={"COLUMNS": "200"})
        assert shown.exit_code == 0, line
        for option in (word for word in words[2:] if word.startswith("--")):
            assert option in shown.stdout, f"{line}: no {option}"


def check_syntax(example: Example) -> None:
    """See that Python that needs what is not here, a cluster say, can be compiled."""
    compile(example.parsed, example.path, "exec")


pytest_collect_file = Sybil(
    parsers=[
        PythonCodeBlockParser(),
        CodeBlockParser("console", run_commands),
        CodeBlockParser("text", check_options),
        CodeBlockParser("py", check_syntax),
    ],
    patterns=["*.md"],
    excludes=["**/_build/**", "gallery/**", "benchmarks/**"],
    fixtures=["at_the_desk"],
).pytest()
