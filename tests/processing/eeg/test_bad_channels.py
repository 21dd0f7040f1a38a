"""Bad channels of EEG: each fault is found, named, and does not come and go."""

import numpy as np
import pytest

from biosense.core import Epoch, Modality, StreamInfo
from biosense.core.errors import BadInput
from biosense.processing.eeg.bad_channels import BadChannels
from biosense.processing.eeg.band_powers import BandPowers
from biosense.processing.eeg.layouts import layout

SFREQ = 128.0
CAP = layout("10-20")


def eeg_info(channels=CAP, sfreq=SFREQ, unit="V"):
    return StreamInfo("cap", Modality.EEG, tuple(channels), sfreq, unit)


def window(channels=19, seed=0, sfreq=SFREQ):
    """Return channels that share most of their signal, as those on one head do."""
    rng = np.random.default_rng(seed)
    n = round(2 * sfreq)
    shared = rng.standard_normal((n, 2)) @ rng.uniform(0.5, 1.5, (2, channels))
    return 1e-5 * (shared + 0.3 * rng.standard_normal((n, channels)))


def watch(windows, info=None, stage=None, quality=1.0):
    info, stage = info or eeg_info(), stage or BadChannels()
    stage.start(info)
    epochs = [Epoch(info, 8 + k, k / 4, 2 + k / 4, data, quality) for k, data in enumerate(windows)]
    return [stage.push(epoch)[0] for epoch in epochs], stage


def broken(kind, at=4):
    data = window()
    rng = np.random.default_rng(3)
    t = np.arange(len(data)) / SFREQ
    if kind == "flat":
        data[:, at] = 1e-3
    elif kind == "off scale":
        data[:, at] = 1e-3 * np.sin(2 * np.pi * 3 * t)
    elif kind == "noisy":
        data[:, at] += 6e-5 * rng.standard_normal(len(t))
    elif kind == "uncorrelated":
        data[:, at] = 1e-5 * rng.standard_normal(len(t))
    elif kind == "bridged":
        data[:, at] = data[:, at + 1] + 1e-7 * rng.standard_normal(len(t))
    return data


@pytest.mark.parametrize("kind", ["flat", "off scale", "noisy", "uncorrelated"])
def test_each_fault_is_found_named_and_left_out(kind):
    out, stage = watch([broken(kind)] * 6)
    assert [epoch.reason for epoch in out[:3]] == [""] * 3
    assert out[-1].reason == f"Fz {kind}"
    assert stage.bad == {"Fz": kind}
    assert np.isnan(out[-1].data[:, 4]).all()
    assert np.isfinite(np.delete(out[-1].data, 4, axis=1)).all()


def test_bridged_channels_are_named_but_stay():
    out, stage = watch([broken("bridged")] * 6)
    assert stage.bad == {"Fz": "bridged", "F4": "bridged"}
    assert np.isfinite(out[-1].data).all()
    assert out[-1].quality == pytest.approx(1 - 0.5 * 2 / 19)


def test_good_channels_stay_good():
    out, stage = watch([window(seed=k) for k in range(40)])
    assert not stage.bad
    assert all(epoch.reason == "" and epoch.quality == 1 for epoch in out)


def test_blinks_do_not_make_the_front_bad():
    t = np.arange(256) / SFREQ
    blink = window() + 0.0
    blink[:, :2] += 2.5e-4 * np.exp(-(((t - 1.0) / 0.1) ** 2))[:, None]
    _, stage = watch([blink] * 20)
    assert not stage.bad


def test_a_fault_of_half_a_second_is_not_a_bad_channel():
    _, stage = watch([window(), broken("flat"), broken("flat"), window(), broken("flat"), window()])
    assert not stage.bad


def test_a_bad_channel_returns_after_five_good_seconds():
    faulty = [broken("flat")] * 4
    _, stage = watch([*faulty, *[window()] * 19])
    assert stage.bad == {"Fz": "flat"}
    _, stage = watch([*faulty, *[window()] * 20])
    assert not stage.bad


def test_windows_that_nobody_trusts_teach_nothing():
    _, stage = watch([broken("flat")] * 10, quality=0.0)
    assert not stage.bad


def test_independent_channels_are_not_called_uncorrelated():
    rng = np.random.default_rng(0)
    _, stage = watch([1e-5 * rng.standard_normal((256, 19)) for _ in range(10)])
    assert not stage.bad


def test_features_go_on_without_the_channel_and_quality_says_so():
    info = eeg_info()
    out, _ = watch([broken("noisy")] * 6, info)
    powers = BandPowers()
    powers.start(info)
    result = powers.push(out[-1])[0]
    assert result.reason == "Fz noisy"
    assert result.quality == pytest.approx(18 / 19)
    assert np.isfinite(result.data).all()


@pytest.mark.parametrize("data", [np.zeros((256, 19)), np.full((256, 19), np.nan)])
def test_a_dead_cap_is_all_bad(data):
    out, stage = watch([data] * 6)
    assert set(stage.bad.values()) == {"flat"}
    assert out[-1].reason == "Fp1 flat, Fp2 flat, F7 flat, 16 more"


def test_clipped_channels_are_off_scale():
    t = np.arange(256) / SFREQ
    data = np.clip(5e-3 * np.sin(2 * np.pi * 5 * t), -4e-4, 4e-4)[:, None] + window()
    _, stage = watch([data] * 6)
    assert set(stage.bad.values()) == {"off scale"}


@pytest.mark.parametrize(("channels", "sfreq"), [(1, 128.0), (256, 128.0), (4, 20000.0)])
def test_few_many_and_fast_channels(channels, sfreq):
    info = eeg_info([f"ch {n}" for n in range(channels)], sfreq)
    data = window(channels, sfreq=sfreq)
    data[:, 0] = 0.0
    out, stage = watch([data] * 5, info)
    assert stage.bad == {"ch 0": "flat"}
    assert out[-1].data.shape == data.shape


def test_an_empty_window_and_a_stream_without_eeg_pass():
    out, _ = watch([np.zeros((0, 19))])
    assert out[0].reason == ""
    out, _ = watch([np.zeros((256, 1))] * 6, eeg_info(["VEOG"]))
    assert out[-1].reason == ""


def test_unusable_settings_and_units_are_refused():
    with pytest.raises(BadInput, match="must be below"):
        BadChannels(flat=1.0)
    with pytest.raises(BadInput, match="must be 'V'"):
        BadChannels().start(eeg_info(unit="uV"))
