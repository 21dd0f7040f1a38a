"""The page of a study: whole in one file, honest first, and nothing that a number denies."""

from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from biosense.core.errors import BadInput
from biosense.studies.base import Bounds
from biosense.studies.candidates.corruptions import corruptions, masks
from biosense.studies.report.draw_modalities import chosen_subsets
from biosense.studies.report.page import content_of, render, write_study_report
from biosense.studies.results.parts import Row, SubsetScore
from biosense.studies.results.result import StudyResult
from biosense.studies.run import run_study
from tests.support.study_toys import BOTH, QUICK, small_plan, toy_study


@pytest.fixture(scope="module")
def result() -> StudyResult:
    plan = small_plan(variants=(*masks(BOTH), *corruptions(BOTH)))
    return run_study(toy_study(6, 4), plan, assessment=QUICK)


@pytest.fixture(scope="module")
def page(result) -> str:
    return render(content_of(result))


class Balanced(HTMLParser):
    """Fails on tags that do not close."""

    VOID = ("meta", "link", "br", "hr", "img", "path", "use", "rect", "circle", "line")

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []

    def handle_starttag(self, tag, attrs):
        told = dict(attrs)
        if "id" in told and tag == "section":
            self.ids.append(told["id"])
        if tag == "a":
            self.links.append(told["href"])
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        pass

    def handle_endtag(self, tag):
        if tag not in self.VOID:
            assert self.open.pop() == tag


def test_the_page_needs_nothing_else(page):
    assert not re.search(r"(src|href)=\"(?!#)", page)
    assert not re.search(r"@import|url\((?!#)|<script", page)
    # Names of XML are no addresses that anybody asks.
    assert set(re.findall(r"https?://[\w./]+", page)) <= {
        "http://www.w3.org/2000/svg",
        "http://www.w3.org/1999/xlink",
    }


def test_the_page_is_whole(page):
    reader = Balanced()
    reader.feed(page)
    assert reader.open == []
    assert {link.removeprefix("#") for link in reader.links} <= set(reader.ids)
    assert page.count("<svg ") == 7 + 4  # four curves: ranks of six people
    assert "nan" not in re.sub(r"<[^>]*>", "", page).lower().split()


def test_the_page_says_what_the_result_says(page, result):
    for verdict in result.verdicts:
        assert verdict.text.split("(")[0].strip() in page
    for row in result.results:
        assert row.name.split(": ")[-1] in page
    assert "biosense study toy" in page
    assert result.origin.fingerprints["data"] in page
    assert "a toy" in page  # the notes


def test_the_page_says_what_leak_checks_found(page, result):
    part = page[page.index('<section id="leaks">') : page.index('<section id="again">')]
    for check in result.leak_checks:
        assert check.text in part
    assert part.count("passed</td>") == 4
    failed = replace(result.leak_checks[1], passed=False)
    checks = (result.leak_checks[0], failed, *result.leak_checks[2:])
    assert "failed</td>" in render(content_of(replace(result, leak_checks=checks)))
    assert 'href="#leaks"' not in render(content_of(replace(result, leak_checks=())))


def test_what_is_said_first_stands_first(page):
    places = [page.index(word) for word in ("What can be said", "beside what needs none", "again")]
    assert places[0] < places[1]


def test_made_up_data_are_marked_in_big_letters(page, result):
    assert "FABRICATED" not in page
    made_up = render(content_of(replace(result, fabricated=True)))
    assert made_up.count("FABRICATED") == 2  # the title and the banner
    assert '<div class="fake">' in made_up


def test_words_from_files_stay_words(result):
    wild = replace(result, title="<script>alert(1)</script>", notes=("<b>bold</b>",))
    page = render(content_of(wild))
    assert "<script" not in page
    assert "&lt;b&gt;" in page


def without_numbers(row: Row) -> Row:
    metrics = {t: dict.fromkeys(values) for t, values in row.metrics.items()}
    bounds = {t: dict.fromkeys(values, Bounds(None)) for t, values in row.intervals.items()}
    return replace(row, metrics=metrics, intervals=bounds)


def test_a_result_without_numbers_is_drawn_too(result):
    empty = replace(
        result,
        results=tuple(without_numbers(row) for row in result.results),
        subsets=(),
        robustness=(),
        reliability=(),
        comparisons=tuple(
            replace(each, difference=Bounds(None), p=None, p_holm=None)
            for each in result.comparisons
        ),
        verdicts=(),
    )
    page = render(content_of(empty))
    assert "no value" in page
    assert 'id="subsets"' not in page
    assert 'id="sure"' not in page


def test_many_subsets_are_cut_to_what_can_be_read(result):
    bounds = {target: Bounds(0.1) for target in ("valence", "arousal")}
    names = [f"m{k}" for k in range(100)]
    many = [SubsetScore((name, "other"), False, bounds) for name in names]
    single = [SubsetScore((name,), True, bounds) for name in names[:5]]
    shown = chosen_subsets(replace(result, subsets=(*many, *single)))
    assert len(shown) <= 40
    assert sum(len(each.modalities) == 1 for each in shown) == 5


def test_the_file_is_written_where_it_can_be(result, tmp_path):
    write_study_report(result, tmp_path / "report.html")
    assert (tmp_path / "report.html").read_text(encoding="utf-8").startswith("<!doctype html>")
    with pytest.raises(BadInput, match="cannot be written"):
        write_study_report(result, tmp_path)
