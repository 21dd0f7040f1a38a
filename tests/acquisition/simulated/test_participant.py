"""The simulated participant: who they are, and that they are the same whoever asks, and how."""

import numpy as np
import pytest

from biosense.acquisition.simulated import ALL_MODALITIES, AffectPath, Participant, simulate
from biosense.acquisition.simulated.noise import BLOCK_S, ColouredNoise, Episodes, Events
from biosense.acquisition.simulated.skin import SkinTraits
from biosense.core.camera_streams import FACE_CHANNELS, FACE_POINTS, RPPG_CHANNELS
from biosense.core.errors import BadInput
from biosense.core.types import Modality

RATES = {"eeg": 512.0, "ecg": 512.0, "eda": 128.0, "ppg": 64.0, "rppg": 30.0, "face": 30.0}


@pytest.fixture(scope="module")
def everything():
    return simulate(11, 30.0)


def test_streams_have_the_promised_names_rates_units_and_types(everything):
    infos = {chunk.info.name: chunk.info for chunk in everything.streams}
    assert {name: info.sfreq for name, info in infos.items()} == {
        f"sim-{modality}": rate for modality, rate in RATES.items()
    }
    units = {name: info.unit for name, info in infos.items()}
    assert (units["sim-eeg"], units["sim-ecg"], units["sim-eda"]) == ("uV", "mV", "uS")
    assert infos["sim-eeg"].n_channels == 32
    assert infos["sim-rppg"].channels == RPPG_CHANNELS
    assert infos["sim-face"].channels == FACE_CHANNELS
    assert infos["sim-eda"].source_id == "simulated-11-eda"
    assert all(chunk.data.dtype == np.float32 for chunk in everything.streams)


def test_amplifier_samples_lie_on_their_grid_without_gaps(everything):
    for name in ("eeg", "ecg", "eda", "ppg"):
        times = everything.stream(f"sim-{name}").times
        assert np.array_equal(times, np.arange(round(30 * RATES[name])) / RATES[name])


def test_camera_frames_jitter_a_little_and_some_never_arrive():
    frames = simulate(11, 120.0, modalities=[Modality.FACE, Modality.RPPG])
    times = frames.stream("sim-face").times
    late = times - np.rint(times * 30 - 0.09) / 30
    assert np.all(np.diff(times) > 0.02)
    assert late.min() >= 0.0
    assert 0.002 < late.max() < 0.007
    assert 0.003 < 1 - len(times) / 3600 < 0.03
    assert np.array_equal(times, frames.stream("sim-rppg").times)


def test_a_lost_face_is_all_nan_with_confidence_0_and_background_only():
    frames = simulate(2, 240.0, modalities=[Modality.FACE, Modality.RPPG])
    face, rppg = frames.stream("sim-face").data, frames.stream("sim-rppg").data
    lost = face[:, -1] == 0
    assert 0.0 < lost.mean() < 0.06
    assert np.isnan(face[lost, :-1]).all()
    assert np.isfinite(face[~lost]).all()
    assert np.isnan(rppg[lost][:, [0, 1, 2, 4, 5, 6, 8, 9, 10]]).all()
    assert (rppg[lost][:, [3, 7, 11]] == 0).all()
    assert np.isfinite(rppg[:, 12:16]).all()
    assert np.isnan(rppg[lost, 16:]).all()
    assert np.isfinite(rppg[~lost]).all()


def test_both_streams_of_the_camera_see_the_head_in_one_place(everything):
    face, rppg = everything.stream("sim-face").data, everything.stream("sim-rppg").data
    nose = 3 * FACE_POINTS.index("nose_tip")
    apart = rppg[:, 16:18] - face[:, nose : nose + 2]
    assert np.nanstd(apart, axis=0).max() < 1.0  # the jitter of two trackers, pixels
    assert np.abs(np.nanmean(apart, axis=0)).max() < 0.2


def test_same_seed_gives_the_same_bytes(everything):
    again = simulate(11, 30.0)
    for one, other in zip(everything.streams, again.streams, strict=True):
        assert one.data.tobytes() == other.data.tobytes()
        assert one.times.tobytes() == other.times.tobytes()


def test_blocks_are_the_same_in_any_order_and_without_the_other_modalities(everything):
    person = Participant(11, ALL_MODALITIES)
    blocks = {index: person.block(index) for index in (5, 1, 3, 5)}
    for modality in ALL_MODALITIES:
        alone = Participant(11, [modality]).block(3)[modality]
        assert np.array_equal(alone.data, blocks[3][modality].data, equal_nan=True)
        whole = everything.stream(f"sim-{modality}")
        for block in blocks.values():
            first = np.searchsorted(whole.times, block[modality].times[0])
            part = whole.data[first : first + block[modality].n]
            assert np.array_equal(part, block[modality].data, equal_nan=True)


@pytest.mark.parametrize("name", ["eeg", "ecg", "eda", "ppg"])
def test_no_step_betrays_where_blocks_meet(everything, name):
    chunk = everything.stream(f"sim-{name}")
    steps = np.abs(np.diff(chunk.data.astype(np.float64), axis=0))
    borders = np.arange(1, 7) * round(BLOCK_S * chunk.info.sfreq) - 1
    usual = np.quantile(steps, 0.999, axis=0)
    assert (steps[borders] <= 1.5 * usual).all()


def test_a_longer_recording_begins_like_a_shorter_one(everything):
    short = simulate(11, 9.3)
    for chunk in short.streams:
        longer = everything.stream(chunk.info.name)
        assert np.array_equal(chunk.data, longer.data[: chunk.n], equal_nan=True)
        assert chunk.times[-1] < 9.3 <= longer.times[chunk.n]


def test_start_shifts_session_times_and_nothing_else():
    here = simulate(1, 6.0, modalities=[Modality.EDA])
    there = simulate(1, 6.0, modalities=[Modality.EDA], start=1234.5)
    assert np.array_equal(here.streams[0].times + 1234.5, there.streams[0].times)
    assert np.array_equal(here.streams[0].data, there.streams[0].data)
    assert np.array_equal(here.annotations[0].times + 1234.5, there.annotations[0].times)


def test_two_people_differ_in_every_stream(everything):
    other = simulate(12, 8.0)
    for chunk in other.streams:
        same = everything.stream(chunk.info.name).data[: chunk.n]
        assert not np.array_equal(same[: len(chunk.data)], chunk.data[: len(same)], equal_nan=True)


def test_people_rest_at_different_rates_and_levels():
    people = [Participant(seed, [Modality.EDA]) for seed in range(40)]
    resting = [person.heart.traits.resting for person in people]
    levels = [person.streams[Modality.EDA].traits.level for person in people]
    assert min(resting) < 63
    assert max(resting) > 80
    assert min(levels) < 2.0
    assert max(levels) > 8.0


def test_one_in_ten_hardly_responds():
    skins = [SkinTraits.draw(np.random.default_rng(seed)) for seed in range(400)]
    assert 0.06 < np.mean([not skin.responds for skin in skins]) < 0.14
    assert max(skin.amplitude for skin in skins if not skin.responds) < 0.07


def test_annotation_is_the_hidden_path_at_4_hz(everything):
    truth = everything.annotations[0]
    assert truth.info.channels == ("valence", "arousal")
    assert np.array_equal(truth.times, np.arange(120) / 4)
    assert truth.data == pytest.approx(AffectPath(11).at(truth.times), abs=1e-6)


@pytest.mark.parametrize("seed", range(8))
def test_hidden_path_spans_the_plane_within_five_minutes(seed):
    path = AffectPath(seed).at(np.arange(0.0, 300.0, 0.25))
    assert np.abs(path).max() < 1.0
    assert np.all(path.min(axis=0) < -0.55)
    assert np.all(path.max(axis=0) > 0.55)
    quadrants = (path > 0) @ (1, 2)
    assert np.bincount(quadrants, minlength=4).min() > 0.08 * len(path)


def test_hidden_path_is_smooth():
    path = AffectPath(5).at(np.arange(0.0, 600.0, 0.05))
    assert np.abs(np.diff(path, axis=0)).max() / 0.05 < 1.2  # a second, across the plane takes 2


def test_lagged_state_comes_later_and_smoother():
    path, times = AffectPath(5), np.arange(0.0, 300.0, 0.25)
    now, felt = path.at(times)[:, 1], path.lagged(times, 2.0, 2.0)[:, 1]
    lags = [np.corrcoef(now[: -n or None], felt[n:])[0, 1] for n in range(0, 40)]
    assert 10 <= int(np.argmax(lags)) <= 18  # 2 s and most of another 2, in steps of 0.25 s
    assert felt.std() < now.std()


def test_block_noise_has_unit_variance_everywhere():
    noise = ColouredNoise(1, "test", 64.0, lambda hz: np.exp(-((hz - 10) ** 2)), 200)
    blocks = np.concatenate([noise.block(index) for index in range(4)])
    variance = blocks.var(axis=1)  # over the columns, at each moment
    assert np.abs(variance - 1.0).max() < 0.5
    assert variance.mean() == pytest.approx(1.0, abs=0.03)


def test_events_come_at_the_rate_asked_for():
    events = Events(1, "test", 2.0, lambda times: np.where(times < 400.0, 0.2, 1.0))
    times, marks = events.between(0.0, 800.0)
    assert len(marks) == len(times)
    assert np.sum(times < 400) == pytest.approx(80, abs=30)
    assert np.sum(times >= 400) == pytest.approx(400, abs=60)
    part, _ = events.between(100.0, 200.0)
    assert np.array_equal(part, times[(times >= 100) & (times < 200)])


def test_episodes_keep_within_their_slots():
    inside = Episodes(3, "test", 10.0, 1.0, 2.0, 4.0).at(np.arange(0.0, 200.0, 0.1), 0.5)
    lengths = (inside.reshape(20, 100) > 0).sum(axis=1) / 10
    assert lengths.min() > 1.7
    assert lengths.max() < 4.3


@pytest.mark.parametrize(
    ("seed", "modalities", "words"),
    [(-1, [Modality.EDA], "0 or more"), (1, [Modality.TEMP], "temp"), (1, [], "at least one")],
)
def test_impossible_people_are_refused(seed, modalities, words):
    with pytest.raises(BadInput, match=words):
        Participant(seed, modalities)


def test_time_before_the_start_is_refused():
    with pytest.raises(BadInput, match="block -1"):
        Participant(1, [Modality.EDA]).block(-1)
    with pytest.raises(BadInput, match="positive"):
        simulate(1, 0.0, modalities=[Modality.EDA])


def test_a_day_later_costs_no_more_samples_than_the_first_block():
    person = Participant(1, [Modality.EDA, Modality.FACE])
    late = person.block(round(86400 / BLOCK_S))
    assert late[Modality.EDA].times[0] == 86400.0
    assert np.isfinite(late[Modality.EDA].data).all()
