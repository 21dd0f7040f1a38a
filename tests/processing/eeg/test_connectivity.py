"""Connectivity equals SciPy's coherence, and sees what it should: lags, not volume conduction."""

import numpy as np
import pytest
from scipy import signal

from biosense.core import Epoch, Modality, StreamInfo
from biosense.core.errors import BadInput
from biosense.processing.eeg.band_powers import BANDS
from biosense.processing.eeg.connectivity import CONNECTIONS, Connectivity

SFREQ = 128.0
PAIR = CONNECTIONS.index("left_frontal-right_frontal_alpha")


def connections(data, measure, channels=("F3", "F4")):
    info = StreamInfo("cap", Modality.EEG, channels, SFREQ, "V")
    stage = Connectivity(measure)
    stage.start(info)
    return stage.push(Epoch(info, 40, 0.0, len(data) / SFREQ, np.asarray(data), 1.0))[0]


def two(lag=0, seed=0, seconds=10):
    rng = np.random.default_rng(seed)
    wave = rng.standard_normal(round(seconds * SFREQ) + 8)
    pair = np.column_stack([wave[8:], wave[8 - lag : len(wave) - lag]])
    return 1e-5 * (pair + 0.5 * rng.standard_normal(pair.shape))


def test_coherence_equals_scipys():
    data = two(lag=2)
    frequency, wanted = signal.coherence(*data.T, SFREQ, window="hann", nperseg=128, noverlap=64)
    result = connections(data, "coherence").data
    for number, (low, high) in enumerate(BANDS.values()):
        inside = (frequency >= low) & (frequency < high)
        assert result[PAIR - 2 + number] == pytest.approx(wanted[inside].mean(), rel=1e-9)


def test_imaginary_coherence_sees_a_lag_and_not_what_arrives_at_once():
    at_once = connections(two(lag=0), "imaginary").data[PAIR]
    lagged = connections(two(lag=3), "imaginary").data[PAIR]  # 23 ms: a quarter of an alpha wave
    assert lagged > 0.6
    assert at_once < 0.2


def test_phase_locking_does_not_depend_on_amplitude():
    data = two(lag=2)
    wanted = connections(data, "plv").data
    assert connections(data * [1.0, 7.0], "plv").data == pytest.approx(wanted, nan_ok=True)
    assert wanted[PAIR] > 0.7


def test_independent_noise_stays_at_the_bias_of_few_pieces():
    rng = np.random.default_rng(0)
    values = [
        connections(rng.standard_normal((1280, 2)), "coherence").data[PAIR] for _ in range(20)
    ]
    assert 1 / 19 < np.mean(values) < 2 / 10


def test_regions_without_a_channel_have_no_value():
    result = connections(two(), "plv")
    assert np.count_nonzero(np.isfinite(result.data)) == len(BANDS)
    missing = connections(np.where(np.arange(1280)[:, None] == 5, np.nan, two()), "plv")
    assert np.isnan(missing.data).all()
    assert missing.quality == 0
    flat = connections(np.zeros((1280, 2)), "coherence")
    assert np.isnan(flat.data).all()


def test_short_windows_and_wrong_streams_are_refused():
    with pytest.raises(BadInput, match="lengthen Window"):
        connections(two(seconds=2), "plv")
    with pytest.raises(BadInput, match="must be one of"):
        Connectivity("wpli")
    with pytest.raises(BadInput, match="must be 'V'"):
        Connectivity().start(StreamInfo("cap", Modality.EEG, ("F3",), SFREQ, "uV"))
    with pytest.raises(BadInput, match="gamma"):
        Connectivity().start(StreamInfo("cap", Modality.EEG, ("F3",), 64.0, "V"))
