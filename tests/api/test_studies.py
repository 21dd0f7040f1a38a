"""Data sets and studies in one call."""

from __future__ import annotations

from pathlib import Path

import pytest

import biosense as bs
from biosense.core.errors import BadInput


@pytest.fixture(scope="module")
def study() -> bs.Study:
    return bs.study("deap", fabricate=True, quick=True, people=4, models="ridge")


def test_a_data_set_opens_by_name() -> None:
    deap = bs.datasets.open("deap", fabricate=True, people=2)
    assert list(deap.subjects) == ["s01", "s02"]
    assert deap.load("s01").trials
    assert "deap" in bs.datasets.names()
    assert "ridge" in bs.models.names()
    with pytest.raises(BadInput, match="no data set 'depa'"):
        bs.datasets.open("depa", fabricate=True)
    with pytest.raises(BadInput, match="either the folder with its files"):
        bs.datasets.open("deap")


def test_a_study_gives_a_table_a_page_and_a_picture(study: bs.Study, tmp_path: Path) -> None:
    table = study.to_pandas()
    assert {"entry", "kind", "target", "judged", "ccc"} <= set(table.columns)
    assert table.loc[table["judged"], "entry"].unique().tolist() == ["ridge"]
    page = study.report(tmp_path / "below" / "report.html").read_text(encoding="utf-8")
    assert "FABRICATED" in page
    assert study.verdicts
    assert [axes.get_xlabel() for axes in study.plot().axes] == ["", ""]
    assert "FABRICATED DATA" in study._repr_html_()


def test_a_study_of_nothing_says_what_it_needs() -> None:
    with pytest.raises(BadInput, match="no folder with the files of 'deap'"):
        bs.study("deap")
    with pytest.raises(BadInput, match="no model 'rigde'"):
        bs.study("deap", fabricate=True, models="rigde")
