"""Presets: what they say, and how they say no."""

from __future__ import annotations

from pathlib import Path

import pytest

from biosense.core.errors import BadInput
from biosense.core.types import Modality
from biosense.live.config.adapted_source import StreamChange
from biosense.live.config.preflight_settings import OnProblem, PreflightSettings
from biosense.live.config.preset import (
    Preset,
    RunPreset,
    StreamKind,
    StreamPreset,
    load_preset,
    parse_preset,
)
from biosense.processing.registry import ExtraStage

EXAMPLES = sorted((Path(__file__).resolve().parents[3] / "examples" / "presets").glob("*.toml"))
FILE = Path("lab.toml")


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_the_examples_are_presets(path: Path) -> None:
    preset = load_preset(path)
    assert preset.streams
    assert any(stream.required for stream in preset.streams)
    assert preset.preflight is not None
    assert preset.text == path.read_text("utf-8")


def test_there_are_examples() -> None:
    assert {path.stem for path in EXAMPLES} >= {"lab_eeg_h10_camera", "wearable", "simulated"}


def test_a_preset_says_all_of_this() -> None:
    preset = parse_preset(
        """
        title = "everything"
        [run]
        mains_hz = 60
        patience = 0.5
        model = "none"
        features = true
        seconds = 90
        record = "out"
        lan = true
        [preflight]
        seconds = 2.5
        on_problem = "refuse"
        min_rate = 0.9
        [[stream]]
        lsl = "source_id=amp-1"
        name = "cap"
        required = true
        modality = "eeg"
        unit = ""
        channels = ["ch2", "ch1"]
        rename = { ch1 = "Fz" }
        delay_ms = 12.5
        [[stream]]
        ble = "polar"
        signals = ["ecg"]
        delay_ms = { ecg = 4 }
        options = { acc = false, channels = ["a", "b"] }
        [[stream]]
        camera = 1
        [[stream]]
        simulate = 7
        signals = ["eda"]
        [[stream]]
        source = "wristband:COM3"
        unit = "S"
        delay_ms = 3
        options = { baud = 9600 }
        [[stage]]
        name = "notch"
        modality = "ecg"
        options = { frequency = 60.0 }
        [[stage]]
        name = "smooth"
        modality = "eda"
        at = "features"
        """,
        FILE,
    )
    assert preset.run == RunPreset("", 60.0, 0.5, True, 90.0, Path("out"), True)
    assert preset.preflight == PreflightSettings(2.5, OnProblem.REFUSE, min_rate=0.9)
    change = StreamChange(Modality.EEG, "", ("ch2", "ch1"), {"ch1": "Fz"}, 0.0125)
    assert preset.streams == (
        StreamPreset(StreamKind.LSL, "source_id=amp-1", "cap", True, (), change),
        StreamPreset(
            StreamKind.BLE,
            "polar",
            signals=("ecg",),
            delays={"ecg": 0.004},
            options={"acc": False, "channels": ("a", "b")},
        ),
        StreamPreset(StreamKind.CAMERA, 1),
        StreamPreset(StreamKind.SIMULATE, 7, signals=("eda",)),
        StreamPreset(
            StreamKind.SOURCE,
            "wristband:COM3",
            change=StreamChange(unit="S", delay=0.003),
            options={"baud": 9600},
        ),
    )
    assert preset.stages == (
        ExtraStage(Modality.ECG, "notch", options=(("frequency", 60.0),)),
        ExtraStage(Modality.EDA, "smooth", "features"),
    )


def test_an_empty_preset_is_the_defaults() -> None:
    assert parse_preset("", FILE) == Preset()


WRONG = {
    "[[stage]]\nmodality = 'ecg'": "[[stage]] number 1 must have name",
    "[[stage]]\nname = 'notch'": "[[stage]] number 1 must have name",
    "[[stage]]\nname = 'notch'\nat = 'end'": "wanted one of 'signal', 'features'",
    "not = = toml": "lab.toml is no TOML",
    "strems = []": "lab.toml: the preset has no key 'strems'; it can have: stream, stage, run",
    "stream = 3": "stream in the preset is 3, wanted tables: [[stream]]",
    "run = 3": "run in the preset is 3, wanted a table: [run]",
    "stream = [3]": "[[stream]] number 1 is 3, wanted a table",
    "[run]\nmains = 50": "[run] has no key 'mains'; it can have: mains_hz",
    "[run]\nmains_hz = 'fifty'": "mains_hz in [run] is 'fifty', wanted a number",
    "[run]\nmains_hz = true": "mains_hz in [run] is True, wanted a number",
    "[run]\nmains_hz = nan": "mains_hz in [run] is nan, wanted a number",
    "[run]\nmains_hz = 16.7": "mains_hz = 16.7, wanted the mains frequency: 50 or 60",
    "[run]\nseconds = 0": "seconds in [run] is 0, wanted a positive number",
    "[run]\nfeatures = 1": "features in [run] is 1, wanted true or false",
    "[run]\nmodel = ''": "model in [run] is '', wanted a text",
    "[preflight]\non_problem = 'ask'": "on_problem in [preflight] is 'ask', wanted one of 'refuse'",
    "[preflight]\nmin_rate = 95": "[preflight] min_rate=95.0 must be a share from 0 to 1",
    "[preflight]\nseconds = -1": "seconds=-1.0 of a pre-flight must be from 0 to 600",
    "[preflight]\nmax_clock_ms = 0": "max_clock_ms=0.0 must be positive",
    "[[stream]]\nname = 'a'": "simulate, source; it has none",
    "[[stream]]\nlsl = 'a'\nble = 'b'": "it has lsl and ble",
    "[[stream]]\nlsl = 1": "lsl in [[stream]] number 1 is 1, wanted a text",
    "[[stream]]\ncamera = -1": "camera in [[stream]] number 1 is -1, wanted an index",
    "[[stream]]\nlsl = 'a'\nmodality = 'smell'": "modality in [[stream]] number 1 is 'smell',",
    "[[stream]]\nlsl = 'a'\nchannels = 'Cz'": "is 'Cz', wanted a list of texts",
    "[[stream]]\nlsl = 'a'\nchannels = ['Cz', 'Cz']": "without repetition",
    "[[stream]]\nlsl = 'a'\nrename = ['Cz']": "wanted a table of new labels by the sender's",
    "[[stream]]\nlsl = 'a'\ndelay_ms = '12'": "is '12', wanted milliseconds, or a table",
    "[[stream]]\nlsl = 'a'\ndelay_ms = 12000": "a delay of 12000 ms must be within 10000 ms of 0",
    "[[stream]]\nlsl = 'a'\nsignals = ['ecg']": "number 1 has no key 'signals'; it can have: lsl",
    "[[stream]]\nble = 'a'\noptions = 3": "is 3, wanted a table of settings",
    "[[stream]]\nble = 'a'\nunit = 'uV'": "number 1 has no key 'unit'",
    "[[stream]]\nble = 'a'\ndelay_ms = { ecg = 99999 }": "a delay of 99999 ms",
    "[[stream]]\nsimulate = 1\nsignals = ['smell']": "has signals ['smell'], wanted some of eeg",
    "[[stream]]\nlsl = 'a'\n[[stream]]\nlsl = 'b'\nrequired = 1": "required in [[stream]] number 2",
}


@pytest.mark.parametrize("text", WRONG)
def test_what_no_preset_can_say_is_named(text: str) -> None:
    with pytest.raises(BadInput) as caught:
        parse_preset(text, FILE)
    assert WRONG[text] in str(caught.value)
    assert "lab.toml" in str(caught.value)


def test_a_preset_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"cannot read the preset .*nowhere\.toml"):
        load_preset(tmp_path / "nowhere.toml")
    (tmp_path / "binary.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(BadInput, match=r"cannot read the preset .*binary\.toml"):
        load_preset(tmp_path / "binary.toml")
