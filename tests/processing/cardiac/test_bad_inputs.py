"""What no heart sends: refused, or without quality; and what the filter of the QRS passes."""

from __future__ import annotations

from itertools import repeat

import numpy as np
import pytest
from scipy import signal

from biosense.core import Chunk, Epoch, Modality, StreamInfo
from biosense.core.errors import BadInput
from biosense.core.types import Floats
from biosense.processing.cardiac.qrs_filter import BandWeights, QrsFilter
from biosense.processing.cardiac.rhythm import HEART_CHANNELS
from biosense.processing.cardiac.rpeaks import RPeaks
from biosense.processing.pipelines import feature_pipeline
from biosense.testing.body import ecg_waves, ppg_waves
from biosense.testing.cuttings import split

RATES = {"ecg": 130.0, "ppg": 64.0}
WAVES = {"ecg": ecg_waves, "ppg": ppg_waves}
BOTH = pytest.mark.parametrize("kind", ["ecg", "ppg"])


def info_of(kind: str, sfreq: float | None = None, channels: int = 1) -> StreamInfo:
    names = tuple(f"{kind}{number}" for number in range(channels))
    return StreamInfo("heart", Modality(kind), names, sfreq or RATES[kind], "V")


def run(info: StreamInfo, values: Floats) -> list[Epoch]:
    times = np.arange(len(values)) / info.sfreq
    stream = Chunk.of(info, times, values.reshape(len(values), info.n_channels))
    step = max(16, round(0.1 * info.sfreq))
    return feature_pipeline(info).run(split(stream, repeat(step)), info)


@BOTH
@pytest.mark.parametrize("what", ["flat", "nan", "infinite", "nothing"])
def test_what_holds_no_beat_has_no_quality(kind: str, what: str) -> None:
    n = round(15 * RATES[kind])
    values = {
        "flat": np.full(n, 2.5),
        "nan": np.full(n, np.nan),
        "infinite": np.full(n, np.inf),
        "nothing": np.empty(0),
    }[what]
    epochs = run(info_of(kind), values)
    assert all(epoch.quality == 0 for epoch in epochs)
    assert all(np.isnan(epoch.data).all() for epoch in epochs)
    assert all(epoch.reason in ("no beats", "gaps") for epoch in epochs)


@BOTH
def test_a_clipped_wave_keeps_its_rate(kind: str) -> None:
    times = np.arange(round(30 * RATES[kind])) / RATES[kind]
    values = WAVES[kind](times)[:, 0]
    clipped = np.clip(values, *np.quantile(values, (0.03, 0.9 if kind == "ppg" else 0.985)))
    last = run(info_of(kind), clipped)[-1]
    assert last.data[HEART_CHANNELS.index("heart_rate")] == pytest.approx(75.0, abs=2.0)


@BOTH
def test_many_channels_are_refused_with_advice(kind: str) -> None:
    info = info_of(kind, channels=256)
    with pytest.raises(BadInput, match=r"256 channels .* pick one"):
        feature_pipeline(info).start(info)


@BOTH
def test_a_rate_that_is_too_low_is_refused(kind: str) -> None:
    info = info_of(kind, sfreq=10.0)
    with pytest.raises(BadInput, match=r"10\.0 Hz"):
        feature_pipeline(info).start(info)


@BOTH
@pytest.mark.parametrize("sfreq", [2048.0, 20_000.0])
def test_a_laboratory_amplifier_is_thinned_first(kind: str, sfreq: float) -> None:
    times = np.arange(round(12 * sfreq)) / sfreq
    last = run(info_of(kind, sfreq), WAVES[kind](times)[:, 0])[-1]
    assert last.data[HEART_CHANNELS.index("heart_rate")] == pytest.approx(75.0, abs=2.0)
    assert last.quality > 0.8


def envelope_of(values: Floats, sfreq: float) -> Floats:
    return QrsFilter(sfreq).filter(values, 0)[1]


@pytest.mark.parametrize("sfreq", [130.0, 250.0, 1000.0])
def test_the_filter_hears_a_qrs_and_neither_waves_nor_mains(sfreq: float) -> None:
    """Of the same height: T wave and mains 18 dB below the QRS and more, the baseline 26 dB."""
    n = np.arange(round(4 * sfreq)) / sfreq
    qrs = envelope_of(np.exp(-0.5 * ((n - 2) / 0.012) ** 2), sfreq).max()
    t_wave = envelope_of(np.exp(-0.5 * ((n - 2) / 0.06) ** 2), sfreq).max()
    baseline = envelope_of(np.sin(2 * np.pi * 0.3 * n), sfreq)[round(2 * sfreq) :].max()
    mains = envelope_of(np.sin(2 * np.pi * 50 * n), sfreq)[round(2 * sfreq) :].max()
    for other, below in ((t_wave, 18), (baseline, 26), (mains, 18)):
        assert 20 * np.log10(other / qrs) < -below


@pytest.mark.parametrize("sfreq", [130.0, 250.0, 1000.0])
def test_the_filters_delay_is_what_it_says(sfreq: float) -> None:
    front = QrsFilter(sfreq)
    delay, light = front.measure_delay()
    for width in (0.008, 0.012, 0.02):
        n = np.arange(round(3 * sfreq)) / sfreq
        found = envelope_of(np.exp(-0.5 * ((n - 1) / width) ** 2), sfreq)
        assert np.argmax(found) / sfreq - 1 == pytest.approx(delay / sfreq, abs=0.02)
    assert 0.09 < delay / sfreq < 0.13
    assert 0.0 < light / sfreq < 0.012


def test_a_step_rings_for_less_than_half_a_second() -> None:
    values = np.where(np.arange(1000) < 250, 0.0, 1.0)
    envelope = envelope_of(values, 250.0)
    assert envelope[:250].max() < 1e-6
    assert envelope[250:375].max() > 0.1
    assert envelope[375:].max() < 0.05 * envelope.max()


def test_behind_a_gap_the_filter_is_primed_and_a_level_is_no_beat() -> None:
    front = QrsFilter(250.0)
    front.filter(np.sin(np.arange(500) / 10), 0)
    front.prime(5.0)
    _, envelope = front.filter(np.full(500, 5.0), 2000)
    assert envelope.max() < 1e-9


def test_the_band_whose_beats_stand_out_weighs_most() -> None:
    rng = np.random.default_rng(0)
    beats = np.where(np.arange(2500) % 200 < 20, 5.0, 0.0)
    logs = [beats + noise * rng.standard_normal(2500) for noise in (0.3, 3.0)]
    logs[1] -= beats
    weights = BandWeights(250.0, (0.0, 0.0))
    mean = weights.mean([log.copy() for log in logs], np.full(2500, 1e-9), 0)
    assert mean[:250] == pytest.approx((logs[0] + logs[1])[:250] / 2), "equal until 2 s are known"
    assert np.corrcoef(mean[2000:], logs[0][2000:])[0, 1] > 0.95


@pytest.mark.parametrize("sfreq", [130.0, 250.0, 500.0])
def test_a_burst_of_muscle_is_no_beat_and_hides_none(sfreq: float) -> None:
    n, rng = np.arange(round(60 * sfreq)), np.random.default_rng(3)
    ecg = WAVES["ecg"](n / sfreq)[:, 0]
    sos = signal.butter(2, (20.0, 0.45 * sfreq), "bandpass", fs=sfreq, output="sos")
    noise = signal.sosfilt(sos, rng.standard_normal(len(n)))
    burst = (n / sfreq % 7.0 > 5.6) & (n / sfreq > 12)  # 1.4 s of it every 7 s
    loud = ecg + 0.25 * np.ptp(ecg) * burst * noise / noise.std()
    found, plain = beats_of(loud, sfreq), beats_of(ecg, sfreq)
    off = np.abs(found[:, None] - plain).min(axis=1)
    assert len(plain) > 70
    assert np.count_nonzero(off > 0.1) <= 1
    assert abs(len(found) - len(plain)) <= 1


def beats_of(ecg: Floats, sfreq: float) -> Floats:
    described = StreamInfo("chest", Modality.ECG, ("ecg",), sfreq, "V")
    stage = RPeaks()
    stage.start(described)
    chunk = Chunk.of(described, np.arange(len(ecg)) / sfreq, ecg[:, None])
    return np.concatenate([beats.times for beats in (*stage.push(chunk), *stage.flush())])
