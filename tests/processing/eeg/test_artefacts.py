"""Blinks, muscle and jumps are named; clean EEG, alpha waves and drifts are not."""

import numpy as np
import pytest

from biosense.core import Epoch, Modality, StreamInfo
from biosense.core.errors import BadInput
from biosense.processing.eeg.artefacts import EegArtefacts
from biosense.processing.eeg.layouts import layout

SFREQ = 128.0
CAP = layout("10-20")
T = np.arange(256) / SFREQ


def eeg_info(channels=CAP, unit="V", sfreq=SFREQ):
    return StreamInfo("cap", Modality.EEG, tuple(channels), sfreq, unit)


def noise(channels=19, seed=0):
    return 8e-6 * np.random.default_rng(seed).standard_normal((256, channels)) / 3


def judged(windows, channels=CAP):
    info, stage = eeg_info(channels), EegArtefacts()
    stage.start(info)
    return [
        stage.push(Epoch(info, k, k / 4 - 2, k / 4, data, 1.0))[0] for k, data in enumerate(windows)
    ]


def blink(width=0.1, size=1.2e-4, posterior=0.1):
    gain = np.array([1.0, 1.0, 0.5, 0.5, 0.5, 0.5, 0.5] + [posterior] * 12)
    return noise() + size * np.outer(np.exp(-(((T - 1.0) / width) ** 2)), gain)


def test_a_blink_is_named_and_lowers_quality():
    epoch = judged([blink()])[0]
    assert epoch.reason == "blink"
    assert epoch.quality == 0.75
    assert np.array_equal(epoch.data, blink())


def test_a_slow_look_aside_is_an_eye_movement():
    assert judged([blink(width=0.5)])[0].reason == "eye movement"


def test_what_is_as_large_at_the_back_is_not_the_eyes():
    assert judged([blink(posterior=0.9)])[0].reason == ""


def test_eog_channels_show_blinks_where_the_cap_has_no_front():
    data = noise(3)
    data[:, 2] += 2e-4 * np.exp(-(((T - 1.0) / 0.1) ** 2))
    assert judged([data], ("Cz", "Pz", "VEOG"))[0].reason == "blink"


def muscle(size=2e-5, channels=(7, 11)):
    rng = np.random.default_rng(1)
    data = noise()
    for at in channels:
        data[:, at] += size * np.sin(2 * np.pi * 33 * T + rng.uniform(0, 6)) * np.sqrt(2)
    return data


def test_muscle_is_named_where_it_is_louder_than_usual():
    out = judged([*[noise(seed=k) for k in range(8)], muscle()])
    assert [epoch.reason for epoch in out] == [""] * 8 + ["muscle"]
    assert out[-1].quality == pytest.approx(1 - 0.5 * 2 / 19)


def test_muscle_from_the_beginning_on_is_named():
    assert judged([muscle(size=3e-5)])[0].reason == "muscle"


def test_a_jump_is_named_and_is_no_blink():
    data = noise()
    data[128:, 0] += 2e-4
    epoch = judged([data])[0]
    assert epoch.reason == "jump"
    assert epoch.quality == pytest.approx(18 / 19)


def test_alpha_waves_are_no_artefact():
    alpha = 4e-5 * np.sin(2 * np.pi * 10 * T)[:, None]
    assert [epoch.reason for epoch in judged([noise(seed=k) + alpha for k in range(6)])] == [""] * 6


def test_bad_windows_pass_without_a_word():
    flat, missing = np.zeros((256, 19)), np.full((256, 19), np.nan)
    assert [epoch.reason for epoch in judged([flat, missing, np.zeros((0, 19))])] == [""] * 3


def test_a_reason_from_before_is_kept():
    info, stage = eeg_info(), EegArtefacts()
    stage.start(info)
    epoch = stage.push(Epoch(info, 8, 0.0, 2.0, blink(), 0.8, "Fz flat"))[0]
    assert epoch.reason == "blink; Fz flat"
    assert epoch.quality == pytest.approx(0.6)


@pytest.mark.parametrize("channels", [1, 256])
def test_one_and_256_channels(channels):
    names = [f"ch {n}" for n in range(channels)]
    assert judged([noise(channels)], names)[0].reason == ""


def test_wrong_units_and_settings_are_refused():
    with pytest.raises(BadInput, match="must be 'V'"):
        EegArtefacts().start(eeg_info(unit=""))
    with pytest.raises(BadInput, match="above 0"):
        EegArtefacts(jump=0.0)
