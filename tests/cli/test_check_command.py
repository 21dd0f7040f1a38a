"""`biosense check`: whole recordings, cut ones, and what can be saved of them."""

from __future__ import annotations

from pathlib import Path

from recorded_runs import WholeRun, recorded

from biosense.acquisition.xdf.folder import XDF_NAME
from biosense.acquisition.xdf.reader import XdfReader


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
    assert any("bytes are unreadable" in text for text in answer.json["problems"])


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
