"""Heart features: right against truth and Kubios, NaN where undefined, quality 0 on noise."""

from __future__ import annotations

from itertools import repeat

import numpy as np
import pytest

from biosense.core import Chunk, Epoch, Modality, Pipeline, StreamInfo
from biosense.core.types import Bools, Floats
from biosense.processing.cardiac.features import HeartFeatures
from biosense.processing.cardiac.interval_filter import IntervalFilter
from biosense.processing.cardiac.pulse_peaks import PulsePeaks
from biosense.processing.cardiac.rhythm import HEART_CHANNELS, Rhythm
from biosense.processing.cardiac.rpeaks import RPeaks
from biosense.processing.signal.regularise import Regularise
from biosense.processing.signal.units import ToSI
from biosense.testing.body import ecg_waves, ppg_waves
from biosense.testing.cuttings import split
from tests.support.stand_ins import PublicFile

RATE = {"ecg": 256, "ppg": 64}
WAVES = {"ecg": ecg_waves, "ppg": ppg_waves}
BOTH = pytest.mark.parametrize("kind", ["ecg", "ppg"])


def stage(kind: str) -> HeartFeatures:
    return HeartFeatures(RPeaks() if kind == "ecg" else PulsePeaks())


def signal(kind: str, seconds: int) -> tuple[Floats, Floats]:
    times = np.arange(seconds * RATE[kind]) / RATE[kind]
    return times, WAVES[kind](times)[:, 0]


def run(
    kind: str, times: Floats, values: Floats, ok: Bools | None = None, step: int = 16
) -> list[Epoch]:
    info = StreamInfo("heart", Modality(kind), (kind,), RATE[kind], "V")
    stream = Chunk.of(info, times, values[:, None], ok)
    return Pipeline(stage(kind)).run(split(stream, repeat(step)), info)


def value(epoch: Epoch, name: str) -> float:
    return float(epoch.data[HEART_CHANNELS.index(name)])


def at(epochs: list[Epoch], time: float) -> Epoch:
    return next(epoch for epoch in epochs if epoch.stop == time)


@BOTH
def test_rate_and_variability_of_a_known_rhythm(kind: str) -> None:
    epochs = run(kind, *signal(kind, 90))
    last = epochs[-1]
    # beat times are the integers of (t + 0.05 sin(2 pi t / 5)) / 0.8
    t = np.arange(90 * 1000) / 1000
    turns = np.floor((t + 0.05 * np.sin(2 * np.pi * t / 5)) / 0.8)
    beats = t[np.flatnonzero(np.diff(turns) > 0) + 1]
    intervals = np.diff(beats)
    assert value(last, "heart_rate_30") == pytest.approx(75.0, abs=0.3)
    assert value(last, "rmssd_30") == pytest.approx(
        np.sqrt(np.mean(np.diff(intervals) ** 2)), rel=0.12
    )
    assert value(last, "sdnn_60") == pytest.approx(intervals.std(), rel=0.1)
    assert value(last, "heart_rate_delta") == pytest.approx(0.0, abs=1.0)
    assert last.quality > 0.95


@BOTH
def test_features_appear_when_their_window_is_filled(kind: str) -> None:
    epochs = run(kind, *signal(kind, 60))
    table = np.array([epoch.data for epoch in epochs])
    first = {
        name: epochs[int(np.flatnonzero(np.isfinite(column))[0])].stop
        for name, column in zip(HEART_CHANNELS, table.T, strict=True)
        if np.isfinite(column).any()
    }
    assert 5.0 <= first["heart_rate"] <= 8.0
    assert 15.0 <= first["heart_rate_30"] <= 18.0
    assert 20.0 <= first["rmssd_30"] <= 23.0
    assert 40.0 <= first["sdnn_60"] == first["pnn50_60"] <= 43.0
    assert 10.0 <= first["heart_rate_slope"] <= 13.0
    assert first["ibi"] <= 5.0
    assert 48.0 <= first["ln_hf_60"] <= 53.0
    assert "ln_lf_300" not in first


@BOTH
def test_a_rising_rate_shows_in_slope_and_delta(kind: str) -> None:
    times, _ = signal(kind, 80)
    # phase whose rate rises from 60 to 100 bpm
    rate = (60 + 0.5 * times) / 60
    phase = np.cumsum(rate) / RATE[kind] * 0.8
    values = WAVES[kind](phase)[:, 0]
    last = run(kind, times, values)[-1]
    assert value(last, "heart_rate") == pytest.approx(97.2, abs=1.5)
    assert value(last, "heart_rate_slope") == pytest.approx(0.5, abs=0.15)
    assert value(last, "heart_rate_delta") > 8.0


@BOTH
def test_quality_falls_to_zero_within_seconds_of_a_flat_line(kind: str) -> None:
    times, values = signal(kind, 60)
    values[40 * RATE[kind] :] = values[40 * RATE[kind]]
    epochs = run(kind, times, values)
    assert at(epochs, 39.0).quality > 0.9
    assert max(epoch.quality for epoch in epochs if epoch.stop > 44.0) == 0.0


@BOTH
@pytest.mark.parametrize("noise", ["white", "brown", "hum", "flat"])
def test_quality_is_zero_without_a_heart(kind: str, noise: str) -> None:
    rng = np.random.default_rng(5)
    times, _ = signal(kind, 90)
    white = rng.standard_normal(len(times))
    hum = np.sin(2 * np.pi * 50 * times) + 0.01 * white
    values = {"white": white, "brown": np.cumsum(white), "hum": hum, "flat": 0 * white}[noise]
    quality = np.array([epoch.quality for epoch in run(kind, times, values)])
    assert np.mean(quality) < 0.01
    assert np.median(quality) == 0.0


@BOTH
def test_quality_follows_the_share_of_trusted_samples(kind: str) -> None:
    times, values = signal(kind, 40)
    ok = (times % 1.0) < 0.7
    trusted, doubted = run(kind, times, values)[-1], run(kind, times, values, ok)[-1]
    assert doubted.quality < 0.75 * trusted.quality


@BOTH
def test_a_gap_has_no_epochs_and_no_interval_spans_it(kind: str) -> None:
    times, values = signal(kind, 60)
    keep = (times < 30.0) | (times >= 35.0)
    epochs = run(kind, times[keep], values[keep])
    assert not [epoch for epoch in epochs if 30.25 < epoch.stop < 35.0]
    after = [epoch for epoch in epochs if epoch.stop >= 35.0]
    assert after[1].quality < 0.3
    rates = np.array([value(epoch, "heart_rate") for epoch in after])
    assert np.nanmin(rates) > 69.0
    assert value(after[-1], "heart_rate_30") == pytest.approx(75.0, abs=0.7)
    assert after[-1].quality > 0.9


@BOTH
def test_short_losses_do_not_stop_the_features(kind: str) -> None:
    times, values = signal(kind, 60)
    keep = times % 3.1 > 0.06
    last = run(kind, times[keep], values[keep])[-1]
    assert value(last, "heart_rate_30") == pytest.approx(75.0, abs=1.5)
    assert last.quality > 0.3


def test_an_epoch_uses_only_what_was_known_by_its_end() -> None:
    times, values = signal("ecg", 40)
    changed = values.copy()
    changed[30 * 256 + 1 :] = 0.0
    before, after = run("ecg", times, values), run("ecg", times, changed)
    for one, other in zip(before, after, strict=True):
        if one.stop <= 30.0:
            np.testing.assert_array_equal(one.data, other.data)
            assert one.quality == other.quality


def test_amplitude_features_follow_the_pulse() -> None:
    times, values = signal("ppg", 90)
    values = 100 + (values - 100) * np.where(times < 78.0, 1.0, 0.6)
    before, after = run("ppg", *signal("ppg", 90))[-1], run("ppg", times, values)[-1]
    assert value(before, "amplitude_delta") == pytest.approx(0.0, abs=0.05)
    assert value(after, "amplitude_delta") == pytest.approx(np.log(0.6), abs=0.1)
    assert value(after, "amplitude_sd_30") > 3 * value(before, "amplitude_sd_30")


def test_a_rejected_interval_gives_no_difference() -> None:
    rhythm = Rhythm()
    beats = np.arange(0, 60, 0.8)
    beats[40] += 0.35  # one beat of artefact: two intervals are wrong
    for time in beats:
        rhythm.add_beat(float(time), 1.0, 1.0)
    features = dict(zip(HEART_CHANNELS, rhythm.features(60.0), strict=True))
    assert features["rmssd_30"] == pytest.approx(0.0, abs=1e-9)
    assert features["heart_rate"] == pytest.approx(75.0)
    assert features["pnn50_60"] == 0.0


def test_beats_without_confidence_are_passed_over() -> None:
    rhythm = Rhythm()
    for time in np.arange(0, 30, 0.8):
        rhythm.add_beat(float(time), 1.0, 1.0)
        rhythm.add_beat(float(time) + 0.4, 1.0, 0.0)
    assert rhythm.features(30.0)[0] == pytest.approx(75.0)


def test_a_new_rhythm_is_believed_after_three_intervals() -> None:
    intervals = IntervalFilter()
    assert all(intervals.accept(0.9) for _ in range(10))
    assert [intervals.accept(0.55) for _ in range(4)] == [False, False, True, True]
    assert not intervals.accept(0.2)
    assert not intervals.accept(2.5)


def test_rate_agrees_with_kubios_in_every_clip_of_p1(public_file: PublicFile) -> None:
    with np.load(public_file("wearable/rcqoea_P1.npz")) as file:
        data = {name: file[name] for name in file.files}
    rate = data["kubios"][:, data["kubios_cols"].tolist().index("Mean HR (bpm)")]
    n = int(data["kubios_window_samples"])
    ecg, ppg = [], []
    for clip in data["clip"]:
        times = data[f"V{clip:02d}_ecg_t"][:n]
        ecg.append(clip_rate("ecg", "uV", times, data[f"V{clip:02d}_ecg_uV"][:n]))
        same = data[f"V{clip:02d}_gsr_t"] <= times[-1]
        times, values = data[f"V{clip:02d}_gsr_t"][same], data[f"V{clip:02d}_ppg_mV"][same]
        ppg.append(clip_rate("ppg", "mV", times, values))
    ecg_error, ppg_error = np.abs(np.array(ecg) - rate), np.abs(np.array(ppg) - rate)
    assert ecg_error.max() <= 2.0
    assert ecg_error.mean() <= 0.15
    assert np.nanmax(ppg_error) <= 5.0
    assert np.nanmean(ppg_error) <= 0.5
    assert np.isnan(ppg_error).sum() <= 2, "two clips are spoilt by motion and have no value"


def clip_rate(kind: str, unit: str, times: Floats, values: Floats) -> float:
    info = StreamInfo("wearable", Modality(kind), (kind,), 130.0, unit, dtype="float32")
    pipeline = Pipeline(ToSI(), Regularise(), stage(kind))
    epochs = pipeline.run(split(Chunk.of(info, times, values[:, None]), repeat(64)), info)
    return value(epochs[-1], "heart_rate_30")
