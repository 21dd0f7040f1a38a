"""CASE's derived series: what its columns become, and how they are refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from biosense.core.errors import DatasetDamaged
from biosense.core.recording import Recording, Trial
from biosense.core.types import Modality
from biosense.datasets.case.derived import CaseDerived
from biosense.datasets.case.fabricate_derived import fabricate
from tests.support.stand_ins import PublicFile


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    fabricate(tmp_path, 2, 3)
    return tmp_path


def table_of(folder: Path) -> dict[str, Any]:
    with (folder / "case_made_up.npz").open("rb") as file, np.load(file) as archive:
        return dict(archive)


def row_of(table: dict[str, Any], trial: Trial) -> int:
    mine = (table["subject"] == 1) & (table["video"] == int(trial.stimulus))
    return int(np.flatnonzero(mine)[0])


@pytest.fixture
def recording(folder: Path) -> Recording:
    return CaseDerived.open(folder).load("01")


def test_videos_follow_each_other_as_they_were_shown(folder: Path, recording: Recording) -> None:
    table = table_of(folder)
    rows = np.flatnonzero(table["subject"] == 1)
    shown = table["video"][rows[np.argsort(table["start_ms"][rows])]]
    assert [trial.stimulus for trial in recording.trials] == [str(video) for video in shown]
    assert recording.trials[0].start == table["start_ms"][rows].min() / 1000


def test_the_heart_rate_comes_back_from_the_intervals(folder: Path, recording: Recording) -> None:
    table, heart = table_of(folder), recording.stream("heart")
    for trial in recording.trials:
        row = int(
            np.flatnonzero((table["subject"] == 1) & (table["video"] == int(trial.stimulus)))[0]
        )
        rate = table["X"][row][:, 0].astype(float)
        inside = (heart.times > trial.start + 1) & (heart.times <= trial.stop)
        plausible = rate < 180
        rebuilt = 60 / heart.data[inside, 0]
        at = np.rint((heart.times[inside] - trial.start) * 20).astype(int) - 10
        kept = plausible[np.clip(at, 0, len(rate) - 1)] & (rebuilt > 40)
        np.testing.assert_allclose(rebuilt[kept], rate[at][kept], atol=3.0)


def test_conductance_is_the_sum_of_both_parts_in_siemens(
    folder: Path, recording: Recording
) -> None:
    table, eda = table_of(folder), recording.stream("eda")
    first = recording.trials[0]
    row = row_of(table, first)
    expected = 1e-6 * table["X"][row][:, 2:4].astype(float).sum(1)
    np.testing.assert_allclose(eda.data[: len(expected), 0], expected, rtol=1e-6)
    assert (eda.info.unit, eda.info.sfreq, eda.info.modality) == ("S", 20.0, Modality.EDA)


def test_an_overshoot_is_no_beat_and_is_told(recording: Recording) -> None:
    rates = 60 / recording.stream("heart").data[:, 0]
    assert rates.max() < 180
    assert any(note.startswith("video 2:") for note in recording.notes)


def test_ratings_reach_from_minus_one_to_one(recording: Recording) -> None:
    (joystick,) = recording.annotations
    assert joystick.info.channels == ("valence", "arousal")
    assert np.abs(joystick.data).max() <= 1
    rests = [trial for trial in recording.trials if trial.stimulus == "5"]
    inside = (joystick.times >= rests[0].start) & (joystick.times < rests[0].stop)
    assert np.all(joystick.data[inside] == 0)


@pytest.mark.parametrize(
    ("key", "change", "word"),
    [
        ("Y", lambda v: v + 5, "0.5 to 9.5"),
        ("X", lambda v: np.where(v > 100, np.nan, v), "NaN"),
        ("X", lambda v: v[:, :, :3], "do not fit"),
        ("cols", lambda v: np.array([f"c{k}" for k in range(len(v))]), "are not there"),
        ("fs", lambda v: np.array(256.0), "wanted 20"),
        ("video", lambda v: v + 90, "1 to 8"),
    ],
)
def test_a_table_that_is_another_is_refused(folder: Path, key: str, change: Any, word: str) -> None:
    table = table_of(folder)
    np.savez(folder / "case_made_up.npz", **{**table, key: change(table[key])})
    with pytest.raises(DatasetDamaged, match=word):
        CaseDerived.open(folder)


def test_a_pickle_inside_is_refused(folder: Path) -> None:
    table = table_of(folder)
    table["cols"] = np.array([{"a": 1}], dtype=object)
    np.savez(folder / "case_made_up.npz", **table)
    with pytest.raises(DatasetDamaged, match=r"case_made_up\.npz"):
        CaseDerived.open(folder)


def test_the_file_of_24_people_opens(public_file: PublicFile) -> None:
    dataset = CaseDerived.open(public_file("case/case_dev.npz").parent)
    assert len(dataset.subjects) == 24
    assert not {"14", "17", "18", "26", "29", "30"} & set(dataset.subjects)
    assert sorted(set(dataset.stated_folds.values())) == [0, 1, 2, 3]
    recording = dataset.load("01")
    assert len(recording.trials) == 8
    rates = 60 / recording.stream("heart").data[:, 0]
    assert 50 < np.median(rates) < 100
