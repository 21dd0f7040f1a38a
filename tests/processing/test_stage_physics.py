"""What filters do to frequencies, impulses, steps and gaps; how long a spike is remembered."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from biosense.core import Chunk, Epoch, Pipeline
from biosense.core.types import Floats, StreamInfo
from biosense.processing.pipelines import feature_pipeline
from biosense.processing.signal.sos import settling_samples
from biosense.testing.stage_examples import STAGE_EXAMPLES
from tests.support.signals.sound_signals import CASES

SFREQ = 128.0
INFO = StreamInfo("cap", None, ("Cz",), SFREQ, "V")

# Passed within 0.5 dB; lost by so many dB. Of the filters of `STAGE_EXAMPLES`, at 128 Hz.
PASSED: dict[str, tuple[float, ...]] = {
    "band_pass": (2.0, 10.0, 20.0),
    "low_pass": (0.1, 1.0, 2.5),
    "high_pass": (3.0, 10.0, 50.0),
    "notch": (1.0, 20.0, 45.0, 60.0),
    "cascade": (2.0, 10.0, 20.0),
    "decimate": (0.5, 5.0, 12.0),
}
STOPPED: dict[str, tuple[tuple[float, float], ...]] = {
    "band_pass": ((0.1, 38.0), (62.0, 40.0)),
    "low_pass": ((50.0, 40.0), (60.0, 60.0)),
    "high_pass": ((0.4, 40.0), (0.2, 55.0)),
    "notch": ((50.0, 40.0),),
    "cascade": ((0.1, 38.0), (50.0, 40.0), (62.0, 40.0)),
    "decimate": ((20.0, 40.0), (30.0, 60.0), (50.0, 60.0)),
}
KEEP_THE_LEVEL = ("low_pass", "notch", "decimate")
FILTERS = pytest.mark.parametrize("name", PASSED)

# What comes behind a gap is as if the stream began there, at once and to the bit.
MEMORYLESS = (
    "to_si",
    "regularise",
    "regularise_lossy",
    "regularise_lines",
    "regularise_frames",
    *PASSED,
    "reference",
    "emg_envelope",
    "pos",
    "chrom",
    "green",
    "face_geometry",
)
LEARN_FOR_GOOD = {
    "asr": "the baseline of clean EEG",
    "asr_ahead": "the baseline of clean EEG",
    "r_peaks": "thresholds, polarity and shape of beats",
    "pulse_peaks": "thresholds, polarity and shape of beats",
    "scr": "nothing, but it gives out rows, not samples",
}

# How long a spike of 1e6 standard deviations shows in the features: the longest window, and what
# the thresholds of a detector need to come down. Seconds.
REMEMBERED = {
    "eeg": 10.0,
    "ecg": 70.0,
    "ppg": 70.0,
    "eda": 68.0,
    "resp": 40.0,
    "temp": 35.0,
    "emg": 32.0,
    "rppg": 70.0,
}
SPIKE_S = 30.0


def test_every_filter_is_in_the_tables() -> None:
    stated = {name for name in STAGE_EXAMPLES if hasattr(STAGE_EXAMPLES[name].make(), "delay")}
    assert stated == set(PASSED) == set(STOPPED)


def test_every_stage_that_gives_samples_is_said_to_forget_or_not() -> None:
    giving = {name for name in STAGE_EXAMPLES if isinstance(_example(name)[1][0], Chunk)}
    assert giving == {*MEMORYLESS, *LEARN_FOR_GOOD}


def _example(name: str) -> tuple[Any, list[Any]]:
    stream = STAGE_EXAMPLES[name].stream()
    items = [stream] if isinstance(stream, Chunk) else list(stream)
    return stream, Pipeline(STAGE_EXAMPLES[name].make()).run(items, items[0].info)


def stream(values: Floats) -> Chunk:
    return Chunk.of(INFO, (1024 + np.arange(len(values))) / SFREQ, values[:, None])


def filtered(name: str, values: Floats) -> tuple[Floats, Floats]:
    """Return seconds since the beginning and values of what a filter makes of a signal."""
    [out] = Pipeline(STAGE_EXAMPLES[name].make()).run([stream(values)], INFO)
    return out.times - 1024 / SFREQ, out.data[:, 0]


def settled_s(name: str) -> float:
    """Return after how many seconds the stage itself calls its samples settled."""
    [out] = Pipeline(STAGE_EXAMPLES[name].make()).run([stream(np.zeros(4096))], INFO)
    return float(out.times[np.argmax(out.ok)]) - 1024 / SFREQ


def gain_db(name: str, frequency: float) -> float:
    """Return the gain of a complex wave once the filter has settled."""
    t = np.arange(8192) / SFREQ
    wave = np.exp(2j * np.pi * frequency * t)
    times, real = filtered(name, wave.real)
    _, imaginary = filtered(name, wave.imag)
    late = times > 32.0
    power = np.mean(real[late] ** 2 + imaginary[late] ** 2)
    return float(10 * np.log10(max(power, 1e-30)))


@FILTERS
def test_the_pass_band_is_flat(name: str) -> None:
    gains = [gain_db(name, frequency) for frequency in PASSED[name]]
    assert np.abs(gains).max() < 0.5, gains


@FILTERS
def test_the_stop_band_is_gone(name: str) -> None:
    for frequency, least in STOPPED[name]:
        assert gain_db(name, frequency) < -least


@FILTERS
def test_the_stated_delay_is_the_measured_one(name: str) -> None:
    """The envelope of a burst comes out late by the group delay, everywhere in the pass band."""
    stage: Any = STAGE_EXAMPLES[name].make()
    for frequency in PASSED[name][1:]:
        t = np.arange(4096) / SFREQ
        envelope = np.exp(-(((t - 16.0) / (3.0 if frequency < 3 else 1.0)) ** 2))
        burst = envelope * np.exp(2j * np.pi * frequency * t)
        times, real = filtered(name, burst.real)
        _, imaginary = filtered(name, burst.imag)
        power = real**2 + imaginary**2
        late = float((power * times).sum() / power.sum()) - 16.0
        assert late == pytest.approx(stage.delay(frequency, INFO), abs=0.002)


@FILTERS
def test_an_impulse_is_bounded_and_soon_gone(name: str) -> None:
    values = np.zeros(4096)
    values[1024] = 1e6
    times, out = filtered(name, values)
    since = times - 8.0
    assert np.abs(out).max() <= 1.2e6
    assert np.abs(out[since < 0]).max() == 0.0, "an effect before its cause"
    assert np.abs(out[since > 3 * settled_s(name) + 0.1]).max() < 1e-3 * np.abs(out).max()


@FILTERS
def test_a_step_is_bounded_and_settles_when_the_stage_says_so(name: str) -> None:
    values = np.where(np.arange(4096) < 1024, 0.0, 1e6)
    times, out = filtered(name, values)
    final = out[-1]
    assert final == pytest.approx(1e6 if name in KEEP_THE_LEVEL else 0.0, abs=1.0)
    assert np.abs(out).max() <= 1.5e6
    left = np.abs(out[times - 8.0 > settled_s(name) + 1 / 32] - final)
    assert left.max() <= 0.0101 * np.abs(out).max()


def test_what_a_filter_calls_settled_is_its_step_response() -> None:
    for name in PASSED:
        stage: Any = STAGE_EXAMPLES[name].make()
        if hasattr(stage, "sos"):
            assert settled_s(name) * SFREQ == pytest.approx(settling_samples(stage.sos(INFO)))


@pytest.mark.parametrize("name", MEMORYLESS)
def test_behind_a_gap_it_starts_afresh(name: str) -> None:
    whole = STAGE_EXAMPLES[name].stream()
    assert isinstance(whole, Chunk)
    after = int(np.argmax(np.diff(whole.times))) + 1
    both = Pipeline(STAGE_EXAMPLES[name].make()).run([whole], whole.info)
    alone = Pipeline(STAGE_EXAMPLES[name].make()).run([whole.slice(after, whole.n)], whole.info)
    wanted_times, wanted, ok = (_joined(alone, what) for what in ("times", "data", "ok"))
    here = _joined(both, "times") >= wanted_times[0]
    assert here.sum() == len(wanted_times) > 5
    assert_array_equal(_joined(both, "times")[here], wanted_times)
    assert_array_equal(_joined(both, "data")[here], wanted)
    assert_array_equal(_joined(both, "ok")[here], ok)


def _joined(chunks: list[Chunk], what: str) -> Any:
    return np.concatenate([getattr(chunk, what) for chunk in chunks])


@pytest.mark.parametrize("kind", REMEMBERED)
def test_a_spike_is_forgotten(kind: str) -> None:
    case = replace(CASES[kind], seconds=SPIKE_S + REMEMBERED[kind] + 10.0)
    calm = case.stream()
    data = calm.data.copy()
    data[round(SPIKE_S * case.info.sfreq)] += 1e6 * np.nanstd(data, axis=0)
    usual, struck = features(calm), features(replace(calm, data=data))
    late = [k for k in usual if usual[k].stop > calm.times[0] + SPIKE_S + REMEMBERED[kind]]
    assert len(late) > 10
    assert [k for k in late if k not in struck] == []
    known, found = (np.array([each[k].data for k in late]) for each in (usual, struck))
    range_of = np.nan_to_num(np.abs(known).max(axis=0))
    for column, name in enumerate(usual[late[0]].info.channels):
        tolerance = 0.02 * range_of[column] + 1e-9
        assert_allclose(found[:, column], known[:, column], rtol=0, atol=tolerance, err_msg=name)
    quality = [(usual[k].quality, struck[k].quality) for k in late]
    assert_allclose(*zip(*quality, strict=True), atol=0.05)


def features(stream: Chunk) -> dict[int, Epoch]:
    pipeline = feature_pipeline(stream.info)
    pieces = [stream.slice(start, start + 1024) for start in range(0, stream.n, 1024)]
    return {epoch.index: epoch for epoch in pipeline.run(pieces, stream.info)}
