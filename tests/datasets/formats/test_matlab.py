"""MATLAB files are read as they are stored, and broken ones are refused by name."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.io import savemat

from biosense.core.errors import DatasetDamaged
from biosense.datasets.formats.mat_values import (
    Cells,
    Other,
    cells,
    is_empty,
    member,
    numbers,
    word,
)
from biosense.datasets.formats.matlab import read_mat


def write(path: Path, *, compress: bool = True) -> Path:
    row = np.empty((1, 3), dtype=object)
    row[0, 0], row[0, 1], row[0, 2] = np.ones((4, 2)), np.zeros((0, 0)), np.array(["N1"])
    one = np.empty((1, 1), dtype=object)
    one[0, 0] = np.arange(3.0).reshape(1, 3)
    content: dict[str, Any] = {"row": row, "one": one, "top": {"Age": "22", "Data": one}}
    savemat(path, content, do_compression=compress)
    return path


@pytest.mark.parametrize("compress", [True, False])
def test_cells_keep_their_shape_and_what_they_hold(tmp_path: Path, compress: bool) -> None:
    path = write(tmp_path / "a.mat", compress=compress)
    found = read_mat(path, ("row", "one", "top"))
    data, empty, name = cells(found["row"], "row", 3)
    assert numbers(data, "row 0", 2).shape == (4, 2)
    assert is_empty(empty)
    assert not is_empty(data)
    assert word(name, "row 2") == "N1"
    assert numbers(cells(found["one"], "one")[0], "one", 3).tolist() == [[0.0, 1.0, 2.0]]
    assert cells(member(found["top"], "Data", "top"), "Data")[0].shape == (1, 3)
    assert word(member(found["top"], "Age", "top"), "Age") == "22"


def test_other_types_of_number_and_text_are_read_as_scipy_reads_them(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    path = tmp_path / "types.mat"
    tables = {
        f"x{index}": rng.uniform(0, 100, (5, 3)).astype(dtype)
        for index, dtype in enumerate(("f4", "f8", "i1", "u1", "i2", "u2", "i4", "u4", "i8", "u8"))
    }
    savemat(path, {**tables, "accents": "né à", "truth": np.array([[True, False]])})
    found = read_mat(path, (*tables, "accents", "truth"))
    for name, table in tables.items():
        np.testing.assert_array_equal(numbers(found[name], name, 3), table)
    assert found["accents"] == "né à"
    assert numbers(found["truth"], "truth", 2).tolist() == [[1.0, 0.0]]


def test_what_is_not_wanted_is_passed_over(tmp_path: Path) -> None:
    path = write(tmp_path / "a.mat")
    found = read_mat(path, ("row",), wanted=lambda place: place != ("row", 0))
    assert isinstance(cells(found["row"], "row")[0], Other)
    assert word(cells(found["row"], "row")[2], "id") == "N1"


def test_complex_numbers_and_functions_are_named_where_they_are_used(tmp_path: Path) -> None:
    path = tmp_path / "complex.mat"
    savemat(path, {"x": np.ones((2, 2), complex)})
    with pytest.raises(DatasetDamaged, match="x is complex, wanted a table"):
        numbers(read_mat(path, ("x",))["x"], "x", 2)


def test_cells_nested_without_end_are_refused(tmp_path: Path) -> None:
    inner: Any = np.ones((1, 1))
    for _ in range(40):
        outer = np.empty((1, 1), dtype=object)
        outer[0, 0] = inner
        inner = outer
    savemat(tmp_path / "deep.mat", {"x": inner})
    with pytest.raises(DatasetDamaged, match="nested more than 12 deep"):
        read_mat(tmp_path / "deep.mat", ("x",))


def test_a_missing_variable_or_field_is_named(tmp_path: Path) -> None:
    path = write(tmp_path / "a.mat")
    with pytest.raises(DatasetDamaged, match=r"no variable 'joined_data'.*row"):
        read_mat(path, ("joined_data", "row"))
    with pytest.raises(DatasetDamaged, match="no field 'EEG', but: Age, Data"):
        member(read_mat(path, ("top",))["top"], "EEG", "top")


def test_the_wrong_kind_of_value_is_refused() -> None:
    with pytest.raises(DatasetDamaged, match="wanted a row of cells"):
        cells(np.ones((1, 2)), "x")
    with pytest.raises(DatasetDamaged, match="row of 3 cells"):
        cells(Cells((1, 2), ("", "")), "x", 3)
    with pytest.raises(DatasetDamaged, match="wanted a row of cells"):
        cells(Cells((2, 2), ("",) * 4), "x")
    for value in ("a", np.ones((3, 1, 1)), Other("complex"), Cells((1, 1), ("",))):
        with pytest.raises(DatasetDamaged, match="real numbers"):
            numbers(value, "x", 1)
    with pytest.raises(DatasetDamaged, match=r"wanted \(rows, 3\)"):
        numbers(np.ones((3, 2)), "x", 3)
    with pytest.raises(DatasetDamaged, match="wanted a text"):
        word(np.ones((1, 1)), "x")
    with pytest.raises(DatasetDamaged, match="struct of one element"):
        member(np.ones((1, 1)), "EEG", "x")


def test_a_file_of_version_7_3_says_how_to_save_it_again(tmp_path: Path) -> None:
    path = tmp_path / "new.mat"
    path.write_bytes(b"MATLAB 7.3 MAT-file".ljust(124) + b"\x00\x02IM" + bytes(400) + b"\x89HDF")
    with pytest.raises(DatasetDamaged, match=r"HDF5.*'-v7'"):
        read_mat(path, ("row",))
    path.write_bytes(b"\x89HDF\r\n\x1a\n" + bytes(500))
    with pytest.raises(DatasetDamaged, match="HDF5"):
        read_mat(path, ("row",))


def test_a_file_that_is_none_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "no.mat"
    for content in (b"", b"hello", b"<html>" * 100):
        path.write_bytes(content)
        with pytest.raises(DatasetDamaged, match="no MATLAB file"):
            read_mat(path, ("row",))
    with pytest.raises(DatasetDamaged, match="cannot be read"):
        read_mat(tmp_path / "absent.mat", ("row",))


def test_a_file_that_unpacks_to_too_much_is_refused_before_it_is_unpacked(tmp_path: Path) -> None:
    path = tmp_path / "bomb.mat"
    savemat(path, {"row": np.zeros(1_000_000)}, do_compression=True)
    assert path.stat().st_size < 20_000
    with pytest.raises(DatasetDamaged, match="where a matrix belongs"):
        read_mat(path, ("row",), largest=1_000_000)


@pytest.mark.parametrize("compress", [True, False])
def test_a_file_cut_anywhere_is_refused(tmp_path: Path, compress: bool) -> None:
    whole = write(tmp_path / "a.mat", compress=compress).read_bytes()
    path = tmp_path / "cut.mat"
    for length in range(0, len(whole), 7):
        path.write_bytes(whole[:length])
        with pytest.raises(DatasetDamaged):
            read_mat(path, ("row", "one", "top"))


@pytest.mark.parametrize("compress", [True, False])
def test_a_byte_that_changed_is_harmless_or_refused(tmp_path: Path, compress: bool) -> None:
    whole = write(tmp_path / "a.mat", compress=compress).read_bytes()
    path, refused = tmp_path / "changed.mat", 0
    for place in np.random.default_rng(3).integers(128, len(whole), 150):
        content = bytearray(whole)
        content[place] ^= 0xFF
        path.write_bytes(bytes(content))
        try:
            read_mat(path, ("row", "one", "top"))
        except DatasetDamaged:
            refused += 1
    assert refused > 30
