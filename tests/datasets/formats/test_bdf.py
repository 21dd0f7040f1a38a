"""BDF files: channels by name, events from the low byte of Status, nothing from a damaged file."""

from __future__ import annotations

from pathlib import Path

import mne
import numpy as np
import pytest

from biosense.core.errors import BadInput, DatasetDamaged
from biosense.datasets.formats.bdf import BLOCK, Bdf
from biosense.datasets.formats.bdf_write import Track, status_track, write_bdf

SFREQ, SECONDS = 256, 70  # more records than are read at a time
RNG = np.random.default_rng(3)
CZ, TEMP = RNG.normal(0, 50, SFREQ * SECONDS), RNG.normal(33, 1, SFREQ * SECONDS)


def codes(idle: int) -> np.ndarray:
    status = np.full(SFREQ * SECONDS, float(idle))
    for second, code in ((1, 3), (6, 4), (66, 5)):
        status[second * SFREQ : second * SFREQ + 20] = idle + code
    return status


def write(path: Path, status: str = "Status", idle: int = 0) -> Path:
    tracks = [
        Track("Cz", CZ),
        Track("Temp", TEMP, "C", -100.0, 100.0),
        status_track(status, codes(idle)),
    ]
    write_bdf(path, tracks, SFREQ)
    return path


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return write(tmp_path / "s01.bdf")


def test_channels_come_back_in_their_units(path: Path) -> None:
    file = Bdf(path)
    assert file.labels == ("Cz", "Temp", "Status")
    assert [signal.unit for signal in file.signals[:2]] == ["uV", "C"]
    assert file.sfreq(0) == SFREQ
    assert file.seconds == SECONDS
    data = file.read([file.index("temp"), file.index("Cz")])
    assert data.dtype == np.float32
    assert data.shape == (SFREQ * SECONDS, 2)
    np.testing.assert_allclose(data[:, 0], TEMP, atol=1e-5)
    np.testing.assert_allclose(data[:, 1], CZ, atol=1 / 64 + 1e-6)


@pytest.mark.parametrize("name", ["Status", "", "-1"])
@pytest.mark.parametrize("idle", [0, 0x18FF00, 0x58FF00, 0x19FF00])
def test_events_are_the_low_byte_of_the_last_channel(tmp_path: Path, name: str, idle: int) -> None:
    file = Bdf(write(tmp_path / "s.bdf", name, idle))
    assert file.events() == [(1.0, 3), (6.0, 4), (66.0, 5)]


def test_other_programs_read_the_same(path: Path) -> None:
    raw = mne.io.read_raw_bdf(path, verbose="error")
    np.testing.assert_allclose(raw.get_data("Cz")[0] * 1e6, Bdf(path).read([0])[:, 0], atol=1e-4)
    events = mne.find_events(raw, "Status", verbose="error")
    assert [(at / SFREQ, code) for at, _, code in events] == Bdf(path).events()


def test_a_name_must_be_there_once(path: Path) -> None:
    with pytest.raises(DatasetDamaged, match="has 0 channels 'Fz', wanted 1; there are: Cz, Temp"):
        Bdf(path).index("Fz")


def edited(path: Path, at: int, text: bytes) -> Path:
    raw = bytearray(path.read_bytes())
    raw[at : at + len(text)] = text
    path.write_bytes(raw)
    return path


def test_an_unfinished_recording_is_as_long_as_its_file(path: Path) -> None:
    assert Bdf(edited(path, 236, b"-1      ")).records == SECONDS


@pytest.mark.parametrize(
    ("at", "text", "match"),
    [
        (0, b"0       ", "is no BDF file"),
        (236, b"71      ", "truncated or damaged"),
        (236, b"nan     ", "number of records is b'nan"),
        (236, b"1e300   ", "number of records"),
        (244, b"0       ", "seconds a record is 0"),
        (252, b"9999", "number of signals is 9999"),
        (252, b"4   ", "a header of 1024 bytes for 4 signals"),
        (BLOCK + 3 * (16 + 80 + 8), b"x", "scale of 'Cz'"),
        (BLOCK + 3 * (16 + 80 + 8), b"nan     ", r"scale of 'Cz' is .*, which is none"),
        (BLOCK + 3 * (16 + 80 + 8), b"262143  ", r"scale of 'Cz' is .*, which is none"),
        (BLOCK + 3 * (16 + 80 + 8 + 8 + 8 + 8 + 8 + 80), b"-1", "samples of 'Cz'"),
    ],
)
def test_a_header_that_cannot_be_is_named(path: Path, at: int, text: bytes, match: str) -> None:
    with pytest.raises(DatasetDamaged, match=match) as caught:
        Bdf(edited(path, at, text))
    assert str(path) in str(caught.value)


@pytest.mark.parametrize("size", [0, 100, BLOCK, BLOCK + 10, 4 * BLOCK, 50_000])
def test_a_truncated_file_is_named(path: Path, size: int) -> None:
    path.write_bytes(path.read_bytes()[:size])
    with pytest.raises(DatasetDamaged, match=r"s01\.bdf"):
        Bdf(path)


def test_channels_of_two_rates_are_not_read_together(path: Path) -> None:
    first = BLOCK + 3 * (16 + 80 + 8 + 8 + 8 + 8 + 8 + 80)
    edited(path, first, b"128     384     ")
    with pytest.raises(DatasetDamaged, match="several rates"):
        Bdf(path).read([0, 1])


def test_what_does_not_fit_into_a_file_is_not_written(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="'a' has 0 to 9e\\+09, its range is -262144 to 262143"):
        write_bdf(tmp_path / "x", [Track("a", np.linspace(0, 9e9, 300))], 100)
    with pytest.raises(BadInput, match=r"channels have \[1, 300\] samples"):
        write_bdf(tmp_path / "x", [Track("a", np.zeros(300)), Track("b", np.zeros(1))], 100)
