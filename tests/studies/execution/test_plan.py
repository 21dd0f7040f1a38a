"""What a study is made of: candidates, subsets and controls that the data call for."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from biosense.core.errors import BadInput
from biosense.core.types import Modality
from biosense.studies.candidates.corruptions import Subset
from biosense.studies.candidates.families import FamilyCandidate, subsets
from biosense.studies.execution.jobs import jobs_of
from biosense.studies.execution.plan import (
    Entry,
    Kind,
    Plan,
    PlanSettings,
    Split,
    modalities_of,
    plan_study,
)
from tests.support.study_toys import TINY, Watcher, toy_study


@pytest.fixture(scope="module")
def data():
    return toy_study(6, 4, noise=1.0)


def test_a_plan_has_what_the_protocol_calls_for(data):
    split = Split("subject", n_folds=3)
    settings = PlanSettings(("gated", "early"), TINY, (0, 1))
    plan = plan_study(data, split, settings)
    assert plan.chosen == "gated"
    models = [entry.name for entry in plan.of_kind(Kind.MODEL)]
    assert models == ["gated", "early", "late"]
    assert [entry.name for entry in plan.of_kind(Kind.SINGLE)] == ["gated: ecg", "gated: eda"]
    assert {"plain ridge", "plain random forest"} <= {
        entry.name for entry in plan.of_kind(Kind.PLAIN)
    }
    controls = {entry.name: entry for entry in plan.of_kind(Kind.CONTROL)}
    assert {"train mean", "stimulus mean", "noise physiology"} <= set(controls)
    assert controls["noise physiology"].seeds == (0, 1)
    assert controls["train mean"].seeds == (0,)
    assert [e.name for e in plan.of_kind(Kind.MARK)] == ["own mean of others"]
    gated = plan.entries[0]
    assert sum(isinstance(v, Subset) for v in gated.variants) == 2
    assert len(jobs_of(plan, split.of(data))) == 3 * sum(len(e.seeds) for e in plan.entries)
    refit = plan_study(data, split, replace(settings, refit_subsets=True))
    assert not any(isinstance(v, Subset) for v in refit.entries[0].variants)


def test_three_modalities_are_fitted_anew_in_every_subset():
    widths = {Modality.EEG: 2, Modality.ECG: 2, Modality.EDA: 2}
    data = toy_study(4, 3, 20, widths=widths)
    assert modalities_of(data) == (Modality.EEG, Modality.ECG, Modality.EDA)
    settings = PlanSettings(("early",), TINY, (0,), refit_subsets=True)
    plan = plan_study(data, Split("subject"), settings)
    fitted = [e.modalities for e in plan.of_kind(Kind.SINGLE, Kind.SUBSET)]
    assert sorted(map(len, fitted)) == [1, 1, 1, 2, 2, 2]
    assert len(set(fitted)) == 6
    assert len(subsets(modalities_of(data))) == 7


def test_one_modality_has_nothing_to_fuse():
    data = toy_study(4, 3, 20, widths={Modality.EDA: 2})
    plan = plan_study(data, Split("subject"), PlanSettings(("early",), TINY, (0,)))
    assert [e.name for e in plan.of_kind(Kind.MODEL, Kind.SINGLE)] == ["early"]
    assert plan.entries[0].variants == ()


def test_wrong_plans_are_refused(data):
    split = Split("subject")
    with pytest.raises(BadInput, match="no model 'best'"):
        plan_study(data, split, PlanSettings(("best",)))
    with pytest.raises(BadInput, match="different families"):
        plan_study(data, split, PlanSettings(("early", "early")))
    entry = Entry(Kind.MODEL, "w", Watcher(), (0,))
    with pytest.raises(BadInput, match="different names"):
        Plan(split, (entry, entry), "w")
    with pytest.raises(BadInput, match="one of the entries"):
        Plan(split, (entry,), "other")
    with pytest.raises(BadInput, match="at least one seed"):
        Plan(split, (replace(entry, seeds=()),), "w")


def test_families_are_fitted_with_the_seed_on_what_they_may_see(data):
    fold = Split("subject", n_folds=3).of(data)[0]
    candidate = FamilyCandidate("early", TINY, (Modality.EDA,))
    one, same, other = (candidate.fit(fold.train, fold.validation, seed) for seed in (3, 3, 4))
    said = [fitted.predict(fold.test[0]) for fitted in (one, same, other)]
    np.testing.assert_array_equal(said[0][0], said[1][0])
    assert not np.array_equal(said[0][0], said[2][0])
    assert one.model.modalities == (Modality.EDA,)
    together = one.predict_all(fold.test)
    np.testing.assert_allclose(together[0][0], said[0][0], atol=1e-5)
    assert [mean.shape for mean, _ in together] == [(s.n, 2) for s in fold.test]
