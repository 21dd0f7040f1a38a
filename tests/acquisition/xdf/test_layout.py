"""The bytes of XDF, against byte vectors of real files."""

import struct

import numpy as np
import pytest

from biosense.acquisition.xdf.layout import (
    BOUNDARY,
    MAGIC,
    Malformed,
    Tag,
    pack_chunk,
    pack_offset,
    read_length,
    unpack_offset,
)
from biosense.acquisition.xdf.parse import XdfParser
from biosense.acquisition.xdf.sample_layout import SampleLayout
from biosense.core.errors import BadInput
from biosense.core.types import TEXT, StreamInfo

NUMBERS = SampleLayout(StreamInfo("numbers", None, ("a", "b", "c"), 10.0, dtype="int16"))
WORDS = SampleLayout(StreamInfo("words", None, ("word",), 10.0, dtype=TEXT))

ONE_SAMPLE = bytes.fromhex("0401000000 08 6666666666661440 C000FF00EE00")
FOUR_SAMPLES = bytes.fromhex(
    "0404000000 08 CDCCCCCCCCCC1440 0C0016002000 00 0D0017002100 00 0E0018002200"
    "08 0000000000001640 0F0019002300"
)
TWO_WORDS = bytes.fromhex("0402000000 08 CDCCCCCCCCCC1440 010548656C6C6F 00 0105576F726C64")


def test_a_sample_of_a_real_file_is_read_and_written() -> None:
    stamps, data = NUMBERS.unpack(ONE_SAMPLE, 0.0)
    assert stamps.tolist() == [5.1]
    assert data.tolist() == [[192, 255, 238]]
    assert data.dtype == np.int16
    assert NUMBERS.pack(stamps, data) == ONE_SAMPLE


def test_left_out_stamps_go_on_from_the_stamp_before() -> None:
    stamps, data = NUMBERS.unpack(FOUR_SAMPLES, 0.0)
    assert stamps.tolist() == [5.2, 5.2 + 0.1, 5.2 + 0.1 + 0.1, 5.5]
    assert data[:, 0].tolist() == [12, 13, 14, 15]


def test_a_left_out_first_stamp_goes_on_from_the_chunk_before() -> None:
    content = bytes.fromhex("0102 00 010002000300 00 040005000600")
    assert NUMBERS.unpack(content, 7.0)[0].tolist() == [7.1, 7.1 + 0.1]
    assert NUMBERS.unpack(content, 0.0)[0].tolist() == [0.1, 0.2]


def test_words_of_a_real_file_are_read() -> None:
    stamps, data = WORDS.unpack(TWO_WORDS, 0.0)
    assert stamps.tolist() == [5.2, 5.2 + 0.1]
    assert data.tolist() == [["Hello"], ["World"]]


def test_boundary_and_offset_of_a_real_file() -> None:
    vector = bytes.fromhex("01120500") + BOUNDARY
    assert pack_chunk(Tag.BOUNDARY, BOUNDARY)[5:] == vector[2:]
    content = bytes.fromhex("6666666666661840 9A9999999999B9BF")
    assert unpack_offset(content) == (6.1, -0.1)
    assert pack_offset(6.1, -0.1) == content


@pytest.mark.parametrize("form", ["01 07", "04 07000000", "08 0700000000000000"])
def test_lengths_are_read_in_every_form(form: str) -> None:
    assert read_length(bytes.fromhex(form), 0) == (7, len(bytes.fromhex(form)))


@pytest.mark.parametrize("dtype", ["int8", "int16", "int32", "int64", "float32", "float64"])
def test_numbers_come_back_bit_for_bit(dtype: str) -> None:
    rng = np.random.default_rng(1)
    layout = SampleLayout(StreamInfo("x", None, tuple("abcde"), 100.0, dtype=dtype))
    data = np.frombuffer(rng.bytes(7 * 5 * np.dtype(dtype).itemsize), dtype).reshape(7, 5)
    stamps = rng.standard_normal(7) * 1e5
    got_stamps, got = layout.unpack(layout.pack(stamps, data), 0.0)
    assert got.dtype == np.dtype(dtype)
    assert got.tobytes() == data.tobytes()
    assert got_stamps.tobytes() == stamps.tobytes()


@pytest.mark.parametrize("layout", [NUMBERS, WORDS])
def test_a_chunk_of_no_samples_is_fine(layout: SampleLayout) -> None:
    stamps, data = layout.unpack(bytes([1, 0]), 3.0)
    assert stamps.shape == (0,)
    assert data.shape == (0, layout.info.n_channels)


@pytest.mark.parametrize("content", [ONE_SAMPLE, FOUR_SAMPLES, TWO_WORDS])
def test_content_of_any_other_length_is_malformed(content: bytes) -> None:
    layout = WORDS if content == TWO_WORDS else NUMBERS
    for size in range(len(content)):
        with pytest.raises(Malformed):
            layout.unpack(content[:size], 0.0)
    with pytest.raises(Malformed):
        layout.unpack(content + b"\x00", 0.0)


def test_a_count_beyond_all_reason_costs_no_memory() -> None:
    with pytest.raises(Malformed, match="cannot stand"):
        NUMBERS.unpack(b"\x08" + struct.pack("<Q", 2**62), 0.0)


@pytest.mark.parametrize("stamp", [np.nan, np.inf])
def test_samples_without_a_finite_stamp_are_refused(stamp: float) -> None:
    with pytest.raises(BadInput, match="finite"):
        NUMBERS.pack(np.array([1.0, stamp]), np.zeros((2, 3), np.int16))


def test_data_of_another_type_than_announced_is_refused() -> None:
    with pytest.raises(BadInput, match="announced as int16"):
        NUMBERS.pack(np.array([1.0]), np.zeros((1, 3)))


def test_real_chunks_parse_as_a_stream() -> None:
    xml = (
        b"<info><name>C</name><channel_count>3</channel_count><nominal_srate>10</nominal_srate>"
        b"<channel_format>int16</channel_format></info>"
    )
    data = MAGIC + pack_chunk(Tag.STREAM_HEADER, xml, 0)
    data += bytes.fromhex("01 1A 0300 00000000") + ONE_SAMPLE
    data += bytes.fromhex("01 12 0500") + BOUNDARY
    data += bytes.fromhex("01 16 0400 00000000 6666666666661840 9A9999999999B9BF")
    parser = XdfParser(data)
    assert [type(parsed).__name__ for parsed in parser] == ["Header", "SamplesChunk", "Offset"]
    assert parser.damage == []
