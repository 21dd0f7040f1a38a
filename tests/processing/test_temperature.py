"""Skin temperature: level, slope, units, and what cannot be skin."""

from __future__ import annotations

from itertools import repeat

import numpy as np
import pytest

from biosense.core import Chunk, Epoch, Modality, StreamInfo
from biosense.core.errors import BadInput
from biosense.core.types import Floats
from biosense.processing.pipelines import feature_pipeline
from biosense.processing.temperature import TempFeatures
from biosense.testing.cuttings import split


def run(values: Floats, sfreq: float = 4.0, unit: str = "degC") -> list[Epoch]:
    info = StreamInfo("finger", Modality.TEMP, ("skin",), sfreq, unit)
    stream = Chunk.of(info, 50 + np.arange(len(values)) / sfreq, values[:, None])
    return feature_pipeline(info).run(split(stream, repeat(3)), info)


@pytest.mark.parametrize("sfreq", [1.0, 4.0, 32.0])
def test_level_slope_and_change_of_a_skin_that_warms(sfreq: float) -> None:
    times = np.arange(int(180 * sfreq)) / sfreq
    level, slope, change = run(30 + times / 60, sfreq)[-1].data
    assert level == pytest.approx(33 - 2.5 / 60, abs=0.03)
    assert slope == pytest.approx(1.0, rel=1e-3)
    assert change == pytest.approx(1 - 2.5 / 60, abs=0.03)


@pytest.mark.parametrize(
    ("unit", "value"),
    [("degC", 33.0), ("C", 33.0), ("", 33.0), ("K", 306.15), ("F", 91.4), ("\u00b0F", 91.4)],
)
def test_every_scale_becomes_celsius(unit: str, value: float) -> None:
    last = run(np.full(80, value), unit=unit)[-1]
    assert last.data[0] == pytest.approx(33.0, abs=1e-9)
    assert last.quality == 1.0


@pytest.mark.parametrize(("value", "reason"), [(19.0, "off the skin"), (43.0, "above 42 degC")])
def test_what_cannot_be_skin_has_no_level(value: float, reason: str) -> None:
    values = np.full(120, 33.0)
    values[60:] = value
    epochs = run(values)
    assert epochs[50].quality == 1.0
    assert (epochs[-1].quality, epochs[-1].reason) == (0.0, reason)
    assert np.isnan(epochs[-1].data[0])


def test_a_kelvin_stream_without_unit_is_no_skin() -> None:
    assert run(np.full(80, 306.0), unit="")[-1].reason == "above 42 degC"


def test_a_sensor_that_is_touched_jumps() -> None:
    values = np.full(160, 33.0)
    values[120] = 36.0
    quality = run(values)[-1]
    assert quality.reason == "jump"
    assert 0.9 < quality.quality < 1.0


def test_missing_values_are_gaps() -> None:
    values = np.full(160, 33.0)
    values[130:150] = np.nan
    last = run(values)[-1]
    assert last.reason == "gaps"
    assert last.quality == pytest.approx(0.5, abs=0.1)
    assert run(np.full(80, np.nan)) == []


@pytest.mark.parametrize(
    "info",
    [
        StreamInfo("t", Modality.TEMP, ("a", "b"), 4.0, "degC"),
        StreamInfo("t", Modality.TEMP, ("a",), 0.1, "degC"),
        StreamInfo("t", Modality.TEMP, ("a",), 4.0, "V"),
    ],
)
def test_a_stream_that_cannot_be_used_is_refused(info: StreamInfo) -> None:
    with pytest.raises(BadInput, match="put ToSI"):
        TempFeatures().start(info)
