"""`biosense calibrate`: from a person's ratings to a checkpoint that says whose it is."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from biosense.acquisition.xdf.reader import XdfReader
from biosense.acquisition.xdf.writer import XdfWriter
from biosense.core.errors import BadInput
from biosense.core.recording import Rating, Recording, Trial
from biosense.core.types import Chunk, Modality, StreamInfo
from biosense.estimation.load_model import load_model
from biosense.estimation.rated_spans import RatedSpan, caution, read_ratings, targets
from biosense.models.deployment.card import Card
from biosense.models.deployment.checkpoint import load
from tests.support.recorded_runs import sensor

JOYSTICK = StreamInfo("joystick", None, ("arousal", "valence"), 4.0)


@pytest.fixture
def rated_xdf(tmp_path: Path) -> Path:
    """Half a minute of EDA, of which a joystick rated the second half."""
    path, eda = tmp_path / "rated.xdf", sensor(Modality.EDA, 30.0)
    times = eda.times[0] + 15 + 0.25 * np.arange(60)
    with XdfWriter(path) as writer:
        for info in (eda.info, JOYSTICK):
            writer.add_stream(info)
        writer.write(eda)
        writer.write(Chunk.of(JOYSTICK, times, np.tile([0.8, -0.6], (60, 1))))
    return path


def table(path: Path, *rows: tuple[float, ...]) -> Path:
    lines = ["start,stop,valence,arousal", *(",".join(map(str, row)) for row in rows)]
    path.write_text("\n".join(lines) + "\n")
    return path


def test_continuous_ratings_move_the_estimates_towards_them(
    biosense, brief, rated_xdf: Path, tmp_path: Path
) -> None:
    mine = tmp_path / "mine"
    answer = biosense(
        *("calibrate", brief.checkpoint, rated_xdf, "--out", mine),
        *("--participant", "P07", "--strength", 0.1, "--json"),
    )
    assert answer.code == 0, answer.err
    assert answer.json["person"] == "P07"
    for was, now in answer.json["rmse"].values():
        assert now < 0.9 * was
    card = load(mine).info.card
    assert (card.person, card.intervals) == ("P07", None)
    assert "Fitted to P07 with 0.2 rated minutes" in card.warning
    before, after = tmp_path / "before.csv", tmp_path / "after.csv"
    biosense("estimate", rated_xdf, "--model", brief.checkpoint, "--out", before)
    used = biosense("estimate", rated_xdf, "--model", mine, "--out", after)
    moved = pd.read_csv(after).iloc[-1] - pd.read_csv(before).iloc[-1]
    assert moved["valence"] < -0.1
    assert moved["arousal"] > 0.1
    assert "fitted to 'P07' and is used for an unnamed participant" in used.words


def test_ratings_come_from_a_table_and_the_person_is_told(biosense, brief, tmp_path: Path) -> None:
    begin = XdfReader(brief.folder).begin
    ratings = table(tmp_path / "ratings.csv", (begin + 3, begin + 11, 0.5, -0.5))
    mine = tmp_path / "mine"
    answer = biosense(
        "calibrate", brief.checkpoint, brief.folder, "--ratings", ratings, "--out", mine, "--head"
    )
    assert answer.code == 0, answer.err
    assert "valence: RMSE on what was rated" in answer.words
    assert "it is no model for anybody else" in answer.words
    assert load_model(str(mine)).info.card.person == "one person, not named"


def test_without_ratings_it_says_what_is_wanted(biosense, brief, tmp_path: Path) -> None:
    out = tmp_path / "mine"
    answer = biosense("calibrate", brief.checkpoint, brief.folder, "--out", out)
    assert "nobody rated anything" in answer.reason
    assert "start, stop, valence, arousal" in answer.reason
    twice = biosense(
        *("calibrate", brief.checkpoint, brief.folder, brief.folder),
        *("--ratings", out, "--out", out),
    )
    assert "--ratings is of one recording, got 2" in twice.complaint
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ([(0.0, 9.0, 5.0, 0.0)], r"line 2 of .*valence=5\.0 .* map the scale"),
        ([(0.0, 9.0, 0.0, 0.0), (9.0, 9.0, 0.0, 0.0)], "line 3 of .*must last some time"),
        ([(0.0, 9.0, 0.0)], "line 2 of"),
    ],
)
def test_tables_that_cannot_be_used_are_refused_by_line(
    tmp_path: Path, rows: list[tuple[float, ...]], words: str
) -> None:
    with pytest.raises(BadInput, match=words):
        read_ratings(table(tmp_path / "ratings.csv", *rows))
    (tmp_path / "other.csv").write_text("time,valence\n0,0\n")
    with pytest.raises(BadInput, match=r"lacks the columns \['start', 'stop', 'arousal'\]"):
        read_ratings(tmp_path / "other.csv")


def test_each_kind_of_rating_speaks_where_those_before_it_are_silent() -> None:
    joystick = Chunk.of(JOYSTICK, [10.0, 20.0], [[0.0, 1.0], [1.0, 0.0]])
    recording = Recording(
        (joystick,),
        ratings=(Rating(60.0, -1.0, -1.0),),
        trials=(Trial(18.0, 40.0, "clip", rating=Rating(40.0, 0.3, 0.4)), Trial(0.0, 5.0, "x")),
    )
    times = np.array([1.0, 12.0, 15.0, 19.0, 30.0, 45.0, 55.0, 61.0])
    found = targets(recording, times, [RatedSpan(11.0, 13.0, 0.7, 0.7)], rated_s=10.0)
    wanted = np.full((8, 2), np.nan)
    wanted[1:5] = [(0.7, 0.7), (0.5, 0.5), (0.1, 0.9), (0.3, 0.4)]
    wanted[6] = (-1.0, -1.0)
    np.testing.assert_allclose(found, wanted)


def test_the_generic_checkpoint_is_left_as_it_was(biosense, brief, rated_xdf: Path) -> None:
    before = load(brief.checkpoint).model.state_dict()
    biosense("calibrate", brief.checkpoint, rated_xdf, "--out", rated_xdf.with_name("mine"))
    after = load(brief.checkpoint).model.state_dict()
    assert all(torch.equal(value, after[key]) for key, value in before.items())


def test_a_personal_model_is_silent_with_its_person_only() -> None:
    card = Card(warning="Fitted to P07.", person="P07")
    assert caution(card, "P07") == ""
    assert caution(Card(warning="a toy"), "P08") == "a toy"
    assert caution(card, "P08") == "this model is fitted to 'P07' and is used for 'P08': " + (
        "Fitted to P07."
    )
    assert "an unnamed participant" in caution(card, "")
