"""`biosense check`: whole recordings, cut ones, and what can be saved of them."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from biosense.acquisition.xdf.reader import XdfReader
from biosense.acquisition.xdf.recording_folder import XDF_NAME
from biosense.acquisition.xdf.writer import XdfWriter
from biosense.cli.check import _table
from biosense.core.types import Chunk, StreamInfo
from biosense.recordings.inspect import inspect
from tests.support.recorded_runs import WholeRun, recorded


def test_a_whole_recording_is_counted(biosense, whole: WholeRun) -> None:
    answer = biosense("check", whole.outcome.folder, "--json")
    assert answer.code == 0
    streams = answer.json["streams"]
    for name, counted in whole.outcome.summary.streams.items():
        assert streams[name]["samples"] == counted.samples
        assert (streams[name]["gaps"], streams[name]["lost"]) == (counted.gaps, counted.lost)
    assert streams["sim-ecg"]["quality"] > 0.5
    assert streams["sim-ecg (2)"]["drift_ppm"] is not None
    assert streams["triggers"]["kind"] == "Markers"
    assert any("sensor unplugged" in event for event in answer.json["events"])
    problems = answer.json["problems"]
    assert any(text.startswith("sim-eda: 1 gap") for text in problems)
    assert any("already the ecg" in text for text in problems)
    assert not any("unreadable" in text or "not closed" in text for text in problems)


def test_a_person_gets_a_table(biosense, brief) -> None:
    answer = biosense("check", brief.folder)
    assert answer.code == 0
    assert answer.out == ""
    line = next(line for line in answer.err.splitlines() if line.startswith("sim-eda"))
    assert line.split()[:4] == ["sim-eda", "eda", "1", "1536"]
    assert "nothing is wrong with this recording" in answer.err


def test_half_a_recording_is_counted_up_to_the_cut(biosense, brief, cut: Path) -> None:
    answer = biosense("check", cut, "--json")
    assert answer.code == 0
    assert 0 < answer.json["streams"]["sim-eda"]["samples"] < 1536
    assert answer.json["closed"] is False
    problems = answer.json["problems"]
    assert "was not closed" in problems[0]
    assert problems[1].startswith("it holds everything up to ")
    assert "samples of sim-eda missing, at the end, after" in problems[2]


def test_what_can_be_saved_is_saved(biosense, cut: Path, tmp_path: Path) -> None:
    out = tmp_path / "saved.xdf"
    answer = biosense("check", cut, "--repair", out, "--json")
    assert answer.code == 0
    assert answer.json["problems"] == []
    kept, before = recorded(out), recorded(cut)
    assert {n: sum(c.n for c in k) for n, k in kept.items()} == {
        n: sum(c.n for c in k) for n, k in before.items()
    }
    assert XdfReader(out).complete
    assert "at the end" in answer.json["losses"][0]
    told = biosense("check", cut, "--repair", tmp_path / "again.xdf").words
    assert "lost: " in told
    assert f"saved {sum(sum(c.n for c in k) for k in kept.values())} samples in" in told
    assert "exists already" in biosense("check", cut, "--repair", out).reason


def test_a_folder_is_saved_as_a_folder(biosense, brief, tmp_path: Path) -> None:
    answer = biosense("check", brief.folder, "--repair", tmp_path / "copy")
    assert answer.code == 0
    assert (tmp_path / "copy" / XDF_NAME).is_file()
    assert XdfReader(tmp_path / "copy").complete


def test_what_is_no_recording_is_said(biosense, tmp_path: Path) -> None:
    (tmp_path / "notes.xdf").write_text("hello")
    assert "is no XDF file" in biosense("check", tmp_path / "notes.xdf").reason
    assert "there is no recording" in biosense("check", tmp_path / "nowhere").reason


def light(times: np.ndarray, late: float) -> np.ndarray:
    switched = np.cumsum(np.random.default_rng(0).uniform(1.5, 4.5, 40))
    return np.searchsorted(switched, times - 1000.0 - late, side="right") % 2.0


@pytest.fixture
def flashes(tmp_path: Path) -> Path:
    """A lamp seen by a light sensor and 42 ms later by a camera with 10 ms taken off already."""
    path = tmp_path / "flashes.xdf"
    changed = '<desc><changed>{"delay_subtracted_s": 0.01}</changed></desc>'
    lamp = StreamInfo("lamp", None, ("light",), 250.0)
    camera = StreamInfo("camera", None, ("r", "noise"), 125.0, description=changed)
    with XdfWriter(path) as writer:
        for info, late in ((lamp, 0.0), (camera, 0.042)):
            times = 1000.0 + np.arange(int(100 * info.sfreq)) / info.sfreq
            noise = np.random.default_rng(1).normal(0, 0.01, (len(times), info.n_channels))
            noise[:, 0] += light(times, late)
            writer.add_stream(info)
            writer.write(Chunk.of(info, times, noise))
    return path


def test_the_delay_between_two_streams_is_measured_for_the_preset(biosense, flashes: Path) -> None:
    arguments = ("check", flashes, "--sync", "lamp", "camera", "--channels", "light", "r")
    answer = biosense(*arguments, "--json")
    assert answer.code == 0
    assert answer.json["lag_ms"] == pytest.approx(42.0, abs=2.0)
    assert answer.json["late"] == "camera"
    assert answer.json["preset"] == f"delay_ms = {answer.json['lag_ms'] + 10:.1f}"
    told = biosense(*arguments).words
    assert f"camera is {answer.json['lag_ms']:.1f} ms later than lamp" in told
    assert f"in the [[stream]] of camera: {answer.json['preset']}" in told
    back = biosense("check", flashes, "--sync", "camera", "lamp", "--channels", "r", "light")
    assert "earlier than camera" in back.words


def test_streams_without_common_events_are_refused(biosense, brief) -> None:
    assert (
        "no stream 'nowhere'" in biosense("check", brief.xdf, "--sync", "sim-eda", "nowhere").reason
    )
    assert "--sync" in biosense("check", brief.xdf, "--channels", "a", "b").complaint


def test_the_table_fits_100_columns(whole: WholeRun) -> None:
    found = inspect(whole.outcome.folder)
    console = Console(width=100, file=io.StringIO(), record=True)
    console.print(_table(found))
    lines = console.export_text().splitlines()
    assert len(lines) == 1 + len(found.streams)
    assert max(map(len, lines)) <= 100
