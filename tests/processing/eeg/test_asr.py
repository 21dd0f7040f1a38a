"""ASR: bursts go, clean parts stay, the baseline is causal, the latency as declared."""

import numpy as np
import pytest

from biosense.core import Chunk, Modality, StreamInfo
from biosense.core.errors import BadInput
from biosense.processing.eeg.asr import Asr
from biosense.processing.eeg.asr_calibration import shaping_filter

SFREQ = 128.0
NAMES = ("Fp1", "Fp2", "F3", "F4", "C3", "C4", "P3", "P4", "O1", "O2")


def eeg_info(channels=NAMES, sfreq=SFREQ, unit="V"):
    return StreamInfo("cap", Modality.EEG, tuple(channels), sfreq, unit)


def brain(seconds, seed=0, channels=10):
    rng = np.random.default_rng(seed)
    mixing = np.random.default_rng(99).standard_normal((channels, channels))
    data = rng.standard_normal((round(seconds * SFREQ), channels)) @ mixing.T
    return 1e-5 * data / data.std()


def burst(length, start, stop, size=3e-4, seed=1):
    rng = np.random.default_rng(seed)
    wave = np.zeros(length)
    first, last = round(start * SFREQ), round(stop * SFREQ)
    wave[first:last] = size * rng.standard_normal(last - first)
    return np.outer(wave, rng.standard_normal(len(NAMES)))


def cleaned(data, step=None, start=0.0, info=None, stage=None):
    info, stage = info or eeg_info(), stage or Asr(calibrate=10.0)
    stage.start(info)
    chunk = Chunk.of(info, (np.arange(len(data)) + round(start * SFREQ)) / SFREQ, data)
    step = step or chunk.n
    parts = [p for n in range(0, chunk.n, step) for p in stage.push(chunk.slice(n, n + step))]
    parts += stage.flush()
    return np.concatenate([part.data for part in parts]), stage


def test_a_burst_is_taken_out_and_what_is_clean_stays():
    data = brain(30)
    dirty = data + burst(len(data), 20.0, 21.5)
    result, stage = cleaned(dirty)
    inside = slice(round(20.0 * SFREQ), round(21.5 * SFREQ))
    left = np.std((result - data)[inside]) / np.std((dirty - data)[inside])
    assert stage.is_calibrated
    assert left < 0.1  # -20 dB
    elsewhere = np.r_[result[: inside.start] - data[: inside.start], (result - data)[2800:]]
    assert np.std(elsewhere) < 0.05 * data.std()


def test_look_ahead_leaves_less_of_the_onset():
    data = brain(30)
    dirty = data + burst(len(data), 20.06, 21.5)
    at = slice(round(20.06 * SFREQ), round(20.2 * SFREQ))
    now, _ = cleaned(dirty)
    later, _ = cleaned(dirty, stage=Asr(calibrate=10.0, ahead=0.25))
    assert np.std((later - data)[at]) < np.std((now - data)[at])


def test_nothing_changes_before_there_is_a_baseline():
    data = brain(9) + burst(9 * 128, 5.0, 6.0)
    result, stage = cleaned(data)
    assert not stage.is_calibrated
    assert np.array_equal(result, data)


def test_artefacts_while_it_learns_stay_out_of_the_baseline():
    data = brain(40)
    early = data + burst(len(data), 3.0, 4.0) + burst(len(data), 7.2, 7.9, seed=4)
    late = burst(len(data), 30.0, 31.0, seed=5)
    inside = slice(round(30.0 * SFREQ), round(31.0 * SFREQ))
    result, _ = cleaned(early + late)
    assert np.std((result - data)[inside]) < 0.15 * np.std(late[inside])


@pytest.mark.parametrize("sfreq", [125.0, 128.0, 160.0])
def test_latency_is_at_most_the_declared_one_and_no_epoch_waits(sfreq):
    info, stage = eeg_info(sfreq=sfreq), Asr()
    stage.start(info)
    known = -np.inf
    for n in range(1000):
        time = n / sfreq
        for chunk in stage.push(Chunk.of(info, [time], np.zeros((1, len(NAMES))))):
            known = chunk.times[-1]
        assert n < 40 or time - known < stage.latency + 1e-9
        if n >= 40 and abs(4 * time - round(4 * time)) < 1e-9:  # a point of the session grid
            assert known == time


def test_results_do_not_depend_on_chunks_nor_on_the_hour_of_the_start():
    data = brain(25) + burst(25 * 128, 15.0, 16.0)
    whole, _ = cleaned(data)
    for step in (1, 7, 32, 500):
        assert np.array_equal(cleaned(data, step)[0], whole)
    assert np.array_equal(cleaned(data, start=3600.0)[0], whole)


def test_after_a_gap_the_baseline_is_still_known():
    info, data = eeg_info(), brain(40)
    dirty = data + burst(len(data), 30.1, 31.0)
    times = np.arange(len(data)) / SFREQ
    kept = (times < 20) | (times > 29.5)
    stage = Asr(calibrate=10.0)
    stage.start(info)
    chunk = Chunk.of(info, times[kept], dirty[kept])
    parts = [*stage.push(chunk), *stage.flush()]
    result = np.concatenate([part.data for part in parts])
    assert np.array_equal(np.concatenate([part.times for part in parts]), times[kept])
    inside = (times[kept] > 30.1) & (times[kept] < 31.0)
    assert np.std((result - data[kept])[inside]) < 0.15 * np.std(
        (dirty - data)[times > 30.1]
    )  # gone


def test_dead_missing_and_other_channels_pass_as_they_came():
    data = brain(30) + burst(30 * 128, 20.0, 21.0)
    info = eeg_info((*NAMES, "Cz", "VEOG"))
    extra = np.column_stack([np.zeros(len(data)), 1e-4 * np.sin(np.arange(len(data)))])
    data = np.column_stack([data, extra])
    data[2700, 3] = np.nan
    result, stage = cleaned(data, info=info)
    assert stage.is_calibrated
    assert np.array_equal(result[:, -2:], extra)
    assert np.array_equal(np.isnan(result), np.isnan(data))


def test_samples_without_any_number_never_make_a_baseline():
    result, stage = cleaned(np.full((30 * 128, len(NAMES)), np.nan))
    assert not stage.is_calibrated
    assert np.isnan(result).all()


def test_256_channels_are_cleaned():
    info = eeg_info([f"ch {n}" for n in range(256)])
    data = brain(14, channels=256)
    result, stage = cleaned(data, info=info)
    assert stage.is_calibrated
    assert np.isfinite(result).all()


def test_the_shaping_filter_dips_where_alpha_is():
    sos = shaping_filter(SFREQ)[0]
    w = np.exp(-2j * np.pi * np.array([0.0, 6.245, 60.0]) / SFREQ)
    gain = np.abs(np.polyval(sos[2::-1], w) / np.polyval(sos[:2:-1], w))
    assert gain == pytest.approx([1.0, 1 / 3, 1.0], abs=0.02)


def test_unusable_settings_and_streams_are_refused():
    with pytest.raises(BadInput, match="multiples of step"):
        Asr(window=0.3)
    with pytest.raises(BadInput, match="above 0"):
        Asr(cutoff=0.0)
    with pytest.raises(BadInput, match="a share"):
        Asr(most_removed=1.0)
    with pytest.raises(BadInput, match="at least 4 EEG channels"):
        Asr().start(eeg_info(["AF7", "AF8", "VEOG"]))
    with pytest.raises(BadInput, match="must be 'V'"):
        Asr().start(eeg_info(unit="uV"))
    with pytest.raises(BadInput, match="at least 32"):
        Asr().start(eeg_info(sfreq=0.0))
