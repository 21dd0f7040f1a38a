"""`biosense live --preset`: what it makes of a preset and of the options beside it."""

from __future__ import annotations

import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest

from biosense.acquisition.xdf.reader import XdfReader
from biosense.acquisition.xdf.recording_folder import read_sidecar
from biosense.core.types import Event
from tests.support.recorded_runs import recorded

PRESET = """
[run]
mains_hz = 60
model = "none"
seconds = 0.5
record = "{folder}"

[preflight]
seconds = 0.6
on_problem = "refuse"

[[stream]]
simulate = 3
required = true
signals = ["eda"]
delay_ms = 20

[[stream]]
lsl = "nosuch"
"""


@pytest.fixture
def preset(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    from biosense.acquisition.lsl import LslSource

    monkeypatch.setitem(LslSource.__init__.__kwdefaults__, "timeout", 0.5)
    path = tmp_path / "lab.toml"
    path.write_text(PRESET.format(folder=tmp_path / "recordings"))
    return path


def test_a_run_by_a_preset(biosense, preset: Path) -> None:
    answer = biosense("live", "--preset", preset, "--headless", "--json")
    assert answer.code == 0, answer.err
    assert list(answer.json["streams"]) == ["sim-eda"]
    assert 0.5 <= answer.json["seconds"] < 5.0
    assert "the run goes on without an optional source" in answer.words
    assert "no LSL stream 'nosuch'" in answer.words
    folder = Path(answer.json["recording"])
    assert read_sidecar(folder).preset == preset.read_text()
    assert '"delay_subtracted_s": 0.02' in recorded(folder)["sim-eda"][0].info.description
    events = [item for item in XdfReader(folder).items() if isinstance(item, Event)]
    assert "pre-flight ok: 128.0 of 128 Hz" in [event.text for event in events]


def test_a_refused_run_says_why_and_records_nothing(
    biosense, preset: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=10.0))
    answer = biosense("live", "--preset", preset, "--headless", "--json")
    lines = [line for line in answer.err.splitlines() if line.startswith("pre-flight ")]
    assert lines == [f"pre-flight the disk of {preset.parent} has room for 0 min (0 MB)"]
    assert answer.reason.startswith("the pre-flight found 1 problem, nothing is recorded")
    assert answer.out == ""
    assert not (preset.parent / "recordings").exists()


def test_a_required_stream_that_is_missing_ends_it(biosense, preset: Path) -> None:
    answer = biosense("live", "--preset", preset, "--lsl", "nosuch", "--headless", "--json")
    assert "no LSL stream 'nosuch'" in answer.reason
    assert not (preset.parent / "recordings").exists()


def test_options_go_before_the_preset(biosense, preset: Path, tmp_path: Path) -> None:
    answer = biosense(
        *("live", "--preset", preset, "--record", tmp_path / "else", "--seconds", 0.3),
        *("--preflight", 0, "--mains", 50, "--features", "--headless", "--json"),
    )
    assert answer.code == 0, answer.err
    folder = Path(answer.json["recording"])
    assert folder.parent == tmp_path / "else"
    assert "pre-flight" not in answer.err
    assert "biosense-features-eda" in recorded(folder)


def test_what_is_wrong_with_a_preset_is_one_line(biosense, preset: Path) -> None:
    preset.write_text("[run]\nmains = 50")
    reason = biosense("live", "--preset", preset).reason
    assert f"{preset}: [run] has no key 'mains'; it can have: mains_hz" in reason
    assert "cannot read the preset" in biosense("live", "--preset", preset.parent / "x").reason


def test_a_preset_without_streams_needs_one_named(biosense, preset: Path) -> None:
    preset.write_text("[run]\nmains_hz = 50")
    assert "name at least one stream" in biosense("live", "--preset", preset).complaint
