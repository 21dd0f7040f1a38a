"""Cut, torn and garbled files: what is whole is read, and nothing else."""

import io
import logging
from pathlib import Path

import numpy as np
import pytest
import pyxdf

from biosense.acquisition.xdf.chunk_scanner import ChunkScanner
from biosense.acquisition.xdf.layout import BOUNDARY, MAGIC, Tag, pack_chunk
from biosense.acquisition.xdf.parse import SamplesChunk, XdfParser
from biosense.acquisition.xdf.reader import XdfReader, load
from biosense.acquisition.xdf.writer import XdfWriter
from biosense.core.errors import BiosenseError, RecordingDamaged
from biosense.core.types import Chunk
from tests.support.small_files import EEG, small_file, values


@pytest.fixture(scope="module")
def whole() -> bytes:
    return small_file()


def ends_of_samples(data: bytes) -> list[int]:
    return [
        chunk.stop for chunk, parsed in XdfParser(data).pairs() if isinstance(parsed, SamplesChunk)
    ]


@pytest.fixture
def quiet() -> None:
    logging.getLogger("pyxdf").setLevel(logging.CRITICAL + 1)


def test_a_file_cut_at_any_byte_gives_its_complete_chunks(tmp_path: Path, whole: bytes) -> None:
    expected, ends = values(whole), ends_of_samples(whole)
    path = tmp_path / "cut.xdf"
    for size in range(len(MAGIC), len(whole)):
        kept = sum(end <= size for end in ends)
        assert values(whole[:size]) == expected[:kept]
        if size % 11 == 0:
            path.write_bytes(whole[:size])
            reader = XdfReader(path)
            assert sum(1 for item in reader.items() if isinstance(item, Chunk)) == kept
            assert not reader.complete


@pytest.mark.parametrize("size", range(len(MAGIC)))
def test_a_file_without_its_first_bytes_is_no_recording(
    tmp_path: Path, whole: bytes, size: int
) -> None:
    (tmp_path / "cut.xdf").write_bytes(whole[:size])
    with pytest.raises(RecordingDamaged):
        XdfReader(tmp_path / "cut.xdf")


@pytest.mark.usefixtures("quiet")
def test_pyxdf_loads_a_cut_file_trimmed_to_its_last_complete_chunk(whole: bytes) -> None:
    ends = [len(MAGIC), *(chunk.stop for chunk in ChunkScanner(whole))]
    for end in ends:
        streams, _ = pyxdf.load_xdf(io.BytesIO(whole[:end]))
        kept = sum(stop <= end for stop in ends_of_samples(whole))
        parsed = [item for item in XdfParser(whole) if isinstance(item, SamplesChunk)][:kept]
        for number, stream in enumerate(streams):
            stamps = [item.stamps for item in parsed if item.number == number]
            assert len(stream["time_stamps"]) == sum(map(len, stamps))


@pytest.mark.usefixtures("quiet")
def test_pyxdf_loads_a_file_whose_writer_was_killed_anywhere(whole: bytes) -> None:
    """The writer puts down the first byte of a chunk last, so before it a zero stands there."""
    before = len(MAGIC)
    complete = 0
    for chunk, parsed in XdfParser(whole).pairs():
        body = whole[chunk.start + 1 : chunk.stop]
        for size in range(0, len(body) + 1, 1 if len(body) < 100 else 7):
            torn = whole[:before] + b"\x00" + body[:size]
            streams, _ = pyxdf.load_xdf(io.BytesIO(torn))
            assert sum(len(stream["time_stamps"]) for stream in streams) == complete
            # Only its first byte is missing: we know it again, pyxdf does not.
            assert values(torn) == values(whole[: chunk.stop if size == len(body) else before])
        complete += len(parsed.stamps) if isinstance(parsed, SamplesChunk) else 0
        before = chunk.stop


@pytest.mark.parametrize("seed", range(20))
def test_garbage_between_chunks_costs_at_most_the_way_to_the_next_boundary(
    whole: bytes, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    chunks = list(ChunkScanner(whole))
    at = int(rng.integers(4, len(chunks) - 8))
    garbage = rng.bytes(int(rng.integers(1, 300)))
    torn = whole[: chunks[at].stop] + garbage + whole[chunks[at].stop :]
    boundary = next(chunk for chunk in chunks[at + 1 :] if chunk.tag == Tag.BOUNDARY)
    safe = values(whole)[sum(end <= boundary.stop for end in ends_of_samples(whole)) :]
    got = values(torn)
    before = sum(end <= chunks[at].stop for end in ends_of_samples(whole))
    assert got[:before] == values(whole)[:before]
    assert all(value in got for value in safe)
    assert all(value in values(whole) for value in got)


@pytest.mark.parametrize("byte", range(5))
@pytest.mark.parametrize("value", [0x00, 0x01, 0x05, 0x7F, 0xFF])
def test_a_damaged_length_costs_no_sample(whole: bytes, byte: int, value: int) -> None:
    for chunk in ChunkScanner(whole):
        torn = bytearray(whole)
        torn[chunk.start + byte] = value
        parser = XdfParser(bytes(torn))
        got = [item.stamps.tobytes() for item in parser if isinstance(item, SamplesChunk)]
        assert got == [stamps for _, stamps, _ in values(whole)]
        assert [damage.start for damage in parser.damage] in ([], [chunk.start])


def test_a_damaged_number_of_samples_costs_nothing(whole: bytes) -> None:
    chunk = next(chunk for chunk in ChunkScanner(whole) if chunk.tag == Tag.SAMPLES)
    for byte in range(5):
        torn = bytearray(whole)
        torn[chunk.start + 11 + byte] = 0x6E
        parser = XdfParser(bytes(torn))
        assert len([item for item in parser if isinstance(item, SamplesChunk)]) == len(
            values(whole)
        )
        assert "recounted" in parser.damage[0].reason


def test_damage_costs_only_the_chunk_that_it_hits(whole: bytes) -> None:
    """LabRecorder writes a boundary every 10 s: waiting for it would cost seconds."""
    bare = b"".join(
        whole[chunk.start : chunk.stop]
        for chunk in ChunkScanner(whole)
        if chunk.tag != Tag.BOUNDARY
    )
    data = MAGIC + bare
    chunks = [
        chunk for chunk, parsed in XdfParser(data).pairs() if isinstance(parsed, SamplesChunk)
    ]
    for number in (0, 2, 4):
        hit = chunks[number]
        middle = (hit.start + hit.stop) // 2
        garbage = np.random.default_rng(number).bytes(hit.stop - hit.start)
        torn = data[: hit.start] + garbage + data[hit.stop :]
        expected = [value for index, value in enumerate(values(data)) if index != number]
        assert values(torn) == expected
        missing = data[: hit.start + 3] + data[middle:]
        assert values(missing) == expected


def test_a_header_with_a_garbled_description_still_gives_its_samples(whole: bytes) -> None:
    header = next(chunk for chunk in ChunkScanner(whole) if chunk.tag == Tag.STREAM_HEADER)
    at = whole.index(b"<desc>", header.start)
    torn = whole[:at] + b"<\xff>" + whole[at + 3 :]
    parser = XdfParser(torn)
    assert len([item for item in parser if isinstance(item, SamplesChunk)]) == len(values(whole))
    assert [(damage.start, damage.stop) for damage in parser.damage] == [
        (header.start, header.stop)
    ]


def test_unknown_chunks_are_skipped(whole: bytes) -> None:
    first = next(iter(ChunkScanner(whole))).stop
    torn = whole[:first] + pack_chunk(77, b"anything") + whole[first:]
    parser = XdfParser(torn)
    assert len([item for item in parser if isinstance(item, SamplesChunk)]) == len(values(whole))
    assert parser.damage == []


def test_a_stream_with_an_unreadable_header_costs_only_itself(tmp_path: Path) -> None:
    path = tmp_path / "a.xdf"
    with XdfWriter(path) as writer:
        writer.add_stream(EEG)
        writer.write(Chunk.of(EEG, [1.0], [[1.0, 2.0]]))
    bad = pack_chunk(Tag.STREAM_HEADER, b"<info><name>x</name></info>", 9)
    bad += pack_chunk(Tag.SAMPLES, bytes(20), 9)
    path.write_bytes(MAGIC + bad + path.read_bytes()[len(MAGIC) :])
    reader = XdfReader(path)
    assert [info.name for info in reader.infos] == ["eeg"]
    assert reader.load().stream("eeg").n == 1
    assert len(reader.damage) == 2


@pytest.mark.parametrize("seed", range(10))
def test_no_flipped_byte_raises_more_than_our_errors(
    whole: bytes, tmp_path: Path, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    path = tmp_path / "a.xdf"
    for _ in range(40):
        torn = bytearray(whole)
        for at in rng.integers(len(MAGIC), len(whole), 3):
            torn[at] = rng.integers(256)
        path.write_bytes(torn)
        try:
            load(path)
        except BiosenseError as error:
            pytest.fail(f"a flipped byte must not cost the recording: {error}")


def test_a_cut_tail_is_warned_about(
    tmp_path: Path, whole: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "a.xdf"
    path.write_bytes(whole[: whole.rfind(BOUNDARY) - 3])
    load(path)
    assert "bytes are left out" in caplog.text
