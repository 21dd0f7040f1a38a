"""The whole EEG pipeline: settings, bad inputs, faults and artefacts named, filters' physics."""

import numpy as np
import pytest

from biosense.core import Chunk, Epoch, Modality, StreamInfo
from biosense.core.errors import BadInput
from biosense.processing.eeg.band_powers import BANDS, EEG_FEATURES
from biosense.processing.eeg.entropy import ChannelEntropies
from biosense.processing.eeg.layouts import layout
from biosense.processing.eeg.pipeline import EEG_BAND_HZ, eeg_pipeline
from biosense.processing.pipelines import feature_pipeline
from biosense.processing.signal.filters import BandPass, Cascade, Notch

CAP = layout("10-20")


def eeg_info(channels=CAP, sfreq=128.0, unit="uV"):
    return StreamInfo("cap", Modality.EEG, tuple(channels), sfreq, unit)


def features(data, info, **settings):
    pipeline = eeg_pipeline(info, 50.0, **settings)
    chunk = Chunk.of(info, np.arange(len(data)) / info.sfreq, data)
    return pipeline.run([chunk.slice(n, n + 64) for n in range(0, chunk.n, 64)], info)


def head(seconds=8, channels=19, sfreq=128.0, seed=0):
    rng = np.random.default_rng(seed)
    n = round(seconds * sfreq)
    shared = rng.standard_normal((n, 3)) @ rng.uniform(-1.0, 1.5, (3, channels))
    return 8 * shared + 3 * rng.standard_normal((n, channels))


def alpha(epoch):
    return epoch.data[EEG_FEATURES.index("all_alpha")]


def test_the_default_is_what_the_table_makes():
    info = eeg_info()
    assert feature_pipeline(info).fingerprint == eeg_pipeline(info, 50.0).fingerprint
    for settings in ({"reference": "none"}, {"asr_cutoff": 20.0}):
        assert eeg_pipeline(info, 50.0, **settings).fingerprint != (
            feature_pipeline(info).fingerprint
        )


def test_a_common_signal_goes_with_the_average_and_stays_without():
    data = head() + 25 * np.sin(2 * np.pi * 10 * np.arange(8 * 128) / 128)[:, None]
    average, none = (features(data, eeg_info(), reference=kind)[-1] for kind in ("average", "none"))
    assert alpha(none) - alpha(average) > 1
    linked = eeg_info((*CAP[:-2], "M1", "M2"))
    assert alpha(none) - alpha(features(data, linked, reference="linked")[-1]) > 1


def test_a_flat_electrode_is_named_and_quality_falls():
    data = head()
    data[:, 3] = 7.0
    epochs = features(data, eeg_info())
    assert epochs[-1].reason == "F3 flat"
    assert epochs[-1].quality == pytest.approx(18 / 19)
    assert np.isfinite(epochs[-1].data).all()


def test_a_blink_is_named_in_the_windows_that_hold_it():
    data = head(10)
    lid = 150 * np.exp(-(((np.arange(1280) / 128 - 6.0) / 0.09) ** 2))
    data[:, :2] += lid[:, None]
    named = [epoch.stop for epoch in features(data, eeg_info()) if "blink" in epoch.reason]
    assert named
    assert min(named) >= 5.75
    assert max(named) <= 8.5


def test_settling_after_a_gap_is_untrusted_and_passes():
    data, info = head(20), eeg_info()
    times = np.arange(len(data)) / 128
    kept = (times < 8) | (times > 11)
    epochs = eeg_pipeline(info, 50.0).run([Chunk.of(info, times[kept], data[kept])], info)
    quality = {epoch.stop: epoch.quality for epoch in epochs}
    assert quality[8.0] > 0.99
    assert quality[11.5] == 0
    assert quality[16.0] == 1


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("flat", np.zeros((1024, 19))),
        ("clipped", np.clip(1e6 * head(), -2000, 2000)),
        ("all NaN", np.full((1024, 19), np.nan)),
        ("volts called microvolts", 1e-6 * head()),
        ("microvolts called volts", 1e6 * head()),
    ],
)
def test_worthless_signals_have_no_quality(name, data):
    epochs = features(data, eeg_info())
    assert all(epoch.quality == 0 for epoch in epochs), name


def test_a_stream_without_samples_gives_nothing():
    assert features(np.zeros((0, 19)), eeg_info()) == []


@pytest.mark.parametrize(("channels", "sfreq"), [(1, 250.0), (256, 128.0), (2, 20000.0)])
def test_few_many_and_fast_channels_give_features(channels, sfreq):
    info = eeg_info([f"ch {n}" for n in range(channels)], sfreq)
    epochs = features(head(4, channels, sfreq), info)
    assert epochs[-1].quality > 0.9
    assert np.isfinite(alpha(epochs[-1]))


def test_a_unit_that_is_none_of_voltage_is_refused():
    with pytest.raises(BadInput):
        features(head(), eeg_info(unit="S"))
    with pytest.raises(BadInput, match="asr_cutoff"):
        eeg_pipeline(eeg_info(), 50.0, asr_cutoff=0.0)


def test_gain_delay_impulse_and_step_of_the_filters_are_as_stated():
    info = eeg_info(("Cz",), 256.0, "V")
    cascade = Cascade((Notch(50.0), BandPass(*EEG_BAND_HZ)))
    t = np.arange(20 * 256) / 256
    gains = {}
    for hertz in (0.1, 2.0, 10.0, 30.0, 50.0, 100.0):
        cascade.start(info)
        wave = np.sin(2 * np.pi * hertz * t)
        out = cascade.push(Chunk.of(info, t, wave[:, None]))[0].data[:, 0]
        late = slice(10 * 256, None)
        gains[hertz] = 20 * np.log10(np.std(out[late]) / np.std(wave[late]))
        if hertz == 10.0:  # phase delay equals group delay where the phase is straight
            shifts = np.arange(0, 8)
            match = [np.corrcoef(out[late], np.roll(wave, s)[late])[0, 1] for s in shifts]
            measured = shifts[int(np.argmax(match))] / 256
            assert measured <= cascade.delay(10.0, info) + 2 / 256
    assert max(abs(gains[hertz]) for hertz in (2.0, 10.0, 30.0)) < 1.0
    assert gains[50.0] < -40
    assert gains[100.0] < -15
    assert gains[0.1] < -35
    cascade.start(info)
    step = np.concatenate([np.zeros(2560), np.ones(2560)])
    out = cascade.push(Chunk.of(info, t, step[:, None]))[0].data[:, 0]
    assert np.abs(out[:2560]).max() < 1e-12
    assert np.abs(out[2560 + 3 * 256 :]).max() < 0.01


def test_entropy_of_noise_is_that_of_the_formula():
    info = StreamInfo("cap", Modality.EEG, ("Fz", "Cz", "VEOG"), 128.0, "V")
    rng = np.random.default_rng(0)
    stage = ChannelEntropies()
    names = stage.start(info).channels
    windows = 1e-5 * rng.standard_normal((200, 256, 3))
    rows = [stage.push(Epoch(info, 8, 0.0, 2.0, data, 1.0))[0].data for data in windows]
    mean = dict(zip(names, np.mean(rows, axis=0), strict=True))
    low, high = BANDS["beta"]
    wanted = 0.5 * np.log(2 * np.pi * np.e * 100 * (high - low) / 64)
    assert set(names) == {f"{site}_{band}" for site in ("Fz", "Cz") for band in BANDS}
    assert mean["Cz_beta"] == pytest.approx(wanted, abs=0.03)
    empty = stage.push(Epoch(info, 8, 0.0, 2.0, np.zeros((0, 3)), 1.0))[0]
    assert np.isnan(empty.data).all()


def test_suppression_keeps_the_band_powers_of_a_burst_near_the_truth():
    clean = head(60, 19, seed=4)
    burst = np.zeros(len(clean))
    burst[50 * 128 : 51 * 128] = 300 * np.random.default_rng(1).standard_normal(128)
    dirty = clean + np.outer(burst, np.random.default_rng(2).standard_normal(19))
    at = {"off": features(dirty, eeg_info()), "on": features(dirty, eeg_info(), asr_cutoff=10.0)}
    truth = {epoch.index: epoch for epoch in features(clean, eeg_info())}
    inside = [epoch for epoch in at["on"] if 51 <= epoch.stop <= 52]
    assert all(epoch.quality == 0 for epoch in at["off"] if 51 <= epoch.stop <= 52)
    errors = [abs(alpha(epoch) - alpha(truth[epoch.index])) for epoch in inside]
    assert max(errors) < 1.0
