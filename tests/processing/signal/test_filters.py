"""What the filters do to signals, how late they are, and what they do at a gap."""

from __future__ import annotations

import re

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from biosense.core import Chunk, StreamInfo
from biosense.core.errors import BadInput
from biosense.core.types import Floats
from biosense.processing.signal.filters import BandPass, Cascade, HighPass, LowPass, Notch
from biosense.processing.signal.sos import SosStage, settling_samples

SFREQ = 256.0
INFO = StreamInfo("cap", None, ("Cz",), SFREQ, "V")


def stream(values: Floats, *, first: int = 1000, info: StreamInfo = INFO) -> Chunk:
    return Chunk.of(info, (first + np.arange(len(values))) / info.sfreq, values[:, None])


def sine(frequency: float, seconds: float = 12.0, sfreq: float = SFREQ) -> Floats:
    return np.sin(2 * np.pi * frequency * np.arange(round(seconds * sfreq)) / sfreq)


def filtered(stage: SosStage, chunk: Chunk) -> Chunk:
    stage.start(chunk.info)
    (out,) = stage.push(chunk)
    return out


def gain_db(stage: SosStage, frequency: float) -> float:
    """Return the gain of a sine once the filter has settled, measured on its second half."""
    values = sine(frequency)
    out = filtered(stage, stream(values)).data[:, 0]
    half = len(values) // 2
    return float(20 * np.log10(out[half:].std() / values[half:].std()))


def test_mains_hum_goes_and_alpha_stays() -> None:
    stage = Cascade((Notch(50.0), BandPass(1.0, 40.0)))
    assert gain_db(stage, 50.0) < -40
    assert abs(gain_db(stage, 10.0)) < 0.5


def test_notch_takes_out_harmonics_on_request() -> None:
    assert gain_db(Notch(50.0), 100.0) > -0.1
    assert gain_db(Notch(50.0, harmonics=2), 100.0) < -40
    assert Notch(50.0, harmonics=9).sos(INFO).shape == (2, 6)  # 150 Hz is above Nyquist


@pytest.mark.parametrize(
    ("stage", "frequency"),
    [
        (BandPass(4.0, 8.0), 4.0),
        (BandPass(4.0, 8.0, order=4), 8.0),
        (LowPass(20.0), 20.0),
        (HighPass(5.0, order=3), 5.0),
    ],
)
def test_cut_offs_lose_3_db(stage: SosStage, frequency: float) -> None:
    assert gain_db(stage, frequency) == pytest.approx(-3.01, abs=0.05)


@pytest.mark.parametrize(
    "stage", [BandPass(1.0, 40.0), HighPass(0.05), LowPass(5.0), Notch(50.0), BandPass(1, 40, 4)]
)
def test_an_offset_makes_no_transient(stage: SosStage) -> None:
    out = filtered(stage, stream(np.full(500, 0.2)))
    gain = 1.0 if isinstance(stage, LowPass | Notch) else 0.0
    assert_allclose(out.data, 0.2 * gain, atol=1e-8)


@pytest.mark.parametrize(
    ("stage", "frequency"),
    [
        (BandPass(1.0, 40.0), 10.0),
        (BandPass(1.0, 40.0, order=4), 20.0),
        (BandPass(8.0, 13.0), 10.0),
        (LowPass(20.0, order=4), 3.0),
    ],
)
def test_delay_is_as_stated(stage: SosStage, frequency: float) -> None:
    """The envelope of a narrow burst comes out late by the group delay."""
    t = np.arange(round(12 * SFREQ)) / SFREQ
    burst = np.exp(-(((t - 6.0) / 0.8) ** 2)) * np.exp(2j * np.pi * frequency * t)
    real, imaginary = (
        filtered(stage, stream(part)).data[:, 0] for part in (burst.real, burst.imag)
    )
    envelope = real**2 + imaginary**2
    late = float((envelope * t).sum() / envelope.sum()) - 6.0
    assert late == pytest.approx(stage.delay(frequency, INFO), abs=0.0015)


@pytest.mark.parametrize(
    ("stage", "seconds"),
    [  # 1 % of the step response, from tables of Butterworth filters at 256 Hz
        (BandPass(1.0, 40.0), 1.1),
        (BandPass(1.0, 40.0, order=4), 1.9),
        (BandPass(4.0, 8.0), 0.7),
        (BandPass(8.0, 13.0, order=4), 1.0),
        (Notch(50.0), 0.2),
    ],
)
def test_settling_time_is_flagged_at_the_start(stage: SosStage, seconds: float) -> None:
    out = filtered(stage, stream(sine(3.0)))
    settled = int(np.argmax(out.ok))
    assert settled / SFREQ == pytest.approx(seconds, abs=0.06)
    assert not out.ok[:settled].any()
    assert out.ok[settled:].all()
    assert settled == settling_samples(stage.sos(INFO))


def test_a_slow_high_pass_settles_when_its_step_response_does() -> None:
    samples = settling_samples(HighPass(0.05).sos(INFO))
    step = filtered(HighPass(0.05), stream(np.r_[np.zeros(1), np.ones(2 * samples)])).data[1:, 0]
    assert np.abs(step[samples:]).max() <= 0.01 + 1e-9
    assert np.abs(step[samples - 1]) > 0.0099


def test_nothing_from_before_a_gap_comes_through() -> None:
    before, after = sine(10.0, 4.0), 3.0 + sine(7.0, 4.0)
    info = INFO
    gap = round(2 * SFREQ)
    first, second = stream(before), stream(after, first=1000 + len(before) + gap)
    stage = BandPass(1.0, 40.0)
    stage.start(info)
    stage.push(first)
    (out,) = stage.push(second)
    alone = filtered(BandPass(1.0, 40.0), second)
    assert_array_equal(out.data, alone.data)
    assert_array_equal(out.ok, alone.ok)
    assert not out.ok[0]


def test_a_gap_inside_a_chunk_is_found() -> None:
    values = np.r_[np.full(500, 1.0), np.full(500, 9.0)]
    times = np.r_[np.arange(500), 700 + np.arange(500)] / SFREQ
    out = filtered(HighPass(1.0), Chunk.of(INFO, times, values[:, None]))
    assert_allclose(out.data, 0.0, atol=1e-9)
    assert not out.ok[500]


def test_what_is_not_ok_stays_not_ok_and_nan_does_not_last() -> None:
    values = sine(10.0)
    values[1000] = np.nan
    chunk = stream(values)
    chunk.ok[2000] = False
    out = filtered(BandPass(1.0, 40.0), chunk)
    assert np.isfinite(out.data).all()
    settled = settling_samples(BandPass(1.0, 40.0).sos(INFO))
    assert np.flatnonzero(~out.ok[settled:]).tolist() == [1000 - settled, 2000 - settled]


def test_a_cascade_is_the_filters_one_after_another() -> None:
    chunk = stream(np.random.default_rng(0).standard_normal(2000))
    both = filtered(Cascade((Notch(50.0), BandPass(1.0, 40.0))), chunk)
    one = filtered(BandPass(1.0, 40.0), filtered(Notch(50.0), chunk))
    assert_allclose(both.data, one.data, atol=1e-12)


@pytest.mark.parametrize(
    ("stage", "message"),
    [
        (BandPass(1.0, 128.0), "high=128.0 Hz must be above 0 and below Nyquist (128.0 Hz)"),
        (LowPass(200.0), "cutoff=200.0 Hz must be above 0 and below Nyquist (128.0 Hz) of 'cap'"),
        (Notch(-1.0), "frequency=-1.0 Hz must be above 0"),
    ],
)
def test_cut_offs_beyond_nyquist_are_refused(stage: SosStage, message: str) -> None:
    with pytest.raises(BadInput, match=re.escape(message)):
        stage.start(INFO)


def test_wrong_settings_are_refused() -> None:
    with pytest.raises(BadInput, match=r"low=8 Hz must be above 0 and below high=4 Hz"):
        BandPass(8, 4)
    with pytest.raises(BadInput, match="order=0 of a filter"):
        LowPass(1.0, order=0)
    with pytest.raises(BadInput, match="needs at least 1 filter"):
        Cascade(())
    with pytest.raises(BadInput, match="'events' is irregular"):
        LowPass(1.0).start(StreamInfo("events", None, ("x",), 0.0))
