"""What the README shows exists: commands with their options, and files."""

import re
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from biosense.cli.app import app
from tests.support.recorded_runs import WholeRun

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
SHOWN = "recordings/20261121-101500_P07"
RUN_HERE = ("biosense check", "biosense estimate", "biosense export", "biosense datasets")
COMMANDS = sorted(set(re.findall(r"^biosense [^#\n]+", README, re.MULTILINE)))


@pytest.mark.parametrize("line", COMMANDS)
def test_command_of_the_readme_exists_with_its_options(line: str) -> None:
    words = line.split()[1:]
    command = words[:2] if words[0] == "train" else words[:1]
    shown = CliRunner().invoke(app, [*command, "--help"], env={"COLUMNS": "200"})
    assert shown.exit_code == 0
    for option in re.findall(r"--[a-z-]+", line):
        assert option in shown.stdout


@pytest.mark.parametrize("target", sorted(set(re.findall(r"\]\(([^)#]+)\)", README))))
def test_file_that_the_readme_points_to_exists(target: str) -> None:
    assert (ROOT / target).exists()


@pytest.fixture(scope="module")
def desk(whole: WholeRun, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which the recording that the README names is there."""
    folder = tmp_path_factory.mktemp("readme")
    shutil.copytree(whole.outcome.folder, folder / SHOWN)
    return folder


@pytest.mark.parametrize("line", [line for line in COMMANDS if line.startswith(RUN_HERE)])
def test_command_of_the_readme_runs(line: str, desk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(desk)
    done = CliRunner().invoke(app, line.split()[1:])
    assert done.exit_code == 0, done.output


def test_python_of_the_readme_runs(desk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(desk)
    (code,) = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    names: dict[str, object] = {}
    exec(code, names)
    assert names["figure"]
