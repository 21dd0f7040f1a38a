"""Units of senders become SI units, and every sender spells them in its own way."""

from __future__ import annotations

import logging

import numpy as np
import pytest

from biosense.core import Chunk, Modality, StreamInfo
from biosense.core.errors import BadInput
from biosense.processing.signal.units import ToSI


def converted(unit: str, modality: Modality | None, value: float) -> tuple[str, float]:
    stage = ToSI()
    info = StreamInfo("device", modality, ("one",), 10.0, unit)
    output = stage.start(info)
    (chunk,) = stage.push(Chunk.of(info, [1.0], [[value]]))
    return output.unit, float(chunk.data[0, 0])


@pytest.mark.parametrize(
    ("unit", "factor"),
    [
        ("uV", 1e-6),
        ("microvolts", 1e-6),
        ("Microvolt", 1e-6),
        ("\u00b5V", 1e-6),
        ("\u03bcV", 1e-6),
        (" uV ", 1e-6),
        ("UV", 1e-6),
        ("nV", 1e-9),
        ("mV", 1e-3),
        ("MV", 1e-3),
        ("millivolts", 1e-3),
        ("V", 1.0),
        ("Volts", 1.0),
    ],
)
def test_volts(unit: str, factor: float) -> None:
    got, value = converted(unit, Modality.ECG, 3.0)
    assert got == "V"
    assert value == pytest.approx(3.0 * factor, rel=1e-12)


@pytest.mark.parametrize(
    ("unit", "factor"),
    [
        ("uS", 1e-6),
        ("us", 1e-6),
        ("\u00b5S", 1e-6),
        ("microsiemens", 1e-6),
        ("mS", 1e-3),
        ("S", 1.0),
        ("umho", 1e-6),
        ("", 1e-6),
    ],
)
def test_skin_conductance(unit: str, factor: float) -> None:
    got, value = converted(unit, Modality.EDA, 2.0)
    assert got == "S"
    assert value == pytest.approx(2.0 * factor, rel=1e-12)


@pytest.mark.parametrize(("unit", "value"), [("kOhm", 200.0), ("ohm", 2e5), ("k\u03a9", 200.0)])
def test_skin_resistance_becomes_conductance(unit: str, value: float) -> None:
    got, conductance = converted(unit, Modality.EDA, value)
    assert got == "S"
    assert conductance == pytest.approx(5e-6)


def test_no_resistance_is_no_conductance() -> None:
    assert np.isnan(converted("kOhm", Modality.EDA, 0.0)[1])
    assert np.isnan(converted("kOhm", Modality.EDA, np.nan)[1])


@pytest.mark.parametrize(
    ("unit", "modality", "wanted", "factor"),
    [
        ("", Modality.EEG, "V", 1e-6),
        ("", Modality.EMG, "V", 1e-6),
        ("", Modality.ECG, "", 1.0),
        ("", Modality.PPG, "", 1.0),
        ("", Modality.TEMP, "degC", 1.0),
        ("celsius", Modality.TEMP, "degC", 1.0),
        ("\u00b0C", Modality.TEMP, "degC", 1.0),
        ("ms", None, "s", 1e-3),
        ("bpm", None, "bpm", 1.0),
        ("furlongs", None, "furlongs", 1.0),
    ],
)
def test_defaults(unit: str, modality: Modality | None, wanted: str, factor: float) -> None:
    got, value = converted(unit, modality, 4.0)
    assert got == wanted
    assert value == pytest.approx(4.0 * factor, rel=1e-12)


def test_an_unknown_unit_of_eeg_is_read_as_microvolts_with_a_warning(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with caplog.at_level(logging.WARNING):
        unit, value = converted("counts", Modality.EEG, 1.0)
    assert (unit, value) == ("V", pytest.approx(1e-6))
    assert "'counts' of 'device'" in caplog.text


def test_integers_become_floats_and_ok_stays() -> None:
    info = StreamInfo("strap", Modality.ECG, ("ecg",), 130.0, "uV", dtype="int16")
    stage = ToSI()
    assert stage.start(info).dtype == "float64"
    (chunk,) = stage.push(Chunk.of(info, [1.0, 1.1], [[-5], [7]], ok=[True, False], arrived=9.0))
    assert chunk.data.dtype == np.float64
    assert chunk.data[:, 0] == pytest.approx([-5e-6, 7e-6])
    assert chunk.ok.tolist() == [True, False]
    assert chunk.arrived == 9.0


def test_text_is_refused() -> None:
    with pytest.raises(BadInput, match="'markers' is a stream of text"):
        ToSI().start(StreamInfo("markers", None, ("text",), 0.0, dtype="str"))
