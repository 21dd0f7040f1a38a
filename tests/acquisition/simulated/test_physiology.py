"""Standard methods, other people's where there are any, find in the signals what was put in."""

import neurokit2
import numpy as np
import pytest
from scipy import signal

from biosense.acquisition.simulated import Participant, simulate
from biosense.core.camera_streams import FACE_CHANNELS, FACE_POINTS
from biosense.core.types import Modality


def column(chunk, name):
    return chunk.data[:, chunk.info.channels.index(name)].astype(np.float64)


def points(face):
    """Landmarks of the frames with a face: times and (n, 40, 3)."""
    seen = face.data[:, -1] > 0
    return face.times[seen], face.data[seen, :120].reshape(-1, len(FACE_POINTS), 3).astype(float)


def distance(places, one, other):
    first, second = FACE_POINTS.index(one), FACE_POINTS.index(other)
    return np.linalg.norm(places[:, first] - places[:, second], axis=1)


def smoothed(values, n):
    return np.convolve(values, np.ones(n) / n, mode="same")


def truth_at(recording, times):
    truth = recording.annotations[0]
    return np.column_stack([np.interp(times, truth.times, values) for values in truth.data.T])


def effects(people):
    """Standardised effects of valence and arousal on a feature, pooled within people.

    Regressing on both at once: within minutes the two are correlated by chance.

    Parameters: (feature (n,), truth (n, 2)) of each person.
    """
    rows = [np.column_stack(person) for person in people]
    pooled = np.concatenate([(each - each.mean(axis=0)) / each.std(axis=0) for each in rows])
    return np.linalg.lstsq(pooled[:, 1:], pooled[:, 0])[0]


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_r_peaks_are_the_true_beats(seed):
    ecg = simulate(seed, 60.0, modalities=[Modality.ECG]).streams[0]
    cleaned = neurokit2.ecg_clean(ecg.data[:, 0], sampling_rate=512)
    found = neurokit2.ecg_peaks(cleaned, sampling_rate=512)[1]["ECG_R_Peaks"] / 512
    true = Participant(seed, [Modality.ECG]).beats(0.5, 59.5)
    error = np.abs(true[:, None] - found).min(axis=1)
    assert np.mean(error < 0.02) >= 0.98
    assert np.sum((found > 0.5) & (found < 59.5)) <= len(true) + 1
    assert np.median(error) < 0.004


def test_heart_rate_follows_arousal_and_valence_with_a_lag():
    rates, states = [], []
    for seed in range(6):
        person = Participant(seed, [Modality.ECG])
        beats = person.beats(0.0, 600.0)
        rate = np.interp(np.arange(10.0, 600.0), beats[1:], 60 / np.diff(beats))
        rates.append(smoothed(rate, 10) - rate.mean())
        states.append(person.path.lagged(np.arange(10.0, 600.0), 1.5, 2.0))
    valence, arousal = np.concatenate(states).T
    rate = np.concatenate(rates)
    assert 0.5 < np.corrcoef(rate, arousal)[0, 1] < 0.95
    assert 0.1 < np.corrcoef(rate, valence)[0, 1] < 0.5


def test_rates_stay_human():
    for seed in range(10):
        intervals = np.diff(Participant(seed, [Modality.ECG]).beats(0.0, 300.0))
        assert intervals.min() > 0.4
        assert intervals.max() < 1.5


def test_breathing_swings_the_heart():
    person = Participant(4, [Modality.ECG])
    beats = person.beats(0.0, 300.0)
    grid = np.arange(2.0, 298.0, 0.25)
    rate = signal.detrend(np.interp(grid, beats[1:], 60 / np.diff(beats)))
    hertz, power = signal.welch(rate, 4.0, nperseg=256)
    band = (hertz > 0.15) & (hertz < 0.4)
    peak = hertz[band][np.argmax(power[band])]
    assert peak == pytest.approx(person.heart.traits.breathing, abs=0.04)


def test_pulse_in_the_finger_follows_the_beats():
    ppg = simulate(3, 60.0, modalities=[Modality.PPG]).streams[0]
    cleaned = neurokit2.ppg_clean(ppg.data[:, 0].astype(float), sampling_rate=64)
    found = neurokit2.ppg_findpeaks(cleaned, sampling_rate=64)["PPG_Peaks"] / 64
    true = Participant(3, [Modality.PPG]).beats(0.0, 60.0)
    assert len(found) == pytest.approx(len(true), abs=3)
    since = found - true[np.searchsorted(true, found) - 1]
    assert np.std(since[3:-3]) < 0.05


def test_skin_conductance_responses_stand_where_they_were_put():
    person = Participant(2, [Modality.EDA])
    eda = simulate(2, 400.0, modalities=[Modality.EDA]).streams[0]
    sos = signal.butter(2, 2.0, fs=128, output="sos")
    smooth = signal.sosfiltfilt(sos, eda.data[:, 0].astype(float))
    peaks = eda.times[signal.find_peaks(smooth, prominence=0.03)[0]]
    onsets, amplitudes = person.streams[Modality.EDA].responses(5.0, 395.0)
    apart = np.diff(onsets, prepend=0.0) > 4
    alone = apart & (np.diff(onsets, append=400.0) > 3) & (amplitudes > 0.15)
    assert alone.sum() >= 5
    lag = np.abs(peaks - (onsets[alone, None] + 1.13)).min(axis=1)
    assert np.mean(lag < 0.6) >= 0.9


def test_skin_conductance_rises_with_arousal_and_stays_positive():
    people = []
    for seed in range(12):
        recording = simulate(seed, 300.0, modalities=[Modality.EDA])
        eda = recording.streams[0]
        assert eda.data.min() > 0.3
        assert eda.data.max() < 60.0
        level = smoothed(np.log(column(eda, "eda"))[::32], 40)
        people.append((level, truth_at(recording, eda.times[::32] - 4.0)))
    valence, arousal = effects(people)
    assert 0.35 < arousal < 0.85
    assert abs(valence) < 0.2


def band_power(chunk, names, low, high):
    """Log power in 4 s windows: times of their middles, and (windows, names)."""
    data = np.column_stack([column(chunk, name) for name in names])
    sos = signal.butter(4, [low, high], "band", fs=512, output="sos")
    power = signal.sosfiltfilt(sos, data - data[0], axis=0) ** 2
    windows = power[: len(power) // 2048 * 2048].reshape(-1, 2048, len(names)).mean(axis=1)
    return (np.arange(len(windows)) + 0.5) * 4.0, np.log(windows)


@pytest.fixture(scope="module")
def eeg_recordings():
    return [simulate(seed, 240.0, modalities=[Modality.EEG]) for seed in (1, 2, 3, 4)]


@pytest.mark.parametrize("who", [0, 1, 2, 3])
def test_spectrum_falls_and_has_an_alpha_peak_and_mains(eeg_recordings, who):
    recording = eeg_recordings[who]
    hertz, power = signal.welch(column(recording.streams[0], "Oz"), 512.0, nperseg=2048)

    def level(low, high):
        return power[(hertz >= low) & (hertz < high)].mean()

    assert level(2, 4) > 2 * level(14, 18) > 4 * level(60, 90)
    assert level(8, 12) > 3 * level(4, 6)
    alpha = (hertz >= 7) & (hertz < 14)
    peak = hertz[alpha][np.argmax(power[alpha])]
    traits = Participant(int(recording.subject[4:])).streams[Modality.EEG].traits
    assert peak == pytest.approx(traits.alpha_hz, abs=0.8)
    assert level(49.5, 50.5) > 5 * level(44, 48)


def test_alpha_weakens_with_arousal_and_not_with_valence(eeg_recordings):
    people = []
    for recording in eeg_recordings:
        times, power = band_power(recording.streams[0], ["O1", "Oz", "O2", "Pz"], 8, 13)
        people.append((power.mean(axis=1), truth_at(recording, times - 0.5)))
    valence, arousal = effects(people)
    assert -0.9 < arousal < -0.5
    assert abs(valence) < 0.2


def test_frontal_alpha_asymmetry_follows_valence_and_not_arousal(eeg_recordings):
    people = []
    for recording in eeg_recordings:
        times, power = band_power(recording.streams[0], ["F3", "F4"], 8, 13)
        people.append((power[:, 1] - power[:, 0], truth_at(recording, times - 0.5)))
    valence, arousal = effects(people)
    assert 0.5 < valence < 0.9
    assert abs(arousal) < 0.2


def test_eeg_stays_within_an_amplifier(eeg_recordings):
    for recording in eeg_recordings:
        data = recording.streams[0].data
        assert np.abs(data).max() < 1500
        assert data.std(axis=0).max() < 80


def test_blinks_show_at_the_forehead_and_in_the_eyes():
    both = simulate(6, 120.0, modalities=[Modality.EEG, Modality.FACE])
    person = Participant(6, [Modality.FACE])
    blinks = person.behaviour.blinks(2.0, 118.0)
    assert 8 < len(blinks) < 90
    eeg = both.stream("sim-eeg")
    sos = signal.butter(2, [0.5, 10], "band", fs=512, output="sos")
    forehead = signal.sosfiltfilt(sos, column(eeg, "Fp1"))
    heights = np.interp(blinks, eeg.times, forehead)
    assert np.median(heights) > 4 * np.std(forehead) * 0.5
    times, places = points(both.stream("sim-face"))
    opening = distance(places, "right_eye_2", "right_eye_6")
    shut = [opening[np.argmin(np.abs(times - blink))] for blink in blinks]
    assert np.median(shut) < 0.6 * np.median(opening)


def test_face_shows_valence_at_the_mouth_and_both_at_the_brows():
    people = {"smile": [], "frown": [], "raise": []}
    for seed in range(4):
        recording = simulate(seed, 240.0, modalities=[Modality.FACE])
        times, places = points(recording.streams[0])
        eyes = distance(places, "right_eye_1", "left_eye_4")
        features = {
            "smile": distance(places, "mouth_right", "mouth_left"),
            "frown": -distance(places, "right_brow_inner", "left_brow_inner"),
            "raise": distance(places, "right_brow_outer", "right_eye_1"),
        }
        for name, values in features.items():
            people[name].append((smoothed(values / eyes, 90), truth_at(recording, times)))
    found = {name: effects(rows) for name, rows in people.items()}
    assert 0.6 < found["smile"][0] < 0.95
    assert abs(found["smile"][1]) < 0.2
    assert -0.95 < found["frown"][0] < -0.5
    assert 0.45 < found["raise"][1] < 0.9


def test_face_is_a_face_in_the_image():
    _, places = points(simulate(3, 20.0, modalities=[Modality.FACE]).streams[0])
    at = {name: places[:, n].mean(axis=0) for n, name in enumerate(FACE_POINTS)}
    assert at["right_eye_1"][0] < at["right_eye_4"][0] < at["left_eye_1"][0] < at["left_eye_4"][0]
    assert at["forehead_top"][1] < at["nasion"][1] < at["nose_tip"][1] < at["chin"][1]
    assert at["nose_tip"][2] < at["face_right"][2]
    assert places[..., 0].min() > 0
    assert places[..., 0].max() < 640
    assert places[..., 1].min() > 0
    assert places[..., 1].max() < 480


def test_pose_channels_are_the_true_rotation():
    face = simulate(9, 8.0, modalities=[Modality.FACE]).streams[0]
    person = Participant(9, [Modality.FACE])
    start = FACE_CHANNELS.index("pose_x")
    assert face.data[:, start : start + 3] == pytest.approx(
        person.behaviour.pose(face.times), abs=1e-6
    )


def pos(colours, n):
    """POS of Wang et al. 2017 over colours (frames, rgb) with windows of n frames."""
    pulse = np.zeros(len(colours))
    for last in range(n, len(colours) + 1):
        window = colours[last - n : last] / colours[last - n : last].mean(axis=0)
        first, second = window @ (0, 1, -1), window @ (-2, 1, 1)
        mixed = first + first.std() / second.std() * second
        pulse[last - n : last] += mixed - mixed.mean()
    return pulse


def spectra(colours):
    """Power of the POS pulse in 10 s Hann windows, hop 1 s: bpm (bins,), power (windows, bins)."""
    pulse = signal.detrend(pos(colours, 48))
    windows = np.lib.stride_tricks.sliding_window_view(pulse, 300)[::30] * np.hanning(300)
    bpm = 60 * np.fft.rfftfreq(8192, 1 / 30)
    band = (bpm > 42) & (bpm < 210)
    return bpm[band], (np.abs(np.fft.rfft(windows, 8192)) ** 2)[:, band]


@pytest.mark.parametrize("seed", [1, 2, 3, 8])
def test_pulse_is_in_the_skin_and_not_in_the_background(seed):
    rppg = simulate(seed, 60.0, modalities=[Modality.RPPG]).streams[0]
    grid = np.arange(0.1, 59.9, 1 / 30)
    seen = np.isfinite(rppg.data[:, 0])
    frames = np.stack(
        [np.interp(grid, rppg.times[seen], values) for values in rppg.data[seen, :16].T], axis=1
    ).reshape(-1, 4, 4)[:, :, :3]
    bpm, skin = spectra(frames[:, :3].mean(axis=1))
    _, background = spectra(frames[:, 3])
    heart = Participant(seed, [Modality.RPPG])
    true = [60 / np.diff(heart.beats(k + 0.1, k + 10.1)).mean() for k in range(len(skin))]
    assert np.abs(bpm[skin.argmax(axis=1)] - true).mean() < 2.0
    near = np.abs(bpm - np.array(true)[:, None]) < 6
    share = [(power * near).sum(axis=1) / power.sum(axis=1) for power in (skin, background)]
    assert share[0].mean() > 2 * share[1].mean()
