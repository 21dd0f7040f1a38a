"""A study in one call: what is asked for is checked before anything is read."""

from __future__ import annotations

from pathlib import Path

import pytest

from biosense.core.errors import BadInput
from biosense.models.training.settings import STUDY
from biosense.studies.conduct import QUICK_TRIALS, StudyDesign, conduct
from biosense.studies.features.source import MINIATURE_PEOPLE, DataSource
from biosense.studies.results.read import read_study


def test_a_design_has_usual_values():
    design = StudyDesign("subject")
    assert design.split.n_folds == 5
    assert design.plan.seeds == (0, 1, 2, 3, 4)
    assert design.plan.training == STUDY
    assert design.notes == ()


def test_a_quick_design_is_small_and_says_so():
    design = StudyDesign("time", ("early",), quick=True, gap_s=5.0)
    assert (design.split.n_folds, design.split.gap_s, design.plan.seeds) == (3, 5.0, (0,))
    assert design.plan.training.epochs == 2
    assert "hardly trained" in design.notes[0]
    assert StudyDesign("time", quick=True, epochs=7, seeds=2).plan.training.epochs == 7


@pytest.mark.parametrize(
    ("wrong", "right"),
    [
        ({"protocol": "random"}, "subject-stimulus"),
        ({"models": ("best",)}, "cross_attention"),
        ({"seeds": 0}, "at least 1"),
    ],
)
def test_a_wrong_design_is_answered_with_what_is_right(wrong, right):
    with pytest.raises(BadInput, match=right):
        StudyDesign(**{"protocol": "subject", **wrong})


@pytest.mark.parametrize(
    ("wrong", "right"),
    [
        ({"dataset": "depa", "fabricate": True}, "there are: amigos"),
        ({"dataset": "deap"}, "no folder with the files of 'deap'.*http"),
        ({"dataset": "deap", "fabricate": True, "root": Path()}, "leave out the folder"),
        ({"dataset": "deap", "fabricate": True, "people": 0}, "at least 1"),
    ],
)
def test_a_wrong_source_is_refused_before_it_is_opened(wrong, right):
    with pytest.raises(BadInput, match=right):
        DataSource(**wrong)


def test_a_miniature_is_gone_when_it_is_closed():
    source = DataSource("case_derived", fabricate=True, keep=False)
    with source.open() as dataset:
        assert len(dataset.subjects) == MINIATURE_PEOPLE
        (first, *_) = dataset.files(dataset.subjects[0])
        assert first.exists()
    assert not first.exists()


def test_a_whole_study_is_conducted_and_read_again(tmp_path):
    source = DataSource("dreamer", fabricate=True, people=3)
    design = StudyDesign("subject", ("early",), quick=True, calibrate=(1, 2))
    result = conduct(source, design, out=tmp_path, command="as I did")
    assert result.fabricated
    assert result.origin.command == "as I did"
    assert result.people == 3
    assert result.calibration.counts == (1, 2)
    assert result.sequences <= 3 * QUICK_TRIALS
    assert read_study(tmp_path) == read_study(tmp_path / "result.json") == result
    assert "FABRICATED" in (tmp_path / "report.html").read_text(encoding="utf-8")
