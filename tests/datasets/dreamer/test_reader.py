"""DREAMER: one nested file, people one at a time, whole scores only."""

from __future__ import annotations

import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.io import loadmat, savemat

from biosense.core.errors import DatasetDamaged
from biosense.core.recording import Recording
from biosense.core.types import Chunk, Floats
from biosense.datasets.dreamer.fabricate import (
    CLIPS,
    EMPTY,
    REST_S,
    clip_seconds,
    fabricate,
    planted_frequency,
)
from biosense.datasets.dreamer.reader import BREAK_S, EEG, EEG_HZ, Dreamer


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dreamer")
    fabricate(folder, 3, 6)
    return folder


@pytest.fixture(scope="module")
def second(folder: Path) -> Recording:
    return Dreamer(folder).load("02")


@pytest.fixture
def content(folder: Path) -> Any:
    return loadmat(folder / "DREAMER.mat")["DREAMER"]


def saved(content: Any, folder: Path, *, packed: bool = False) -> Dreamer:
    savemat(folder / "DREAMER.mat", {"DREAMER": content}, do_compression=packed)
    return Dreamer(folder)


def within(chunk: Chunk, start: float, stop: float) -> Floats:
    return np.asarray(chunk.data[(chunk.times >= start - 1e-9) & (chunk.times < stop - 1e-9)])


def test_scores_are_of_the_person_the_clip_and_the_name(second: Recording, content: Any) -> None:
    person = content[0, 0]["Data"][0, 1]
    assert [trial.stimulus for trial in second.trials] == [str(k) for k in range(1, CLIPS + 1)]
    for place, trial in enumerate(second.trials):
        said = {
            name: float(person[f"Score{name.capitalize()}"][0, 0][place, 0])
            for name in ("valence", "arousal", "dominance")
        }
        assert trial.raw == said
        assert trial.rating is not None
        assert trial.rating.valence == (said["valence"] - 3) / 2
        assert trial.rating.arousal == (said["arousal"] - 3) / 2


def test_each_electrode_holds_its_own_frequency_in_volts(second: Recording) -> None:
    eeg, trial = second.stream("eeg"), second.trials[-1]
    part = within(eeg, trial.start, trial.start + 20)
    part = part - part.mean(axis=0)
    spectrum = np.abs(np.fft.rfft(part, axis=0))
    peaks = np.fft.rfftfreq(len(part), 1 / EEG_HZ)[spectrum.argmax(axis=0)]
    np.testing.assert_allclose(peaks, [planted_frequency(c) for c in range(len(EEG))])
    assert 1e-5 < np.abs(part).max() < 3e-5
    assert eeg.info.channels == EEG


def test_rest_and_clip_are_as_long_as_in_the_file(second: Recording, content: Any) -> None:
    signals = content[0, 0]["Data"][0, 1]["EEG"][0, 0]
    eeg = second.stream("eeg")
    for place, trial in enumerate(second.trials):
        assert trial.stop - trial.start == clip_seconds(place + 1)
        assert trial.baseline == trial.start - REST_S - BREAK_S
        rest = within(eeg, trial.baseline, trial.start - BREAK_S)
        np.testing.assert_allclose(rest, signals["baseline"][0, 0][place, 0] * 1e-6)
        shown = within(eeg, trial.start, trial.stop)
        np.testing.assert_allclose(shown, signals["stimuli"][0, 0][place, 0] * 1e-6)
        assert 0.4 < rest[:, 5].std() / shown[:, 5].std() < 0.65


def test_ecg_has_twice_the_rate_and_begins_with_the_clip(second: Recording, content: Any) -> None:
    ecg, trial = second.stream("ecg"), second.trials[3]
    assert (ecg.info.sfreq, ecg.info.unit) == (256.0, "")
    shown = within(ecg, trial.start, trial.stop)
    written = content[0, 0]["Data"][0, 1]["ECG"][0, 0]["stimuli"][0, 0][3, 0]
    np.testing.assert_array_equal(shown, written)
    np.testing.assert_allclose(shown[:, 1], 2 * shown[:, 0])
    assert any("no common clock" in note for note in second.notes)


def test_a_clip_without_a_signal_is_left_out_and_told(folder: Path) -> None:
    first = Dreamer(folder).load("01")
    assert str(EMPTY) not in {trial.stimulus for trial in first.trials}
    assert len(first.trials) == CLIPS - 1
    assert f"clip {EMPTY}: left out, a signal is empty" in first.notes


@pytest.mark.parametrize("score", [2.5, 0, 6, np.nan])
def test_a_score_that_is_none_is_damage(tmp_path: Path, content: Any, score: float) -> None:
    said = content[0, 0]["Data"][0, 1]["ScoreArousal"][0, 0].astype(float)
    said[4, 0] = score
    content[0, 0]["Data"][0, 1]["ScoreArousal"][0, 0] = said
    dataset = saved(content, tmp_path)
    with pytest.raises(DatasetDamaged, match=r"participant 2: ScoreArousal.*whole numbers 1 to 5"):
        dataset.load("02")
    assert dataset.load("03").trials


def test_the_order_of_fields_changes_nothing(
    tmp_path: Path, folder: Path, content: Any, second: Recording
) -> None:
    top = content[0, 0]
    turned = {name: top[name] for name in reversed(top.dtype.names)}
    for place, person in enumerate(turned["Data"][0]):
        one = person[0, 0]
        turned["Data"][0, place] = {name: one[name] for name in reversed(one.dtype.names)}
    other = saved(turned, tmp_path).load("02")
    assert other.trials == second.trials
    for one, two in zip(other.streams, second.streams, strict=True):
        np.testing.assert_array_equal(one.data, two.data)


def test_electrodes_are_named_by_the_file(tmp_path: Path, content: Any) -> None:
    content[0, 0]["EEG_Electrodes"][0, :2] = content[0, 0]["EEG_Electrodes"][0, 1::-1]
    assert saved(content, tmp_path).load("02").stream("eeg").info.channels[:2] == ("F7", "AF3")
    content[0, 0]["EEG_Electrodes"][0, 0] = np.array(["Cz"])
    with pytest.raises(DatasetDamaged, match="'Cz'"):
        saved(content, tmp_path).load("02")


def test_another_rate_is_refused(tmp_path: Path, content: Any) -> None:
    content[0, 0]["ECG_SamplingRate"][0, 0] = 200
    with pytest.raises(DatasetDamaged, match=r"ECG_SamplingRate is \[\[200.0\]\], wanted 256"):
        saved(content, tmp_path).load("02")


def test_memory_holds_one_person(tmp_path: Path, content: Any) -> None:
    people = np.empty((1, 9), dtype=object)
    for place in range(9):
        people[0, place] = content[0, 0]["Data"][0, 1 + place % 2]
    content[0, 0]["Data"] = people
    dataset = saved(content, tmp_path)
    tracemalloc.start()
    recording = dataset.load("09")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    size = sum(chunk.data.nbytes + chunk.times.nbytes for chunk in recording.streams)
    assert peak < 4 * size + 2**22, f"{peak} for {size}"


def test_a_packed_file_reads_the_same(tmp_path: Path, content: Any, second: Recording) -> None:
    content[0, 0]["Data"] = content[0, 0]["Data"][:, 1:2]
    other = saved(content, tmp_path, packed=True).load("01")
    assert other.trials == second.trials
    for one, two in zip(other.streams, second.streams, strict=True):
        np.testing.assert_array_equal(one.data, two.data)


def test_unequal_lengths_are_told(tmp_path: Path, content: Any) -> None:
    cells = content[0, 0]["Data"][0, 1]["ECG"][0, 0]["stimuli"][0, 0]
    cells[2, 0] = cells[2, 0][: -256 * 3]
    recording = saved(content, tmp_path).load("02")
    assert "clip 3: eeg of 13.5 s, ecg of 10.5 s" in recording.notes
    assert recording.trials[2].stop - recording.trials[2].start == 10.5
