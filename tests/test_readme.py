"""What the README shows exists: commands with their options, and files."""

import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from biosense.cli.app import app

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
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
