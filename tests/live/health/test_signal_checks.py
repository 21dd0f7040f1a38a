"""What the pre-flight sees in a few seconds of a signal."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from biosense.acquisition.simulated import ALL_MODALITIES, simulate
from biosense.core.camera_streams import FACE_CHANNELS, RPPG_CHANNELS
from biosense.core.types import Chunk, Floats, Modality, StreamInfo
from biosense.live.health.signal_checks import Finding, Severity, check_signal
from tests.support.scripted import info
from tests.support.stand_ins import PublicFile

SECONDS, SFREQ = 5.0, 250.0
TIMES = np.arange(round(SECONDS * SFREQ)) / SFREQ
EEG = info("cap", Modality.EEG, channels=("Fz", "Cz"), sfreq=SFREQ, unit="uV", dtype="float64")
ECG = info("chest", Modality.ECG, channels=("ecg",), sfreq=SFREQ, unit="mV", dtype="float64")
PPG = info("finger", Modality.PPG, channels=("ppg",), sfreq=SFREQ, unit="", dtype="float64")
EDA = info("wrist", Modality.EDA, channels=("eda",), sfreq=SFREQ, unit="uS", dtype="float64")
TEMP = info("skin", Modality.TEMP, channels=("t",), sfreq=SFREQ, unit="degC", dtype="float64")


def brain(seed: int = 1) -> Floats:
    return np.random.default_rng(seed).normal(0, 10, (len(TIMES), 2))


def beats(height: float = 1.0) -> Floats:
    """An ECG of sharp peaks once a second on a little noise, in mV."""
    noise = np.random.default_rng(1).normal(0, 0.01, len(TIMES))
    return (height * np.exp(-(((TIMES % 1.0) - 0.5) ** 2) / 2e-4) + noise)[:, None]


def look(described: StreamInfo, values: Any, **limits: float) -> list[Finding]:
    chunk = Chunk.of(described, TIMES[: len(values)], values)
    return check_signal(chunk, **({"mains_hz": 50.0, "max_mains": 0.5} | limits))


def texts(described: StreamInfo, values: Any, **limits: float) -> list[str]:
    return [f"{each.severity} {each.text}" for each in look(described, values, **limits)]


@pytest.mark.parametrize("modality", ALL_MODALITIES)
@pytest.mark.parametrize("seed", [1, 2])
def test_nothing_is_wrong_with_a_simulated_participant(modality: Modality, seed: int) -> None:
    (stream,) = simulate(seed, 5.0, modalities=[modality]).streams
    assert check_signal(stream, mains_hz=50.0, max_mains=0.5) == []


def test_what_is_not_processed_is_not_judged() -> None:
    gaze = info("gaze", None, channels=("x",), sfreq=60.0, dtype="float64")
    assert look(gaze, np.zeros((300, 1))) == []
    assert look(replace(EEG, sfreq=0.0), np.zeros((300, 2))) == []
    assert look(EEG, np.zeros((3, 2))) == [], "three samples say nothing"


def test_a_flat_channel_is_named() -> None:
    one = brain() * [1.0, 0.0] + [0.0, 0.2]
    assert texts(EEG, one) == ["warn flat: Cz"]
    assert texts(EEG, one * 0.0) == ["fail flat: every channel"]
    assert texts(ECG, np.full((1250, 1), 0.4)) == ["fail flat: ecg"]
    assert texts(EDA, np.full((1250, 1), 4.0)) == ["fail flat: eda"]
    assert texts(TEMP, np.full((1250, 1), 33.0)) == [], "skin may keep its temperature"


def test_many_bad_channels_are_counted() -> None:
    many = info(
        "cap", Modality.EEG, channels=tuple(f"E{n}" for n in range(9)), sfreq=SFREQ, unit="uV"
    )
    values = np.zeros((1250, 9))
    values[:, 0] = brain()[:, 0]
    assert texts(many, values) == ["warn flat: E1, E2, E3, E4 and 4 more"]


@pytest.mark.parametrize(("limit", "severity"), [(0.8, "warn"), (0.3, "fail")])
def test_a_clipped_signal_is_found(limit: float, severity: str) -> None:
    clipped = np.minimum(beats() + 0.5 * np.sin(TIMES)[:, None] ** 2, limit)
    (found,) = look(ECG, clipped)
    assert found.severity.value == severity
    assert found.text.startswith("clipped: ecg, up to")


def test_integers_at_their_rails_are_clipped() -> None:
    raw = np.clip(beats() * 60_000, -32768, 32767).astype(np.int16)
    found = texts(replace(ECG, dtype="int16", unit="uV"), raw)
    assert len([text for text in found if "clipped" in text]) == 1


@pytest.mark.parametrize("levels", [8, 40, 400])
def test_few_steps_of_a_converter_are_no_clipping(levels: int) -> None:
    pulse = np.sin(2 * np.pi * 1.1 * TIMES)[:, None]
    assert texts(PPG, np.round(pulse * levels)) == []


def test_hum_is_found_and_whose_it_is() -> None:
    def hum(frequency: float) -> Floats:
        return brain() + [0, 40] * np.sin(2 * np.pi * frequency * TIMES)[:, None]

    assert texts(EEG, hum(50.0)) == ["warn noisy: Cz, mostly hum of 50 Hz"]
    assert texts(EEG, hum(50.0), max_mains=0.99) == []
    other = "warn noisy: Cz, mostly hum of 60 Hz, but the run is set to mains of 50 Hz"
    assert texts(EEG, hum(60.0)) == [other]
    assert texts(EEG, hum(23.0)) == []
    slow = replace(EEG, sfreq=100.0)
    assert texts(slow, hum(50.0)[:500]) == [], "50 Hz cannot be seen at 100 Hz"


@pytest.mark.parametrize(
    ("described", "values", "said"),
    [
        (EEG, brain() * 500, "warn too large: every channel"),
        (ECG, beats() * 1000, "fail too large: ecg"),
        (ECG, beats() / 20, "fail too small: ecg"),
        (EDA, 0.01 + beats() / 1000, "fail level too low: eda; no skin under it?"),
        (EDA, 200.0 + beats(), "fail level too high: eda"),
        (TEMP, beats(), "fail level too low: t; no skin under it?"),
    ],
)
def test_values_that_cannot_be_are_found(described: StreamInfo, values: Floats, said: str) -> None:
    found = texts(described, values)
    assert any(said.partition(" ")[2] in text for text in found)


def test_an_offset_of_the_electrodes_is_not_out_of_range() -> None:
    assert texts(EEG, brain() + 30_000.0) == []


def test_an_unknown_unit_cannot_be_used() -> None:
    assert texts(replace(EEG, unit="furlong"), brain()) == [
        "fail unit 'furlong' of 'cap' is not known, taken as uV"
    ]


def test_no_numbers_at_all_are_said() -> None:
    assert texts(ECG, np.full((1250, 1), np.nan)) == ["fail it sends no numbers"]
    holes = beats()
    holes[100:200] = np.nan
    assert texts(ECG, holes) == [], "gaps are counted elsewhere"


def face(seen: float) -> Chunk:
    described = StreamInfo("face", Modality.FACE, FACE_CHANNELS, 30.0, dtype="float32")
    rows = np.ones((100, len(FACE_CHANNELS)))
    rows[round(100 * seen) :] = np.nan
    rows[round(100 * seen) :, -1] = 0.0
    return Chunk.of(described, np.arange(100) / 30, rows)


@pytest.mark.parametrize(
    ("seen", "said"),
    [
        (1.0, []),
        (0.8, ["warn no face in 20% of the frames"]),
        (0.1, ["fail no face in 90% of the frames"]),
    ],
)
def test_a_camera_that_sees_no_face_is_said(seen: float, said: list[str]) -> None:
    found = check_signal(face(seen), mains_hz=50.0, max_mains=0.5)
    assert [f"{each.severity} {each.text}" for each in found] == said


@pytest.mark.parametrize(
    ("level", "words"), [(0.005, "too dark"), (0.3, ""), (0.99, "overexposed"), (np.nan, "")]
)
def test_bad_light_is_said(level: float, words: str) -> None:
    described = StreamInfo("skin", Modality.RPPG, RPPG_CHANNELS, 30.0, dtype="float32")
    rows = np.full((100, len(RPPG_CHANNELS)), level)
    found = check_signal(
        Chunk.of(described, np.arange(100) / 30, rows), mains_hz=50.0, max_mains=0.5
    )
    assert [each.severity for each in found] == [Severity.WARN] * bool(words)
    assert all(words in each.text for each in found)


def test_real_signals_raise_no_alarm(public_file: PublicFile) -> None:
    """Five seconds each of a Polar H10, of two leads in a hospital, and of skin conductance."""
    strap = np.load(public_file("wearable/rcqoea_P1.npz"))
    monitor = np.load(public_file("ecg/mitdb100_0-10min.npz"))
    h10, shimmer = float(strap["fs_ecg"]), float(strap["fs_shimmer"])
    recordings = [
        (replace(ECG, sfreq=h10, unit="uV"), strap["V01_ecg_uV"]),
        (replace(ECG, sfreq=360.0), monitor["sig"][:, 0]),
        (replace(EDA, sfreq=shimmer), strap["V01_sc_uS"]),
    ]
    for described, values in recordings:
        n = round(5 * described.sfreq)
        for start in range(0, min(len(values), 10 * n) - n, n):
            part = values[start : start + n, None]
            chunk = Chunk.of(described, np.arange(n) / described.sfreq, part)
            assert check_signal(chunk, mains_hz=60.0, max_mains=0.5) == []
