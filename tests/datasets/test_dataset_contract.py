"""Every data set in the table: a miniature of it opens, reads and fails as all data sets do."""

from __future__ import annotations

import gc
import os
import re
import shutil
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from biosense.core.errors import BadInput, BiosenseError, DatasetDamaged, DatasetIncomplete
from biosense.core.recording import Recording
from biosense.core.types import Chunk
from biosense.datasets.base import DatasetKind
from biosense.datasets.registry import DATASETS

PEOPLE, SEED = 2, 7
UNITS = {"V", "S", "degC", "s", "ohm", "bpm", "m", "px", "%", ""}


@pytest.fixture(scope="module", params=sorted(DATASETS))
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def kind(name: str) -> DatasetKind:
    return DATASETS[name]


@pytest.fixture(scope="module")
def folder(kind: DatasetKind, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("miniature")
    kind.fabricate(folder, PEOPLE, SEED)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def recordings(kind: DatasetKind, folder: Path) -> dict[str, Recording]:
    dataset = kind.open(folder)
    return {subject: dataset.load(subject) for subject in dataset.subjects}


@pytest.fixture
def copy(folder: Path, tmp_path: Path) -> Path:
    """A copy of which files may be replaced, never written to: they are links."""
    shutil.copytree(folder, tmp_path / "copy", copy_function=os.link)
    return tmp_path / "copy"


def of_first_subject(kind: DatasetKind, folder: Path) -> tuple[str, Path]:
    """Return the first subject and its largest file, films of faces aside."""
    dataset = kind.open(folder)
    subject = dataset.subjects[0]
    files = [path for path in dataset.files(subject) if path.suffix not in (".avi", ".mp4")]
    return subject, max(files, key=lambda path: path.stat().st_size)


def replaced(path: Path, raw: bytes) -> Path:
    path.unlink()
    path.write_bytes(raw)
    return path


def everything(recording: Recording) -> list[Chunk]:
    return [*recording.streams, *recording.annotations]


def assert_same(one: Recording, other: Recording) -> None:
    assert one.trials == other.trials
    assert one.ratings == other.ratings
    assert one.notes == other.notes
    for left, right in zip(everything(one), everything(other), strict=True):
        assert left.info == right.info
        np.testing.assert_array_equal(left.times, right.times)
        np.testing.assert_array_equal(left.data, right.data)
        np.testing.assert_array_equal(left.ok, right.ok)


def test_a_data_set_says_what_it_is(name: str, kind: DatasetKind, folder: Path) -> None:
    about = kind.about
    assert about.name == name
    assert about.title
    assert about.citation
    assert about.people >= PEOPLE
    assert re.search(r"https?://", about.access), "it says where it is given out"
    assert kind.open(folder).about == about


def test_people_are_listed_sorted_with_their_files(kind: DatasetKind, folder: Path) -> None:
    dataset = kind.open(folder)
    assert len(dataset.subjects) == PEOPLE
    assert list(dataset.subjects) == sorted(set(dataset.subjects))
    assert set(dataset.subject_groups) <= set(dataset.subjects)
    for subject in dataset.subjects:
        assert dataset.files(subject)
        assert all(path.is_file() for path in dataset.files(subject))


def test_what_the_miniature_lacks_is_listed(kind: DatasetKind, folder: Path) -> None:
    missing = kind.open(folder).missing
    assert missing, f"{PEOPLE} of {kind.about.people} people cannot be all"
    assert all(line.strip() for line in missing)
    assert len(set(missing)) == len(missing)


def test_streams_are_in_si_units_on_rising_times(recordings: dict[str, Recording]) -> None:
    for subject, recording in recordings.items():
        assert recording.subject == subject
        names = [chunk.info.name for chunk in recording.streams]
        assert len(set(names)) == len(names) > 0
        for chunk in everything(recording):
            where = f"{subject} {chunk.info.name}"
            assert chunk.info.unit in UNITS, where
            assert chunk.data.dtype.name == chunk.info.dtype, where
            assert np.isfinite(chunk.times).all(), where
            assert (np.diff(chunk.times) > 0).all(), where
            assert np.isfinite(chunk.data[chunk.ok]).any(), where


def test_trials_lie_inside_of_the_streams(recordings: dict[str, Recording]) -> None:
    for recording in recordings.values():
        assert recording.trials
        first = min(chunk.times[0] for chunk in recording.streams)
        last = max(
            chunk.times[-1] + (1 / chunk.info.sfreq if chunk.info.sfreq else 1.0)
            for chunk in recording.streams
        )
        before = -np.inf
        for trial in recording.trials:
            assert trial.stimulus
            begin = trial.start if trial.baseline is None else trial.baseline
            assert first - 1e-6 <= begin <= trial.start < trial.stop <= last + 1e-6
            assert trial.start >= before, "trials do not overlap"
            before = trial.stop
            for chunk in recording.streams:
                inside = (chunk.times >= trial.start) & (chunk.times < trial.stop)
                assert inside.any(), f"{chunk.info.name} has nothing of {trial.stimulus}"


def test_what_people_said_is_on_the_scale(
    kind: DatasetKind, recordings: dict[str, Recording]
) -> None:
    said = 0
    for recording in recordings.values():
        ratings = [trial.rating for trial in recording.trials if trial.rating]
        for rating in (*ratings, *recording.ratings):
            assert -1 <= rating.valence <= 1
            assert -1 <= rating.arousal <= 1
            said += 1
        for chunk in recording.annotations:
            assert chunk.info.channels == ("valence", "arousal")
            values = chunk.data[chunk.ok]
            assert (np.abs(values[np.isfinite(values)]) <= 1).all()
            said += chunk.n
        if kind.about.continuous:
            assert recording.annotations
    assert said


def test_each_load_gives_the_same(
    kind: DatasetKind, folder: Path, recordings: dict[str, Recording]
) -> None:
    dataset = kind.open(folder)
    for subject in reversed(dataset.subjects):
        assert_same(dataset.load(subject), recordings[subject])


class Entries(list[Any]):
    def __enter__(self) -> Entries:
        return self

    def __exit__(self, *_: object) -> None:
        self.clear()

    def close(self) -> None:
        self.clear()


def test_the_order_of_directories_changes_nothing(
    kind: DatasetKind,
    folder: Path,
    recordings: dict[str, Recording],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before = kind.open(folder)
    listdir, scandir = os.listdir, os.scandir
    monkeypatch.setattr(os, "listdir", lambda *where: sorted(listdir(*where), reverse=True))
    monkeypatch.setattr(
        os,
        "scandir",
        lambda *where: Entries(sorted(scandir(*where), key=lambda one: one.name, reverse=True)),
    )
    dataset = kind.open(folder)
    assert list(dataset.subjects) == list(before.subjects)
    assert list(dataset.missing) == list(before.missing)
    for subject, recording in recordings.items():
        assert list(dataset.files(subject)) == list(before.files(subject))
        assert_same(dataset.load(subject), recording)


@pytest.mark.parametrize("there", [True, False])
def test_an_empty_folder_says_what_is_needed_and_where_it_is(
    kind: DatasetKind, tmp_path: Path, there: bool
) -> None:
    folder = tmp_path / "empty"
    if there:
        folder.mkdir()
    with pytest.raises(DatasetIncomplete) as caught:
        kind.open(folder)
    assert str(folder) in str(caught.value)
    assert kind.about.access in str(caught.value)


def test_a_stray_file_is_refused_or_told(kind: DatasetKind, copy: Path) -> None:
    subject, path = of_first_subject(kind, copy)
    stray = path.with_name(f"stray copy{path.suffix}")
    stray.write_bytes(path.read_bytes())
    told: tuple[str, ...] = ()
    try:
        dataset = kind.open(copy)
        told = (*dataset.missing, *dataset.load(subject).notes)
    except BiosenseError as error:
        told = (str(error),)
    assert any(stray.stem in line for line in told)


@pytest.mark.parametrize("kept", [0.02, 0.5, 0.98])
def test_a_truncated_file_is_named(kind: DatasetKind, copy: Path, kept: float) -> None:
    subject, path = of_first_subject(kind, copy)
    raw = path.read_bytes()
    replaced(path, raw[: int(kept * len(raw))])
    with pytest.raises(DatasetDamaged) as caught:
        kind.open(copy).load(subject)
    assert path.name in str(caught.value)


def test_a_file_of_something_else_is_named(kind: DatasetKind, copy: Path) -> None:
    subject, path = of_first_subject(kind, copy)
    replaced(path, np.random.default_rng(1).bytes(path.stat().st_size))
    with pytest.raises(DatasetDamaged) as caught:
        kind.open(copy).load(subject)
    assert path.name in str(caught.value)


def test_nobody_is_loaded_who_is_not_there(kind: DatasetKind, folder: Path) -> None:
    dataset = kind.open(folder)
    with pytest.raises(BadInput, match=re.escape(dataset.subjects[0])):
        dataset.load("nobody")


def test_a_data_set_keeps_nothing_of_what_it_has_read(kind: DatasetKind, folder: Path) -> None:
    dataset = kind.open(folder)
    dataset.load(dataset.subjects[0])
    gc.collect()
    tracemalloc.start()
    try:
        dataset.load(dataset.subjects[-1])
        gc.collect()
        kept, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert kept < 0.1 * peak + 2**20


def test_a_seed_makes_the_same_miniature_again(
    kind: DatasetKind, recordings: dict[str, Recording], tmp_path: Path
) -> None:
    subject, recording = next(iter(recordings.items()))
    equal = []
    for seed in (SEED, SEED + 1):
        folder = tmp_path / str(seed)
        folder.mkdir()
        kind.fabricate(folder, PEOPLE, seed)
        made = kind.open(folder).load(subject)
        pairs = zip(everything(made), everything(recording), strict=True)
        equal.append([np.array_equal(one.data, two.data, equal_nan=True) for one, two in pairs])
    assert all(equal[0])
    assert not all(equal[1])
