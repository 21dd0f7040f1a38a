"""Canaries: each sings on a planted leak, and is silent where there is none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pytest

from biosense.core.errors import LeakFound
from biosense.core.types import Floats, Modality
from biosense.models.sequences import LabelledSequence
from biosense.models.training.train import Progress, TrainingSettings, train
from biosense.studies.base import Fold, Predictor, StudyData
from biosense.studies.candidates.baselines import NearestCandidate, RidgeCandidate
from biosense.studies.candidates.families import FamilyCandidate
from biosense.studies.candidates.fit_folds import fit_of, predict_folds
from biosense.studies.leak_checks.canaries import (
    at_chance,
    duplicate_caught,
    future_edit,
    log_audit,
    permuted_labels,
    poison,
    random_labels,
    run_canaries,
    selection_audit,
    split_by,
    targets_unread,
)
from biosense.studies.leak_checks.synthetic_data import (
    followed_labels,
    random_windows,
    trial_offset_noise,
)
from biosense.studies.scoring.predictions import Predictions
from biosense.studies.splits.protocols import PROTOCOLS, folds
from tests.support.stand_ins import PublicFile

RIDGE = RidgeCandidate(windows_s=(2.0,))
NEAREST = NearestCandidate(windows_s=(2.0,))
REAL = followed_labels(6, 4, n_steps=40)
FOLD = folds(REAL, "subject", n_folds=3)[0]
TINY = TrainingSettings(width=8, epochs=2, batches=2, crop_s=(8.0, 10.0), batch=8, window_s=2.0)


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_random_labels_score_at_chance_in_every_protocol(protocol: str) -> None:
    random_labels(fit_of(NEAREST), split_by(protocol), repeats=3, seed=20).demand()


def test_random_windows_are_caught_by_random_labels() -> None:
    found = random_labels(fit_of(NEAREST), random_windows, repeats=3)
    assert not found.passed
    assert found.value > 0.6
    with pytest.raises(LeakFound, match="labels that say nothing"):
        found.demand()


def test_permuted_labels_score_at_chance_where_true_ones_are_learnt() -> None:
    made = split_by("subject")(followed_labels(12, 6, n_steps=40))
    true = Predictions.of(predict_folds(fit_of(RIDGE), made)).sums("trial_ccc", "valence").value
    assert true > 0.7
    permuted_labels(RIDGE, made).demand()


@dataclass(frozen=True)
class Bookworm:
    """Knows the labels of the whole data set by heart, whatever it is fitted to."""

    data: StudyData
    name: str = "bookworm"

    def fit(
        self,
        train: Sequence[LabelledSequence],
        validation: Sequence[LabelledSequence],
        seed: int,
    ) -> Predictor:
        return NEAREST.fit(self.data.sequences, validation, seed)


def test_labels_that_come_in_by_another_door_are_caught_by_permutation() -> None:
    found = permuted_labels(Bookworm(REAL), split_by("subject")(REAL), repeats=3)
    assert not found.passed


@dataclass(frozen=True, eq=False)
class Scaled:
    """Answers of a predictor for features that are scaled first."""

    fitted: Predictor
    mean: float

    def predict(self, sequence: LabelledSequence) -> tuple[Floats, Floats]:
        data = {m: x - self.mean for m, x in sequence.data.items()}
        return self.fitted.predict(replace(sequence, data=data))


def fit_with_a_scaler_of_everything(fold: Fold, seed: int) -> Predictor:
    everybody = [*fold.train, *fold.validation, *fold.test]
    mean = float(np.mean([s.data[Modality.EDA].mean() for s in everybody]))
    return Scaled(RIDGE.fit(fold.train, fold.validation, seed), mean)


def test_poison_finds_a_scaler_that_saw_the_test_side() -> None:
    assert poison(fit_of(RIDGE), FOLD).passed
    found = poison(fit_with_a_scaler_of_everything, FOLD)
    assert not found.passed
    with pytest.raises(LeakFound, match="test features changed"):
        found.demand()


def fit_and_keep_the_best_on_the_test_side(fold: Fold, seed: int) -> Predictor:
    tried = [
        replace(RIDGE, alpha=alpha).fit(fold.train, fold.validation, seed) for alpha in (1.0, 1e6)
    ]

    def reached(fitted: Predictor) -> float:
        errors = [(fitted.predict(s)[0] - s.target) ** 2 for s in fold.test]
        return -float(np.mean(errors))

    return max(tried, key=reached)


def test_the_audit_finds_a_choice_by_test_score() -> None:
    assert selection_audit(fit_of(RIDGE), FOLD).passed
    assert not selection_audit(fit_and_keep_the_best_on_the_test_side, FOLD).passed
    assert poison(fit_of(RIDGE), FOLD).passed


@dataclass(frozen=True, eq=False)
class WholeScore:
    """Scales each sequence by all of it, later steps too."""

    fitted: Predictor

    def predict(self, sequence: LabelledSequence) -> tuple[Floats, Floats]:
        data = {m: (x - x.mean(0)) / x.std(0) for m, x in sequence.data.items()}
        return self.fitted.predict(replace(sequence, data=data))


@dataclass(frozen=True, eq=False)
class Peeking:
    """Adds a little of the targets, where it is handed any."""

    fitted: Predictor

    def predict(self, sequence: LabelledSequence) -> tuple[Floats, Floats]:
        mean, sd = self.fitted.predict(sequence)
        return mean + 0.1 * np.nan_to_num(sequence.target), sd


def test_a_later_edit_finds_what_looks_ahead() -> None:
    fitted = RIDGE.fit(FOLD.train, FOLD.validation, 0)
    assert future_edit(fitted, FOLD.test[0]).passed
    assert not future_edit(WholeScore(fitted), FOLD.test[0]).passed


def test_a_predictor_that_reads_targets_is_found() -> None:
    fitted = RIDGE.fit(FOLD.train, FOLD.validation, 0)
    assert targets_unread(fitted, FOLD.test[0]).passed
    assert not targets_unread(Peeking(fitted), FOLD.test[0]).passed


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_second_name_is_caught_by_ours_and_not_by_a_plain_splitter(protocol: str) -> None:
    data = trial_offset_noise(5, 5, n_steps=20)
    assert duplicate_caught(data, split_by(protocol)).passed
    assert not duplicate_caught(data, random_windows).passed


def test_the_log_of_a_real_training_proves_the_choice() -> None:
    settings = replace(TINY, epochs=2)
    trained = train("early", FOLD.train, validation=FOLD.validation, settings=settings)
    assert log_audit(trained.history).passed
    doctored = [replace(e, best_ccc=e.best_ccc + 0.1) for e in trained.history]
    assert not log_audit(doctored).passed
    assert not log_audit([]).passed


def test_an_epoch_without_a_score_is_never_the_best() -> None:
    rows = [(float("nan"), -float("inf")), (0.2, 0.2), (float("nan"), 0.2), (0.1, 0.2)]
    history = [Progress(k, 4, 1.0, ccc, best, 0.0, 0.0) for k, (ccc, best) in enumerate(rows)]
    assert log_audit(history).passed


def test_a_fusion_family_passes_every_canary_that_a_fit_can_fail() -> None:
    candidate = FamilyCandidate("early", settings=TINY)
    fit = fit_of(candidate)
    fitted = fit(FOLD, 0)
    verdicts = [
        random_labels(fit, split_by("subject", n_folds=2), repeats=3),
        poison(fit, FOLD),
        selection_audit(fit, FOLD),
        future_edit(fitted, FOLD.test[0]),
        targets_unread(fitted, FOLD.test[0]),
    ]
    for verdict in verdicts:
        verdict.demand()


def test_all_canaries_run_on_a_candidate() -> None:
    verdicts = run_canaries(RIDGE, ("subject",), repeats=3, seed=20)
    assert [v.name for v in verdicts] == [
        "random labels, subject",
        "duplicate, subject",
        "permuted labels",
        "poison",
        "selection audit",
        "future edit",
        "targets unread",
    ]
    assert all(v.passed for v in verdicts)


def test_chance_is_judged_by_the_spread_over_repeats() -> None:
    assert at_chance("x", [0.3, -0.3, 0.25, -0.1]).passed
    assert not at_chance("x", [0.3, 0.31, 0.29, 0.3]).passed
    assert at_chance("x", [-0.5, -0.51, -0.4]).passed  # worse than chance is no leak
    assert not at_chance("x", [0.9, 0.5, 0.1]).passed  # too high for any chance
    assert not at_chance("x", [0.3, -0.3]).passed  # unknown is not passed
    assert not at_chance("x", [float("nan")] * 3).passed


@pytest.fixture(scope="module")
def case(public_file: PublicFile) -> StudyData:
    """The people of CASE folds 0 and 1 at 4 Hz: means of five rows, labels to [-1, 1]."""
    with np.load(public_file("case/case_dev.npz")) as file:
        x, y, who, video, fold, start = (
            file[key] for key in ("X", "Y", "subject", "video", "fold", "start_ms")
        )
    sequences = []
    for subject in np.unique(who[fold < 2]):
        rows = np.flatnonzero(who == subject)
        for position, row in enumerate(rows[np.argsort(start[rows])]):
            features = x[row, :1000].reshape(200, 5, 9).mean(1).astype(np.float64)[:, [0, 2, 3]]
            change = features - np.mean(features[:40], 0)
            sequences.append(
                LabelledSequence(
                    f"{subject:02d}",
                    start[row] / 1000 + np.arange(200) * 0.25,
                    {Modality.EDA: np.concatenate([features, change], 1)},
                    {Modality.EDA: np.ones(200)},
                    (y[row, 4:1000:5].astype(np.float64) - 5) / 4.5,
                    f"video{video[row]}",
                    position=position,
                )
            )
    return StudyData("case", tuple(sequences), {}, "case")


def test_real_physiology_with_permuted_labels_scores_at_chance(case: StudyData) -> None:
    made = folds(case, "subject", n_folds=2)
    permuted_labels(RidgeCandidate(windows_s=(10.0,)), made, repeats=4).demand()
