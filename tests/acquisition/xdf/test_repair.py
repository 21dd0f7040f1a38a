"""Repair: what is whole is kept, what is lost is said, and the original is not touched."""

from __future__ import annotations

import errno
import io
import logging
import os
import struct
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import pyxdf

from biosense.acquisition.xdf.chunk_scanner import ChunkScanner, RawChunk
from biosense.acquisition.xdf.layout import MAGIC, Tag, pack_chunk
from biosense.acquisition.xdf.losses import find_losses
from biosense.acquisition.xdf.parse import Footer, SamplesChunk, XdfParser
from biosense.acquisition.xdf.reader import XdfReader, load
from biosense.acquisition.xdf.repair import copy_usable, repair
from biosense.acquisition.xdf.writer import XdfWriter
from biosense.core.errors import BadInput, RecordingFailed
from biosense.core.types import TEXT, Chunk, Modality, StreamInfo
from tests.support.lsl.labrecorder import Sender, record
from tests.support.small_files import small_file, values


@pytest.fixture(scope="module")
def whole() -> bytes:
    return small_file()


@pytest.fixture
def quiet() -> Iterator[None]:
    logging.getLogger("pyxdf").setLevel(logging.CRITICAL + 1)
    ours = logging.getLogger("biosense")
    before = ours.level
    ours.setLevel(logging.ERROR)
    yield
    ours.setLevel(before)


@pytest.fixture
def unsynced(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave the disk alone: thousands of syncs take minutes."""
    monkeypatch.setattr(os, "fsync", lambda file: None)


@pytest.mark.usefixtures("quiet", "unsynced")
def test_a_file_cut_at_any_byte_is_repaired(tmp_path: Path, whole: bytes) -> None:
    for size in range(len(MAGIC), len(whole)):
        copied = io.BytesIO()
        copy_usable(whole[:size], copied)
        assert values(copied.getvalue()) == values(whole[:size])
    cut, made = tmp_path / "cut.xdf", tmp_path / "whole.xdf"
    for size in range(len(MAGIC), len(whole), 13):
        cut.write_bytes(whole[:size])
        result = repair(cut, made)
        assert cut.read_bytes() == whole[:size]
        reader = XdfReader(made)
        assert reader.complete or not reader.streams
        streams, _ = pyxdf.load_xdf(made)
        for stream in streams:
            count = len(stream["time_stamps"])
            assert int(stream["footer"]["info"]["sample_count"][0]) == count
            assert result.samples[stream["info"]["name"][0]] == count
        made.unlink()


def test_repair_overwrites_nothing(tmp_path: Path, whole: bytes) -> None:
    (tmp_path / "a.xdf").write_bytes(whole)
    with pytest.raises(BadInput, match="exists"):
        repair(tmp_path / "a.xdf", tmp_path / "a.xdf")
    assert (tmp_path / "a.xdf").read_bytes() == whole


def test_repair_gives_a_repeated_stream_id_a_new_one(tmp_path: Path, whole: bytes) -> None:
    """Pyxdf throws away all it had of a stream when its header comes again."""
    header = next(chunk for chunk in ChunkScanner(whole) if chunk.tag == Tag.STREAM_HEADER)
    again = pack_chunk(Tag.STREAM_HEADER, header.content, header.stream_id)
    data = pack_chunk(Tag.SAMPLES, bytes.fromhex("0100"), header.stream_id)
    footers = [chunk for chunk, parsed in XdfParser(whole).pairs() if isinstance(parsed, Footer)]
    (tmp_path / "a.xdf").write_bytes(whole[: footers[0].start] + again + data)
    repair(tmp_path / "a.xdf", tmp_path / "b.xdf")
    streams, _ = pyxdf.load_xdf(tmp_path / "b.xdf")
    assert [len(stream["time_stamps"]) for stream in streams] == [12, 4, 2, 0]


def write_long(path: Path) -> list[RawChunk]:
    """Write 20 s of two regular streams and one of words; return the chunks of the first."""
    eeg = StreamInfo("eeg", Modality.EEG, ("a",), 100.0, dtype="float32")
    eda = StreamInfo("eda", Modality.EDA, ("a",), 4.0, dtype="float32")
    words = StreamInfo("words", None, ("a",), 0.0, dtype=TEXT)
    with XdfWriter(path) as writer:
        for info in (eeg, eda, words):
            writer.add_stream(info)
        for second in range(100, 120):
            for info, n in ((eeg, 100), (eda, 4)):
                times = second + np.arange(n) / n
                writer.write(Chunk.of(info, times, np.zeros((n, 1))))
            writer.write(Chunk.of(words, [second + 0.5], [["word"]]))
    return [c for c, p in XdfParser(path.read_bytes()).pairs() if isinstance(p, SamplesChunk)]


def garbled(data: bytes, start: int, stop: int) -> bytes:
    return data[:start] + np.random.default_rng(0).bytes(stop - start) + data[stop:]


@pytest.mark.usefixtures("quiet")
def test_what_is_lost_in_the_middle_is_said_exactly(tmp_path: Path) -> None:
    chunks = write_long(tmp_path / "a.xdf")
    data = (tmp_path / "a.xdf").read_bytes()
    (tmp_path / "b.xdf").write_bytes(garbled(data, chunks[30].start, chunks[35].stop))
    (loss,) = repair(tmp_path / "b.xdf", tmp_path / "c.xdf").losses
    assert (loss.damage.start, loss.damage.stop) == (chunks[30].start, chunks[35].stop)
    assert (loss.start, loss.stop) == (109.75, 112.0)
    assert loss.samples == {"eeg": 200, "eda": 8}
    assert "about 200 samples of eeg, 8 samples of eda missing" in str(loss)
    assert "between 9.750 and 12.000 s" in loss.describe(origin=100.0)
    assert (tmp_path / "b.xdf").read_bytes() != data


@pytest.mark.usefixtures("quiet")
def test_what_is_lost_at_the_end_is_what_the_torn_chunk_says(tmp_path: Path) -> None:
    chunks = write_long(tmp_path / "a.xdf")
    data = (tmp_path / "a.xdf").read_bytes()
    (tmp_path / "b.xdf").write_bytes(data[: chunks[-3].stop - 5])
    (loss,) = find_losses(XdfReader(tmp_path / "b.xdf"))
    assert loss.samples == {"eeg": 100}
    assert np.isnan(loss.stop)
    assert "at the end, after 118.990 s" in str(loss)


@pytest.mark.usefixtures("quiet")
def test_two_places_are_told_apart_and_words_count_themselves(tmp_path: Path) -> None:
    chunks = write_long(tmp_path / "a.xdf")
    data = (tmp_path / "a.xdf").read_bytes()
    word = chunks[20]
    data = garbled(data, word.start + 17, word.stop)
    data = garbled(data, chunks[45].start, chunks[45].stop)
    (tmp_path / "b.xdf").write_bytes(data)
    first, second = find_losses(XdfReader(tmp_path / "b.xdf"))
    assert (first.samples, second.samples) == ({"words": 1}, {"eeg": 100})
    assert (second.start, second.stop) == (114.99, 116.0)


@pytest.mark.usefixtures("quiet")
def test_a_wrong_length_costs_nothing_and_is_mended(tmp_path: Path, whole: bytes) -> None:
    chunk = [chunk for chunk in ChunkScanner(whole) if chunk.tag == Tag.SAMPLES][2]
    torn = bytearray(whole)
    torn[chunk.start + 1 : chunk.start + 5] = struct.pack("<I", 7)
    (tmp_path / "a.xdf").write_bytes(torn)
    (loss,) = repair(tmp_path / "a.xdf", tmp_path / "b.xdf").losses
    assert (loss.samples, loss.damage.size) == ({}, 1)
    assert str(loss).endswith("nothing else is missing")
    assert values((tmp_path / "b.xdf").read_bytes()) == values(whole)
    assert XdfReader(tmp_path / "b.xdf").complete


@pytest.mark.usefixtures("quiet")
def test_a_header_that_is_no_xml_is_written_anew(tmp_path: Path, whole: bytes) -> None:
    at = whole.index(b"<desc>")
    (tmp_path / "a.xdf").write_bytes(whole[:at] + b"<desc<" + whole[at + 6 :])
    repair(tmp_path / "a.xdf", tmp_path / "b.xdf")
    streams, _ = pyxdf.load_xdf(tmp_path / "b.xdf")
    assert [len(stream["time_stamps"]) for stream in streams] == [12, 4, 2]
    assert streams[0]["info"]["nominal_srate"] == ["100.0"]


@pytest.mark.usefixtures("quiet")
def test_a_stamp_left_out_behind_a_lost_chunk_is_counted_back(tmp_path: Path) -> None:
    """It would go on from the sample before the damage."""
    times = 0.125 * np.arange(2, 1000)  # a pull of 3 samples, then of 4
    sender = Sender("n", times, np.arange(998.0)[:, None], "int32", 8.0, offset=0.0)
    data = record([sender], 42.0, footers=False)
    chunks = [chunk for chunk in ChunkScanner(data) if chunk.tag == Tag.SAMPLES]
    odd = next(
        number for number, chunk in enumerate(chunks) if number > 9 and chunk.content[5] == 0
    )
    torn = garbled(data, chunks[odd - 1].start, chunks[odd - 1].stop)
    (tmp_path / "a.xdf").write_bytes(torn)
    (loss,) = repair(tmp_path / "a.xdf", tmp_path / "b.xdf").losses
    assert loss.samples == {"n": 4}
    for path in (tmp_path / "a.xdf", tmp_path / "b.xdf"):
        ours = load(path).stream("n")
        assert np.array_equal(ours.times, sender.times[ours.data[:, 0]])
    streams, _ = pyxdf.load_xdf(tmp_path / "b.xdf", dejitter_timestamps=False)
    assert np.array_equal(streams[0]["time_stamps"], load(tmp_path / "b.xdf").stream("n").times)


def test_a_repair_that_finds_no_space_leaves_nothing(
    tmp_path: Path, whole: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "a"
    folder.mkdir()
    (folder / "recording.xdf").write_bytes(whole[:-20])

    def full(file: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    for path, out in ((folder, "b"), (folder / "recording.xdf", "b.xdf")):
        with pytest.raises(RecordingFailed, match="No space left"):
            repair(path, tmp_path / out)
    assert sorted(each.name for each in tmp_path.iterdir()) == ["a"]
    assert (folder / "recording.xdf").read_bytes() == whole[:-20]
