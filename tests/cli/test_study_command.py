"""`biosense study`, `evaluate` and `datasets`: on made-up data sets, and on what is not there."""

from __future__ import annotations

from pathlib import Path

import pytest

from biosense.datasets.registry import DATASETS
from biosense.studies.results.read import read_study

QUICK = ("--fabricate", "--quick")
TARGETS = ("valence", "arousal")


def test_a_study_of_made_up_data_goes_all_the_way(biosense, tmp_path):
    name, people, model, out = "dreamer", 3, "cross_attention", tmp_path / "out"
    command = ("study", name, "--protocol", "subject", "--people", people, *QUICK, "--model", model)
    answer = biosense(*command, "--calibrate", "1,2", "--out", out, "--json")
    assert answer.code == 0, answer.err
    assert "FABRICATED DATA" in answer.words
    said = answer.json
    assert said["fabricated"] is True
    assert said["people"] == people
    rows = {row["name"]: row for row in said["results"]}
    assert {model, "early", "late", "plain ridge", "train mean"} <= set(rows)
    for target in TARGETS:
        metrics = rows[model]["metrics"][target]
        assert all(isinstance(metrics[key], float) for key in ("ccc", "pearson", "rmse"))
        controls = rows[model]["controls"]
        assert {"train mean", "stimulus mean", "noise physiology"} <= set(controls)
        assert isinstance(controls["train mean"][target]["rmse"], float)
    track = said["calibration"]
    assert track["counts"] == [1, 2]
    assert track["people"] + track["left_out"] == people
    assert track["sequences"] >= 2 * track["people"] > 0
    assert set(said["features"]) == {"eeg", "ecg"}, "the modalities of the data set are there"
    page = (out / "report.html").read_text(encoding="utf-8")
    assert "FABRICATED DATA" in page
    assert f"biosense study {name}" in page
    kept = read_study(out / "result.json")
    assert kept.fabricated
    assert kept.curves
    assert kept.row(model).metrics["valence"] == pytest.approx(
        rows[model]["metrics"]["valence"], nan_ok=True
    )


def test_without_files_the_way_to_them_is_told(biosense, tmp_path):
    complaint = biosense("study", "deap", "--protocol", "subject").complaint
    assert "--root PATH" in complaint
    assert "--fabricate" in complaint
    reason = biosense("study", "deap", "--protocol", "subject", "--root", tmp_path).reason
    assert "deap" in reason.lower()
    assert str(tmp_path) in reason
    assert "http" in reason


def test_wrong_words_are_answered_with_the_right_ones(biosense, tmp_path):
    study = ("study", "deap", "--protocol")
    assert "subject-stimulus" in biosense(*study, "random", "--fabricate").complaint
    wrong = biosense(*study, "subject", "--fabricate", "--model", "best").complaint
    assert "cross_attention" in wrong
    unknown = biosense("study", "depa", "--protocol", "subject", "--fabricate").complaint
    assert "there are: amigos" in unknown
    both = biosense(*study, "subject", "--fabricate", "--root", tmp_path).complaint
    assert "leave out --root" in both


@pytest.mark.parametrize("counts", ["1,x", "0,1", "2,1", ""])
def test_wrong_numbers_of_labelled_videos_are_refused(biosense, counts):
    command = ("study", "deap", "--protocol", "subject", *QUICK)
    assert "1,2,3" in biosense(*command, "--calibrate", counts).complaint


def test_where_no_people_are_held_out_there_is_nobody_to_calibrate_to(biosense):
    command = ("study", "deap", "--protocol", "time", *QUICK, "--calibrate", "1")
    assert "holds out no people" in biosense(*command).complaint


def test_a_checkpoint_is_evaluated_beside_controls(biosense):
    answer = biosense("evaluate", "demo", "deap", "--fabricate", "--people", "3", "--json")
    assert answer.code == 0, answer.err
    said = answer.json
    assert said["fabricated"] is True
    assert said["model"] == "cross_attention"
    for target in TARGETS:
        assert isinstance(said["metrics"][target]["ccc"], float)
        assert isinstance(said["controls"]["train mean"][target]["rmse"], float)
    assert any("trained on" in note for note in said["notes"])


def test_data_sets_are_listed_with_the_way_to_them(biosense):
    said = biosense("datasets", "--json").json["datasets"]
    assert {each["name"] for each in said} == set(DATASETS)
    assert all(each["access"] for each in said)
    words = biosense("datasets").words
    for kind in DATASETS.values():
        assert kind.about.name in words


def test_features_are_kept_where_they_are_asked_to_be(biosense, tmp_path):
    cache = tmp_path / "cache"
    command = ("evaluate", "demo", "deap", "--fabricate", "--people", "1", "--cache", cache)
    first = biosense(*command, "--json")
    assert first.code == 0, first.err
    assert len(list(Path(cache).rglob("*.npz"))) == 1
    again = biosense(*command, "--json")
    assert "features of 1 of 1 people found again in the cache" in again.words
    assert again.json["metrics"] == first.json["metrics"]
    assert any("too few for controls" in note for note in again.json["notes"])
