"""The benchmarks: index, catalogue and files agree, each script starts, figures reach the table."""

from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks import run, table
from benchmarks.__main__ import chosen, readme
from benchmarks.catalogue import BENCHMARKS, CHECKOUT, FOLDER, scripts
from benchmarks.figures import MARK, Figure, tell, told

NAMES = [each.name for each in BENCHMARKS]
COST = Figure("a step", 2.0, "ms", 6.0, "somebody", timed=True)
SCORE = Figure("beats", 0.9, "F1", 0.6, "somebody", more_is_better=True)
# Heavy libraries are imported once: all scripts in one process.
HELP = """
import runpy, sys
for module in sys.argv[1:]:
    sys.argv = [module, "--help"]
    print("module", module)
    try:
        runpy.run_module(module, run_name="__main__", alter_sys=True)
    except SystemExit as end:
        print("exit", end.code)
"""


@pytest.fixture
def outcome() -> run.Outcome:
    """A run of a benchmark on a quiet machine."""
    figures = (COST, SCORE)
    return run.Outcome(NAMES[0], "python", figures, 1.0, 0.0, 0, "2026-01-01", "2 cores")


@pytest.fixture
def page(tmp_path: Path) -> Path:
    path = tmp_path / "page.md"
    path.write_text(f"before\n{table.BEGIN}\n{table.END}\nafter\n", encoding="utf-8")
    return path


def test_every_script_is_listed_and_every_listed_one_exists() -> None:
    assert sorted(NAMES) == scripts()


def test_the_index_in_the_readme_is_what_the_catalogue_says() -> None:
    written = (FOLDER / "README.md").read_text(encoding="utf-8")
    assert written == readme(), "run `python -m benchmarks --index`"


@pytest.mark.parametrize("benchmark", BENCHMARKS, ids=NAMES)
def test_the_docstring_of_a_script_says_what_it_shows_and_how_it_is_run(benchmark) -> None:
    text = (FOLDER / f"{benchmark.name}.py").read_text(encoding="utf-8")
    assert benchmark.shows.endswith(".")
    assert f"\nUsage: python -m {benchmark.module}" in text
    assert "tell(" in text, "it tells no figure"


@pytest.mark.slow
def test_every_script_answers_help() -> None:
    modules = [each.module for each in BENCHMARKS]
    done = subprocess.run(
        [sys.executable, "-c", HELP, *modules],
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    answers = done.stdout.split("module ")[1:]
    assert [each.split("\n", 1)[0] for each in answers] == modules
    assert all("usage: " in each and each.endswith("exit 0\n") for each in answers)


@pytest.mark.parametrize("file", sorted((CHECKOUT / "docs").rglob("*.md")), ids=lambda p: p.stem)
def test_benchmarks_that_the_docs_name_exist(file: Path) -> None:
    named = re.findall(r"python -m benchmarks\.([a-z0-9_.]+)", file.read_text(encoding="utf-8"))
    assert {name.replace(".", "/") for name in named} <= set(NAMES)


def test_what_a_script_tells_is_heard(capsys: pytest.CaptureFixture[str]) -> None:
    tell(COST, SCORE)
    lines = ["a table", *capsys.readouterr().out.splitlines()]
    assert lines[1].startswith(MARK)
    assert told(lines) == [COST, SCORE]


def test_the_ratio_is_over_one_where_ours_is_better() -> None:
    assert COST.ratio == pytest.approx(3.0)
    assert SCORE.ratio == pytest.approx(1.5)
    assert Figure("alone", 1.0).ratio is None


def test_a_figure_names_the_alternative_that_it_gives() -> None:
    with pytest.raises(ValueError, match="name the alternative"):
        Figure("a step", 1.0, "ms", 2.0)


def test_figures_stand_in_the_page_between_what_was_there(page: Path, outcome: run.Outcome) -> None:
    table.write([outcome], page)
    text = page.read_text(encoding="utf-8")
    assert text.startswith("before\n")
    assert text.endswith("\nafter\n")
    assert "| a step | 2 ms | somebody: 6 | 3 | 2026-01-01, 2 cores |" in text


def test_times_of_a_busy_machine_do_not_replace_those_of_a_quiet_one(
    page: Path, outcome: run.Outcome
) -> None:
    table.write([outcome], page)
    faster, better = replace(COST, ours=1.0), replace(SCORE, ours=1.0)
    table.write([replace(outcome, figures=(faster, better), others=1.0)], page)
    rows = {row.name: row.ours for row in table.read(page.read_text(encoding="utf-8"))}
    assert rows == {"a step": "2 ms", "beats": "1 F1"}


def test_a_benchmark_that_failed_changes_nothing(page: Path, outcome: run.Outcome) -> None:
    table.write([outcome], page)
    before = page.read_text(encoding="utf-8")
    table.write([replace(outcome, figures=(), exit_code=1)], page)
    assert page.read_text(encoding="utf-8") == before


def test_a_figure_that_is_told_no_longer_leaves_the_table(page: Path, outcome: run.Outcome) -> None:
    table.write([outcome], page)
    table.write([replace(outcome, figures=(SCORE,))], page)
    assert [row.name for row in table.read(page.read_text(encoding="utf-8"))] == ["beats"]


def test_a_script_that_takes_too_long_is_ended(tmp_path: Path) -> None:
    with (tmp_path / "out").open("w", encoding="utf-8") as out:
        command = [sys.executable, "-c", "import threading; threading.Event().wait()"]
        assert run.wait_for(command, out.fileno(), 0.2) is None


def test_recordings_that_are_not_there_are_named(tmp_path: Path) -> None:
    benchmark = next(each for each in BENCHMARKS if each.name == "cardiac/rpeaks")
    assert benchmark.missing(tmp_path, quick=False) == [tmp_path / "ecg"]
    (tmp_path / "ecg").mkdir()
    assert benchmark.missing(tmp_path, quick=True) == []


def test_a_room_stands_for_its_scripts_and_a_wrong_name_is_refused() -> None:
    assert [each.name for each in chosen(["eda"])] == ["eda/responses", "eda/tonic"]
    with pytest.raises(SystemExit, match="no benchmark is called 'edda'"):
        chosen(["edda"])
