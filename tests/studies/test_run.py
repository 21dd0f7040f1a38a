"""Studies as a whole: every job once, nothing peeked at, numbers that follow from predictions."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pytest

from biosense.core.errors import BadInput
from biosense.core.types import Modality
from biosense.studies import run
from biosense.studies.base import Prediction
from biosense.studies.candidates.corruptions import Removed, corruptions, masks
from biosense.studies.execution.jobs import Job, JobStore, carry_out, job_key
from biosense.studies.execution.plan import Entry, Kind, Plan, Split
from biosense.studies.results.read import read_study
from biosense.studies.results.verdicts import verdicts
from biosense.studies.run import Done, RunSettings, run_study
from biosense.studies.scoring.predictions import Predictions
from biosense.studies.scoring.scores import score
from biosense.studies.scoring.summary import mean_scores, people_scores
from biosense.studies.scoring.variant_scores import sums_of_moments
from tests.support.study_toys import BOTH, QUICK, Seeing, Watcher, small_plan, toy_study


@pytest.fixture(scope="module")
def data():
    return toy_study(6, 4, noise=1.0)


@pytest.fixture(scope="module")
def result(data):
    plan = small_plan(variants=(*masks(BOTH), *corruptions(BOTH)))
    return run_study(data, plan, assessment=QUICK)


@pytest.mark.parametrize("protocol", ["subject", "stimulus", "subject-stimulus", "time"])
def test_no_candidate_ever_sees_a_test_target(data, protocol):
    plan = Plan(
        Split(protocol, n_folds=2, gap_s=2.0), (Entry(Kind.MODEL, "w", Watcher(), (0,)),), "w"
    )
    found = run_study(data, plan, assessment=QUICK)
    assert found.row("w").metrics["valence"]["ccc"] == 0
    assert found.protocol == protocol


def scores_of(said):
    return mean_scores([score(Predictions.of(said).first)], "sequence")


def test_a_row_holds_the_scores_of_the_predictions(data, result):
    plan = small_plan()
    folds = plan.split.of(data)
    said = []
    for fold in folds:
        fitted = Seeing(BOTH).fit(fold.train, fold.validation, 0)
        said += [Prediction(s, *fitted.predict(s), fold.name) for s in fold.test]
    expected = scores_of(said)
    for target in ("valence", "arousal"):
        metrics = result.row("both").metrics[target]
        for name in ("ccc", "pearson", "rmse", "mae", "pooled_ccc", "nll"):
            assert metrics[name] == pytest.approx(expected[target][name])
        assert metrics["ccc"] > 0.3
        bounds = result.row("both").intervals[target]["ccc"]
        assert bounds.low < bounds.value < bounds.high
    everybody = [person.scores["valence"]["both"] for person in result.table]
    assert np.mean(everybody) == pytest.approx(expected["valence"]["ccc"])
    assert {
        s: v["valence"] for s, v in people_scores(Predictions.of(said), "sequence").items()
    } == pytest.approx(
        {person.subject: person.scores["valence"]["both"] for person in result.table}
    )


def test_each_row_stands_beside_its_controls(result):
    for row in result.results:
        if row.kind == Kind.CONTROL:
            assert row.controls == {}
            continue
        assert set(row.controls) == {"train mean", "stimulus mean"}
        own = row.controls["train mean"]["arousal"]
        assert own["ccc"] == result.row("train mean").metrics["arousal"]["ccc"] == 0
        assert own["rmse"] == result.row("train mean").metrics["arousal"]["rmse"]


def test_every_rival_is_compared_and_adjusted_for(result):
    assert len(result.comparisons) == 4 * 2
    for each in result.comparisons:
        assert each.p_holm >= each.p
        difference = (
            result.row("both").metrics[each.target]["ccc"]
            - (result.row(each.against).metrics[each.target]["ccc"])
        )
        assert each.difference.value == pytest.approx(difference)
        assert each.beats == (each.difference.low > 0)


@pytest.mark.parametrize("beats", [True, False])
def test_the_fused_model_wins_only_by_its_interval(result, beats):
    """Whatever the scores themselves are: the sentence is that of the paired interval."""
    for target in ("valence", "arousal"):
        rivals = [c for c in result.comparisons if c.target == target and c.kind == Kind.SINGLE]
        best = min(rivals, key=lambda each: each.difference.value)
        others = tuple(replace(c, beats=beats if c is best else not beats) for c in rivals)
        rest = tuple(c for c in result.comparisons if c not in rivals)
        said = verdicts(replace(result, comparisons=(*others, *rest)))
        (decided,) = (
            verdict
            for verdict in said
            if "single modality" in verdict.text and verdict.text.startswith(target.capitalize())
        )
        verb = "beats" if beats else "does not beat"
        assert f"{verb} its best single modality, {best.against[-3:]}" in decided.text
        assert decided.tone == ("good" if beats else "bad")


def test_doubts_come_first(result):
    assert "6 people are few" in result.verdicts[0].text
    assert "one fit" in result.verdicts[1].text
    made_up = verdicts(replace(result, fabricated=True))
    assert "fabricated" in made_up[0].text


def test_leak_checks_are_told_and_a_failed_one_comes_first(result):
    names = ["random ratings", "planted leak", "second name", "later edits"]
    assert [check.name for check in result.leak_checks] == names
    assert all(check.passed for check in result.leak_checks)
    assert any("All 4 leak checks passed" in verdict.text for verdict in result.verdicts)
    first = replace(result.leak_checks[0], passed=False, value=0.31)
    said = verdicts(replace(result, leak_checks=(first, *result.leak_checks[1:])))
    assert said[0].tone == "bad"
    assert "A leak check failed: random ratings must score at chance" in said[0].text
    assert "0.310, limit 0.0" in said[0].text
    assert not any("leak checks passed" in verdict.text for verdict in said)


@dataclass(frozen=True)
class Knowing:
    """Says the mean of each sequence's features, later ones too."""

    name: str = "knowing"

    def fit(self, train, validation, seed):
        return self

    def predict(self, sequence):
        level = np.tanh(np.mean(sequence.data[Modality.EDA]))
        return np.full((sequence.n, 2), level), np.full((sequence.n, 2), 0.5)


def test_a_candidate_that_looks_ahead_is_found_by_every_study(data):
    entries = (
        Entry(Kind.MODEL, "honest", Seeing(BOTH), (0,)),
        Entry(Kind.PLAIN, "k", Knowing(), (0,)),
    )
    found = run_study(data, Plan(Split("subject", n_folds=2), entries, "honest"), assessment=QUICK)
    check = found.leak_checks[-1]
    assert not check.passed
    assert check.text.endswith("they do in k")


def test_scores_that_cannot_be_believed_are_said_to_be(result):
    row = result.row("both")
    metrics = {t: {**v, "accuracy": 0.93} for t, v in row.metrics.items()}
    rows = tuple(replace(r, metrics=metrics) if r is row else r for r in result.results)
    said = verdicts(replace(result, dataset="deap", results=rows))
    assert sum("look for a leak" in verdict.text for verdict in said) == 2
    assert not any("look for a leak" in verdict.text for verdict in result.verdicts)


def test_every_subset_is_told_once_masked_and_where_fitted_anew(result):
    masked = [s.modalities for s in result.subsets if not s.refit]
    assert sorted(masked) == [(Modality.ECG,), (Modality.EDA,)]
    assert {s.modalities for s in result.subsets if s.refit} == {BOTH, *((m,) for m in BOTH)}


def test_a_missing_modality_is_the_subset_without_it(result):
    by_name = {each.variant: each for each in result.robustness}
    assert len(by_name) == 6
    (alone,) = (s for s in result.subsets if s.modalities == (Modality.EDA,) and not s.refit)
    assert by_name["without ecg"].scores == alone.scores
    full = result.row("both").metrics["valence"]["ccc"]
    change = by_name["without ecg"].changes["valence"].value
    assert by_name["without ecg"].scores["valence"].value - change == pytest.approx(full)
    assert by_name["ecg as noise"].changes["valence"].high < 0


def test_moments_give_the_scores_of_steps(data):
    plan = small_plan(variants=(Removed(Modality.ECG),))
    folds = plan.split.of(data)
    done = carry_out((data, plan), Job(0, 1, 0))
    fold = folds[1]
    fitted = Seeing(BOTH).fit(fold.train, fold.validation, 0)
    said = [Prediction(s, *fitted.predict(s.only([Modality.EDA])), fold.name) for s in fold.test]
    for column, target in enumerate(("valence", "arousal")):
        table = sums_of_moments(fold.test, done.moments[:, :, column], "ccc")
        assert table.value == pytest.approx(scores_of(said)[target]["ccc"])
        pooled = sums_of_moments(fold.test, done.moments[:, :, column], "pooled_ccc")
        assert pooled.value == pytest.approx(scores_of(said)[target]["pooled_ccc"])


def test_rated_trials_are_scored_by_trial():
    data = toy_study(6, 5, steps=20, per_trial=True)
    found = run_study(data, small_plan(variants=masks(BOTH)), assessment=QUICK)
    assert (found.level, found.metric) == ("trial", "pooled_ccc")
    metrics = found.row("both").metrics["arousal"]
    assert metrics["ccc"] == metrics["pooled_ccc"] > 0.5
    assert metrics["macro_f1"] > 0.5
    assert "Each trial" not in str(found.verdicts)
    assert all(score.scores["arousal"].value is not None for score in found.subsets)


def test_results_survive_json(result, tmp_path):
    path = tmp_path / "result.json"
    result.write(path)
    assert read_study(path) == result
    path.write_text('{"format": 99}')
    with pytest.raises(BadInput, match="format 99"):
        read_study(path)
    path.write_text("[]")
    with pytest.raises(BadInput, match="not the result"):
        read_study(path)


def test_a_stopped_study_goes_on_where_it_was(data, result, tmp_path, monkeypatch):
    plan = small_plan(variants=(*masks(BOTH), *corruptions(BOTH)))
    store = JobStore(tmp_path / "jobs")
    kept = 0

    def stop_after_five(done: Done) -> None:
        nonlocal kept
        kept = done.done
        if done.done == 5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_study(data, plan, settings=RunSettings(store=store, progress=stop_after_five))
    assert kept == len(list(store.folder.iterdir())) == 5
    said: list[str] = []
    labels: list[int] = []
    settings = RunSettings(
        store=store, log=said.append, progress=lambda done: labels.append(done.done)
    )
    again = run_study(data, plan, settings=settings, assessment=QUICK)
    assert said == ["5 of 15 jobs found again: they are not run"]
    assert labels == list(range(6, 16))
    same = replace(again, origin=result.origin)
    assert same == result
    monkeypatch.setattr(run, "carry_out", None)
    run_study(data, plan, settings=settings, assessment=QUICK)
    assert said[-1] == "15 of 15 jobs found again: they are not run"


def test_a_damaged_job_is_done_again_and_told(data, tmp_path):
    store = JobStore(tmp_path)
    plan = small_plan()
    run_study(data, plan, settings=RunSettings(store=store), assessment=QUICK)
    first, second, *_ = sorted(store.folder.iterdir())
    first.write_bytes(b"damaged")
    second.write_bytes(second.read_bytes()[:-20])
    said: list[str] = []
    run_study(data, plan, settings=RunSettings(store=store, log=said.append), assessment=QUICK)
    assert sum("is damaged and is computed again" in line for line in said) == 2
    assert "13 of 15 jobs found again: they are not run" in said


def test_a_job_knows_everything_that_it_depends_on(data):
    plan, job = small_plan(), Job(0, 0, 0)
    keys = [
        job_key(data, plan, job),
        job_key(data, plan, Job(0, 1, 0)),
        job_key(data, plan, Job(0, 0, 1)),
        job_key(data, plan, Job(1, 0, 0)),
        job_key(replace(data, fingerprint="other"), plan, job),
        job_key(replace(data, subject_groups={"s00": "a"}), plan, job),
        job_key(data, replace(plan, split=replace(plan.split, seed=1)), job),
        job_key(data, small_plan(variants=masks(BOTH)), job),
    ]
    assert len(set(keys)) == len(keys)
    assert job_key(data, small_plan(), job) == keys[0]


def test_the_time_that_is_left_follows_what_jobs_took(data):
    ticks = iter(np.arange(0.0, 1000.0, 10.0))
    told: list[Done] = []
    plan = small_plan()
    settings = RunSettings(progress=told.append, clock=lambda: float(next(ticks)))
    run_study(data, plan, settings=settings, assessment=QUICK)
    assert [done.total for done in told] == [15] * 15
    assert told[-1].seconds_left == 0
    assert all(done.seconds_left >= 0 for done in told)
    assert told[0].text == "both, subjects 1/3, seed 0"
