"""Files of LabRecorder, with their defects: read as pyxdf reads them, or better."""

from __future__ import annotations

import logging
from pathlib import Path

import numpy as np
import pytest
import pyxdf

from biosense.acquisition.xdf.chunk_scanner import ChunkScanner
from biosense.acquisition.xdf.gaps import GapFinder
from biosense.acquisition.xdf.layout import Tag
from biosense.acquisition.xdf.reader import XdfReader
from biosense.acquisition.xdf.repair import repair
from biosense.core.types import Chunk, Modality
from tests.support.lsl.labrecorder import BEGIN, Sender, record

RNG = np.random.default_rng(4)
SECONDS = 42.0


def eeg(name: str = "cap", **options: object) -> Sender:
    times = np.arange(int(SECONDS * 100)) / 100 + 0.003
    return Sender(name, times, RNG.standard_normal((len(times), 3)), **options)  # type: ignore


def markers(**options: object) -> Sender:
    times = np.array([3.25, 11.0, 29.5, 40.0])
    data = np.array([["go"], [""], ["ü 心"], ["x" * 300]], object)
    return Sender("m", times, data, "string", 0.0, "Markers", "", **options)  # type: ignore


def saved(path: Path, data: bytes) -> XdfReader:
    path.write_bytes(data)
    return XdfReader(path)


def loaded(reader: XdfReader, name: str) -> Chunk:
    return reader.load().stream(name)


@pytest.mark.parametrize("channel_format", ["float32", "double64", "int32", "int16", "int8"])
def test_a_whole_file_is_read_as_pyxdf_reads_it(tmp_path: Path, channel_format: str) -> None:
    sender = eeg(channel_format=channel_format)
    sender.times = BEGIN + np.cumsum(np.full(len(sender.times), 0.01))  # often left out
    sender.offset = BEGIN
    data = record([sender, markers(), eeg(name="empty", appears_at=41.9)], SECONDS)
    reader = saved(tmp_path / "a.xdf", data)
    assert reader.complete
    bare = sum(chunk.content.count(b"\x00") > 0 for chunk in ChunkScanner(data) if chunk.tag == 3)
    assert bare
    streams, _ = pyxdf.load_xdf(
        tmp_path / "a.xdf", synchronize_clocks=False, dejitter_timestamps=False
    )
    ours = loaded(reader, "cap")
    assert ours.info.modality is Modality.EEG
    assert np.array_equal(ours.stamps, streams[0]["time_stamps"])
    assert np.array_equal(ours.data, streams[0]["time_series"])
    assert np.abs(ours.times - sender.times[: ours.n]).max() < 1e-6
    assert [marker.text for marker in reader.load().markers] == ["go", "", "ü 心", "x" * 300]
    assert [each.declared for each in reader.streams[:2]] == [ours.n, 4]


def test_session_times_are_the_recorder_s_from_the_first_sample_on(tmp_path: Path) -> None:
    sender = eeg(offset=-70_000.0)
    ours = loaded(saved(tmp_path / "a.xdf", record([sender], SECONDS)), "cap")
    assert np.abs(ours.times - sender.times[: ours.n]).max() < 1e-9
    (theirs,), _ = pyxdf.load_xdf(tmp_path / "a.xdf", dejitter_timestamps=False)
    assert np.abs(ours.times - theirs["time_stamps"]).max() < 1e-4


@pytest.mark.parametrize("reset_at", [17.5, 18.2, 20.0, 24.4])
@pytest.mark.parametrize("reset_offset", [17.0, 250_000.0])
def test_a_clock_that_begins_anew_costs_no_sample(
    tmp_path: Path, reset_at: float, reset_offset: float
) -> None:
    """A sender was restarted: its first samples come up to 5 s before the next measurement."""
    sender = eeg(offset=-3000.0, reset_at=reset_at, reset_offset=reset_offset)
    reader = saved(tmp_path / "a.xdf", record([sender, eeg(name="other")], SECONDS))
    ours = loaded(reader, "cap")
    assert np.abs(ours.times - sender.times[: ours.n]).max() < 1e-6
    assert [len(summary.resets) for summary in reader.streams] == [1, 0]
    finder = GapFinder(100.0)
    finder.push(ours.times)
    assert finder.finish() == []


@pytest.mark.parametrize("garbage_at", [5.0, 10.0, 40.0])
def test_a_measurement_that_failed_is_not_believed(tmp_path: Path, garbage_at: float) -> None:
    sender = eeg(garbage_at=garbage_at)
    data = record([eeg(name="other"), sender], SECONDS)
    ours = loaded(saved(tmp_path / "a.xdf", data), "cap")
    assert np.abs(ours.times - sender.times[: ours.n]).max() < 1e-6


def test_a_restarted_sender_is_a_gap(tmp_path: Path) -> None:
    sender = eeg(reset_at=27.0, reset_offset=20.0)
    kept = (sender.times < BEGIN + 20.0) | (sender.times > BEGIN + 27.0)
    sender.times, sender.data = sender.times[kept], sender.data[kept]
    reader = saved(tmp_path / "a.xdf", record([sender], SECONDS))
    finder = GapFinder(100.0)
    for item in reader.items():
        if isinstance(item, Chunk):
            finder.push(item.times)
    (gap,) = finder.finish()
    assert (round(gap.start - BEGIN, 2), round(gap.stop - BEGIN, 2)) == (19.99, 27.0)
    assert gap.missing == 700


def test_a_late_stream_is_read_where_it_appears(tmp_path: Path) -> None:
    late = eeg(name="late", appears_at=20.0)
    reader = saved(tmp_path / "a.xdf", record([eeg(), late], SECONDS))
    assert [info.name for info in reader.infos] == ["cap", "late"]
    ours = loaded(reader, "late")
    assert ours.times[0] == pytest.approx(BEGIN + 20.003, abs=0.02)
    assert np.array_equal(ours.data, late.data[late.times > BEGIN + 20.0][: ours.n].astype("f4"))


def test_streams_of_one_name_are_two(tmp_path: Path) -> None:
    first, second = eeg(name="ECG"), eeg(name="ECG", source_id="amp-2", offset=500.0)
    reader = saved(tmp_path / "a.xdf", record([first, second], SECONDS))
    assert [info.name for info in reader.infos] == ["ECG", "ECG (2)"]
    for sender, name in ((first, "ECG"), (second, "ECG (2)")):
        ours = loaded(reader, name)
        assert np.array_equal(ours.data, sender.data[: ours.n].astype("f4"))


def test_a_crash_while_closing_costs_no_sample(tmp_path: Path) -> None:
    data = record([eeg(), markers()], SECONDS)
    whole = saved(tmp_path / "a.xdf", data)
    footer = next(chunk for chunk in ChunkScanner(data) if chunk.tag == Tag.STREAM_FOOTER)
    for size in range(footer.start, len(data), 37):
        reader = saved(tmp_path / "b.xdf", data[:size])
        assert not reader.complete
        assert [each.samples for each in reader.streams] == [each.samples for each in whole.streams]


def test_a_footer_that_promises_less_is_not_believed(tmp_path: Path) -> None:
    data = record([eeg()], SECONDS)
    count = len(eeg().times)
    wrong = data.replace(f"<sample_count>{count}".encode(), f"<sample_count>{count - 99}".encode())
    assert wrong != data
    assert loaded(saved(tmp_path / "a.xdf", wrong), "cap").n == count


def test_a_repaired_file_gives_the_same_times_and_suits_pyxdf(tmp_path: Path) -> None:
    logging.getLogger("pyxdf").setLevel(logging.CRITICAL + 1)
    sender = eeg(reset_at=22.2, reset_offset=22.0)
    data = record([sender, markers()], SECONDS, footers=False)
    before = saved(tmp_path / "a.xdf", data[:-200])
    repair(tmp_path / "a.xdf", tmp_path / "b.xdf")
    after = XdfReader(tmp_path / "b.xdf")
    assert after.complete
    ours = loaded(after, "cap")
    assert np.array_equal(ours.times, loaded(before, "cap").times)
    streams, _ = pyxdf.load_xdf(tmp_path / "b.xdf", dejitter_timestamps=False)
    assert np.array_equal(streams[0]["time_series"], ours.data)
