"""Features are found again only where nothing differs, and a damaged file is never believed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from biosense.core.errors import BadInput
from biosense.core.types import Modality
from biosense.estimation.processor import ProcessorSettings
from biosense.studies.base import StudyData
from biosense.studies.features import keys, load
from biosense.studies.features.cache import FeatureCache, default_folder
from biosense.studies.features.extract import Extracted, ExtractSettings, extract_trials
from biosense.studies.features.keys import Contents, feature_key
from biosense.studies.features.load import LoadSettings, load_study
from biosense.studies.kept_files import CacheDamaged, write_atomically
from tests.support.study_toys import ToyDataset, toy_dataset, toy_recording

KEY = "0f" * 32


@pytest.fixture(scope="module")
def extracted() -> Extracted:
    return extract_trials(toy_recording("p01"), ExtractSettings())


def entries(folder: Path) -> list[Path]:
    return sorted(folder.rglob("*.npz"))


def assert_same(one: Extracted, other: Extracted) -> None:
    assert one.features == other.features
    assert one.notes == other.notes
    for a, b in zip(one.sequences, other.sequences, strict=True):
        assert (a.subject, a.stimulus, a.group) == (b.subject, b.stimulus, b.group)
        assert (a.position, a.per_trial) == (b.position, b.per_trial)
        np.testing.assert_array_equal(a.time, b.time)
        np.testing.assert_array_equal(a.target, b.target)
        assert list(a.data) == list(b.data)
        for modality in a.data:
            np.testing.assert_array_equal(a.data[modality], b.data[modality])
            np.testing.assert_array_equal(a.quality[modality], b.quality[modality])


def test_what_is_kept_comes_back_to_the_bit(tmp_path, extracted):
    cache = FeatureCache(tmp_path / "features")
    assert cache.get(KEY) is None
    cache.put(KEY, extracted)
    found = cache.get(KEY)
    assert found is not None
    assert_same(found, extracted)


@pytest.mark.parametrize("damage", ["cut", "flipped", "emptied", "pickled", "renamed"])
def test_a_damaged_entry_is_refused(tmp_path, extracted, damage):
    cache = FeatureCache(tmp_path)
    path = cache.put(KEY, extracted)
    content = bytearray(path.read_bytes())
    if damage == "cut":
        path.write_bytes(content[: len(content) // 2])
    elif damage == "flipped":
        content[len(content) // 3] ^= 0xFF
        path.write_bytes(content)
    elif damage == "emptied":
        path.write_bytes(b"")
    elif damage == "pickled":
        np.savez(path, about=np.array([{"key": KEY}], dtype=object), allow_pickle=True)
    else:
        other = FeatureCache(tmp_path)._path("0f" * 31 + "aa")
        assert other == path  # the name holds part of the key; the entry holds all of it
        key = "0f" * 31 + "aa"
        with pytest.raises(CacheDamaged, match="another key"):
            cache.get(key)
        return
    with pytest.raises(CacheDamaged, match="computed again"):
        cache.get(KEY)


def test_a_failed_write_leaves_nothing_behind(tmp_path, monkeypatch):
    path = tmp_path / "entry"
    path.write_bytes(b"old")

    def full(self, target):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(OSError, match="No space"):
        write_atomically(path, b"new")
    assert [file.name for file in tmp_path.iterdir()] == ["entry"]
    assert path.read_bytes() == b"old"


def test_the_key_knows_everything_that_features_depend_on(tmp_path, monkeypatch):
    file = tmp_path / "p01.txt"
    file.write_text("1")
    plain = ExtractSettings()

    def key(name="toy", subject="p01", settings=plain) -> str:
        return feature_key(name, subject, [file], settings, Contents(), FeatureCache)

    known = [key()]
    assert key() == known[0]
    known.append(key(name="other"))
    known.append(key(subject="p02"))
    known.append(key(settings=replace(plain, processor=ProcessorSettings(mains_hz=60.0))))
    known.append(key(settings=replace(plain, annotation_lag_s=2.0)))
    file.write_text("2")
    known.append(key())
    with monkeypatch.context() as patch:
        patch.setattr(keys, "fingerprints", lambda: {Modality.EDA: "changed"})
        known.append(key())
    with monkeypatch.context() as patch:
        patch.setattr(keys, "libraries", lambda: ("numpy 99",))
        known.append(key())
    with monkeypatch.context() as patch:
        patch.setattr(keys, "running_code", lambda parts: "changed")
        known.append(key())
    assert len(set(known)) == len(known)


def test_contents_are_read_again_only_where_a_file_was_touched(tmp_path, monkeypatch):
    file = tmp_path / "data.bin"
    file.write_bytes(b"abc")
    contents = Contents(tmp_path / "memo")
    first = contents.hash(file)
    contents.remember()
    with monkeypatch.context() as patch:
        patch.setattr(keys.hashlib, "file_digest", None)  # reading it would fail
        assert Contents(tmp_path / "memo").hash(file) == first
    file.write_bytes(b"abd")
    assert Contents(tmp_path / "memo").hash(file) != first
    (tmp_path / "memo" / "contents.json").write_text("[1, 2")
    assert Contents(tmp_path / "memo").hash(file) != first


def test_the_folder_is_that_of_the_system(monkeypatch, tmp_path):
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert default_folder() == tmp_path / "biosense" / "features"
    monkeypatch.setattr("sys.platform", "win32")
    monkeypatch.setenv("LOCALAPPDATA", str(tmp_path / "local"))
    assert default_folder() == tmp_path / "local" / "biosense" / "features"


def load_toy(tmp_path, **settings) -> tuple[StudyData, list[str]]:
    said: list[str] = []
    wanted = LoadSettings(cache=FeatureCache(tmp_path / "cache"), **settings)
    return load_study(toy_dataset(tmp_path / "data"), wanted, log=said.append), said


def test_a_data_set_is_loaded_and_found_again(tmp_path, monkeypatch):
    first, said = load_toy(tmp_path)
    assert first.subjects == ("p01", "p02", "p03")
    assert [s.position for s in first.sequences] == [0, 1, 2] * 3
    assert first.subject_groups == {"p01": "pair", "p02": "pair"}
    assert first.stated_folds == {"p01": 0, "p02": 0, "p03": 1}
    assert "not in this copy: p99 is not there" in first.notes
    assert "p02: made up" in first.notes
    assert said[1:] == [f"features of p0{k} computed, {k} of 3" for k in (1, 2, 3)]
    monkeypatch.setattr(load, "extract_trials", None)  # computing would fail
    again, said = load_toy(tmp_path)
    assert said[1:] == ["features of 3 of 3 people found again in the cache"]
    assert again.fingerprint == first.fingerprint
    np.testing.assert_array_equal(
        again.sequences[4].data[Modality.EDA], first.sequences[4].data[Modality.EDA]
    )


def test_a_changed_file_and_a_damaged_entry_are_computed_again(tmp_path):
    first, _ = load_toy(tmp_path)
    (tmp_path / "data" / "p02.txt").write_text("77")
    said: list[str] = []
    settings = LoadSettings(cache=FeatureCache(tmp_path / "cache"))
    changed = load_study(ToyDataset(tmp_path / "data"), settings, log=said.append)
    assert changed.fingerprint != first.fingerprint
    assert "features of 2 of 3 people found again in the cache" in said
    assert "features of p02 computed, 1 of 1" in said
    for path in entries(tmp_path / "cache"):
        path.write_bytes(b"damaged")
    said.clear()
    load_study(ToyDataset(tmp_path / "data"), settings, log=said.append)
    assert sum("is damaged and is computed again" in line for line in said) == 3
    assert "features of p03 computed, 3 of 3" in said


def test_other_settings_find_nothing(tmp_path):
    first, _ = load_toy(tmp_path)
    other, said = load_toy(tmp_path, extract=ExtractSettings(annotation_lag_s=1.0))
    assert other.fingerprint != first.fingerprint
    assert not any("found again" in line for line in said)


def test_damaged_people_are_left_out_and_told(tmp_path):
    dataset = toy_dataset(tmp_path / "data")
    (tmp_path / "data" / "p02.txt").write_text("damaged")
    said: list[str] = []
    data = load_study(dataset, LoadSettings(), log=said.append)
    assert data.subjects == ("p01", "p03")
    (note,) = (note for note in data.notes if note.startswith("p02"))
    assert "wanted a number" in note
    assert note in said


def test_nobody_left_says_why(tmp_path):
    dataset = toy_dataset(tmp_path / "data", people=1)
    (tmp_path / "data" / "p01.txt").write_text("damaged")
    with pytest.raises(BadInput, match="wanted a number"):
        load_study(dataset, LoadSettings())


def test_some_people_only(tmp_path):
    data, _ = load_toy(tmp_path, subjects=("p01", "p03"))
    assert data.subjects == ("p01", "p03")
