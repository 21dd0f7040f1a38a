"""Heart rate from the camera: right when given, and not given when there is no pulse."""

from time import process_time

import numpy as np
import pytest

from biosense.core import Chunk, Modality, Pipeline, StreamInfo
from biosense.core.camera_streams import RPPG_COLOURS
from biosense.core.errors import BadInput
from biosense.processing.rppg.features import RppgFeatures
from biosense.processing.rppg.spectrum import BandSpectrum, PulsePeak
from biosense.processing.signal.regularise import Regularise
from tests.support.signals.rppg_scenes import INFO, SFREQ, column, given, run, scene


def find_pulse(wave) -> PulsePeak:
    return BandSpectrum.of(wave[:, None], SFREQ).peak(0)


@pytest.mark.parametrize("bpm", [48.0, 72.3, 110.0, 149.0])
def test_noise_free_frequency_is_exact(bpm):
    wave = 0.002 * np.sin(2 * np.pi * bpm / 60 * np.arange(300) / SFREQ)
    peak = find_pulse(wave)
    assert peak.bpm == pytest.approx(bpm, abs=0.1)
    assert peak.amplitude == pytest.approx(0.004, rel=0.02)


def test_blind_snr_of_white_noise_has_its_known_chance_level():
    rng = np.random.default_rng(3)
    snr = np.array([find_pulse(rng.standard_normal(300)).snr_db for _ in range(600)])
    assert np.nanmedian(snr) == pytest.approx(-4.3, abs=0.4)
    assert np.mean(snr > 0) < 0.03
    assert np.mean(snr > 1) < 0.01


@pytest.mark.parametrize("wave", [np.full(300, np.nan), np.zeros(300), np.full(300, 2.0)])
def test_nothing_to_see_is_no_pulse(wave):
    assert np.isnan(find_pulse(wave).bpm)


@pytest.mark.parametrize("bpm", [52.0, 75.0, 118.0])
def test_heart_rate_is_within_one_beat_per_minute(bpm):
    epochs = run(scene(40, bpm=bpm))
    late = [epoch for epoch in epochs if epoch.stop >= 13]
    assert given(late).all()
    assert np.abs(column(late, "heart_rate") - bpm).max() < 1.0


def test_no_pulse_is_hardly_ever_reported():
    reported = [given(run(scene(60, pulse=0.0, seed=seed))) for seed in range(4)]
    assert np.concatenate(reported).mean() <= 0.05


def test_the_rate_lags_the_heart_by_half_the_window():
    epochs = run(scene(60, bpm=np.linspace(60, 100, 60 * 30)))[80:]
    behind = [(60 + 40 * e.stop / 60 - e.data[0]) / (40 / 60) for e in epochs if e.quality]
    assert 4.5 < np.median(behind) < 6.0


def test_quality_is_the_confidence_and_0_where_nothing_is_given():
    epochs = run(scene(30, pulse=0.002, noise=1e-3))
    quality = np.array([epoch.quality for epoch in epochs])
    assert np.array_equal(quality, column(epochs, "confidence"))
    assert np.array_equal(quality > 0, given(epochs))
    assert quality.max() <= 1


def test_confidence_grows_with_the_pulse():
    small = np.mean([e.quality for e in run(scene(30, pulse=0.0015))[-40:]])
    large = np.mean([e.quality for e in run(scene(30, pulse=0.006))[-40:]])
    assert small < large


def test_the_first_rate_comes_after_a_window_and_the_latency():
    epochs = run(scene(20))
    first = epochs[int(np.flatnonzero(given(epochs))[0])].stop
    assert 9.0 + 1.5 <= first <= 13.0


def test_a_lost_face_ends_the_reports_within_a_second():
    data = scene(40)
    data[750:900, :12] = np.nan  # 25 to 30 s
    epochs = run(data)
    stops = np.array([epoch.stop for epoch in epochs])
    shown = given(epochs)
    assert shown[(stops >= 13) & (stops <= 25)].all()
    assert not shown[(stops >= 26.25) & (stops <= 36)].any()
    assert (np.array([e.quality for e in epochs])[stops == 28] == 0).all()


def test_a_gap_is_not_read_across():
    data = scene(50)
    indices = np.concatenate([np.arange(600), np.arange(600, 900) + 3000])
    epochs = run(np.concatenate([data[:600], data[600:900]]), indices=indices)
    stops = np.array([epoch.stop for epoch in epochs])
    assert not ((stops > 20.25) & (stops < 120)).any()
    assert not given(epochs)[(stops >= 120) & (stops < 129)].any()


def test_too_little_skin_is_not_reported():
    data = scene(30)
    data[:, [3, 7, 11]] = 100.0
    assert not given(run(data)).any()
    assert given(run(data, min_pixels=200.0)).any()


@pytest.mark.parametrize("sizes", [[1] * 600, [7] * 85 + [5], [0, 599, 1]])
def test_any_cutting_gives_the_same(sizes):
    data = scene(20)
    data[300:310, :4] = np.nan
    whole, cut = run(data), run(data, sizes)
    assert [epoch.index for epoch in whole] == [epoch.index for epoch in cut]
    for one, two in zip(whole, cut, strict=True):
        assert np.array_equal(one.data, two.data, equal_nan=True)
        assert one.quality == two.quality


def test_an_epoch_comes_with_the_frame_that_completes_it_and_sees_no_later_one():
    data = scene(20)
    stage = RppgFeatures()
    stage.start(INFO)
    chunk = Chunk.of(INFO, np.arange(600) / SFREQ, data)
    for n in range(600):
        for epoch in stage.push(chunk.slice(n, n + 1)):
            assert epoch.stop <= n / SFREQ + 1e-9 < epoch.stop + 1 / SFREQ
    other = data.copy()
    other[451:] *= 1.3  # frames after 15.0 s
    until = [epoch for epoch in run(data) if epoch.stop <= 15.0]
    for one, two in zip(until, run(other), strict=False):
        assert np.array_equal(one.data, two.data, equal_nan=True)


def test_a_rising_rate_is_followed():
    bpm = np.linspace(60, 100, 60 * 30)
    epochs = run(scene(60, bpm=bpm))
    stops = np.array([epoch.stop for epoch in epochs])
    rate = column(epochs, "heart_rate")
    middle = 60 + 40 * (stops - 5) / 60
    late = stops > 15
    assert given(epochs)[late].mean() > 0.9
    assert np.nanmax(np.abs(rate - middle)[late]) < 3
    delta = column(epochs, "heart_rate_delta")
    assert np.nanmin(delta[stops > 30]) > 2


def test_amplitude_grows_with_the_pulse():
    one, two = (column(run(scene(20, pulse=p)), "pulse_amplitude")[-1] for p in (0.004, 0.008))
    assert two - one == pytest.approx(np.log(2), abs=0.15)


@pytest.mark.parametrize("fps", [24.0, 30.0])
def test_jitter_and_dropped_frames_of_a_camera_do_not_matter(fps):
    rng = np.random.default_rng(2)
    kept = np.sort(rng.permutation(1200)[:1140])  # 5 % of the frames are lost
    info = StreamInfo("webcam", Modality.RPPG, RPPG_COLOURS, fps, lossy=True)
    data = scene(40, bpm=72.0 * SFREQ / fps)[kept]  # made at 30 Hz, shown at fps: 72 bpm
    times = kept / fps + rng.uniform(0, 0.008, len(kept))
    camera = Regularise(sfreq=30.0, order=1, dejitter=False, fill=False)
    epochs = Pipeline(camera, RppgFeatures()).run([Chunk.of(info, times, data)], info)
    late = [epoch for epoch in epochs if epoch.stop >= 14]
    assert given(late).mean() > 0.95
    assert np.nanmax(np.abs(column(late, "heart_rate") - 72)) < 1.0


def test_wrong_settings_are_refused():
    with pytest.raises(BadInput, match="at least 5 s"):
        RppgFeatures(window=2.0)


def test_a_frame_and_an_epoch_are_cheap():
    data = scene(12)
    stage = RppgFeatures()
    stage.start(INFO)
    chunk = Chunk.of(INFO, np.arange(360) / SFREQ, data)
    began = process_time()
    for n in range(360):
        stage.push(chunk.slice(n, n + 1))
    assert (process_time() - began) / 360 < 1e-3  # 0.25 ms on two quiet cores
