"""Scores: against scikit-learn and by hand, and each kind of number means what it says."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import numpy as np
import pytest

from biosense.core.errors import BadInput
from biosense.core.types import Floats
from biosense.models.evaluation.metrics import ccc, mae, pearson, rmse
from biosense.models.sequences import LabelledSequence
from biosense.studies.base import Prediction, StudyData
from biosense.studies.candidates.controls import controls_for
from biosense.studies.candidates.fit_folds import fit_of, predict_folds
from biosense.studies.scoring.predictions import Predictions
from biosense.studies.scoring.scores import Scores, score
from biosense.studies.scoring.series import series_of, training_threshold
from biosense.studies.splits.protocols import folds
from tests.support.stand_ins import PublicFile

RNG = np.random.default_rng(0)


def said(
    subject: str,
    target: Floats,
    mean: Floats,
    *,
    position: int = 0,
    per_trial: bool = False,
    sd: float = math.nan,
    fold: str = "f",
    seed: int = 0,
) -> Prediction:
    sequence = LabelledSequence(
        subject,
        100.0 * position + np.arange(len(target)) * 0.25,
        {},
        {},
        target,
        f"clip{position}",
        position=position,
        per_trial=per_trial,
    )
    return Prediction(sequence, mean, np.full(mean.shape, sd), fold, seed)


def scored(
    some: list[Prediction],
    *,
    thresholds: dict[str, tuple[float, float]] | None = None,
    window_s: tuple[float, float] | None = None,
) -> Scores:
    return score(Predictions.of(some, window_s=window_s).first, thresholds=thresholds)


def curve(n: int = 50) -> Floats:
    return np.clip(RNG.normal(0, 0.3, (n, 2)), -1, 1)


def continuous(people: int = 4, trials: int = 3) -> list[Prediction]:
    made = []
    for person in range(people):
        for k in range(trials):
            y = curve()
            p = 0.5 * y + 0.1 + 0.2 * curve()
            made.append(said(f"p{person}", y, p, position=k, sd=0.3))
    return made


def rated(people: int = 5, trials: int = 8) -> list[Prediction]:
    made = []
    for person in range(people):
        for k in range(trials):
            y = RNG.uniform(-0.9, 0.9, 2)
            p = 0.4 * y + 0.3 * RNG.normal(size=2) + 0.05 * RNG.normal(size=(20, 2))
            made.append(said(f"p{person}", np.tile(y, (20, 1)), p, position=k, per_trial=True))
    return made


def test_sequence_scores_are_means_over_sequences_then_subjects() -> None:
    some = continuous()[:-2]  # the last person has one sequence
    values = {name: [] for name in ("p0", "p1", "p2", "p3")}
    for one in some:
        values[one.sequence.subject].append(ccc(one.mean[:, 0], one.sequence.target[:, 0]))
    expected = np.mean([np.mean(own) for own in values.values()])
    assert scored(some).valence.sequence.ccc == pytest.approx(expected, abs=1e-12)


def test_pooled_scores_put_all_steps_together() -> None:
    some = continuous()
    p = np.concatenate([one.mean[:, 1] for one in some])
    y = np.concatenate([one.sequence.target[:, 1] for one in some])
    pooled = scored(some).arousal.pooled
    wanted = [metric(p, y) for metric in (ccc, pearson, rmse, mae)]
    assert [pooled.ccc, pooled.pearson, pooled.rmse, pooled.mae] == pytest.approx(wanted)


def test_within_scores_put_one_persons_steps_together() -> None:
    some = continuous(people=2)
    expected = []
    for name in ("p0", "p1"):
        own = [one for one in some if one.sequence.subject == name]
        p = np.concatenate([one.mean[:, 0] for one in own])
        y = np.concatenate([one.sequence.target[:, 0] for one in own])
        expected.append(ccc(p, y))
    scores = scored(some).valence
    assert scores.within.ccc == pytest.approx(np.mean(expected))
    assert [person.within.ccc for person in scores.subjects] == pytest.approx(expected)


def test_knowing_each_trials_level_scores_pooled_and_by_trial_but_not_by_sequence() -> None:
    made = []
    for k, level in enumerate(np.linspace(-0.6, 0.6, 9)):
        y = np.clip(level + 0.1 * curve(), -1, 1)
        made.append(said(f"p{k % 3}", y, np.tile(y.mean(0), (50, 1)), position=k))
    scores = scored(made).valence
    assert scores.sequence.ccc == 0
    assert scores.pooled.ccc > 0.9
    assert scores.trial.ccc == pytest.approx(1)


def test_a_rated_trial_counts_once_however_long_it_is() -> None:
    some = rated()
    longer = [
        replace(
            one,
            sequence=replace(
                one.sequence,
                time=one.sequence.time[0] + np.arange(40) * 0.25,
                target=np.tile(one.sequence.target[0], (40, 1)),
            ),
            mean=np.repeat(one.mean, 2, 0),
            sd=np.repeat(one.sd, 2, 0),
        )
        if k % 2
        else one
        for k, one in enumerate(some)
    ]
    first, second = scored(some), scored(longer)
    assert first.per_trial
    assert first.valence.pooled.ccc == pytest.approx(second.valence.pooled.ccc)
    assert first.valence.pooled == first.valence.trial


def test_rated_trials_have_no_score_of_following_time() -> None:
    scores = scored(rated()).arousal
    assert math.isnan(scores.sequence.ccc)
    assert math.isfinite(scores.sequence.rmse)
    assert scores.n_constant == 0


def test_constant_targets_are_counted_and_can_be_left_out() -> None:
    some = continuous(people=2, trials=2)
    flat = said("p0", np.full((50, 2), 0.3), curve(), position=7)
    scores = scored([*some, flat]).valence
    assert scores.n_constant == 1
    assert scores.varying == scored(some).valence.sequence
    assert scores.sequence.ccc < scores.varying.ccc


def test_the_first_sequence_of_a_session_is_told_apart() -> None:
    some = continuous()
    first = [one for one in some if one.sequence.position == 0]
    later = [one for one in some if one.sequence.position > 0]
    scores = scored(some).valence
    assert scores.first == scored(first).valence.pooled
    assert scores.later == scored(later).valence.pooled


def test_a_window_keeps_the_rows_that_the_epic_scorer_keeps() -> None:
    n = 1001
    y, p = RNG.uniform(-1, 1, (n, 2)), RNG.uniform(-1, 1, (n, 2))
    one = said("p", y, p)
    fast = replace(one, sequence=replace(one.sequence, time=7.3 + np.arange(n) / 20))
    scores = scored([fast], window_s=(10.0, 40.05))
    assert scores.valence.sequence.rmse == rmse(p[200:801, 0], y[200:801, 0])


def test_steps_without_a_rating_are_left_out_and_no_rating_at_all_is_nan() -> None:
    some = continuous(people=3, trials=1)
    blank = said("p9", np.full((50, 2), np.nan), curve())
    assert scored([*some, blank]).valence.pooled == scored(some).valence.pooled
    assert scored([*some, blank]).valence.sequence == scored(some).valence.sequence
    assert math.isnan(scored([blank]).valence.pooled.ccc)
    assert scored([blank]).as_dict()["valence"]["pooled"]["ccc"] is None


def test_binary_scores_use_the_threshold_of_each_fold() -> None:
    some = [replace(one, fold=f"f{k % 2}") for k, one in enumerate(rated())]
    given = {"f0": (0.3, 0.0), "f1": (-0.3, 0.0)}
    found = scored(some, thresholds=given).valence.binary
    assert set(found) == {"train", "4.5", "5"}
    cuts = np.array([given[one.fold][0] for one in sorted(some, key=_order)])
    y = np.array([one.sequence.target[0, 0] for one in sorted(some, key=_order)])
    assert found["train"].high == pytest.approx((y > cuts).mean())
    with pytest.raises(BadInput, match="no training threshold"):
        scored(some, thresholds={"f0": (0.0, 0.0)})


def _order(one: Prediction) -> tuple[str, int]:
    return one.sequence.subject, one.sequence.position


def test_the_training_threshold_is_the_median_of_trials() -> None:
    trials = [one.sequence for one in rated(3, 5)]
    wanted = np.median([trial.target[0] for trial in trials], axis=0)
    assert training_threshold(trials) == pytest.approx(tuple(wanted))


def test_a_candidate_without_deviations_has_no_uncertainty() -> None:
    found = scored(rated()).valence.uncertainty
    assert math.isnan(found.nll)
    assert math.isnan(found.coverage[0.9].pooled)


def test_scores_are_json_without_nan() -> None:
    text = json.dumps(scored([*continuous(), *rated(1, 1)][:-1]).as_dict(), allow_nan=False)
    assert json.loads(text)["n_subjects"] == 4
    json.dumps(scored(rated()).as_dict(), allow_nan=False)


def test_a_sequence_is_tested_once_by_each_seed() -> None:
    one = continuous(people=1, trials=1)[0]
    with pytest.raises(BadInput, match="predicted twice"):
        scored([one, one])
    both = Predictions.of([replace(one, seed=1), one])
    assert [(own.seed, len(own.series)) for own in both.seeds] == [(0, 1), (1, 1)]


def test_a_prediction_of_the_wrong_shape_is_refused() -> None:
    one = continuous(people=1, trials=1)[0]
    with pytest.raises(BadInput, match="must have the shape of its target"):
        series_of(replace(one, mean=one.mean[:-1]))
    with pytest.raises(BadInput, match="no predictions"):
        scored([])


def test_tables_without_physiology_reach_on_case_what_is_known_of_them(
    public_file: PublicFile,
) -> None:
    """Recomputed by plain array arithmetic, on the scored rows and the scale of EPiC 2023."""
    with np.load(public_file("case/case_dev.npz")) as file:
        y, who, video, fold = (file[key] for key in ("Y", "subject", "video", "fold"))
    order = np.lexsort((video, who))
    y, who, video, fold = y[order].astype(np.float64), who[order], video[order], fold[order]
    sequences = tuple(
        LabelledSequence(
            f"{who[k]:02d}",
            100.0 * video[k] + np.arange(1001) / 20,
            {},
            {},
            (y[k] - 5) / 4.5,
            f"video{video[k]}",
            position=int(video[k]),
        )
        for k in range(len(y))
    )
    stated = {f"{w:02d}": int(f) for w, f in zip(who, fold, strict=True)}
    data = StudyData("case", sequences, {}, "case", stated_folds=stated)
    made = folds(data, "subject")
    tables = controls_for(data, "subject")
    for name, same in (("train mean", np.ones_like(video)), ("stimulus mean", video)):
        found = scored(predict_folds(fit_of(tables[name]), made), window_s=(10.0, 40.05))
        for column, scores in enumerate((found.valence, found.arousal)):
            # Of the people of other folds, without the one fifth that chooses when to stop.
            errors = []
            for part in made:
                train = np.isin(who, [int(s.subject) for s in part.train])
                for k in np.flatnonzero(np.isin(who, [int(s.subject) for s in part.test])):
                    level = y[train & (same == same[k]), :, column].mean()
                    errors.append(np.sqrt(np.mean((y[k, 200:801, column] - level) ** 2)))
            assert 4.5 * scores.sequence.rmse == pytest.approx(np.mean(errors), abs=1e-9)
            assert scores.sequence.ccc == 0
            assert scores.n_constant == (17, 8)[column]
    assert found.arousal.pooled.ccc > 0.7  # the table of videos, which results must beat
