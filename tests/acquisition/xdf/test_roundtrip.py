"""Files that we write, read by pyxdf and by us; files of other programs, read by us."""

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
import pyxdf

from biosense.acquisition.xdf.reader import XdfReader, load
from biosense.acquisition.xdf.writer import XdfWriter
from biosense.core.errors import BadInput, RecordingDamaged
from biosense.core.types import TEXT, Chunk, ClockOffset, Modality, StreamInfo
from tests.support.stand_ins import PublicFile

DTYPES = ("int8", "int16", "int32", "int64", "float32", "float64")
WORDS = StreamInfo("words ü", None, ("word", "more"), 0.0, dtype=TEXT, content_type="Markers")
TEXTS = [["Hello", ""], ["心拍 <&> \"'", "a\nb"], ["x" * 5000, "🫀"]]


def numbers(dtype: str, *, lossy: bool = True) -> StreamInfo:
    return StreamInfo(dtype, Modality.EEG, ("a", "b"), 100.0, "uV", f"id-{dtype}", dtype, lossy)


def stamps_of(n: int) -> np.ndarray:
    """Irregular stamps with a gap that pyxdf would smear if the stream were not lossy."""
    stamps = 1000.0 + np.arange(n) / 100.0 + np.random.default_rng(3).normal(0, 1e-3, n)
    return np.sort(stamps) + 3.0 * (np.arange(n) > n // 2)


def written(path: Path) -> dict[str, Chunk]:
    rng = np.random.default_rng(2)
    chunks = {}
    for dtype in DTYPES:
        data = rng.integers(-100, 100, (250, 2)).astype(dtype)
        chunks[dtype] = Chunk.of(numbers(dtype), stamps_of(250), data)
    chunks[WORDS.name] = Chunk.of(WORDS, [1000.5, 1000.5, 1007.25], TEXTS)
    with XdfWriter(path, started=datetime(2026, 11, 20, 12, 0, tzinfo=UTC)) as writer:
        for chunk in chunks.values():
            writer.add_stream(chunk.info)
        writer.boundary()
        for chunk in chunks.values():
            for start in range(0, chunk.n, 90):
                writer.write(chunk.slice(start, start + 90))
        writer.sync()
    return chunks


@pytest.mark.parametrize("dejitter", [True, False])
def test_pyxdf_reads_what_was_written(tmp_path: Path, dejitter: bool) -> None:
    chunks = written(tmp_path / "a.xdf")
    streams, header = pyxdf.load_xdf(tmp_path / "a.xdf", dejitter_timestamps=dejitter)
    assert header["info"]["datetime"][0] == "2026-11-20T12:00:00+00:00"
    assert [stream["info"]["name"][0] for stream in streams] == list(chunks)
    for stream in streams:
        chunk = chunks[stream["info"]["name"][0]]
        assert np.array_equal(stream["time_stamps"], chunk.times)
        assert np.array_equal(np.asarray(stream["time_series"], chunk.data.dtype), chunk.data)
        footer = stream["footer"]["info"]
        assert int(footer["sample_count"][0]) == chunk.n
        assert float(footer["first_timestamp"][0]) == chunk.times[0]
        assert float(footer["last_timestamp"][0]) == chunk.times[-1]


def test_pyxdf_keeps_the_stamps_of_a_regular_stream_without_loss(tmp_path: Path) -> None:
    info = numbers("float32", lossy=False)
    chunk = Chunk.of(info, 50.0 + np.arange(1000) / 100.0, np.zeros((1000, 2)))
    with XdfWriter(tmp_path / "a.xdf") as writer:
        writer.add_stream(info)
        for second in range(0, 11, 5):
            writer.write_offset(ClockOffset(info, 50.0 + second, 0.0))
        writer.write(chunk)
    (stream,), _ = pyxdf.load_xdf(tmp_path / "a.xdf")
    np.testing.assert_allclose(stream["time_stamps"], chunk.times, rtol=0, atol=1e-9)
    (stream,), _ = pyxdf.load_xdf(tmp_path / "a.xdf", dejitter_timestamps=False)
    assert np.array_equal(stream["time_stamps"], chunk.times)


def test_we_read_what_was_written(tmp_path: Path) -> None:
    chunks = written(tmp_path / "a.xdf")
    recording = load(tmp_path / "a.xdf")
    assert recording.started == datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
    assert [chunk.info for chunk in recording.streams] == [numbers(dtype) for dtype in DTYPES]
    for chunk in recording.streams:
        assert np.array_equal(chunk.times, chunks[chunk.info.name].times)
        assert np.array_equal(chunk.data, chunks[chunk.info.name].data)
        assert chunk.data.dtype == np.dtype(chunk.info.dtype)
        assert chunk.stamps is None
    assert [marker.text for marker in recording.markers] == [", ".join(row) for row in TEXTS]
    assert [marker.time for marker in recording.markers] == [1000.5, 1000.5, 1007.25]
    assert XdfReader(tmp_path / "a.xdf").complete


def test_items_come_in_the_order_of_the_file(tmp_path: Path) -> None:
    a, b = numbers("int8"), numbers("int16")
    with XdfWriter(tmp_path / "a.xdf") as writer:
        assert (writer.add_stream(a), writer.add_stream(b)) == (1, 2)
        for number, info in enumerate([b, a, a, b]):
            writer.write(Chunk.of(info, [float(number)], [[1, 2]]))
    names = [
        item.info.name for item in XdfReader(tmp_path / "a.xdf").items() if isinstance(item, Chunk)
    ]
    assert names == ["int16", "int8", "int8", "int16"]


def test_raw_stamps_and_offsets_are_written_not_session_times(tmp_path: Path) -> None:
    info = numbers("float32")
    stamps, times = np.array([10.0, 11.0]), np.array([110.5, 111.5])
    chunk = Chunk(info, times, np.zeros((2, 2), np.float32), np.ones(2, bool), stamps)
    with XdfWriter(tmp_path / "a.xdf") as writer:
        writer.add_stream(info)
        writer.write_offset(ClockOffset(info, 9.0, 100.5))
        writer.write(chunk)
    (stream,), _ = pyxdf.load_xdf(tmp_path / "a.xdf", synchronize_clocks=False)
    assert stream["time_stamps"].tolist() == stamps.tolist()
    assert stream["footer"]["info"]["clock_offsets"][0]["offset"][0]["value"] == ["100.5"]
    (stream,), _ = pyxdf.load_xdf(tmp_path / "a.xdf")
    assert stream["time_stamps"].tolist() == times.tolist()
    ours = load(tmp_path / "a.xdf").stream("float32")
    assert ours.times.tolist() == times.tolist()
    assert ours.stamps is not None
    assert ours.stamps.tolist() == stamps.tolist()


def test_a_repeated_name_is_numbered(tmp_path: Path) -> None:
    info = numbers("int8")
    with XdfWriter(tmp_path / "a.xdf") as writer:
        for _ in range(3):
            writer.add_stream(info)
    names = [info.name for info in XdfReader(tmp_path / "a.xdf").infos]
    assert names == ["int8", "int8 (2)", "int8 (3)"]


def test_empty_chunks_leave_no_trace(tmp_path: Path) -> None:
    with XdfWriter(tmp_path / "a.xdf") as writer:
        writer.add_stream(WORDS)
        writer.add_stream(numbers("int8"))
        size = writer.size
        writer.write(Chunk.of(WORDS, [], []))
        assert writer.size == size
    recording = load(tmp_path / "a.xdf")
    assert recording.stream("int8").n == 0
    assert recording.markers == ()


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    (tmp_path / "a.xdf").write_bytes(b"precious")
    with pytest.raises(FileExistsError):
        XdfWriter(tmp_path / "a.xdf")
    assert (tmp_path / "a.xdf").read_bytes() == b"precious"


def test_a_writer_refuses_what_it_could_not_give_back(tmp_path: Path) -> None:
    info = numbers("int16")
    with XdfWriter(tmp_path / "a.xdf") as writer:
        with pytest.raises(BadInput, match="no header"):
            writer.write(Chunk.of(info, [1.0], [[1, 2]]))
        writer.add_stream(info)
        with pytest.raises(BadInput, match="finite"):
            writer.write(Chunk.of(info, [np.nan], [[1, 2]]))
        with pytest.raises(BadInput, match="finite"):
            writer.write_offset(ClockOffset(info, 1.0, np.nan))
    assert load(tmp_path / "a.xdf").stream("int16").n == 0


@pytest.mark.parametrize(
    ("content", "error", "message"),
    [
        (b"", RecordingDamaged, "is empty"),
        (b"EDF:rest", RecordingDamaged, "no XDF file"),
        (b"\x1f\x8b\x08\x00", BadInput, "compressed"),
        (b"\x78\x9crest", BadInput, "compressed"),
    ],
)
def test_what_is_no_recording_is_refused_with_the_reason(
    tmp_path: Path, content: bytes, error: type[Exception], message: str
) -> None:
    (tmp_path / "a.xdf").write_bytes(content)
    with pytest.raises(error, match=message):
        load(tmp_path / "a.xdf")


def test_a_missing_recording_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="no recording at"):
        load(tmp_path / "a.xdf")
    with pytest.raises(BadInput, match="holds 0"):
        load(tmp_path)


def test_minimal_file_of_the_format_is_read(public_file: PublicFile) -> None:
    path = public_file("xdf/minimal.xdf")
    recording = load(path)
    stream = recording.stream("SendDataC")
    assert stream.info.modality is Modality.EEG
    assert stream.info.dtype == "int16"
    assert stream.data[:3].tolist() == [[192, 255, 238], [12, 22, 32], [13, 23, 33]]
    assert stream.stamps is not None
    np.testing.assert_allclose(stream.stamps, np.arange(5.1, 5.95, 0.1))
    np.testing.assert_allclose(stream.times, np.arange(5.0, 5.85, 0.1))  # offsets of -0.1
    words = [marker.text for marker in recording.markers]
    assert words[1:] == ["Hello", "World", "from", "LSL"] * 2
    assert XdfReader(path).complete


def test_empty_streams_are_read(public_file: PublicFile) -> None:
    recording = load(public_file("xdf/empty_streams.xdf"))
    counter = recording.stream("Data stream: test stream 0 counter")
    assert counter.data[:, 0].tolist() == list(range(10))
    np.testing.assert_allclose(counter.times, 91725.213948 + np.arange(10), atol=2e-3)
    assert sorted(chunk.n for chunk in recording.streams) == [0, 10]
    (marker,) = recording.markers
    assert (marker.stream, marker.text) == ("ctrl", '{"state": 2}')
    assert marker.time == pytest.approx(91725.014004, abs=1e-3)


@pytest.mark.parametrize("name", ["minimal.xdf", "empty_streams.xdf"])
def test_raw_stamps_and_values_equal_those_of_pyxdf(public_file: PublicFile, name: str) -> None:
    path = public_file(f"xdf/{name}")
    streams, _ = pyxdf.load_xdf(path, synchronize_clocks=False, dejitter_timestamps=False)
    ours = {chunk.info.name: chunk for chunk in load(path).streams}
    for stream in streams:
        if stream["info"]["channel_format"][0] != "string":
            chunk = ours.pop(stream["info"]["name"][0])
            stamps = chunk.times if chunk.stamps is None else chunk.stamps
            assert np.array_equal(stamps, stream["time_stamps"])
            assert np.array_equal(chunk.data, stream["time_series"])
    assert not ours
