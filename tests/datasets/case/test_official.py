"""CASE's official tables: one clock, videos by number, the joystick on the common scale."""

from __future__ import annotations

import shutil
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from biosense.core.errors import DatasetDamaged, DatasetIncomplete
from biosense.core.recording import Recording
from biosense.datasets.case.fabricate import CONSTANT, fabricate, planted_frequency, rows_of
from biosense.datasets.case.official import COLUMNS, KINDS, Case
from biosense.datasets.case.tables import VIDEOS

PHYSIOLOGY = Path("data/interpolated/physiological/sub_1.csv")
RATINGS = Path("data/interpolated/annotations/sub_1.csv")
UNITS = (1e-3, 1.0, 1e-6, 1.0, 1.0, 1e-6, 1e-6, 1e-6)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("case")
    fabricate(folder, 2, 4)
    return folder


@pytest.fixture(scope="module")
def first(folder: Path) -> Recording:
    return Case(folder).load("01")


@pytest.fixture
def copy(folder: Path, tmp_path: Path) -> Path:
    shutil.copytree(folder, tmp_path / "copy")
    return tmp_path / "copy"


def edited(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def written(folder: Path, file: Path) -> np.ndarray:
    return np.loadtxt(folder / file, delimiter=",", skiprows=1)


def test_each_column_reaches_the_channel_of_its_name(first: Recording) -> None:
    channels = [
        (chunk.info.name, name, chunk.data[:, place])
        for chunk in first.streams
        for place, name in enumerate(chunk.info.channels)
    ]
    assert [(stream, name) for stream, name, _ in channels] == [
        *(("ecg", "ecg"), ("ppg", "ppg"), ("eda", "eda"), ("resp", "belt"), ("temp", "skin")),
        *(("emg", "zygomaticus"), ("emg", "corrugator"), ("emg", "trapezius")),
    ]
    for column, (_, name, values) in enumerate(channels):
        times = np.arange(len(values)) / 1000
        strength = [
            abs(np.vdot(np.exp(2j * np.pi * planted_frequency(c) * times), values - values.mean()))
            for c in range(len(COLUMNS))
        ]
        assert int(np.argmax(strength)) == column, name


def test_streams_are_in_si_units(first: Recording, folder: Path) -> None:
    assert [chunk.info.unit for chunk in first.streams] == ["V", "%", "S", "%", "degC", "V"]
    table = written(folder, PHYSIOLOGY)
    data = np.column_stack([chunk.data for chunk in first.streams])
    np.testing.assert_allclose(data, table[:, 1:-1] * UNITS, rtol=1e-6, atol=1e-12)
    for chunk in first.streams:
        np.testing.assert_allclose(chunk.times, table[:, 0] / 1000)
        assert chunk.info.sfreq == 1000.0


def test_valence_comes_first_and_the_scale_ends_at_one(first: Recording, folder: Path) -> None:
    (joystick,) = first.annotations
    table = written(folder, RATINGS)
    np.testing.assert_allclose(joystick.data, (table[:, 1:3] - 5) / 4.5, atol=1e-6)
    assert (joystick.data.min(), joystick.data.max()) == (-1.0, 1.0)
    np.testing.assert_array_equal(joystick.ok, np.isin(table[:, 3], VIDEOS))


def test_each_video_is_a_trial_behind_its_blank_screen(first: Recording, folder: Path) -> None:
    video = written(folder, PHYSIOLOGY)[:, -1]
    shown = [str(int(one)) for one in video[np.flatnonzero(np.diff(video)) + 1] if one in VIDEOS]
    assert [trial.stimulus for trial in first.trials] == shown
    assert set(shown) == set(KINDS)
    for trial in first.trials:
        assert trial.stop - trial.start == pytest.approx(rows_of(int(trial.stimulus)) / 20)
        assert trial.baseline == pytest.approx(trial.start - 2.0)
        inside = video[round(trial.start * 1000) : round(trial.stop * 1000)]
        assert set(inside) == {int(trial.stimulus)}
    assert all(after.start > before.stop for before, after in pairwise(first.trials))


def test_the_order_of_videos_differs_between_people(folder: Path, first: Recording) -> None:
    second = Case(folder).load("02")
    orders = [[trial.stimulus for trial in one.trials] for one in (first, second)]
    assert orders[0] != orders[1]
    assert sorted(orders[0]) == sorted(orders[1])


def test_a_resting_joystick_is_a_rating_of_zero(first: Recording) -> None:
    (joystick,) = first.annotations
    (trial,) = [trial for trial in first.trials if trial.stimulus == str(CONSTANT)]
    inside = (joystick.times >= trial.start) & (joystick.times < trial.stop)
    assert joystick.ok[inside].all()
    assert (joystick.data[inside] == 0).all()


def test_columns_are_found_by_name(copy: Path, first: Recording) -> None:
    path = copy / PHYSIOLOGY
    lines = path.read_text(encoding="utf-8").splitlines()
    turned = [",".join(reversed(line.split(","))) for line in lines]
    path.write_text("\n".join(turned) + "\n", encoding="utf-8")
    other = Case(copy).load("01")
    for one, two in zip(other.streams, first.streams, strict=True):
        np.testing.assert_array_equal(one.data, two.data)


def test_inner_folders_open_as_well(folder: Path) -> None:
    for part in ("data", "data/interpolated"):
        assert Case(folder / part).subjects == ("01", "02")


def test_people_with_one_table_are_missing(copy: Path) -> None:
    (copy / RATINGS).unlink()
    dataset = Case(copy)
    assert dataset.subjects == ("02",)
    assert "interpolated/annotations/sub_1.csv" in dataset.missing
    assert "interpolated/physiological/sub_1.csv" not in dataset.missing


def test_the_raw_tables_alone_are_refused_with_the_reason(tmp_path: Path) -> None:
    raw = tmp_path / "data" / "raw" / "physiological"
    raw.mkdir(parents=True)
    (raw / "sub1_DAQ.txt").write_text("0.0\t2.8\n")
    with pytest.raises(DatasetIncomplete, match="raw tables, which have no video numbers"):
        Case(tmp_path)


def test_tables_of_two_people_are_not_joined(copy: Path) -> None:
    shutil.copy(copy / "data/interpolated/annotations/sub_2.csv", copy / RATINGS)
    with pytest.raises(DatasetDamaged, match="what they show differs"):
        Case(copy).load("01")


@pytest.mark.parametrize("file", [PHYSIOLOGY, RATINGS])
def test_a_table_cut_anywhere_is_refused(copy: Path, file: Path) -> None:
    whole = (copy / file).read_bytes()
    for kept in (0.3, 0.97):
        at = whole.index(b"\n", int(kept * len(whole))) + 1
        (copy / file).write_bytes(whole[:at])
        with pytest.raises(DatasetDamaged, match="cut short"):
            Case(copy).load("01")


def test_broken_tables_are_named(copy: Path) -> None:
    path = copy / RATINGS
    text = path.read_text(encoding="utf-8")
    for old, new, said in (
        ("valence", "pleasure", r"lacks the columns \['valence'\]"),
        ("\n100,", "\n0,", "do not rise"),
        ("\n100,", "\n100,x,", "no table of numbers"),
        ("\n100,5.000", "\n100,95.0", "wanted 0.5 to 9.5"),
    ):
        edited(path, old, new)
        with pytest.raises(DatasetDamaged, match=said):
            Case(copy).load("01")
        path.write_text(text, encoding="utf-8")
    path.write_text(text.splitlines()[0] + "\n", encoding="utf-8")
    with pytest.raises(DatasetDamaged, match="fewer than 2 rows"):
        Case(copy).load("01")


def test_lost_samples_are_told(copy: Path) -> None:
    path = copy / PHYSIOLOGY
    lines = path.read_text(encoding="utf-8").splitlines()
    cells = lines[500].split(",")
    cells[3] = "nan"
    lines[500] = ",".join(cells)
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    recording = Case(copy).load("01")
    assert "sub_1.csv: gsr lacks 1 samples" in recording.notes
    assert np.flatnonzero(~recording.stream("eda").ok).tolist() == [499]
    assert recording.stream("ecg").ok.all()
