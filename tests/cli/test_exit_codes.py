"""Every command: help, exit codes, and mistakes that are answered in one line."""

from __future__ import annotations

import subprocess
import sys

import pytest
from typer.testing import CliRunner

from biosense import __version__
from biosense.cli import app as app_module
from biosense.cli.app import app
from biosense.core.errors import BadInput

COMMANDS = ["demo", "devices", "live", "replay", "estimate", "check", "simulate", "window"]


@pytest.mark.parametrize("command", [*COMMANDS, "train", "train simulated", ""])
def test_every_command_has_help(command: str) -> None:
    result = CliRunner().invoke(app, [*command.split(), "--help"])
    assert result.exit_code == 0
    assert "Usage:" in result.output
    assert len(result.output.splitlines()) > 5


def test_the_version_is_printed() -> None:
    result = CliRunner().invoke(app, ["--version"])
    assert (result.exit_code, result.output) == (0, f"biosense {__version__}\n")


WRONG_USE = {
    "no such command": ["nonsense"],
    "no such option": ["live", "--nonsense"],
    "nothing to record": ["live"],
    "a pseudonym that is a path": ["live", "--simulate", "--participant", "../me"],
    "a mains frequency that is none": ["live", "--simulate", "--mains", "0"],
    "a negative duration": ["live", "--simulate", "--seconds", "-1"],
    "a person that cannot be": ["simulate", "--seed", "-1"],
    "a modality that is none": ["simulate", "--modality", "smell"],
    "a modality that is not simulated": ["simulate", "--modality", "temp"],
    "a speed of 0": ["replay", "somewhere", "--speed", "0"],
    "a table of an unknown kind": ["estimate", "somewhere", "--out", "x.txt"],
    "nothing to estimate": ["estimate"],
    "too few people": ["train", "simulated", "--out", "x", "--people", "1"],
    "no such model": ["train", "simulated", "--out", "x", "--model", "oracle"],
    "a window without a token": ["window", "tcp://127.0.0.1:1"],
}


@pytest.mark.parametrize("mistake", WRONG_USE)
def test_wrong_use_is_exit_code_2_with_a_reason(
    mistake: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("BIOSENSE_CONTROL_TOKEN", raising=False)
    result = CliRunner().invoke(app, WRONG_USE[mistake])
    assert result.exit_code == 2
    assert "Error" in result.output
    assert "Traceback" not in result.output


def test_the_reason_says_what_would_be_right(biosense) -> None:
    assert "name at least one stream: --lsl NAME" in biosense("live").complaint
    assert "must end in .csv or .parquet" in biosense("estimate", "x", "--out", "y").complaint
    assert "cross_attention, deep_cca, early" in biosense(*WRONG_USE["no such model"]).complaint


def broken(error: Exception):
    def command() -> None:
        error.add_note("while reading 'chest'")
        raise error

    return command


@pytest.fixture
def raising(monkeypatch: pytest.MonkeyPatch):
    def arrange(error: Exception) -> None:
        fresh = app_module.typer.Typer(pretty_exceptions_enable=False)
        fresh.callback()(app_module.options)
        fresh.command("go")(broken(error))
        monkeypatch.setattr(app_module, "app", fresh)

    return arrange


def test_our_errors_are_one_line(biosense, raising) -> None:
    raising(BadInput("unit [V] of\n'chest' :heart: is not known"))
    answer = biosense("go")
    assert answer.reason == "unit [V] of 'chest' :heart: is not known (while reading 'chest')"
    assert answer.out == ""


def test_a_fault_of_ours_is_named_in_one_line(biosense, raising) -> None:
    raising(ZeroDivisionError("by zero"))
    reason = biosense("go").reason
    assert "a fault of biosense itself, ZeroDivisionError: by zero" in reason
    assert "while reading 'chest'" in reason
    assert "--debug" in reason


def test_a_library_that_is_missing_is_named_with_its_extra(biosense, raising) -> None:
    raising(ModuleNotFoundError("No module named 'torch'", name="torch"))
    assert biosense("go").reason == "torch is not installed: pip install 'biosense[ml]'"


def test_debug_shows_where(biosense, raising) -> None:
    raising(ZeroDivisionError("by zero"))
    answer = biosense("--debug", "go")
    assert answer.code == 1
    assert "Traceback" in answer.err
    assert "test_exit_codes.py" in answer.err


def test_the_module_is_the_command() -> None:
    command = [sys.executable, "-m", "biosense", "estimate", "nowhere.xdf"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.strip() == "error: there is no recording at nowhere.xdf"


def test_a_demo_without_its_libraries_says_all_of_them_in_one_line(
    biosense, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("biosense.cli.demo.find_spec", lambda name: None)
    answer = biosense("demo", "--headless")
    assert answer.code == 1
    assert len(answer.err.splitlines()) == 1
    assert "torch and NeuroKit2: pip install 'biosense[demo]'" in answer.reason
