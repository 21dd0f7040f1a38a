"""`biosense check --report`: the page, beside what the command says anyway."""

from __future__ import annotations

from pathlib import Path


def test_check_writes_a_report_and_says_what_it_says_without(
    biosense, brief, tmp_path: Path
) -> None:
    out = tmp_path / "out.html"
    plain = biosense("check", brief.folder, "--json")
    answer = biosense("check", brief.folder, "--report", out, "--json")
    assert answer.code == 0
    assert answer.json == plain.json
    assert f"wrote {out}" in answer.words
    assert "Valence and arousal" in out.read_text(encoding="utf-8")


def test_a_report_where_none_can_be_is_refused(biosense, brief, tmp_path: Path) -> None:
    answer = biosense("check", brief.folder, "--report", tmp_path / "nowhere" / "out.html")
    assert "cannot be written as a report" in answer.reason
