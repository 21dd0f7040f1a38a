"""Cut, torn and garbled files: what is whole is read, and nothing else."""

import io
import logging
from pathlib import Path

import numpy as np
import pytest
import pyxdf

from biosense.acquisition.xdf.layout import BOUNDARY, MAGIC, Tag, pack_chunk
from biosense.acquisition.xdf.parse import ChunkWalker, Footer, Samples, XdfParser
from biosense.acquisition.xdf.reader import XdfReader, load
from biosense.acquisition.xdf.repair import repair
from biosense.acquisition.xdf.writer import XdfWriter
from biosense.core.errors import BadInput, BiosenseError, RecordingDamaged
from biosense.core.types import TEXT, Chunk, ClockOffset, Modality, StreamInfo

EEG = StreamInfo("eeg", Modality.EEG, ("a", "b"), 100.0, "uV", dtype="float32", lossy=True)
WORDS = StreamInfo("words", None, ("word",), 0.0, dtype=TEXT)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("whole") / "a.xdf"
    rng = np.random.default_rng(5)
    with XdfWriter(path) as writer:
        writer.add_stream(EEG)
        writer.add_stream(WORDS)
        writer.boundary()
        writer.write_offset(ClockOffset(EEG, 10.0, 0.5))
        for block in range(4):
            times = 10.0 + block + np.arange(3) / 100.0
            writer.write(Chunk.of(EEG, times, rng.standard_normal((3, 2))))
            writer.write(Chunk.of(WORDS, [10.5 + block], [[f"word {block}"]]))
            writer.boundary()
        late = StreamInfo("late", None, ("x",), 0.0, dtype="int32")
        writer.add_stream(late)
        writer.write(Chunk.of(late, [20.0, 21.0], [[7], [8]]))
    return path.read_bytes()


def values(data: bytes) -> list[tuple[int, bytes, object]]:
    return [
        (parsed.number, parsed.stamps.tobytes(), parsed.data.tolist())
        for parsed in XdfParser(data)
        if isinstance(parsed, Samples)
    ]


def ends_of_samples(data: bytes) -> list[int]:
    return [chunk.stop for chunk, parsed in XdfParser(data).pairs() if isinstance(parsed, Samples)]


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
    ends = [len(MAGIC), *(chunk.stop for chunk in ChunkWalker(whole))]
    for end in ends:
        streams, _ = pyxdf.load_xdf(io.BytesIO(whole[:end]))
        kept = sum(stop <= end for stop in ends_of_samples(whole))
        parsed = [item for item in XdfParser(whole) if isinstance(item, Samples)][:kept]
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
            assert values(torn) == values(whole[:before])
        complete += len(parsed.stamps) if isinstance(parsed, Samples) else 0
        before = chunk.stop


@pytest.mark.usefixtures("quiet")
def test_a_repaired_file_has_footers_and_loads_everywhere(tmp_path: Path, whole: bytes) -> None:
    for size in range(len(MAGIC), len(whole), 61):
        cut, made = tmp_path / f"{size}.xdf", tmp_path / f"{size}-whole.xdf"
        cut.write_bytes(whole[:size])
        result = repair(cut, made)
        assert cut.read_bytes() == whole[:size]
        assert values(made.read_bytes()) == values(whole[:size])
        reader = XdfReader(made)
        assert reader.complete or not reader.streams
        streams, _ = pyxdf.load_xdf(made)
        for stream in streams:
            assert int(stream["footer"]["info"]["sample_count"][0]) == len(stream["time_stamps"])
            assert result.samples[stream["info"]["name"][0]] == len(stream["time_stamps"])


def test_repair_overwrites_nothing(tmp_path: Path, whole: bytes) -> None:
    (tmp_path / "a.xdf").write_bytes(whole)
    with pytest.raises(BadInput, match="exists"):
        repair(tmp_path / "a.xdf", tmp_path / "a.xdf")
    assert (tmp_path / "a.xdf").read_bytes() == whole


def test_repair_gives_a_repeated_stream_id_a_new_one(tmp_path: Path, whole: bytes) -> None:
    """Pyxdf throws away all it had of a stream when its header comes again."""
    header = next(chunk for chunk in ChunkWalker(whole) if chunk.tag == Tag.STREAM_HEADER)
    again = pack_chunk(Tag.STREAM_HEADER, header.content, header.stream_id)
    data = pack_chunk(Tag.SAMPLES, bytes.fromhex("0100"), header.stream_id)
    footers = [chunk for chunk, parsed in XdfParser(whole).pairs() if isinstance(parsed, Footer)]
    (tmp_path / "a.xdf").write_bytes(whole[: footers[0].start] + again + data)
    repair(tmp_path / "a.xdf", tmp_path / "b.xdf")
    streams, _ = pyxdf.load_xdf(tmp_path / "b.xdf")
    assert [len(stream["time_stamps"]) for stream in streams] == [12, 4, 2, 0]


@pytest.mark.parametrize("seed", range(20))
def test_garbage_between_chunks_costs_at_most_the_way_to_the_next_boundary(
    whole: bytes, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    chunks = list(ChunkWalker(whole))
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


def test_a_damaged_length_is_stepped_over(whole: bytes, tmp_path: Path) -> None:
    chunks = [chunk for chunk in ChunkWalker(whole) if chunk.tag == Tag.SAMPLES]
    torn = bytearray(whole)
    torn[chunks[2].start + 4] = 0x7F  # a length of 2 GB
    (tmp_path / "a.xdf").write_bytes(torn)
    reader = XdfReader(tmp_path / "a.xdf")
    assert [damage.start for damage in reader.damage] == [chunks[2].start]
    assert values(bytes(torn)) == values(whole)[:2] + values(whole)[4:]


def test_unknown_chunks_are_skipped(whole: bytes) -> None:
    first = next(iter(ChunkWalker(whole))).stop
    torn = whole[:first] + pack_chunk(77, b"anything") + whole[first:]
    parser = XdfParser(torn)
    assert len([item for item in parser if isinstance(item, Samples)]) == len(values(whole))
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
