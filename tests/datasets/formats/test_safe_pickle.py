"""Pickles of strangers: arrays come out, and nothing else is ever run."""

from __future__ import annotations

import pickle
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from biosense.core.errors import DatasetDamaged
from biosense.datasets.deap.fabricate import python2_pickle
from biosense.datasets.formats.safe_pickle import load_arrays

ARRAYS = {
    "data": np.arange(24.0).reshape(2, 3, 4) - 7.5,
    "labels": np.asfortranarray(np.arange(8.0).reshape(2, 4)),
}


class Call:
    """Pickled as a call of a function that leaves a trace."""

    def __init__(self, function: Any, *arguments: Any) -> None:
        self.call = (function, arguments)

    def __reduce__(self) -> Any:
        return self.call


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "s01.dat"


def refused(path: Path, raw: bytes, match: str, *, resaved: bool = True) -> None:
    path.write_bytes(raw)
    with pytest.raises(DatasetDamaged, match=match) as caught:
        load_arrays(path, limit=10**6, resaved=resaved)
    assert str(path) in str(caught.value)


def assert_same(arrays: dict[str, Any]) -> None:
    assert set(arrays) == set(ARRAYS)
    for key, array in arrays.items():
        assert array.dtype == np.float64
        np.testing.assert_array_equal(array, ARRAYS[key])


def test_a_file_of_python_2_comes_out_as_it_went_in(path: Path) -> None:
    path.write_bytes(python2_pickle(ARRAYS))
    assert_same(load_arrays(path, limit=10**4))


def test_the_miniature_is_like_a_file_of_python_2(path: Path) -> None:
    raw = python2_pickle(ARRAYS)
    with pytest.raises(UnicodeDecodeError):
        pickle.loads(raw)
    arrays = pickle.loads(raw, encoding="latin1")
    assert_same(arrays)


@pytest.mark.parametrize("protocol", range(6))
def test_files_of_python_3_come_out_where_that_is_allowed(path: Path, protocol: int) -> None:
    path.write_bytes(pickle.dumps(ARRAYS, protocol))
    assert_same(load_arrays(path, limit=10**4, resaved=True))


@pytest.mark.parametrize(("protocol", "name"), [(2, r"_codecs\.encode"), (5, "_frombuffer")])
def test_files_of_python_3_are_named_where_they_are_not(
    path: Path, protocol: int, name: str
) -> None:
    raw = pickle.dumps(ARRAYS, protocol)
    refused(path, raw, f"asks for .*{name}: Python 3 saved it again", resaved=False)


@pytest.mark.parametrize("protocol", [0, 2, 4])
@pytest.mark.parametrize("function", ["eval", "exec", "compile", "open"])
def test_a_call_is_refused_by_name_before_it_runs(
    path: Path, tmp_path: Path, protocol: int, function: str
) -> None:
    trace = tmp_path / "trace"
    code = f"__import__('pathlib').Path({str(trace)!r}).touch()"
    arguments = (str(trace), "w") if function == "open" else (code,)
    called = getattr(__import__("builtins"), function)
    arguments = (code, "made up", "exec") if function == "compile" else arguments
    refused(path, pickle.dumps(Call(called, *arguments), protocol), f"{function}: refused")
    assert not trace.exists()


@pytest.mark.parametrize("protocol", [0, 2, 4])
def test_a_command_is_refused_by_name_before_it_runs(
    path: Path, tmp_path: Path, protocol: int
) -> None:
    trace = tmp_path / "trace"
    command = f"touch {trace}"
    text = struct.pack("<B", len(command)) + command.encode()
    raw = {
        0: b"cos\nsystem\n(S'" + command.encode() + b"'\ntR.",
        2: b"\x80\x02cos\nsystem\nU" + text + b"\x85R.",
        4: b"\x80\x04\x8c\x02os\x8c\x06system\x93\x8c" + text + b"\x85R.",
    }[protocol]
    refused(path, raw, r"asks for os\.system: refused")
    assert not trace.exists()


@pytest.mark.parametrize(
    ("raw", "match"),
    [
        (b"(ios\nsystem\n.", r"os\.system: refused"),
        (b"\x80\x02\x82\x01.", "uses EXT1"),
        (b"Pid\n.", "uses PERSID"),
        (b"\x80\x02cnumpy\nndarray\n)\x81.", "uses NEWOBJ"),
        (b"\x80\x02cnumpy\nndarray\n)R.", "makes no array"),
        (b"\x80\x02cnumpy\ndtype\n}U\x08__call__K\x01sb.", "changes dtype: refused"),
        (b"\x80\x02}.", "wanted a dict of arrays"),
        (b"\x80\x02K\x01.", "holds a int"),
        (b"\x80\x02}U\x04dataK\x01s.", "holds int under 'data'"),
        (b"\x80\x02}K\x01K\x01s.", "holds int under 1"),
        (b"\x80\x02}r\xff\xff\xff\x7f.", "places of memory"),
        (b"\x80\x02" + b"N" * 3000 + b".", "more than 2000 steps"),
        (b"\x80\x04\x95" + b"\xff" * 7 + b"\x7f}.", "truncated"),
        (b"\x80\x02}U\x01aB\xff\xff\xff\x7fs.", "truncated"),
        (b"\x80\x02", "truncated"),
        (b"not a pickle at all", "truncated, or no pickle"),
        (b"\xffBIOSEMI" + b" " * 300, "truncated, or no pickle"),
    ],
)
def test_streams_of_other_things_are_refused(path: Path, raw: bytes, match: str) -> None:
    refused(path, raw, match)


def test_tuples_that_would_take_forever_to_hash_are_refused(path: Path) -> None:
    raw = b"\x80\x02}K\x01\x85"
    for place in range(200):
        at = struct.pack("<B", place)
        raw += b"q" + at + b"h" + at + b"\x86"
    refused(path, raw + b"K\x01s.", "of memory again")


def reconstructed(shape: bytes, dtype: bytes = b"U\x02f8", raw: bytes = b"U\x00") -> bytes:
    return (
        b"\x80\x02}U\x04datacnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85U\x01b"
        b"\x87R(K\x01" + shape + b"cnumpy\ndtype\n" + dtype + b"K\x00K\x01\x87R"
        b"(K\x03U\x01<NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb\x89" + raw + b"tbs."
    )


@pytest.mark.parametrize(
    ("raw", "match"),
    [
        (reconstructed(b"J\xff\xff\xff\x7f\x85"), r"asks for an array of shape \(2147483647,\)"),
        (reconstructed(b"\x8a\x09" + b"\xff" * 8 + b"\x00\x85"), "refused"),
        (reconstructed(b"J\xff\xff\xff\xff\x85"), "refused"),
        (reconstructed(b"K\x02\x85", raw=b"U\x08" + bytes(8)), "16 bytes, but holds 8"),
        (reconstructed(b"K\x01\x85", raw=b"U\x10" + bytes(16)), "8 bytes, but holds 16"),
        (reconstructed(b"K\x01\x85", b"U\x02O8", b"(K\x01t"), "samples of type 'O8'"),
        (reconstructed(b"K\x01\x85", b"U\x02i8", b"U\x08" + bytes(8)), "samples of type 'i8'"),
        (
            b"\x80\x02cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\n"
            b"J\xff\xff\xff\x7f\x85U\x01b\x87R.",
            "asks for an empty array of shape",
        ),
    ],
)
def test_no_array_is_made_that_the_file_does_not_hold(path: Path, raw: bytes, match: str) -> None:
    refused(path, raw, match)


def test_an_array_of_objects_of_python_3_is_refused(path: Path) -> None:
    objects = {"data": np.array([1, None], dtype=object)}
    refused(path, pickle.dumps(objects, 2), "samples of type 'O8'|uses ")


@pytest.mark.parametrize("kept", [0.1, 0.5, 0.9, 0.999])
def test_a_truncated_file_is_named(path: Path, kept: float) -> None:
    raw = python2_pickle(ARRAYS)
    refused(path, raw[: int(kept * len(raw))], "truncated")


def test_a_file_is_not_opened_if_it_is_too_large_empty_or_gone(path: Path) -> None:
    with pytest.raises(DatasetDamaged, match="is not there"):
        load_arrays(path, limit=10)
    path.write_bytes(b"")
    with pytest.raises(DatasetDamaged, match="has 0 bytes"):
        load_arrays(path, limit=10)
    path.write_bytes(python2_pickle(ARRAYS))
    with pytest.raises(DatasetDamaged, match="between 1 and 100 are possible"):
        load_arrays(path, limit=100)


@pytest.mark.filterwarnings("ignore:invalid escape sequence")
def test_random_damage_ends_in_a_named_error_or_in_arrays(path: Path) -> None:
    rng = np.random.default_rng(5)
    raw = python2_pickle(ARRAYS)
    errors, read = [], []
    for _ in range(400):
        damaged = bytearray(raw)
        for at in rng.integers(0, len(raw), 3):
            damaged[at] = rng.integers(256)
        path.write_bytes(damaged)
        try:
            read.append(load_arrays(path, limit=10**4, resaved=True))
        except DatasetDamaged as error:
            errors.append(str(error))
    assert errors
    assert read
    assert all(str(path) in text for text in errors)
    assert all(array.dtype == np.float64 for arrays in read for array in arrays.values())
