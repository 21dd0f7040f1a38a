"""From a preset, and options beside it, to the settings and sources of a run; no command line."""

from __future__ import annotations

from pathlib import Path

from biosense.core.clock import SystemClock
from biosense.live.config.adapted_source import AdaptedSource, StreamChange
from biosense.live.config.make_sources import make_sources, wanted_streams
from biosense.live.config.preset import Preset, StreamKind, StreamPreset, parse_preset
from biosense.live.config.run_settings import RunOptions, run_settings
from tests.support.examples import registered


def test_settings_are_those_of_the_preset_but_for_the_options() -> None:
    preset = parse_preset(
        "[run]\nmains_hz = 60\nmodel = 'best'\nfeatures = true\npatience = 0.3\nseconds = 9\n"
        "[preflight]\nmax_loss = 0.2",
        Path("lab.toml"),
    )
    settings = run_settings(preset, RunOptions())
    assert (settings.model_name, settings.features, settings.seconds) == ("best", True, 9.0)
    assert (settings.processor.mains_hz, settings.processor.patience) == (60.0, 0.3)
    assert (settings.preflight.seconds, settings.preflight.max_loss) == (5.0, 0.2)
    options = RunOptions("", Path("here"), "P1", False, 50.0, 2.0, 4.0)
    settings = run_settings(preset, options)
    assert (settings.model_name, settings.features, settings.seconds) == ("", False, 4.0)
    assert (settings.processor.mains_hz, settings.participant) == (50.0, "P1")
    assert (settings.preflight.seconds, settings.preflight.max_loss) == (2.0, 0.2)


def test_without_a_preset_signals_are_looked_at_where_it_records() -> None:
    assert run_settings(Preset(), RunOptions()).preflight.seconds == 0.0
    recording = RunOptions(record=Path("here"))
    assert run_settings(Preset(), recording).preflight.seconds == 5.0
    assert run_settings(Preset(), recording).model_name == "default"


def test_streams_named_by_options_are_required_and_not_opened_twice() -> None:
    preset = Preset(
        (
            StreamPreset(StreamKind.LSL, "cap"),
            StreamPreset(StreamKind.CAMERA, 0, change=StreamChange(delay=0.03)),
            StreamPreset(StreamKind.BLE, "H10", required=True),
        )
    )
    streams = wanted_streams(preset, ["cap", "gaze"], ["Muse"], "1", 7, ["wristband"])
    assert [(each.kind.value, each.target, each.required) for each in streams] == [
        ("lsl", "cap", True),
        ("camera", "1", True),
        ("ble", "H10", True),
        ("lsl", "gaze", True),
        ("ble", "Muse", True),
        ("simulate", 7, True),
        ("source", "wristband", True),
    ]
    assert streams[1].change.delay == 0.03, "what the preset says of its camera stays"


def test_sources_are_made_of_streams() -> None:
    wanted = (
        StreamPreset(StreamKind.LSL, "cap", required=True, change=StreamChange(unit="uV")),
        StreamPreset(StreamKind.BLE, "H10", signals=("ecg",), delays={"ecg": 0.01}),
        StreamPreset(StreamKind.BLE, "Ganglion", options={"modality": "ecg", "acc": False}),
        StreamPreset(StreamKind.CAMERA, 0),
        StreamPreset(StreamKind.SOURCE, "wristband:COM3"),
    )
    with registered("own_device"):
        sources = make_sources(wanted, clock=SystemClock(), preview=lambda _: None)
    kinds = [type(each).__name__ for each in sources.all]
    assert kinds == ["AdaptedSource", "AdaptedSource", "BleSource", "CameraSource", "Wristband"]
    assert sources.own == sources.all[1:]
    assert sources.optional == sources.all[1:]
    strap, board = sources.all[1], sources.all[2]
    assert isinstance(strap, AdaptedSource)
    assert strap._source._radio is board._radio, "one radio: sensors scan one after another"
