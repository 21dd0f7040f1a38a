"""The recorder: order, clocks, the folder, and a disk that says no."""

import json
import threading
from datetime import datetime
from pathlib import Path
from queue import SimpleQueue

import numpy as np
import pytest
import pyxdf

from biosense.acquisition.xdf.append_file import AppendFile
from biosense.acquisition.xdf.chunk_scanner import ChunkScanner
from biosense.acquisition.xdf.events import EVENTS
from biosense.acquisition.xdf.layout import Tag
from biosense.acquisition.xdf.reader import XdfReader, load
from biosense.acquisition.xdf.recorder import Recorder
from biosense.acquisition.xdf.recording_folder import (
    Sidecar,
    installed_software,
    new_folder,
    read_sidecar,
    write_sidecar,
)
from biosense.core.clock import SystemClock
from biosense.core.errors import BadInput, RecordingFailed
from biosense.core.types import (
    TEXT,
    Chunk,
    ClockOffset,
    Event,
    EventKind,
    Item,
    Modality,
    StreamInfo,
)

EEG = StreamInfo("eeg", Modality.EEG, ("a", "b"), 100.0, "uV", "amp-1", "float32", True, "EEG")
STRAP = StreamInfo("strap", Modality.ECG, ("ecg",), 130.0, "uV", "polar-1", "int32", True, "ECG")
WORDS = StreamInfo("words", None, ("word",), 0.0, dtype=TEXT, content_type="Markers")


class StoppedClock:
    def now(self) -> float:
        return 100.0


def eeg(start: float, n: int = 10) -> Chunk:
    return Chunk.of(EEG, start + np.arange(n) / 100.0, np.arange(2 * n).reshape(n, 2))


def recorded(folder: Path, items: list[Item], infos: list[StreamInfo] | None = None) -> Path:
    with Recorder(folder, infos or [], clock=StoppedClock()) as recorder:
        for item in items:
            recorder.put(item)
    return folder


def tags(folder: Path) -> list[int]:
    return [chunk.tag for chunk in ChunkScanner((folder / "recording.xdf").read_bytes())]


def test_headers_and_boundary_stand_before_the_first_sample(tmp_path: Path) -> None:
    folder = recorded(tmp_path, [eeg(1.0)], [EEG, WORDS])
    assert tags(folder)[:6] == [
        Tag.FILE_HEADER,
        Tag.STREAM_HEADER,
        Tag.STREAM_HEADER,
        Tag.STREAM_HEADER,
        Tag.BOUNDARY,
        Tag.CLOCK_OFFSET,
    ]
    assert XdfReader(folder).complete


def test_items_come_back_in_the_order_in_which_they_were_put(tmp_path: Path) -> None:
    event = Event(2.0, EventKind.GAP, "eeg", "0.5 s ü")
    items = [eeg(1.0), event, Chunk.of(WORDS, [2.5], [["go"]]), eeg(3.0)]
    got = list(XdfReader(recorded(tmp_path, items, [EEG])).items())
    assert got[1] == event
    assert isinstance(got[2], Chunk)
    assert got[2].data.tolist() == [["go"]]
    for index in (0, 3):
        chunk, put = got[index], items[index]
        assert isinstance(chunk, Chunk)
        assert isinstance(put, Chunk)
        assert chunk.info == put.info
        assert np.array_equal(chunk.times, put.times)
        assert np.array_equal(chunk.data, put.data)
        assert chunk.data.dtype == put.data.dtype


def test_a_stream_in_session_time_says_so_by_constant_offsets(tmp_path: Path) -> None:
    folder = recorded(tmp_path, [eeg(float(second)) for second in range(23)])
    streams, _ = pyxdf.load_xdf(folder / "recording.xdf")
    stream = next(item for item in streams if item["info"]["name"][0] == "eeg")
    assert stream["clock_times"][0] == 0.0
    assert stream["clock_times"][-1] == 22.09
    assert 4.9 < min(np.diff(stream["clock_times"][:-1])) < 6.1
    assert set(stream["clock_values"]) == {0.0}
    expected = np.concatenate([eeg(float(second)).times for second in range(23)])
    assert np.array_equal(stream["time_stamps"], expected)
    assert [item for item in XdfReader(folder).items() if isinstance(item, ClockOffset)] == []


def test_a_stream_with_measurements_gets_no_offsets_of_ours(tmp_path: Path) -> None:
    stamps = np.arange(5) + 7000.0
    chunk = Chunk(STRAP, stamps - 6000.0, np.zeros((5, 1), np.int32), np.ones(5, bool), stamps)
    offset = ClockOffset(STRAP, 6999.0, -6000.0)
    folder = recorded(tmp_path, [offset, chunk])
    got = list(XdfReader(folder).items())
    assert got[0] == ClockOffset(STRAP, 6999.0, -6000.0)
    assert len(got) == 2
    assert isinstance(got[1], Chunk)
    assert got[1].times.tolist() == chunk.times.tolist()
    assert got[1].stamps is not None
    assert got[1].stamps.tolist() == stamps.tolist()


def test_a_stream_that_appears_late_is_recorded(tmp_path: Path) -> None:
    with Recorder(tmp_path, [EEG], clock=StoppedClock()) as recorder:
        recorder.put(eeg(1.0))
        recorder.add_stream(STRAP, {"first": {"eeg": "1.0"}})
        recorder.put(Chunk.of(STRAP, [2.0], [[5]]))
    strap = load(tmp_path).stream("strap")
    assert strap.data.tolist() == [[5]]
    assert "<first><eeg>1.0</eeg></first>" in strap.info.description


def test_a_stream_that_comes_back_keeps_its_header(tmp_path: Path) -> None:
    with Recorder(tmp_path, [EEG], clock=StoppedClock()) as recorder:
        for start in (1.0, 5.0):
            recorder.add_stream(EEG)
            recorder.put(eeg(start))
    assert [(chunk.info.name, chunk.n) for chunk in load(tmp_path).streams] == [("eeg", 20)]


def test_a_stream_that_comes_back_with_other_channels_begins_anew(tmp_path: Path) -> None:
    other = StreamInfo("eeg", Modality.EEG, ("a",), 100.0, "uV", "amp-1", "float32")
    summary = Recorder(tmp_path, [EEG], clock=StoppedClock())
    summary.put(eeg(1.0))
    summary.put(Chunk.of(other, [2.0], [[1.0]]))
    assert summary.close().samples["eeg"] == 11
    names = [(chunk.info.name, chunk.n) for chunk in load(tmp_path).streams]
    assert names == [("eeg", 10), ("eeg (2)", 1)]


def test_what_cannot_be_recorded_is_refused_where_it_is_put(tmp_path: Path) -> None:
    with Recorder(tmp_path, [EEG], clock=StoppedClock()) as recorder:
        ok = np.ones(1, bool)
        with pytest.raises(BadInput, match="finite"):
            recorder.put(Chunk.of(EEG, [np.nan], [[1, 2]]))
        with pytest.raises(BadInput, match="announced as float32"):
            recorder.put(Chunk(EEG, np.zeros(1), np.zeros((1, 2)), ok))
        with pytest.raises(BadInput, match="finite"):
            recorder.put(ClockOffset(EEG, np.inf, 0.0))
        with pytest.raises(BadInput, match="finite"):
            recorder.put(Event(np.nan, EventKind.INFO, "", "x"))
        with pytest.raises(BadInput, match="must be XML"):
            recorder.add_stream(StreamInfo("x", None, ("a",), 0.0, description="<desc>"))
    with pytest.raises(RecordingFailed, match="ended"):
        recorder.put(eeg(1.0))


def test_many_threads_put_at_once_and_nothing_is_lost_or_reordered(tmp_path: Path) -> None:
    infos = [StreamInfo(f"s{k}", None, ("n",), 0.0, dtype="int64") for k in range(6)]

    def produce(info: StreamInfo) -> None:
        for number in range(300):
            recorder.put(Chunk.of(info, [float(number)], [[number]]))

    with Recorder(tmp_path, infos, clock=StoppedClock()) as recorder:
        threads = [threading.Thread(target=produce, args=(info,)) for info in infos]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert recorder.close().samples == {**{info.name: 300 for info in infos}, EVENTS.name: 0}
    for chunk in load(tmp_path).streams:
        assert chunk.data[:, 0].tolist() == list(range(300))


def test_events_become_markers(tmp_path: Path) -> None:
    items: list[Item] = [
        Event(2.0, EventKind.MARKER, "", "start"),
        Event(1.0, EventKind.LOST, "strap", "no data for 2 s"),
        Chunk.of(WORDS, [3.0], [["stimulus"]]),
    ]
    markers = load(recorded(tmp_path, items)).markers
    assert [(marker.time, marker.text, marker.stream) for marker in markers] == [
        (1.0, "lost: strap: no data for 2 s", "biosense-events"),
        (2.0, "start", "markers"),
        (3.0, "stimulus", "words"),
    ]


def test_the_sidecar_says_who_when_and_with_what(tmp_path: Path) -> None:
    started = datetime.fromisoformat("2026-11-20T12:00:00+01:00")
    sidecar = Sidecar("P07", started, {"video": False}, {"strap": "H10"}, {"numpy": "2"}, "abc")
    with Recorder(tmp_path, [EEG], clock=StoppedClock(), sidecar=sidecar) as recorder:
        early = json.loads((tmp_path / "recording.json").read_text())
        recorder.put(eeg(1.0))
    late = json.loads((tmp_path / "recording.json").read_text())
    assert early["participant"] == late["participant"] == "P07"
    assert early["consent"] == {"video": False}
    assert early["session_time"] == 100.0
    assert early["streams"][0]["name"] == "eeg"
    assert early["streams"][0]["modality"] == "eeg"
    assert "finished" not in early
    assert late["samples"] == {"eeg": 10, "biosense-events": 0}
    assert late["lost"] == {}
    assert read_sidecar(tmp_path) == sidecar
    recording = load(tmp_path)
    assert (recording.subject, recording.started) == ("P07", started)


def test_a_damaged_sidecar_does_not_cost_the_recording(tmp_path: Path) -> None:
    recorded(tmp_path, [eeg(1.0)])
    (tmp_path / "recording.json").write_text('{"participant": ')
    assert load(tmp_path).stream("eeg").n == 10
    write_sidecar(tmp_path, Sidecar("P1"), [])
    assert load(tmp_path).subject == "P1"


def test_software_versions_are_found_without_import() -> None:
    versions = installed_software("numpy", "no-such-package")
    assert versions["numpy"] == np.__version__
    assert versions["no-such-package"] == "not installed"


@pytest.mark.parametrize("participant", ["../x", "a/b", "", " ", "a ", "ü", "-a", "a.", "x" * 65])
def test_a_pseudonym_that_is_no_folder_name_is_refused(participant: str, tmp_path: Path) -> None:
    if participant:
        with pytest.raises(BadInput, match="participant="):
            new_folder(tmp_path, participant, datetime(2026, 1, 1))
        with pytest.raises(BadInput, match="participant="):
            Sidecar(participant)
    else:
        folder = new_folder(tmp_path, "", datetime(2026, 1, 1, 9, 5, 7))
        assert folder == tmp_path / "20260101-090507"


def test_a_recording_is_never_overwritten(tmp_path: Path) -> None:
    recorded(tmp_path, [eeg(1.0)])
    before = (tmp_path / "recording.xdf").read_bytes()
    with pytest.raises(RecordingFailed, match="cannot start a recording"):
        Recorder(tmp_path, [EEG], clock=StoppedClock())
    with pytest.raises(RecordingFailed, match="cannot start a recording"):
        Recorder(tmp_path / "absent", [EEG], clock=StoppedClock())
    assert (tmp_path / "recording.xdf").read_bytes() == before


def test_a_fault_of_the_recorder_is_named_and_ends_the_recording(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    failures: list[RecordingFailed] = []
    seen = threading.Event()
    monkeypatch.setattr(threading, "excepthook", lambda args: seen.set())
    recorder = Recorder(tmp_path, [EEG], clock=StoppedClock(), on_failure=failures.append)
    monkeypatch.setattr(recorder._writing.items, "write", lambda item: 1 / 0)
    recorder.put(eeg(1.0))
    assert seen.wait(5)
    recorder._thread.join()
    assert "division by zero" in str(failures[0])
    with pytest.raises(RecordingFailed, match="ended"):
        recorder.put(eeg(2.0))
    recorder.close()
    assert XdfReader(tmp_path).complete


def test_boundaries_and_syncs_come_with_the_clock(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: SimpleQueue[int] = SimpleQueue()
    ends: list[int] = []
    begin = AppendFile.begin_sync

    def noted(file: AppendFile) -> None:
        ends.append(file.end)
        synced.put(file.end)
        begin(file)

    monkeypatch.setattr(AppendFile, "begin_sync", noted)
    with Recorder(tmp_path, [EEG], clock=SystemClock(), sync_every=0.002) as recorder:
        for second in range(5):
            before = recorder.size
            recorder.put(eeg(float(second)))
            while synced.get(timeout=10) <= before:
                pass  # a sync that began before this item was written
    chunks = ChunkScanner((tmp_path / "recording.xdf").read_bytes())
    boundaries = {chunk.stop for chunk in chunks if chunk.tag == Tag.BOUNDARY}
    assert set(ends[:-1]) <= boundaries, "what is synced ends with a boundary, all but the end"
    assert len(boundaries) >= 3
