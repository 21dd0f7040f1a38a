"""Controls: each knows exactly what it says that it knows."""

from __future__ import annotations

import pickle
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest

from biosense.core.errors import BadInput
from biosense.core.recording import Marker, Rating, Recording, Trial
from biosense.core.types import Chunk, Modality, StreamInfo
from biosense.models.sequences import LabelledSequence
from biosense.studies.base import Predictor
from biosense.studies.candidates.baselines import ForestCandidate, RidgeCandidate
from biosense.studies.candidates.controls import CONTROLS, controls_for
from biosense.studies.candidates.fit_folds import blind, fit_of, predict_folds
from biosense.studies.candidates.lookup import (
    ClassPrior,
    OwnMean,
    OwnMeanOfOthers,
    PositionMean,
    StimulusMean,
    TimeCourse,
    TrainMean,
    TrainMedian,
)
from biosense.studies.candidates.without_signal import NoisePhysiology, Permuted, noise, permuted
from biosense.studies.features.reorder import reordered
from biosense.studies.leak_checks.lookahead import SAME, lookahead
from biosense.studies.scoring.predictions import Predictions
from biosense.studies.scoring.scores import score
from biosense.studies.splits.protocols import PROTOCOLS, folds
from biosense.testing.labelled_data import followed_labels, trial_offset_noise

QUICK = RidgeCandidate(windows_s=(2.0,))


def trial(
    subject: str, level: float, *, stimulus: str = "", position: int = 0, n: int = 4
) -> LabelledSequence:
    target = np.full((n, 2), level)
    target[:, 1] = level + 0.01 * np.arange(n)
    x = np.random.default_rng(position).normal(size=(n, 2))
    return LabelledSequence(
        subject,
        100.0 * position + np.arange(n) * 0.25,
        {Modality.EDA: x},
        {Modality.EDA: np.ones(n)},
        target,
        stimulus,
        position=position,
    )


TRAIN = [
    trial("a", 0.2, stimulus="x", position=0),
    trial("a", 0.6, stimulus="y", position=1),
    trial("b", -0.4, stimulus="x", position=1),
    trial("b", 0.0, stimulus="y", position=0),
]


def says(predictor: Predictor, sequence: LabelledSequence) -> list[float]:
    return predictor.predict(sequence)[0][:, 0].tolist()


def test_the_training_mean_is_said_everywhere_with_its_spread() -> None:
    mean, sd = TrainMean().fit(TRAIN, [], 0).predict(trial("z", 0.9))
    assert mean[:, 0] == pytest.approx([0.1] * 4)
    assert sd[0, 0] == pytest.approx(np.std([0.2, 0.6, -0.4, 0.0]))


def test_the_stimulus_mean_is_that_of_the_stimulus_and_else_of_all() -> None:
    fitted = StimulusMean().fit(TRAIN, [], 0)
    assert says(fitted, trial("z", 0.9, stimulus="x")) == pytest.approx([-0.1] * 4)
    assert says(fitted, trial("z", 0.9, stimulus="new")) == pytest.approx([0.1] * 4)


def test_the_position_mean_is_that_of_the_position() -> None:
    fitted = PositionMean().fit(TRAIN, [], 0)
    assert says(fitted, trial("z", 0.9, position=1)) == pytest.approx([0.1] * 4)
    assert says(fitted, trial("z", 0.9, position=0)) == pytest.approx([0.1] * 4)
    more = PositionMean().fit([*TRAIN, trial("c", 0.7, position=1)], [], 0)
    assert says(more, trial("z", 0.9, position=1)) == pytest.approx([0.3] * 4)


def test_the_own_mean_is_that_of_the_persons_training_trials() -> None:
    fitted = OwnMean().fit(TRAIN, [], 0)
    assert says(fitted, trial("a", 0.9)) == pytest.approx([0.4] * 4)
    assert says(fitted, trial("z", 0.9)) == pytest.approx([0.1] * 4)


def test_the_own_mean_of_others_leaves_the_trial_itself_out() -> None:
    tested = [trial("z", 0.8, position=0), trial("z", -0.2, position=1)]
    fitted = OwnMeanOfOthers.of([*TRAIN, *tested]).fit(TRAIN, [], 0)
    assert says(fitted, tested[0]) == pytest.approx([-0.2] * 4)
    assert says(fitted, tested[1]) == pytest.approx([0.8] * 4)
    part = replace(tested[0], time=tested[0].time + 0.5)  # cut: the whole trial stays out
    assert says(fitted, part) == pytest.approx([-0.2] * 4)


def test_a_time_course_is_the_mean_at_each_step_and_stays_at_its_end() -> None:
    fitted = TimeCourse().fit(TRAIN, [], 0)
    said = fitted.predict(trial("z", 0.9, n=6))[0][:, 1]
    assert said == pytest.approx(0.1 + 0.01 * np.array([0, 1, 2, 3, 3, 3]))


def test_a_time_course_per_stimulus_knows_the_stimulus() -> None:
    fitted = TimeCourse(per_stimulus=True).fit(TRAIN, [], 0)
    said = fitted.predict(trial("z", 0.9, stimulus="y"))[0][:, 1]
    assert said == pytest.approx(0.3 + 0.01 * np.arange(4))
    assert says(fitted, trial("z", 0.9, stimulus="new")) == pytest.approx([0.1] * 4)


@pytest.mark.parametrize("threshold", [-0.125, 0.0, 0.3])
def test_the_majority_is_the_larger_class_at_any_threshold(threshold: float) -> None:
    some = trial_offset_noise(7, 5, seed=3).sequences
    said = TrainMedian().fit(some, [], 0).predict(some[0])[0][0]
    shares = np.mean([s.target[0] > threshold for s in some], axis=0)
    assert ((said > threshold) == (shares > 0.5)).all()


def test_the_class_prior_draws_classes_by_their_share_and_the_same_ones_again() -> None:
    some = trial_offset_noise(20, 20, n_steps=2).sequences
    fitted = ClassPrior().fit(some[:100], [], 5)
    drawn = np.array([fitted.predict(s)[0][0] for s in some])
    wanted = np.mean([s.target[0] > 0.2 for s in some[:100]], axis=0)
    assert (drawn > 0.2).mean(0) == pytest.approx(wanted, abs=0.08)
    again = ClassPrior().fit(some[:100], [], 5)
    assert (again.predict(some[7])[0] == fitted.predict(some[7])[0]).all()
    other = ClassPrior().fit(some[:100], [], 6)
    assert any((other.predict(s)[0] != fitted.predict(s)[0]).any() for s in some[:5])


def test_trials_without_a_rating_are_left_out_of_tables() -> None:
    blank = replace(trial("c", 0.9), target=np.full((4, 2), np.nan))
    for candidate in (TrainMean(), StimulusMean(), TimeCourse(), TrainMedian(), ClassPrior()):
        said = candidate.fit([*TRAIN, blank], [], 0).predict(blank)
        assert np.isfinite(said).all(), candidate.name


def test_noise_has_the_shape_of_the_features_and_nothing_of_them() -> None:
    sequence = trial("a", 0.1)
    shifted = replace(sequence, data={Modality.EDA: sequence.data[Modality.EDA] + 5})
    first, second = noise(sequence, 0), noise(shifted, 0)
    assert (first.data[Modality.EDA] == second.data[Modality.EDA]).all()
    assert first.data[Modality.EDA].shape == (4, 2)
    assert (noise(sequence, 1).data[Modality.EDA] != first.data[Modality.EDA]).all()


def test_permuted_labels_stay_with_the_person_or_go_anywhere() -> None:
    some = followed_labels(3, 5, n_steps=10).sequences
    for within in (True, False):
        moved = permuted(some, np.random.default_rng(0), within)
        assert any((a.target != b.target).any() for a, b in zip(some, moved, strict=True))
        assert all(a.data is b.data for a, b in zip(some, moved, strict=True))
        owners = {s.target.tobytes(): s.subject for s in some}
        kept = [owners[s.target.tobytes()] == s.subject for s in moved]
        assert all(kept) == within


def test_labels_of_a_longer_trial_are_compressed_to_fit() -> None:
    some = [trial("a", 0.1, n=4), trial("a", 0.5, n=9, position=1)]
    for seed in range(4):
        moved = permuted(some, np.random.default_rng(seed))
        assert [s.n for s in moved] == [4, 9]
        assert {s.target[0, 0] for s in moved} == {0.1, 0.5}


def test_destroying_the_physiology_destroys_the_score() -> None:
    made = folds(followed_labels(9, 4, n_steps=40), "subject", n_folds=3)
    reached = {
        name: score(Predictions.of(predict_folds(fit_of(candidate), made)).first).valence.trial.ccc
        for name, candidate in {
            "real": QUICK,
            "noise": NoisePhysiology(QUICK),
            "permuted": Permuted(QUICK, within_subjects=False),
        }.items()
    }
    assert reached["real"] > 0.7
    assert reached["noise"] < 0.3
    assert reached["permuted"] < 0.5 * reached["real"]


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_every_control_runs_in_every_protocol_in_which_it_means_something(protocol: str) -> None:
    data = trial_offset_noise(5, 5, n_steps=8)
    fold = folds(data, protocol, n_folds=3, gap_s=5.0)[0]
    for candidate in controls_for(data, protocol, QUICK).values():
        fitted = pickle.loads(pickle.dumps(candidate)).fit(fold.train, fold.validation, 0)
        mean, sd = pickle.loads(pickle.dumps(fitted)).predict(fold.test[0])
        assert mean.shape == sd.shape == (8, 2)
        assert np.isfinite(mean).all()
        assert (sd > 0).all()
        unseen = fitted.predict(blind(fold.test[0]))
        np.testing.assert_array_equal(unseen, fitted.predict(fold.test[0]))
        assert lookahead(fitted, fold.test[0]) <= SAME


def test_tables_are_offered_only_where_they_know_something() -> None:
    data = trial_offset_noise(4, 4)
    unseen = controls_for(data, "subject-stimulus")
    assert not {"stimulus mean", "stimulus time course", "own mean"} & set(unseen)
    assert "own mean" in controls_for(data, "stimulus")
    assert "stimulus mean" in controls_for(data, "subject")
    assert CONTROLS["own mean of others"].needs_labels


def test_a_control_that_wraps_needs_something_to_wrap() -> None:
    with pytest.raises(BadInput, match="needs a candidate to fit"):
        CONTROLS["noise physiology"].make(trial_offset_noise(4, 4), None)


def test_names_tell_what_was_destroyed_of_what() -> None:
    made = controls_for(trial_offset_noise(4, 4), "subject", QUICK)
    assert made["noise physiology"].name == "noise physiology (plain ridge)"
    assert made["permuted over all"].name == "permuted over all (plain ridge)"
    assert made["train mean"].name == "train mean"


@pytest.mark.parametrize(
    ("candidate", "least"),
    [(QUICK, 0.6), (ForestCandidate(n_trees=20, windows_s=(2.0,)), 0.25)],
    ids=["ridge", "forest"],
)
def test_summaries_and_a_regression_learn_what_is_there(
    candidate: RidgeCandidate | ForestCandidate, least: float
) -> None:
    made = folds(followed_labels(9, 4, n_steps=40), "subject", n_folds=3)
    scores = score(Predictions.of(predict_folds(fit_of(candidate), made)).first)
    assert min(scores.valence.pooled.ccc, scores.arousal.pooled.ccc) > least
    assert 0.5 < scores.valence.uncertainty.coverage[0.9].pooled <= 1


def _recording() -> Recording:
    info = StreamInfo("eda", Modality.EDA, ("eda",), 4.0, "uS")
    label = StreamInfo("joystick", None, ("valence", "arousal"), 2.0)
    times = np.arange(5, 120, 0.25)
    starts = {"x": 10.3, "y": 45.0, "z": 80.0}
    return Recording(
        (Chunk.of(info, times, times[:, None]),),
        markers=(Marker(46.0, "during y"),),
        ratings=(Rating(70.0, 0.1, 0.2),),
        annotations=(Chunk.of(label, times[::2], np.tile(times[::2, None], 2)),),
        subject="p",
        started=datetime(2020, 1, 1, tzinfo=UTC),
        trials=tuple(
            Trial(start, start + 20, name, baseline=start - 3, rating=Rating(start + 21, 0.1, 0.3))
            for name, start in starts.items()
        ),
    )


def test_a_reordered_recording_moves_trials_with_all_that_was_recorded_in_them() -> None:
    before = _recording()
    after = reordered(before, 3)
    assert [t.stimulus for t in after.trials] != ["x", "y", "z"]
    (eda,), (joystick,) = after.streams, after.annotations
    for trial_after in after.trials:
        old = next(t for t in before.trials if t.stimulus == trial_after.stimulus)
        by = trial_after.start - old.start
        inside = (eda.times >= trial_after.start) & (eda.times <= trial_after.stop)
        assert inside.sum() in (80, 81)
        # the signal says when it was recorded
        assert eda.times[inside] - eda.data[inside, 0] == pytest.approx(by)
        rated = (joystick.times >= trial_after.start) & (joystick.times <= trial_after.stop)
        assert joystick.times[rated] - joystick.data[rated, 0] == pytest.approx(by)
        assert trial_after.rating is not None
        assert trial_after.rating.time == trial_after.stop + 1
        assert trial_after.baseline == pytest.approx(trial_after.start - 3)
        if old.stimulus == "y":
            assert after.markers[0].time == 46.0 + by
            assert after.ratings[0].time == 70.0 + by


def test_a_reordered_recording_keeps_every_sample_on_the_grid_and_says_so() -> None:
    before = _recording()
    orders = set()
    for seed in range(8):
        after = reordered(before, seed)
        chunk = after.streams[0]
        assert (np.diff(chunk.times) > 0).all()
        assert sorted(chunk.data[:, 0]) == sorted(before.streams[0].data[:, 0])
        assert chunk.times * 4 == pytest.approx(np.rint(chunk.times * 4))
        assert (chunk.times[:9] == before.streams[0].times[:9]).all()  # before the first trial
        assert "random order" in after.notes[-1]
        orders.add(tuple(t.stimulus for t in after.trials))
    assert len(orders) > 2
    one = replace(before, trials=before.trials[:1])
    assert reordered(one, 0) is one
