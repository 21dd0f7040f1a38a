"""DEAP as recorded: channels by name in both orders, events however Status is written."""

from __future__ import annotations

import csv
import shutil
from pathlib import Path

import numpy as np
import pytest

from biosense.core.errors import DatasetDamaged, DatasetIncomplete
from biosense.core.recording import Recording
from biosense.datasets.deap.fabricate import planted_frequency
from biosense.datasets.deap.fabricate_original import LATE_S, TWENTE, fabricate
from biosense.datasets.deap.files import EEG, RATINGS
from biosense.datasets.deap.original import DeapOriginal
from biosense.datasets.deap.signals import EMG, EOG
from biosense.datasets.formats.bdf import Bdf
from biosense.datasets.formats.bdf_write import Track, status_track, write_bdf

PEOPLE = {"s01": (48, "Status"), "s02": (48, "Status"), "s24": (48, ""), "s29": (49, "")}
CHANNELS = {name: place for place, name in enumerate((*EEG, *EOG, *EMG, "eda", "belt", "ppg"))}
CHANNELS["skin"] = 39


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("deap_original")
    fabricate(folder, len(PEOPLE), 5)
    return folder


@pytest.fixture(scope="module")
def recordings(made: Path) -> dict[str, Recording]:
    dataset = DeapOriginal(made)
    return {subject: dataset.load(subject) for subject in dataset.subjects}


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """Five videos of s29, an event each, and no signal to speak of."""
    write_small(tmp_path, [20.0, 100.0, 175.0, 260.0, 338.0])
    rows = [[29, k + 1, 10 - k, int(at * 1e6), 5, 5, 5, 5, ""] for k, at in enumerate(STARTS)]
    columns = ["Participant_id", "Trial", "Experiment_id", "Start_time"]
    columns += ["Valence", "Arousal", "Dominance", "Liking", "Familiarity"]
    with (tmp_path / RATINGS).open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([columns, *rows])
    return tmp_path


STARTS = (13.0, 93.0, 168.0, 253.0, 331.0)
SMALL_HZ = 16


def write_small(folder: Path, videos: list[float]) -> Path:
    n = 420 * SMALL_HZ
    codes = np.zeros(n)
    for at in videos:
        codes[int(at * SMALL_HZ) : int(at * SMALL_HZ) + 4] = 4
    wave = 2e5 + np.sin(np.arange(n) / 9)
    names = [*EEG, *(f"EXG{k}" for k in range(1, 9)), "GSR1", "Resp", "Plet", "Temp"]
    path = folder / "data_original" / "s29.bdf"
    path.parent.mkdir(exist_ok=True)
    write_bdf(path, [*(Track(name, wave) for name in names), status_track("", codes)], SMALL_HZ)
    return path


def strongest(wave: np.ndarray, sfreq: float, above: float) -> float:
    spectrum = np.abs(np.fft.rfft((wave - wave.mean()) * np.hanning(len(wave))))
    frequencies = np.fft.rfftfreq(len(wave), 1 / sfreq)
    spectrum[frequencies < above] = 0
    return float(frequencies[spectrum.argmax()])


def test_the_miniature_differs_in_all_the_ways_of_the_real_files(made: Path) -> None:
    for subject, (channels, status) in PEOPLE.items():
        file = Bdf(made / "data_original" / f"{subject}.bdf")
        assert len(file.signals) == channels
        assert file.labels[-1] == status
        assert file.labels[:32] == (TWENTE if subject < "s23" else EEG)


@pytest.mark.parametrize("subject", PEOPLE)
def test_each_channel_holds_what_was_planted_under_its_name(
    recordings: dict[str, Recording], subject: str
) -> None:
    trial = recordings[subject].trials[1]
    found = {}
    for chunk in recordings[subject].streams:
        assert chunk.info.sfreq == 512
        assert chunk.info.dtype == "float32"
        inside = (chunk.times >= trial.start) & (chunk.times < trial.stop)
        above = 20.0 if chunk.info.n_channels == 1 else 4.7
        for name, wave in zip(chunk.info.channels, chunk.data[inside].T, strict=True):
            found[name] = strongest(wave, 512.0, above)
    assert found.keys() == CHANNELS.keys()
    for name, frequency in found.items():
        assert frequency == pytest.approx(planted_frequency(CHANNELS[name]), abs=0.05), name


def test_electrodes_are_in_one_order_and_in_volts(recordings: dict[str, Recording]) -> None:
    for recording in recordings.values():
        eeg = recording.stream("eeg")
        assert eeg.info.channels == EEG
        assert eeg.info.unit == "V"
        trial = recording.trials[0]
        inside = (eeg.times >= trial.start) & (eeg.times < trial.stop)
        assert eeg.data[inside].std(axis=0) == pytest.approx(10e-6 / np.sqrt(2), rel=0.1)


def test_events_become_trials_in_the_order_of_presentation(
    made: Path, recordings: dict[str, Recording]
) -> None:
    with (made / RATINGS).open(encoding="utf-8") as file:
        table = list(csv.DictReader(file))
    for subject, recording in recordings.items():
        rows = [row for row in table if int(row["Participant_id"]) == int(subject[1:])]
        rows.sort(key=lambda row: int(row["Trial"]))
        assert [trial.stimulus for trial in recording.trials] == [
            row["Experiment_id"] for row in rows
        ]
        for trial, row in zip(recording.trials, rows, strict=True):
            assert trial.start == pytest.approx(int(row["Start_time"]) / 1e6 + LATE_S, abs=0.01)
            assert trial.stop - trial.start == pytest.approx(60.0, abs=0.01)
            assert trial.baseline == pytest.approx(trial.start - 5.0, abs=0.01)
            assert trial.raw["valence"] == float(row["Valence"])
            assert trial.rating is not None
            assert trial.rating.arousal == pytest.approx((float(row["Arousal"]) - 5) / 4)


def test_skin_is_in_siemens_at_both_sites(recordings: dict[str, Recording]) -> None:
    for subject, recording in recordings.items():
        eda = recording.stream("eda")
        assert eda.info.unit == "S"
        assert 1e-6 < np.median(eda.data) < 12e-6
        site = "Twente" if subject < "s23" else "Geneva"
        assert any(f"{subject} ({site}) eda: median" in note for note in recording.notes)
        assert not any("documented" in note for note in recording.notes)


def test_without_the_table_nothing_can_be_used(made: Path, tmp_path: Path) -> None:
    (tmp_path / "data_original").mkdir()
    shutil.copy(made / "data_original" / "s01.bdf", tmp_path / "data_original")
    with pytest.raises(DatasetIncomplete, match=r"participant_ratings\.csv, which tells"):
        DeapOriginal(tmp_path)
    (tmp_path / RATINGS).write_text(
        "Participant_id,Trial,Experiment_id,Start_time,Valence,Arousal\n2,1,1,0,5,5\n"
    )
    with pytest.raises(DatasetDamaged, match="has no rows of s01"):
        DeapOriginal(tmp_path).load("s01")


def test_all_events_there_are_taken_in_order(small: Path) -> None:
    recording = DeapOriginal(small).load("s29")
    assert [trial.stimulus for trial in recording.trials] == ["10", "9", "8", "7", "6"]
    assert [trial.start for trial in recording.trials] == [20, 100, 175, 260, 338]
    assert not any("left out" in note for note in recording.notes)


@pytest.mark.parametrize("lost", [0, 2, 4])
def test_a_lost_event_costs_its_trial_only(small: Path, lost: int) -> None:
    videos = [20.0, 100.0, 175.0, 260.0, 338.0]
    write_small(small, videos[:lost] + videos[lost + 1 :])
    recording = DeapOriginal(small).load("s29")
    stimuli = ["10", "9", "8", "7", "6"]
    assert [trial.stimulus for trial in recording.trials] == (stimuli[:lost] + stimuli[lost + 1 :])
    assert f"trial {lost + 1} is left out: its event is not in the file" in recording.notes


@pytest.mark.parametrize("videos", [[], [20.0], [20.0, 55.0, 300.0], [20.0, 100.0, 175.0, 200.0]])
def test_events_that_fit_no_trial_are_refused(small: Path, videos: list[float]) -> None:
    write_small(small, videos)
    with pytest.raises(DatasetDamaged, match="events of a video"):
        DeapOriginal(small).load("s29")


def test_events_at_other_times_than_the_table_has_are_told(small: Path) -> None:
    write_small(small, [20.0, 100.0, 190.0, 260.0, 338.0])
    notes = DeapOriginal(small).load("s29").notes
    assert "Start_time is off by more than 1 s in trial [3]" in notes


def test_a_channel_that_is_not_there_is_named(small: Path) -> None:
    path = small / "data_original" / "s29.bdf"
    path.write_bytes(path.read_bytes().replace(b"Plet", b"Plot", 1))
    with pytest.raises(DatasetDamaged, match=r"s29\.bdf has 0 channels 'Plet'"):
        DeapOriginal(small).load("s29")


def test_a_file_of_the_preprocessed_set_is_named(small: Path) -> None:
    (small / "data_original" / "s29.bdf").write_bytes(b"\x80\x02}q\x00(" + b" " * 500)
    with pytest.raises(DatasetDamaged, match=r"s29\.bdf is no BDF file"):
        DeapOriginal(small).load("s29")
