"""`biosense live --preset`: what it makes of a preset and of the options beside it."""

from __future__ import annotations

import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest

from biosense.acquisition.xdf.reader import XdfReader
from biosense.acquisition.xdf.recording_folder import read_sidecar
from biosense.cli.live import _Options, _settings
from biosense.core.clock import SystemClock
from biosense.core.types import Event
from biosense.live.adapted_source import Adapted, StreamChange
from biosense.live.config.make_sources import make_sources, wanted_streams
from biosense.live.config.preset import Kind, Preset, StreamPreset, parse_preset
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
NOTHING = _Options(None, None, "", None, None, None, None)


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
    assert answer.json["seconds"] == pytest.approx(0.5, abs=0.4)
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


def test_settings_are_those_of_the_preset_but_for_the_options() -> None:
    said = parse_preset(
        "[run]\nmains_hz = 60\nmodel = 'best'\nfeatures = true\npatience = 0.3\nseconds = 9\n"
        "[preflight]\nmax_loss = 0.2",
        Path("lab.toml"),
    )
    settings = _settings(said, NOTHING)
    assert (settings.model_name, settings.features, settings.seconds) == ("best", True, 9.0)
    assert (settings.processor.mains_hz, settings.processor.patience) == (60.0, 0.3)
    assert (settings.preflight.seconds, settings.preflight.max_loss) == (5.0, 0.2)
    options = _Options("", Path("here"), "P1", False, 50.0, 2.0, 4.0)
    settings = _settings(said, options)
    assert (settings.model_name, settings.features, settings.seconds) == ("", False, 4.0)
    assert (settings.processor.mains_hz, settings.participant) == (50.0, "P1")
    assert (settings.preflight.seconds, settings.preflight.max_loss) == (2.0, 0.2)


def test_without_a_preset_signals_are_looked_at_where_it_records() -> None:
    assert _settings(Preset(), NOTHING).preflight.seconds == 0.0
    recording = _Options(None, Path("here"), "", None, None, None, None)
    assert _settings(Preset(), recording).preflight.seconds == 5.0
    assert _settings(Preset(), recording).model_name == "default"


def test_streams_named_by_options_are_required_and_not_opened_twice() -> None:
    preset = Preset(
        (
            StreamPreset(Kind.LSL, "cap"),
            StreamPreset(Kind.CAMERA, 0, change=StreamChange(delay=0.03)),
            StreamPreset(Kind.BLE, "H10", required=True),
        )
    )
    streams = wanted_streams(preset, ["cap", "gaze"], ["Muse"], "1", 7)
    assert [(each.kind.value, each.target, each.required) for each in streams] == [
        ("lsl", "cap", True),
        ("camera", "1", True),
        ("ble", "H10", True),
        ("lsl", "gaze", True),
        ("ble", "Muse", True),
        ("simulate", 7, True),
    ]
    assert streams[1].change.delay == 0.03, "what the preset says of its camera stays"


def test_sources_are_made_of_streams() -> None:
    wanted = (
        StreamPreset(Kind.LSL, "cap", required=True, change=StreamChange(unit="uV")),
        StreamPreset(Kind.BLE, "H10", signals=("ecg",), delays={"ecg": 0.01}),
        StreamPreset(Kind.BLE, "Ganglion", options={"modality": "ecg", "acc": False}),
        StreamPreset(Kind.CAMERA, 0),
    )
    sources = make_sources(wanted, clock=SystemClock(), preview=lambda _: None)
    kinds = [type(each).__name__ for each in sources.all]
    assert kinds == ["Adapted", "Adapted", "BleSource", "CameraSource"]
    assert sources.own == sources.all[1:]
    assert sources.optional == sources.all[1:]
    strap, board = sources.all[1], sources.all[2]
    assert isinstance(strap, Adapted)
    assert strap._source._radio is board._radio, "one radio: sensors scan one after another"
