"""Skin conductance: responses counted and measured against truth, artefacts kept out."""

from __future__ import annotations

from itertools import repeat

import numpy as np
import pytest

from biosense.core import Chunk, Modality, Pipeline, StreamInfo
from biosense.core.errors import BadInput
from biosense.core.types import Floats
from biosense.processing.eda.features import EDA_CHANNELS, EdaFeatures
from biosense.processing.eda.scr import ScrDetector
from biosense.processing.signal.decimate import Decimate
from biosense.processing.signal.regularise import Regularise
from biosense.processing.signal.units import ToSI
from biosense.testing.cuttings import split
from tests.support.signals.beats_found import beats_of, score
from tests.support.signals.eda_traces import PEAK_S, eda_info, responses, run, value
from tests.support.stand_ins import PublicFile


def detect(eda_us: Floats, sfreq: float) -> Floats:
    """Return the rows onset, amplitude (uS), rise time, half recovery, known_at."""
    info = eda_info(sfreq)
    stream = Chunk.of(info, np.arange(len(eda_us)) / sfreq, 1e-6 * eda_us[:, None])
    return beats_of(ScrDetector(), stream, 7) * [1, 1e6, 1, 1, 1]


@pytest.mark.parametrize("sfreq", [4.0, 8.0, 16.0, 130.0, 512.0])
@pytest.mark.parametrize("amplitude", [0.1, 0.3, 1.0])
def test_amplitude_of_an_isolated_response(sfreq: float, amplitude: float) -> None:
    times = np.arange(int(40 * sfreq)) / sfreq
    found = detect(2 + responses(times, np.array([10.4]), np.array([amplitude])), sfreq)
    assert len(found) == 1
    assert found[0, 1] == pytest.approx(amplitude, rel=0.1)
    assert found[0, 0] == pytest.approx(10.4, abs=max(0.3, 2 / sfreq))
    assert found[0, 4] - (10.4 + PEAK_S) < 0.8, "confirmed half a second after the smoothed peak"


@pytest.mark.parametrize("sfreq", [8.0, 130.0])
def test_responses_in_noise_and_drift_are_counted(sfreq: float) -> None:
    rng = np.random.default_rng(1)
    scores = []
    for _ in range(4):
        onsets = 5 + np.cumsum(rng.uniform(4, 14, 28))
        onsets = onsets[onsets < 240]
        times = np.arange(int(250 * sfreq)) / sfreq
        eda = 4 + responses(times, onsets, rng.uniform(0.1, 1.0, len(onsets)))
        eda = eda + 0.3 * np.sin(2 * np.pi * times / 200) + 0.005 * rng.standard_normal(len(times))
        scores.append(score(detect(eda, sfreq)[:, 0], onsets, 1.5).f1)
    assert np.mean(scores) >= 0.9


@pytest.mark.parametrize("sfreq", [4.0, 8.0, 32.0, 130.0])
@pytest.mark.parametrize("height", [0.1, 0.5, 3.0, -0.5])
def test_a_step_raises_no_response(sfreq: float, height: float) -> None:
    rng = np.random.default_rng(2)
    times = np.arange(int(60 * sfreq)) / sfreq
    for start in (20.0, 20.06, 20.2):
        eda = 4 + height * (times >= start) + 0.002 * rng.standard_normal(len(times))
        assert len(detect(eda, sfreq)) == 0


@pytest.mark.parametrize("width", [0.1, 0.3, 0.5])
def test_a_spike_raises_no_response(width: float) -> None:
    times = np.arange(60 * 16) / 16
    eda = 4 + 0.5 * ((times >= 20) & (times < 20 + width))
    assert len(detect(eda, 16.0)) == 0


def test_noise_and_drift_alone_raise_none() -> None:
    rng = np.random.default_rng(3)
    times = np.arange(120 * 8) / 8
    for drift in (0.02, -0.02, 0.0):
        eda = 4 + drift * times + 0.005 * rng.standard_normal(len(times))
        assert len(detect(eda, 8.0)) == 0


def test_neurokit_simulation_has_its_number_of_responses() -> None:
    nk = pytest.importorskip("neurokit2")
    for number in (3, 6, 12):
        eda = nk.eda_simulate(
            duration=120, sampling_rate=64, scr_number=number, drift=-0.005, random_state=number
        )
        assert len(detect(3 + np.asarray(eda, np.float64), 64.0)) == number


def test_event_related_recording_has_its_visible_responses(public_file: PublicFile) -> None:
    path = public_file("ecg/neurokit_bio_eventrelated_100hz.csv")
    eda = np.genfromtxt(path, delimiter=",", names=True)["EDA"]
    found = detect(eda, 100.0)
    large = found[found[:, 1] > 0.5, 0]
    np.testing.assert_allclose(large, [13.3, 21.7, 26.2, 45.6, 68.6, 118.8, 131.3, 145.4], atol=0.3)


def test_responses_show_in_rate_amplitude_and_time() -> None:
    times = np.arange(70 * 8) / 8
    eda = 3 + responses(times, np.array([45.0, 52.0, 60.0]), np.array([0.4, 0.3, 0.5]))
    epochs = {epoch.stop: epoch for epoch in run(eda)}
    last = epochs[69.75]
    assert value(last, "scr_rate") == pytest.approx(6.0, abs=0.1)
    assert value(last, "scr_amplitude") == pytest.approx(1.2, rel=0.08)
    assert value(last, "scr_since") == pytest.approx(np.log1p(9.75), abs=0.05)
    assert value(epochs[62.0], "scr_recent") == pytest.approx(0.5, abs=0.12)
    assert value(last, "scr_recent") < 0.2
    assert value(epochs[40.0], "scr_rate") == 0.0
    assert value(epochs[40.0], "scr_since") == pytest.approx(np.log1p(60.0))


def test_features_appear_when_their_window_is_filled() -> None:
    times = np.arange(30 * 8) / 8
    epochs = run(5 + responses(times, np.array([2.0, 12.0]), np.array([0.5, 0.5])))
    table = np.array([epoch.data for epoch in epochs])
    first = {
        name: epochs[int(np.flatnonzero(np.isfinite(column))[0])].stop
        for name, column in zip(EDA_CHANNELS, table.T, strict=True)
    }
    assert 4.5 <= first["scl_log"] <= 5.5
    assert 9.5 <= first["scr_rate"] <= 10.5


@pytest.mark.parametrize("level", [0.0, 0.02, 80.0, np.nan])
def test_quality_is_zero_off_the_skin(level: float) -> None:
    eda = np.full(40 * 8, 5.0)
    eda[20 * 8 :] = level
    epochs = run(eda)
    assert next(epoch for epoch in epochs if epoch.stop == 19.75).quality == 1.0
    assert all(epoch.quality == 0.0 for epoch in epochs if epoch.stop > 31.0)


def test_a_steep_slope_costs_five_seconds_of_trust() -> None:
    times = np.arange(60 * 8) / 8
    eda = 5 + 3.0 * (times >= 20) + 0.01 * np.sin(times)
    epochs = {epoch.stop: epoch for epoch in run(eda)}
    assert (epochs[19.75].quality, epochs[19.75].reason) == (1.0, "")
    assert epochs[26.0].quality == pytest.approx(0.45, abs=0.05), "the slip is known 0.5 s late"
    assert epochs[22.0].reason == "slope"
    assert (epochs[37.0].quality, epochs[37.0].reason) == (1.0, "")


def test_a_gap_has_no_epochs_and_no_response() -> None:
    times = np.arange(60 * 8) / 8
    eda = 3 + 1.0 * (times > 31)
    epochs = run(eda, keep=(times < 30) | (times > 35))
    assert not [epoch for epoch in epochs if 30.25 < epoch.stop < 35.0]
    assert max(value(epoch, "scr_amplitude") for epoch in epochs if epoch.stop > 12.0) == 0.0
    assert value(epochs[-1], "scl_log") == pytest.approx(np.log(4.0))
    assert epochs[-1].quality == 1.0


def test_an_epoch_uses_only_the_past() -> None:
    times = np.arange(60 * 16) / 16
    eda = 3 + responses(times, np.arange(5.0, 60.0, 6.0), np.full(10, 0.4))
    changed = eda.copy()
    changed[30 * 16 + 1 :] = 10.0
    for one, other in zip(run(eda, 16.0), run(changed, 16.0), strict=True):
        if one.stop <= 30.0:
            np.testing.assert_array_equal(one.data, other.data)
            assert one.quality == other.quality


def test_wearable_skin_conductance_through_the_live_pipeline(public_file: PublicFile) -> None:
    info = StreamInfo("shimmer", Modality.EDA, ("eda",), 128.0, "uS", dtype="float32")
    with np.load(public_file("wearable/rcqoea_P4.npz")) as file:
        times, eda = file["V05_gsr_t"], file["V05_sc_uS"]
    pipeline = Pipeline(ToSI(), Regularise(), Decimate(16.0), EdaFeatures())
    epochs = pipeline.run(split(Chunk.of(info, times, eda[:, None]), repeat(13)), info)
    level = np.exp([value(epoch, "scl_log") for epoch in epochs if epoch.stop > times[0] + 6])
    assert level.min() >= eda.min() - 0.05
    assert level.max() <= eda.max()
    assert value(epochs[-1], "scr_rate") == pytest.approx(6.0, abs=1.0), "three can be seen"
    assert epochs[-1].quality == 1.0


@pytest.mark.parametrize("info", [eda_info(2.0), eda_info(8.0, "uS")])
def test_a_stream_that_cannot_be_used_is_refused(info: StreamInfo) -> None:
    with pytest.raises(BadInput, match="put ToSI"):
        EdaFeatures().start(info)


def test_half_recovery_is_measured_or_missing() -> None:
    times = np.arange(60 * 16) / 16
    found = detect(3 + responses(times, np.array([10.0, 30.0, 32.0]), np.full(3, 0.5)), 16.0)
    assert found[0, 3] == pytest.approx(2.2, abs=0.2), "of the canonical response"
    assert np.isnan(found[1, 3]), "the next one came before"
    assert found[0, 2] == pytest.approx(PEAK_S, abs=0.25)
    last = run(3 + responses(times[::2], np.array([35.0]), np.array([0.5])))[-1]
    assert value(last, "scr_recovery") == pytest.approx(2.2, abs=0.2)
    assert value(last, "scr_rise_time") == pytest.approx(PEAK_S, abs=0.25)


def test_the_last_response_comes_out_at_the_end() -> None:
    times = np.arange(13 * 8) / 8
    found = detect(3 + responses(times, np.array([10.0]), np.array([0.5])), 8.0)
    assert len(found) == 1
    assert np.isnan(found[0, 3])


@pytest.mark.parametrize("sfreq", [4.0, 8.0, 128.0])
def test_a_level_that_drifts_up_moves_no_onset(sfreq: float) -> None:
    times = np.arange(int(40 * sfreq)) / sfreq
    eda = 4 + 0.01 * times + responses(times, np.array([20.1]), np.array([0.1]))
    found = detect(eda, sfreq)
    assert len(found) == 1
    assert found[0, 0] == pytest.approx(20.1, abs=0.12)
    assert found[0, 1] == pytest.approx(0.113, rel=0.06), "the drift of the rise is part of it"


@pytest.mark.parametrize(
    ("level", "reason"), [(0.01, "loose electrode"), (80.0, "above 60 uS"), (5.0, "flat")]
)
def test_a_fault_is_named(level: float, reason: str) -> None:
    eda = 5 + 0.05 * np.sin(np.arange(60 * 8) / 20)
    eda[20 * 8 :] = level
    last = run(eda)[-1]
    assert (last.quality, last.reason) == (0.0, reason)


def test_a_slip_below_the_slope_limit_is_named_and_costs_five_seconds() -> None:
    times = np.arange(60 * 8) / 8
    epochs = {e.stop: e for e in run(5 + 0.01 * np.sin(times) - 0.5 * (times >= 20))}
    assert (epochs[24.0].reason, epochs[40.0].reason) == ("electrode slip", "")
    assert epochs[27.0].quality == pytest.approx(0.5, abs=0.06)


def test_a_steep_response_is_no_slip() -> None:
    times = np.arange(40 * 8) / 8
    eda = 5 + responses(times, np.array([10.0, 20.0]), np.array([2.0, 0.3]))
    assert min(epoch.quality for epoch in run(eda) if epoch.stop > 11.0) == 1.0
