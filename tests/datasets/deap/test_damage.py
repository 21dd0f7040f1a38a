"""DEAP, preprocessed: files that cannot be trusted are named, samples that cannot be are told."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest

from biosense.core.errors import DatasetDamaged
from biosense.datasets.deap.fabricate import fabricate
from biosense.datasets.deap.preprocessed import BASELINE, SAMPLES, Deap
from tests.support.deap_copies import arrays, copy_of_s03, dat, rewrite, table, write_table


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("deap")
    fabricate(folder, 3, 11)
    return folder


@pytest.fixture
def one(made: Path, tmp_path: Path) -> Path:
    """A copy with one small participant, for breaking."""
    return copy_of_s03(made, tmp_path / "one")


def test_labels_that_differ_from_the_table_are_refused(one: Path) -> None:
    labels = arrays(one, "s03")["labels"]
    labels[1, 2] += 0.1
    rewrite(one, "s03", labels=labels)
    with pytest.raises(DatasetDamaged, match=r"dominance of video .* in the table of ratings"):
        Deap(one).load("s03")


def test_rows_that_nobody_can_name_are_refused(one: Path) -> None:
    write_table(one, [row for row in table(one) if row["Trial"] != "2"])
    with pytest.raises(DatasetDamaged, match="has 2 trials but the table of ratings 1 of s03"):
        Deap(one).load("s03")


@pytest.mark.parametrize(
    ("changed", "match"),
    [
        ({"data": np.zeros((2, 39, SAMPLES))}, r"shape \(2, 39, 8064\)"),
        ({"data": np.zeros((2, 40, SAMPLES - BASELINE))}, r"shape \(2, 40, 7680\)"),
        ({"data": np.zeros((1, 40, SAMPLES))}, r"shape \(1, 40, 8064\)"),
        ({"labels": np.full((2, 5), 5.0)}, r"shape \(2, 5\)"),
        ({"labels": np.full((2, 4), 9.1)}, "wanted 1 to 9"),
        ({"labels": np.full((2, 4), np.nan)}, "wanted 1 to 9"),
        ({"more": np.zeros(1)}, r"wanted 'data' and 'labels'"),
    ],
)
def test_a_file_of_another_shape_is_named(
    one: Path, changed: dict[str, np.ndarray], match: str
) -> None:
    rewrite(one, "s03", **changed)
    with pytest.raises(DatasetDamaged, match=match) as caught:
        Deap(one).load("s03")
    assert "s03.dat" in str(caught.value)


def test_hostile_and_mislabelled_files_are_named(one: Path) -> None:
    for raw, match in (
        (b"cos\nsystem\n(S'echo'\ntR.", r"s03\.dat: asks for os\.system: refused"),
        (b"\xffBIOSEMI" + b" " * 5000, r"s03\.dat is truncated, or no pickle"),
        (pickle.dumps({"data": [1, 2], "labels": "x"}, 2), r"s03\.dat: "),
    ):
        dat(one, "s03").write_bytes(raw)
        with pytest.raises(DatasetDamaged, match=match):
            Deap(one).load("s03")


def test_missing_samples_are_told_and_not_trusted(one: Path) -> None:
    data = arrays(one, "s03")["data"].copy()
    data[0, 5, :100] = np.nan
    data[:, 33] = np.nan
    data[:, 36] = np.nan
    data[:, 39] = 5000.0
    rewrite(one, "s03", data=data)
    recording = Deap(one).load("s03")
    notes = "\n".join(recording.notes)
    assert (~recording.stream("eeg").ok).sum() == 100
    assert not recording.stream("eog").ok.any()
    assert not recording.stream("eda").ok.any()
    assert "eeg FC1: 0.6% of samples are missing" in notes
    assert "eog vEOG: 100.0% of samples are missing" in notes
    assert "no sample is above 0" in notes
    assert "temp: median 5e+03" in notes
    assert recording.stream("temp").info.unit == ""


def test_a_unit_that_skin_cannot_have_is_told(one: Path) -> None:
    data = arrays(one, "s03")["data"].copy()
    data[:, 36] = 5.0  # microsiemens, say
    rewrite(one, "s03", data=data)
    notes = Deap(one).load("s03").notes
    assert any("its unit is not the one that is documented" in note for note in notes)


def test_skin_that_is_out_of_range_now_and_then_is_told(one: Path) -> None:
    data = arrays(one, "s03")["data"].copy()
    data[0, 36, : SAMPLES // 5] = 1.0  # ohm
    rewrite(one, "s03", data=data)
    notes = Deap(one).load("s03").notes
    assert "s03 (Twente) eda: 10.0% of samples are outside of 0.05 to 100 uS" in notes


@pytest.mark.parametrize("name", ["s33.dat", "s00.dat", "s3.dat", "s03 (1).dat", "s03.mat"])
def test_files_of_nobody_are_refused(one: Path, name: str) -> None:
    dat(one, "s03").with_name(name).touch()
    with pytest.raises(DatasetDamaged, match="no part of the data set"):
        Deap(one)


def test_leftovers_of_file_managers_are_passed_over(one: Path) -> None:
    for name in (".DS_Store", "._s03.dat", "Thumbs.db"):
        dat(one, "s03").with_name(name).touch()
    assert Deap(one).subjects == ("s03",)
