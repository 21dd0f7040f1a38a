"""The calibration track: it finds what was planted, claims nothing else, and looks at no answer."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pytest

from biosense.core.errors import BadInput
from biosense.studies.base import StudyData
from biosense.studies.candidates.baselines import RidgeCandidate
from biosense.studies.candidates.families import FamilyCandidate
from biosense.studies.execution.calibration import Calibration, calibration_for, sides_of
from biosense.studies.execution.jobs import Job, JobStore, carry_out
from biosense.studies.execution.plan import Entry, Kind, Plan, PlanSettings, Split, plan_study
from biosense.studies.report.page import content_of, render
from biosense.studies.results.assess import Assessment
from biosense.studies.results.calibration_result import GENERAL, OFFSET, OWN_MEAN, PERSONAL
from biosense.studies.results.read import read_study
from biosense.studies.results.result import StudyResult
from biosense.studies.results.verdicts import verdicts
from biosense.studies.run import RunSettings, run_study
from tests.support.study_toys import TINY, toy_study

QUICK = Assessment(n_resamples=500)
SHORT = Calibration((1, 2, 3), strength=0.2)  # a toy video lasts 10 s
ENDS = replace(SHORT, counts=(1, 3))
TARGETS = ("valence", "arousal")


def shifted(data: StudyData, size: float) -> StudyData:
    """Return people who say what they feel too high or too low, each by an offset of their own."""
    rng = np.random.default_rng(7)
    offsets = {who: rng.uniform(-size, size, 2) for who in data.subjects}
    moved = tuple(
        replace(s, target=np.clip(0.4 * s.target + offsets[s.subject], -1, 1))
        for s in data.sequences
    )
    return replace(data, sequences=moved)


def plan_of(candidate, calibration=SHORT, protocol="subject", n_folds=3, seeds=(0,)) -> Plan:
    entry = Entry(Kind.MODEL, "it", candidate, seeds, calibration=calibration)
    return Plan(Split(protocol, n_folds=n_folds), (entry,), "it")


RIDGE = FamilyCandidate("ridge", TINY)


PLAIN = plan_of(RIDGE, ENDS, n_folds=2)


@pytest.fixture(scope="module")
def planted() -> StudyResult:
    data = shifted(toy_study(12, 6, 32, noise=2.0), 0.5)
    return run_study(data, PLAIN, assessment=QUICK)


@pytest.fixture(scope="module")
def nothing_planted() -> StudyResult:
    return run_study(shifted(toy_study(12, 6, 32), 0.0), PLAIN, assessment=QUICK)


@pytest.mark.parametrize("target", TARGETS)
def test_planted_offsets_are_found(planted: StudyResult, target: str) -> None:
    track = planted.calibration
    assert track is not None
    assert (track.people, track.left_out, track.sequences) == (12, 0, 12 * 3)
    gains = []
    for count in ENDS.counts:
        row = track.row(PERSONAL, count, target)
        assert row.gain is not None
        assert row.gain.low > 0
        assert row.gains
        assert row.rmse_change.high < 0
        assert row.p <= row.p_holm
        gains.append(row.gain.value)
        general = track.row(GENERAL, 0, target)
        assert row.gain.value == pytest.approx(row.ccc.value - general.ccc.value)
        assert set(row.over) == {OFFSET, OWN_MEAN}
    assert gains[1] > gains[0]


@pytest.mark.parametrize("target", TARGETS)
def test_where_nothing_was_planted_nothing_is_claimed(
    nothing_planted: StudyResult, target: str
) -> None:
    track = nothing_planted.calibration
    assert track is not None
    for count in ENDS.counts:
        row = track.row(PERSONAL, count, target)
        assert not row.gains
        own_mean = track.row(OWN_MEAN, count, target)
        assert own_mean.ccc.value < row.ccc.value
    said = [v.text for v in nothing_planted.verdicts if "labelled videos" in v.text]
    assert len(said) == 2
    assert not any("gain on those" in text for text in said)


@pytest.mark.parametrize(("low", "tone"), [(0.1, "good"), (-0.1, "bad")])
def test_sentences_follow_the_numbers(planted: StudyResult, low: float, tone: str) -> None:
    """A gain that the mean of the ratings reaches alone is a doubt."""
    track = planted.calibration
    assert track is not None
    rows = tuple(
        replace(row, over={**row.over, OWN_MEAN: replace(row.over[OWN_MEAN], low=low)})
        if row.way == PERSONAL
        else row
        for row in track.rows
    )
    told = verdicts(replace(planted, calibration=replace(track, rows=rows)))
    said = [v for v in told if "three labelled videos" in v.text]
    assert [v.tone for v in said] == [tone, tone]
    assert all("gain on those that follow (CCC +" in v.text for v in said)
    assert all(("mean of those ratings alone" in v.text) == (tone == "bad") for v in said)


def test_no_other_number_changes_with_it(planted: StudyResult) -> None:
    data = shifted(toy_study(12, 6, 32, noise=2.0), 0.5)
    without = run_study(data, plan_of(RIDGE, None, n_folds=2), assessment=QUICK)
    assert without.calibration is None
    assert without.results == planted.results
    assert without.comparisons == planted.comparisons


def test_no_video_labelled_is_the_general_model() -> None:
    fold = Split("subject", n_folds=3).of(toy_study(6, 6))[0]
    fitted = RIDGE.fit(fold.train, fold.validation, 0)
    none = fitted.personal([], 1.0)
    assert none is not None
    np.testing.assert_array_equal(none.predict(fold.test[0])[0], fitted.predict(fold.test[0])[0])


@dataclass(frozen=True)
class Listener:
    """Notes what it is handed: labels of the first videos, and nothing of those that are scored."""

    name: str = "listener"

    def fit(self, train, validation, seed):
        return Heard(())


@dataclass(frozen=True, eq=False)
class Heard:
    """Says the mean of what it was told."""

    told: tuple[float, ...]

    def predict(self, sequence):
        assert np.isnan(sequence.target).all()
        level = float(np.mean(self.told)) if self.told else 0.0
        return np.full((sequence.n, 2), level), np.ones((sequence.n, 2))

    def personal(self, labelled, strength):
        assert all(s.position < 3 for s in labelled)
        assert [s.position for s in labelled] == sorted(s.position for s in labelled)
        return Heard(tuple(float(s.target.mean()) for s in labelled))


def test_no_label_of_a_scored_video_is_seen() -> None:
    data = toy_study(6, 6, 40)
    plan = plan_of(Listener())
    poisoned = tuple(
        replace(s, target=np.where(s.position < 3, s.target, -0.9)) for s in data.sequences
    )
    other = replace(data, sequences=poisoned)
    for fold in range(3):
        one, two = (carry_out((each, plan), Job(0, fold, 0)).calibrated for each in (data, other))
        assert one.shape == (2, 3, 2 * 3 * 40, 2)
        np.testing.assert_array_equal(one, two)
        assert np.ptp(one[0]) > 0


def test_labels_of_scored_videos_do_not_reach_a_real_model() -> None:
    data = shifted(toy_study(6, 6, 40), 0.5)
    plan = plan_of(RIDGE)
    fold = plan.split.of(data)[0]
    tested = {s.subject for s in fold.test}
    poisoned = tuple(
        replace(s, target=-s.target) if s.subject in tested and s.position > 2 else s
        for s in data.sequences
    )
    one, two = (
        carry_out((each, plan), Job(0, 0, 0)).calibrated
        for each in (data, replace(data, sequences=poisoned))
    )
    np.testing.assert_array_equal(one, two)


def test_the_first_videos_are_labelled_and_later_ones_scored() -> None:
    data = toy_study(6, 6, 40)
    short = tuple(s for s in data.sequences if s.subject != "s01" or s.position < 4)
    data = replace(data, sequences=short)
    split = Split("subject", n_folds=3)
    sides = [s for fold in split.of(data) for s in sides_of(data, "subject", fold, SHORT)]
    assert sorted(side.labelled[0].subject for side in sides) == [
        who for who in data.subjects if who != "s01"
    ]
    for side in sides:
        assert [s.position for s in side.labelled] == [0, 1, 2]
        assert [s.position for s in side.later] == [3, 4, 5]
    result = run_study(data, plan_of(Listener()), assessment=QUICK)
    assert result.calibration is not None
    assert (result.calibration.people, result.calibration.left_out) == (5, 1)


def test_held_out_stimuli_are_not_labelled_either() -> None:
    data = toy_study(6, 8, 20)
    folds = Split("subject-stimulus", n_folds=2).of(data)
    sides = [(f, s) for f in folds for s in sides_of(data, "subject-stimulus", f, ENDS)]
    assert sides
    for fold, side in sides:
        tested = {s.stimulus for s in fold.test}
        assert not tested & {s.stimulus for s in side.labelled}
        assert max(s.position for s in side.labelled) < min(s.position for s in side.later)
        assert {s.stimulus for s in side.later} <= tested
    plan = plan_of(RIDGE, ENDS, protocol="subject-stimulus", n_folds=2)
    track = run_study(data, plan, assessment=QUICK).calibration
    assert track is not None
    assert track.sequences == sum(len(side.later) for _, side in sides)


@pytest.mark.parametrize("family", ["gated", "committee"])
def test_networks_and_committees_have_a_track(family: str) -> None:
    data = toy_study(4, 5, 40)
    plan = plan_of(FamilyCandidate(family, replace(TINY, epochs=1)), n_folds=2)
    done = carry_out((data, plan), Job(0, 0, 0))
    assert done.calibrated.shape == (2, 3, 2 * 2 * 40, 2)
    assert np.isfinite(done.calibrated).all()


@pytest.mark.parametrize(
    "candidate", [FamilyCandidate("boosting", TINY), RidgeCandidate()], ids=["boosting", "no model"]
)
def test_what_cannot_be_personal_is_told(candidate) -> None:
    result = run_study(toy_study(4, 5, 40), plan_of(candidate, n_folds=2), assessment=QUICK)
    assert result.calibration is None
    assert "no read-out" in result.notes[0]
    assert not any("labelled videos" in verdict.text for verdict in result.verdicts)


def test_rated_trials_have_a_track() -> None:
    data = shifted(toy_study(6, 6, 30, per_trial=True), 0.5)
    result = run_study(data, PLAIN, assessment=QUICK)
    assert result.level == "trial"
    assert result.calibration is not None
    assert result.calibration.row(PERSONAL, 3, "valence").gain.value > 0


def test_it_survives_json_the_store_and_the_page(planted: StudyResult, tmp_path) -> None:
    path = tmp_path / "result.json"
    planted.write(path)
    assert read_study(path) == planted
    data, plan = toy_study(6, 5, 20), plan_of(Listener())
    settings = RunSettings(store=JobStore(tmp_path / "jobs"))
    one, two = (run_study(data, plan, settings=settings, assessment=QUICK) for _ in range(2))
    assert one.calibration == two.calibration
    page = render(content_of(planted))
    assert 'id="calibration"' in page
    assert "12 people" in page
    assert 'id="calibration"' not in render(content_of(replace(planted, calibration=None)))


def test_it_is_on_where_it_is_cheap_and_possible() -> None:
    enough, few = toy_study(4, 5, 20), toy_study(4, 4, 20)
    assert calibration_for(enough, "subject", None) == Calibration((1, 2, 3))
    assert calibration_for(few, "subject", None) is None
    assert calibration_for(enough, "subject-stimulus", None) is None
    assert calibration_for(enough, "subject", ()) is None
    assert calibration_for(few, "subject", (1, 2)) == Calibration((1, 2))
    settings = PlanSettings(("ridge",), TINY, (0,))
    plan = plan_study(enough, Split("subject", n_folds=2), settings)
    assert plan.entries[0].calibration == Calibration((1, 2, 3))
    assert all(entry.calibration is None for entry in plan.entries[1:])
    with pytest.raises(BadInput, match="holds out no people"):
        calibration_for(enough, "time", (1,))
    with pytest.raises(BadInput, match="5 rated videos"):
        calibration_for(few, "subject", (3,))
    for wrong in ((0, 1), (2, 1), (1, 1)):
        with pytest.raises(BadInput, match="must rise"):
            Calibration(wrong)
    with pytest.raises(BadInput, match="strength"):
        Calibration(strength=0.0)
