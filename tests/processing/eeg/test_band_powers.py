"""Band powers: physics, montages, artefacts, cost, and real recordings."""

from dataclasses import replace
from time import perf_counter

import numpy as np
import pytest

from biosense.core import Chunk, Epoch, Modality, Pipeline, StreamInfo
from biosense.core.errors import BadInput
from biosense.processing.eeg.band_powers import BANDS, EEG_FEATURES, BandPowers, analysis_rate
from biosense.processing.signal.decimate import Decimate
from biosense.processing.signal.filters import BandPass, Notch
from biosense.processing.signal.regularise import Regularise
from biosense.processing.signal.units import ToSI
from biosense.processing.signal.window import Window
from tests.support.stand_ins import PublicFile

SFREQ = 128.0
LEFT = ("Fp1", "AF3", "F3", "F7", "FC5", "FC1", "C3", "T7", "CP5", "CP1", "P3", "P7", "PO3", "O1")
RIGHT = ("Fp2", "AF4", "F4", "F8", "FC6", "FC2", "C4", "T8", "CP6", "CP2", "P4", "P8", "PO4", "O2")
CAP = [*LEFT, *RIGHT, "Fz", "Cz", "Pz", "Oz"]


def eeg_info(channels, sfreq=SFREQ, unit="V"):
    return StreamInfo("cap", Modality.EEG, tuple(channels), sfreq, unit)


def features(window, channels, sfreq=SFREQ, quality=1.0, **parameters):
    info = eeg_info(channels, sfreq)
    stage = BandPowers(**parameters)
    stage.start(info)
    window = np.asarray(window, float)
    epoch = Epoch(info, 8, 0.0, len(window) / sfreq, window, quality)
    result = stage.push(epoch)[0]
    return dict(zip(EEG_FEATURES, result.data.tolist(), strict=True)), result.quality


def noise(channels, seconds=2.0, sd=1e-5, seed=0):
    rng = np.random.default_rng(seed)
    return sd * rng.standard_normal((round(seconds * SFREQ), channels))


def wave(frequency, amplitude, seconds=2.0):
    return amplitude * np.sin(2 * np.pi * frequency * np.arange(round(seconds * SFREQ)) / SFREQ)


def test_white_noise_has_the_power_of_the_formula():
    found, _ = features(noise(1, seconds=2000.0), ["Cz"])
    for band, (low, high) in BANDS.items():
        expected = np.log(10.0**2 * (high - low) / (SFREQ / 2))  # uV^2
        assert found[f"central_{band}"] == pytest.approx(expected, abs=0.06)


def test_power_equals_that_of_a_sine_in_its_band():
    found, _ = features(wave(20.0, 3e-5)[:, None], ["C3"])
    assert found["central_beta"] == pytest.approx(np.log(30.0**2 / 2), abs=1e-6)


def test_alpha_sine_lands_in_alpha_of_its_region():
    window = noise(3, sd=1e-6)
    window[:, 2] += wave(10.0, 2e-5)
    found, _ = features(window, ["F3", "C3", "O1"])
    posterior = {band: found[f"posterior_{band}"] for band in BANDS}
    assert max(posterior, key=posterior.get) == "alpha"
    assert found["posterior_alpha"] > found["frontal_alpha"] + 4
    assert posterior["alpha"] > posterior["beta"] + 4


@pytest.mark.parametrize("frequency", [2.0, 5.0, 10.0, 20.0, 38.0])
def test_each_frequency_lands_in_the_band_that_holds_it(frequency):
    found, _ = features(wave(frequency, 2e-5)[:, None], ["Cz"])
    loudest = max(BANDS, key=lambda band: found[f"all_{band}"])
    low, high = BANDS[loudest]
    assert low <= frequency < high


def test_scaling_adds_the_logarithm_of_its_square():
    window = noise(4)
    one, _ = features(window, ["F3", "F4", "C3", "O1"])
    two, _ = features(2 * window, ["F3", "F4", "C3", "O1"])
    for name in (f"{region}_{band}" for region in ("all", "frontal") for band in BANDS):
        assert two[name] - one[name] == pytest.approx(np.log(4.0))
    assert two["frontal_alpha_asymmetry"] == pytest.approx(one["frontal_alpha_asymmetry"])


def test_frontal_asymmetry_is_right_over_left_and_flips_with_the_channels():
    window = noise(2, sd=1e-6)
    window[:, 1] += wave(10.0, 2e-5)
    found, _ = features(window, ["F3", "F4"])
    swapped, _ = features(window[:, ::-1], ["F3", "F4"])
    assert found["frontal_alpha_asymmetry"] > 3
    assert swapped["frontal_alpha_asymmetry"] == pytest.approx(-found["frontal_alpha_asymmetry"])
    assert swapped["asymmetry_alpha"] == pytest.approx(-found["asymmetry_alpha"])


def test_a_headband_has_an_asymmetry_too():
    window = noise(4, sd=1e-6)
    window[:, 2] += wave(10.0, 2e-5)
    found, _ = features(window, ["TP9", "AF7", "AF8", "TP10"])
    assert found["frontal_alpha_asymmetry"] > 3
    assert np.isnan(found["posterior_alpha"])


def test_f3_f4_outweighs_the_pairs_that_stand_in_for_it():
    window = noise(6, sd=1e-6)
    window[:, 1] += wave(10.0, 2e-5)  # F4
    window[:, 2] += wave(10.0, 2e-5)  # Fp1
    found, _ = features(window, ["F3", "F4", "Fp1", "Fp2", "AF3", "AF4"])
    assert found["frontal_alpha_asymmetry"] > 1


def test_schema_is_the_same_for_every_montage():
    one, two = BandPowers(), BandPowers()
    a = one.start(eeg_info(["1"]))
    b = two.start(eeg_info([f"E{n}" for n in range(1, 257)], 256.0))
    assert a.channels == b.channels == EEG_FEATURES


def test_one_channel_of_unknown_name_has_the_powers_of_all():
    found, quality = features(noise(1), ["channel 1"])
    assert quality == 1.0
    known = [name for name, value in found.items() if np.isfinite(value)]
    assert known == [f"all_{band}" for band in BANDS]


def test_256_channels_work():
    found, quality = features(noise(256), [f"E{n}" for n in range(1, 257)])
    assert quality == 1.0
    assert np.isfinite([found[f"all_{band}"] for band in BANDS]).all()


def test_a_stream_without_eeg_is_refused():
    with pytest.raises(BadInput, match="no channel of 'cap' is EEG"):
        BandPowers().start(eeg_info(["HEOG", "ECG"]))


@pytest.mark.parametrize(
    "spoil",
    [
        lambda x: np.zeros_like(x),
        lambda x: x * 1e3,
        lambda x: np.where(np.arange(len(x)) < 100, np.nan, x),
        lambda x: x + wave(40.0, 1e-4),
    ],
    ids=["flat", "off-scale", "incomplete", "muscle"],
)
def test_a_bad_channel_is_left_out(spoil):
    window = noise(4)
    clean, _ = features(window[:, :3], ["C3", "Cz", "C4"])
    window[:, 3] = spoil(window[:, 3])
    found, quality = features(window, ["C3", "Cz", "C4", "CPz"])
    assert quality == pytest.approx(0.75)
    for band in BANDS:
        assert found[f"central_{band}"] == pytest.approx(clean[f"central_{band}"])


def test_a_blink_costs_only_the_slow_bands_of_the_channels_that_see_it():
    window = noise(4)
    clean, _ = features(window, ["Fp1", "Fp2", "O1", "O2"])
    blink = np.zeros(256)
    blink[90:141] = 3e-4 * np.hanning(51)  # 0.4 s, 300 uV
    window[:, :2] += blink[:, None]
    found, quality = features(window, ["Fp1", "Fp2", "O1", "O2"])
    assert quality == pytest.approx(0.8)
    assert np.isnan(found["frontal_theta"])
    for band in ("alpha", "beta", "gamma"):
        assert found[f"frontal_{band}"] == pytest.approx(clean[f"frontal_{band}"], abs=0.3)
    assert found["posterior_delta"] == clean["posterior_delta"]


def test_average_reference_takes_out_what_all_channels_share():
    window = noise(32)
    shared = wave(10.0, 4e-5)[:, None]
    clean, _ = features(window, CAP)
    found, _ = features(window + shared, CAP)
    assert found["all_alpha"] == pytest.approx(clean["all_alpha"], abs=1e-9)
    kept, _ = features(window + shared, CAP, reference_from=64)
    assert kept["all_alpha"] > clean["all_alpha"] + 2


def test_a_bad_channel_does_not_enter_the_average_reference():
    window = noise(32)
    window[:, 5] *= 100
    found, quality = features(window, CAP)
    clean, _ = features(np.delete(window, 5, axis=1), CAP[:5] + CAP[6:])
    assert quality == pytest.approx(31 / 32)
    assert found["all_beta"] == pytest.approx(clean["all_beta"])


def test_a_few_missing_samples_change_little():
    window = noise(2, seed=4)
    clean, _ = features(window, ["C3", "C4"])
    window[100:110] = np.nan
    found, quality = features(window, ["C3", "C4"], quality=0.96)
    assert quality == pytest.approx(0.96)
    assert found["all_beta"] == pytest.approx(clean["all_beta"], abs=0.2)


def test_an_empty_window_has_no_value_and_no_quality():
    found, quality = features(np.full((256, 3), np.nan), ["C3", "C4", "Cz"], quality=0.0)
    assert quality == 0
    assert np.isnan(list(found.values())).all()


def test_the_window_is_not_written_to():
    window = noise(32)
    before = window.copy()
    features(window, CAP)
    assert np.array_equal(window, before)


def test_wrong_streams_are_refused():
    with pytest.raises(BadInput, match="must be 'V'"):
        BandPowers().start(eeg_info(["Cz"], unit="uV"))
    with pytest.raises(BadInput, match="at least"):
        BandPowers().start(eeg_info(["Cz"], sfreq=64.0))
    with pytest.raises(BadInput, match="must rise"):
        BandPowers(flat=1.0)


def test_32_channels_take_well_under_a_millisecond():
    info = eeg_info(CAP)
    stage = BandPowers()
    stage.start(info)
    epoch = Epoch(info, 8, 0.0, 2.0, noise(32), 1.0)
    spent = []
    for _ in range(50):
        began = perf_counter()
        stage.push(epoch)
        spent.append(perf_counter() - began)
    assert min(spent) < 1e-3  # 0.2 ms on two quiet cores


def test_raw_microvolts_at_512_hz_keep_their_alpha_power_through_the_pipeline():
    info = StreamInfo("cap", Modality.EEG, ("O1", "O2"), 512.0, "uV", dtype="float32")
    t = np.arange(8 * 512) / 512
    alpha = 20 * np.sin(2 * np.pi * 10 * t)
    hum = 50 * np.sin(2 * np.pi * 50 * t)
    slow = 4000 + 30 * t
    rng = np.random.default_rng(0)
    data = (alpha + hum + slow)[:, None] + rng.standard_normal((len(t), 2))
    pipeline = Pipeline(
        ToSI(),
        Regularise(),
        Decimate(analysis_rate(512.0)),
        Notch(50.0),
        BandPass(1.0, 45.0),
        Window(2.0),
        BandPowers(),
    )
    chunk = Chunk.of(info, t, data)
    epochs = pipeline.run([chunk.slice(n, n + 64) for n in range(0, chunk.n, 64)], info)
    last = dict(zip(EEG_FEATURES, epochs[-1].data.tolist(), strict=True))
    assert epochs[-1].quality == 1
    assert last["posterior_alpha"] == pytest.approx(np.log(20**2 / 2), abs=0.1)
    assert last["posterior_gamma"] < 0.5


def test_alpha_is_higher_with_eyes_closed_on_a_real_recording(public_file: PublicFile):
    # Raw 10-bit counts: the scale is arbitrary and cancels. Medians, since 2-3 % are at the rails.
    medians = {}
    for condition in ("ec", "eo"):
        with np.load(public_file(f"eeg/biosppy_eeg_{condition}.npz")) as archive:
            counts, sfreq = archive["eeg"].astype(float).ravel(), float(archive["fs"])
        info = eeg_info(["unknown"], sfreq)
        stage = BandPowers(off_scale=1.0, large=1.0)
        stage.start(info)
        size = round(2 * sfreq)
        windows = counts[: len(counts) // size * size].reshape(-1, size, 1) * 1e-6
        base = Epoch(info, 0, 0.0, 2.0, windows[0], 1.0)
        rows = [stage.push(replace(base, data=window))[0].data for window in windows]
        medians[condition] = np.median([row[EEG_FEATURES.index("all_alpha")] for row in rows])
    assert medians["ec"] > medians["eo"] + 0.2
