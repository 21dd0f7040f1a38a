"""DEAP, preprocessed: each channel, label and video where it belongs; quirks told; damage named."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from biosense.core.errors import DatasetDamaged
from biosense.core.recording import Recording
from biosense.core.types import Modality
from biosense.datasets.deap.fabricate import fabricate, planted_frequency
from biosense.datasets.deap.files import EEG, RATINGS
from biosense.datasets.deap.preprocessed import ABOUT, BASELINE, SAMPLES, SFREQ, Deap
from biosense.datasets.deap.signals import EMG, EOG
from biosense.processing.pipelines import feature_pipeline
from tests.support.deap_copies import arrays, copy_of_s03, dat, table, write_table

CHANNELS = {name: place for place, name in enumerate((*EEG, *EOG, *EMG, "eda", "belt", "ppg"))}
CHANNELS["skin"] = 39


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("deap")
    fabricate(folder, 3, 11)
    return folder


@pytest.fixture(scope="module")
def recording(made: Path) -> Recording:
    return Deap(made).load("s01")


@pytest.fixture
def one(made: Path, tmp_path: Path) -> Path:
    """A copy with one small participant, for breaking."""
    return copy_of_s03(made, tmp_path / "one")


def strongest(wave: np.ndarray, sfreq: float, above: float) -> float:
    spectrum = np.abs(np.fft.rfft((wave - wave.mean()) * np.hanning(len(wave))))
    frequencies = np.fft.rfftfreq(len(wave), 1 / sfreq)
    spectrum[frequencies < above] = 0
    return float(frequencies[spectrum.argmax()])


def test_each_channel_holds_what_was_planted_under_its_name(recording: Recording) -> None:
    videos = [int(trial.stimulus) for trial in recording.trials]
    place = videos.index(max(videos))  # negative skin is in the first video
    inside = slice(place * SAMPLES + BASELINE, (place + 1) * SAMPLES)
    found = {}
    for chunk in recording.streams:
        above = 20.0 if chunk.info.n_channels == 1 else 4.7  # the pulse has strong harmonics
        for name, wave in zip(chunk.info.channels, chunk.data[inside].T, strict=True):
            found[name] = strongest(1 / wave if name == "eda" else wave, SFREQ, above)
    assert found.keys() == CHANNELS.keys()
    for name, frequency in found.items():
        assert frequency == pytest.approx(planted_frequency(CHANNELS[name]), abs=0.05), name


def test_the_rest_before_a_video_is_kept_and_told(recording: Recording) -> None:
    eeg = recording.stream("eeg")
    for trial in recording.trials:
        assert trial.stop - trial.start == pytest.approx(60.0)
        assert trial.baseline == pytest.approx(trial.start - 3.0)
        during = (eeg.times >= trial.start) & (eeg.times < trial.stop)
        before = (eeg.times >= trial.baseline) & (eeg.times < trial.start)
        assert (during.sum(), before.sum()) == (60 * 128, 3 * 128)
        level = eeg.data[before].std() / eeg.data[during].std()
        assert level == pytest.approx(0.5, abs=0.1)
        assert eeg.data[during].std() == pytest.approx(10e-6 / np.sqrt(2), rel=0.1)


def test_labels_are_joined_by_video_and_ordered_by_presentation(made: Path) -> None:
    dataset = Deap(made)
    for subject in dataset.subjects:
        rows = [row for row in table(made) if int(row["Participant_id"]) == int(subject[1:])]
        rows.sort(key=lambda row: int(row["Trial"]))
        trials = dataset.load(subject).trials
        assert [trial.stimulus for trial in trials] == [row["Experiment_id"] for row in rows]
        for trial, row in zip(trials, rows, strict=True):
            assert trial.start == pytest.approx(int(row["Start_time"]) / 1e6)
            assert trial.rating is not None
            assert trial.rating.valence == pytest.approx((float(row["Valence"]) - 5) / 4)
            assert trial.rating.arousal == pytest.approx((float(row["Arousal"]) - 5) / 4)
            assert trial.raw["dominance"] == float(row["Dominance"])
            assert trial.raw["liking"] == float(row["Liking"])


def test_samples_go_with_the_video_that_they_were_recorded_with(
    made: Path, recording: Recording
) -> None:
    videos = sorted(int(trial.stimulus) for trial in recording.trials)
    assert [int(trial.stimulus) for trial in recording.trials] != videos, "the order is shuffled"
    data, eeg = arrays(made, "s01")["data"], recording.stream("eeg").data
    for place, trial in enumerate(recording.trials):
        row = videos.index(int(trial.stimulus))
        block = eeg[place * SAMPLES : (place + 1) * SAMPLES]
        np.testing.assert_allclose(block, data[row, :32].T * 1e-6)


def test_ratings_at_the_border_are_not_rounded(recording: Recording) -> None:
    valence = [trial.rating.valence for trial in recording.trials if trial.rating]
    assert valence[0] == pytest.approx(-0.025)
    assert valence[1] == 0


def test_skin_resistance_becomes_conductance_and_negative_is_not_trusted(
    made: Path, recording: Recording
) -> None:
    eda = recording.stream("eda")
    assert (eda.info.unit, eda.info.modality) == ("S", Modality.EDA)
    ohm = arrays(made, "s01")["data"][:, 36]
    assert (ohm < 0).sum() == (~eda.ok).sum() == 200
    assert np.sort(eda.data[eda.ok, 0]) == pytest.approx(np.sort(1 / ohm[ohm > 0]))
    assert 1e-6 < np.median(eda.data[eda.ok]) < 12e-6
    assert np.isnan(eda.data[~eda.ok]).all()
    assert any("samples are 0 or less" in note for note in recording.notes)
    assert any("s01 (Twente) eda: median" in note for note in recording.notes)


def test_familiarity_that_was_not_asked_is_told(made: Path, recording: Recording) -> None:
    assert all("familiarity" in trial.raw for trial in recording.trials)
    other = Deap(made).load("s02")
    assert not any("familiarity" in trial.raw for trial in other.trials)
    assert "familiarity was not asked" in other.notes


def test_a_file_that_python_3_saved_is_taken_only_where_that_is_allowed(made: Path) -> None:
    assert Deap(made).load("s02").trials
    with pytest.raises(DatasetDamaged, match=r"s02\.dat: asks for _codecs\.encode"):
        Deap(made, resaved=False).load("s02")


def test_without_the_table_trials_keep_the_order_of_the_videos(made: Path, one: Path) -> None:
    (one / RATINGS).unlink()
    dataset = Deap(one)
    assert any(line.startswith(RATINGS) for line in dataset.missing)
    recording = dataset.load("s03")
    assert [trial.stimulus for trial in recording.trials] == ["1", "2"]
    first, second = recording.trials
    assert second.baseline == pytest.approx(first.stop + 60)
    assert any("order of the videos" in note for note in recording.notes)
    assert any("laid 60 s apart" in note for note in recording.notes)
    labels = arrays(made, "s03")["labels"]
    assert [trial.raw["valence"] for trial in recording.trials] == labels[:, 0].tolist()


@pytest.mark.parametrize(("start", "why"), [("", "missing"), ("8000001", "after the one before")])
def test_impossible_times_are_replaced_and_told(one: Path, start: str, why: str) -> None:
    rows = table(one)
    for row in rows:
        row["Start_time"] = start if row["Trial"] == "2" else row["Start_time"]
    write_table(one, rows)
    recording = Deap(one).load("s03")
    assert any(why in note and "60 s apart" in note for note in recording.notes)
    assert (np.diff(recording.stream("eeg").times) > 0).all()


def test_films_are_joined_by_the_order_of_presentation(one: Path) -> None:
    films = one / "face_video" / "s03"
    films.mkdir(parents=True)
    (films / "s03_trial02.avi").touch()
    dataset = Deap(one)
    assert dataset.files("s03")[-1] == films / "s03_trial02.avi"
    assert "face_video/s03: 38 films" in dataset.missing
    recording = dataset.load("s03")
    assert [trial.video for trial in recording.trials] == [None, films / "s03_trial02.avi"]
    assert recording.trials[1].video_start == recording.trials[1].start
    assert any(note.startswith("no film of the face for trial 1 ") for note in recording.notes)
    (films / "s03_trial99.avi").touch()
    with pytest.raises(DatasetDamaged, match=r"s03_trial99\.avi"):
        Deap(one)


def test_the_folder_with_the_files_opens_as_well(one: Path) -> None:
    inner = one / "data_preprocessed_python"
    assert "familiarity" in Deap(inner).load("s03").trials[0].raw
    flat = one / "flat"
    flat.mkdir()
    for path in (dat(one, "s03"), one / RATINGS):
        shutil.copy(path, flat)
    assert Deap(flat).load("s03").trials == Deap(one).load("s03").trials


def test_what_is_missing_is_listed_by_name(made: Path) -> None:
    missing = Deap(made).missing
    assert "s04.dat" in missing
    assert "s03.dat" not in missing
    assert "face_video/s11: 37 films" in missing
    assert ABOUT.people - 3 == sum(line.endswith(".dat") for line in missing)


def test_features_come_out_of_every_signal(recording: Recording) -> None:
    stop = int(70 * SFREQ)
    for chunk in recording.streams:
        if chunk.info.modality is None:
            continue
        pipeline = feature_pipeline(chunk.info)
        info = pipeline.start(chunk.info)
        epochs = [*pipeline.push(chunk.slice(0, stop)), *pipeline.flush()]
        values = np.array([epoch.data for epoch in epochs])
        assert np.isfinite(values).any(axis=0).mean() > 0.7, info.name
        assert np.median([epoch.quality for epoch in epochs]) > 0.5, info.name
