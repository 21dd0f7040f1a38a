"""`biosense export`: tables, BIDS and FIF from the command line, and what it refuses."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from tests.support.recorded_runs import recorded


def test_tables_are_written_and_told(biosense, brief, tmp_path: Path) -> None:
    answer = biosense("export", brief.folder, "--csv", tmp_path / "csv", "--json")
    assert answer.code == 0
    result = answer.json
    assert (result["format"], result["out"]) == ("csv", str(tmp_path / "csv"))
    rows = {file["path"]: file["rows"] for file in result["files"]}
    samples = sum(chunk.n for chunk in recorded(brief.folder)["sim-eda"])
    assert rows["sim-eda.csv"] == samples == len(pd.read_csv(tmp_path / "csv" / "sim-eda.csv"))
    assert {"estimates.csv", "features_eda.csv", "events.csv", "about.json"} <= set(rows)


def test_features_can_be_left_out(biosense, brief, tmp_path: Path) -> None:
    answer = biosense("export", brief.folder, "--csv", tmp_path / "csv", "--no-features", "--json")
    whats = {file["what"] for file in answer.json["files"]}
    assert "stream" in whats
    assert "features" not in whats


def test_a_person_sees_a_table_of_files(biosense, brief, tmp_path: Path) -> None:
    answer = biosense("export", brief.folder, "--bids", tmp_path / "bids", "--subject", "P07")
    assert answer.code == 0
    assert answer.out == ""
    assert "sub-P07/beh/" in answer.err
    assert "sub-P07_task-affect_recording-simeda_physio.tsv.gz" in answer.err
    assert "no EEG in the recording" in answer.words
    assert f"written to {tmp_path / 'bids'}" in answer.words


def test_a_stream_becomes_a_fif_file(biosense, brief, tmp_path: Path) -> None:
    out = tmp_path / "session.fif"
    assert biosense("export", brief.folder, "--fif", out, "--json").json["format"] == "fif"
    assert out.stat().st_size > 0
    reason = biosense("export", brief.folder, "--fif", out).reason
    assert reason == f"{out} exist already: choose another target, or say --overwrite"
    assert biosense("export", brief.folder, "--fif", out, "--overwrite").code == 0


def test_a_person_without_a_name_is_asked_for(biosense, brief, tmp_path: Path) -> None:
    reason = biosense("export", brief.xdf, "--bids", tmp_path / "bids").reason
    assert reason == "the recording names no participant: name the subject, a pseudonym"
    reason = biosense("export", brief.xdf, "--bids", tmp_path / "bids", "--subject", "P 7").reason
    assert "letters and digits only" in reason
    assert not (tmp_path / "bids").exists()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ([], "got none of them"),
        (["--csv", "a", "--fif", "b.fif"], "got --csv and --fif"),
        (["--csv", "a", "--stream", "x"], "--stream goes with --fif"),
        (["--csv", "a", "--subject", "x"], "go with --bids"),
    ],
)
def test_wrong_use_is_said(biosense, brief, options: list[str], said: str) -> None:
    assert said in biosense("export", brief.folder, *options).complaint


def test_half_a_recording_is_exported_and_said(biosense, cut: Path, tmp_path: Path) -> None:
    answer = biosense("export", cut, "--csv", tmp_path / "csv")
    assert answer.code == 0
    assert "bytes are unreadable" in answer.words
    assert len(pd.read_csv(tmp_path / "csv" / "sim-eda.csv")) > 0


def test_a_recording_that_is_not_there_is_said(biosense, tmp_path: Path) -> None:
    reason = biosense("export", tmp_path / "nowhere", "--csv", tmp_path / "csv").reason
    assert "there is no recording" in reason
