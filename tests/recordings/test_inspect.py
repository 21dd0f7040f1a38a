"""What `check` says of a recording: gaps, damage, killed runs, and nothing of what is well."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from biosense.acquisition.simulated import simulate
from biosense.acquisition.xdf.chunk_scanner import ChunkScanner
from biosense.acquisition.xdf.gaps import Gap
from biosense.acquisition.xdf.layout import Tag, pack_chunk
from biosense.acquisition.xdf.parse import SamplesChunk, XdfParser
from biosense.acquisition.xdf.reader import XdfReader
from biosense.acquisition.xdf.recording_folder import SIDECAR_NAME, Sidecar, write_sidecar
from biosense.acquisition.xdf.sample_layout import SampleLayout
from biosense.acquisition.xdf.writer import XdfWriter
from biosense.core.types import TEXT, Chunk, ClockOffset, Epoch, Modality, StreamInfo
from biosense.estimation.processor import Processor, ProcessorSettings
from biosense.estimation.run_processor import process
from biosense.recordings.inspect import inspect
from biosense.recordings.inspection import Inspection
from tests.support.stand_ins import PublicFile

BEGIN = 500.0
IMU = StreamInfo("imu", None, ("x",), 50.0, "g", "imu-1", "int16", True)
SLOW = StreamInfo("slow", None, ("x",), 4.0, "", "slow-1", "int16", True)


def write(path: Path, *chunks: Chunk) -> Path:
    """Write streams in pieces of 1 s, side by side."""
    with XdfWriter(path) as writer:
        for chunk in chunks:
            writer.add_stream(chunk.info)
        for second in range(int(BEGIN), int(BEGIN) + 40):
            for chunk in chunks:
                start, stop = np.searchsorted(chunk.times, (second, second + 1)).tolist()
                writer.write(chunk.slice(start, stop))
    return path


def regular(info: StreamInfo, seconds: float = 20.0, rate: float | None = None) -> Chunk:
    rate = rate or info.sfreq
    times = BEGIN + np.arange(int(seconds * rate)) / rate
    return Chunk.of(info, times, np.zeros((len(times), 1)))


def texts(name: str, content_type: str, n: int) -> Chunk:
    info = StreamInfo(name, None, ("text",), 0.0, dtype=TEXT, content_type=content_type)
    return Chunk.of(info, BEGIN + np.arange(n) * 0.1, [["180d 16"]] * n)


def without(chunk: Chunk, start: float, stop: float) -> Chunk:
    kept = (chunk.times < BEGIN + start) | (chunk.times >= BEGIN + stop)
    return Chunk.of(chunk.info, chunk.times[kept], chunk.data[kept])


def test_what_is_well_needs_no_words(tmp_path: Path) -> None:
    packets = texts("H10 packets", "BLE packets", 150)
    health = texts("biosense-health", "Health", 20)
    found = inspect(write(tmp_path / "a.xdf", regular(IMU), regular(SLOW), packets, health))
    assert (found.problems, found.closed) == ((), True)
    assert (found.begin, found.end) == (500.0, 519.98)
    assert [each.kind for each in found.streams.values()][2:] == ["BLE packets", "Health"]
    assert found.streams["imu"].gap_list == ()


def test_gaps_are_named_one_by_one(tmp_path: Path) -> None:
    imu = without(without(regular(IMU), 3.0, 3.5), 11.0, 15.0)
    found = inspect(write(tmp_path / "a.xdf", imu, regular(SLOW)))
    stream = found.streams["imu"]
    assert (stream.gaps, stream.lost) == (2, 225)
    assert stream.gap_list == (Gap(502.98, 503.5, 25), Gap(510.98, 515.0, 200))
    assert found.problems == ("imu: 2 gaps, about 225 samples missing, the longest 4.02 s",)


def test_packets_that_bear_one_stamp_have_no_gaps(tmp_path: Path) -> None:
    times = np.repeat(BEGIN + np.arange(1, 40) * 0.5, 25)
    found = inspect(write(tmp_path / "a.xdf", Chunk.of(IMU, times, np.zeros((len(times), 1)))))
    assert found.problems == ()


@pytest.mark.parametrize(("rate", "words"), [(45.0, "-10.0 % off"), (5.0, "runs at 5.00 Hz, not")])
def test_a_wrong_rate_is_a_rate_and_no_gaps(tmp_path: Path, rate: float, words: str) -> None:
    (problem,) = inspect(write(tmp_path / "a.xdf", regular(IMU, rate=rate))).problems
    assert words in problem


def test_a_killed_recording_says_how_far_it_goes(tmp_path: Path) -> None:
    path = write(tmp_path / "a.xdf", regular(IMU, 20.0), regular(SLOW, 19.5))
    data = path.read_bytes()
    footer = next(chunk for chunk in ChunkScanner(data) if chunk.tag == Tag.STREAM_FOOTER)
    path.write_bytes(data[: footer.start])
    found = inspect(path)
    assert not found.closed
    assert found.problems == (
        "the recording was not closed: its run was killed, or is still going on "
        "(2 of 2 footers are missing, which costs no sample)",
        "it holds everything up to 19.980 s; imu ends there; slow ends 0.730 s before",
    )
    path.write_bytes(data[: footer.start] + data[footer.start : footer.stop])
    assert "1 of 2 footers" in inspect(path).problems[0]


def test_a_torn_chunk_is_told_by_stream_and_samples(tmp_path: Path) -> None:
    path = write(tmp_path / "a.xdf", regular(IMU, 20.0))
    data = path.read_bytes()
    last = [c for c, parsed in XdfParser(data).pairs() if isinstance(parsed, SamplesChunk)][-1]
    path.write_bytes(data[: last.stop - 9])
    assert inspect(path).problems[2] == (
        f"{last.stop - 9 - last.start} bytes at byte {last.start} are damaged (the chunk at byte "
        f"{last.start} lacks its last 9 bytes): about 50 samples of imu missing, at the end, "
        "after 18.980 s"
    )


def test_a_file_of_nothing_but_headers_says_so(tmp_path: Path) -> None:
    path = tmp_path / "a.xdf"
    writer = XdfWriter(path)
    writer.add_stream(IMU)
    assert inspect(path).problems[1:] == ("it holds no sample", "imu: no sample at all")
    writer.close()


def test_samples_that_the_disk_did_not_take_are_told(tmp_path: Path) -> None:
    write(tmp_path / "recording.xdf", regular(IMU))
    write_sidecar(tmp_path, Sidecar(), [IMU], lost={"imu": 120})
    assert json.loads((tmp_path / SIDECAR_NAME).read_text())["lost"] == {"imu": 120}
    (problem,) = inspect(tmp_path).problems
    assert problem.startswith("imu: 120 samples were lost while recording")


def test_less_than_a_footer_promises_is_told(tmp_path: Path) -> None:
    path = write(tmp_path / "a.xdf", regular(IMU))
    data = path.read_bytes()
    path.write_bytes(data.replace(b"<sample_count>1000<", b"<sample_count>1007<"))
    assert inspect(path).problems == ("imu: 7 samples less than its footer promises",)


def test_a_clock_that_began_anew_is_told(tmp_path: Path) -> None:
    path = tmp_path / "a.xdf"
    with XdfWriter(path) as writer:
        writer.add_stream(IMU)
        for second, clock in enumerate([0.0] * 10 + [77.0] * 10):
            stamps = clock + second + np.arange(50) / 50.0
            writer.write_offset(ClockOffset(IMU, float(stamps[0]), BEGIN - clock))
            data = np.zeros((50, 1), np.int16)
            writer.write(Chunk(IMU, stamps, data, np.ones(50, bool), stamps))
    found: Inspection = inspect(path)
    assert found.problems == ("imu: the sender's clock began anew once",)
    assert found.streams["imu"].clock_resets == 1


def test_files_of_other_programs_are_looked_at_quietly(public_file: PublicFile) -> None:
    found = inspect(public_file("xdf/empty_streams.xdf"))
    assert found.closed
    assert all("no sample at all" in problem for problem in found.problems)


def test_streams_of_one_name_do_not_share_a_lane(tmp_path: Path) -> None:
    """Another program may record two sensors of one name: features are those of the first."""
    first, second = (
        simulate(seed, 12.0, modalities=[Modality.ECG], start=BEGIN).streams[0] for seed in (1, 2)
    )
    alone, both = tmp_path / "alone.xdf", tmp_path / "both.xdf"
    for path, streams in ((alone, [first]), (both, [first, second])):
        with XdfWriter(path) as writer:
            for number in range(len(streams)):
                writer.add_stream(replace(first.info, source_id=f"strap-{number}"))
        data = path.read_bytes()
        footer = next(each for each in ChunkScanner(data) if each.tag == Tag.STREAM_FOOTER)
        chunks = b"".join(
            pack_chunk(Tag.SAMPLES, SampleLayout(first.info).pack(part.times, part.data), number)
            for start in range(0, first.n, 256)
            for number, whole in enumerate(streams, 1)
            for part in [whole.slice(start, start + 256)]
        )
        path.write_bytes(data[: footer.start] + chunks)
    names = [info.name for info in XdfReader(both).infos]
    assert names == [first.info.name, f"{first.info.name} (2)"]
    assert features(both) == features(alone)
    assert any("already the ecg" in problem for problem in inspect(both).problems)


def features(path: Path) -> list[tuple[int, bytes]]:
    reader = XdfReader(path)
    outcomes = process(reader.items(), reader.infos, Processor(ProcessorSettings()))
    found = [(each.index, each.data.tobytes()) for each in outcomes if isinstance(each, Epoch)]
    assert len(found) > 20
    return found
