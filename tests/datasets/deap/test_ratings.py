"""DEAP's table of ratings: read by the names of its columns, refused where it cannot be."""

from __future__ import annotations

from pathlib import Path

import pytest

from biosense.core.errors import BadInput, DatasetDamaged
from biosense.datasets.deap.fabricate import fabricate, make_plans, write_table
from biosense.datasets.deap.ratings import read_answers
from biosense.datasets.folder_listing import on_unit_scale

HEAD = "Participant_id,Trial,Experiment_id,Start_time,Valence,Arousal,Dominance,Liking,Familiarity"


def write(tmp_path: Path, *rows: str, head: str = HEAD) -> Path:
    path = tmp_path / "participant_ratings.csv"
    path.write_text("\n".join([head, *rows]), encoding="utf-8-sig")
    return path


def test_rows_come_back_by_person_in_the_order_of_presentation(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        "2,2,7,90000000,7.1,2,3,4,",
        "2,1,9,1000000,6.95,3,4,5,NaN",
        "1,1,9,1000000,1,9,4,5,5",
    )
    answers = read_answers(path)
    assert list(answers) == ["s01", "s02"]
    assert [(each.trial, each.video, each.start) for each in answers["s02"]] == [
        (1, 9, 1.0),
        (2, 7, 90.0),
    ]
    assert answers["s02"][0].raw == {
        "valence": 6.95,
        "arousal": 3.0,
        "dominance": 4.0,
        "liking": 5.0,
    }
    assert answers["s01"][0].raw["familiarity"] == 5.0


def test_columns_are_found_by_name(tmp_path: Path) -> None:
    head = "Arousal,Valence,Start_time,Experiment_id,Trial,Participant_id"
    answers = read_answers(write(tmp_path, "2,8,0,5,1,32", head=head))
    assert answers["s32"][0].raw == {"valence": 8.0, "arousal": 2.0}


def test_what_is_written_is_read(tmp_path: Path) -> None:
    plans = make_plans((1, 2, 24), 3, (4, 2))
    write_table(tmp_path, plans)
    answers = read_answers(tmp_path / "participant_ratings.csv")
    assert answers == {plan.subject: plan.answers for plan in plans}


@pytest.mark.parametrize(
    ("row", "match"),
    [
        ("33,1,1,0,5,5,5,5,5", "line 2: '33' is no number from 1 to 32"),
        ("1,41,1,0,5,5,5,5,5", "'41' is no number from 1 to 40"),
        ("1,1,1.5,0,5,5,5,5,5", r"'1\.5' is no number"),
        ("1,1,1,0,9.5,5,5,5,5", r"valence is 9\.5, wanted 1 to 9"),
        ("1,1,1,0,5,5,5,5,6", r"familiarity is 6\.0, wanted 1 to 5"),
        ("1,1,1,soon,5,5,5,5,5", "soon"),
        ("1,1", "line 2"),
        ("1,1,1,0,5,5,5,5,5\n1,2,1,0,5,5,5,5,5", "s01 has video 1 more than once"),
        ("1,1,1,0,5,5,5,5,5\n1,1,2,0,5,5,5,5,5", "s01 has trial 1 more than once"),
    ],
)
def test_rows_that_cannot_be_are_named(tmp_path: Path, row: str, match: str) -> None:
    with pytest.raises(DatasetDamaged, match=match):
        read_answers(write(tmp_path, row))


def test_other_tables_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DatasetDamaged, match="has no column Start_time, Valence, Arousal"):
        read_answers(write(tmp_path, "1,1,1", head="Participant_id,Trial,Experiment_id"))
    path = write(tmp_path)
    with pytest.raises(DatasetDamaged, match="has no column"):
        read_answers(path)
    path.write_bytes(b"\xff\xfe\x00\x01" * 100)
    with pytest.raises(DatasetDamaged, match="is no table"):
        read_answers(path)


def test_a_rating_that_is_not_on_its_scale_is_refused() -> None:
    assert on_unit_scale(1, 1, 9) == -1
    for value in (0.9, 9.1, float("nan")):
        with pytest.raises(BadInput, match="is not on its scale of 1 to 9"):
            on_unit_scale(value, 1, 9)


@pytest.mark.parametrize("people", [0, 33])
def test_a_miniature_has_as_many_people_as_the_set_can_have(tmp_path: Path, people: int) -> None:
    with pytest.raises(BadInput, match=f"people={people} must be between 1 and 32"):
        fabricate(tmp_path, people, 1)
