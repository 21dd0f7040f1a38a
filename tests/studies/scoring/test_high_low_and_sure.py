"""High or low, and how sure: against scikit-learn, and against errors of known size."""

from __future__ import annotations

import math

import numpy as np
import pytest
from sklearn.metrics import balanced_accuracy_score, f1_score, roc_auc_score

from biosense.models.evaluation.metrics import nll
from biosense.studies.scoring.binary import score_binary
from biosense.studies.scoring.uncertainty import KEPT, score_uncertainty

RNG = np.random.default_rng(0)


@pytest.mark.parametrize("threshold", [0.0, -0.125])
def test_binary_scores_are_those_of_scikit_learn(threshold: float) -> None:
    p, y = RNG.normal(0, 0.4, 80), RNG.uniform(-1, 1, 80)
    p[::9] = p[0]  # ties
    found = score_binary(p, y, ["a"] * 80, threshold)
    high, guess = y > threshold, p > threshold
    assert found.macro_f1 == pytest.approx(f1_score(high, guess, average="macro"))
    assert found.balanced_accuracy == pytest.approx(balanced_accuracy_score(high, guess))
    assert found.auroc == pytest.approx(roc_auc_score(high, p))
    assert found.high == high.mean()


def test_a_class_that_never_occurs_gives_no_auroc() -> None:
    found = score_binary(np.array([0.1, 0.2]), np.array([0.5, 0.6]), ["a", "a"], 0.0)
    assert (found.accuracy, found.macro_f1) == (1.0, 1.0)
    assert math.isnan(found.auroc)
    assert math.isnan(found.balanced_accuracy)


def test_honest_deviations_cover_what_they_claim_and_a_false_person_stands_out() -> None:
    errors = [RNG.normal(0, 0.2, 3000) for _ in range(9)] + [RNG.normal(0, 0.8, 3000)]
    sds = [np.full(3000, 0.2)] * 10
    names = [f"p{k}" for k in range(10)]
    found = score_uncertainty(errors, sds, [np.zeros(3000)] * 10, names)
    ninety = found.coverage[0.9]
    assert ninety.worst < 0.45
    assert ninety.share_below == pytest.approx(0.1)
    assert ninety.width == pytest.approx(2 * 1.6449 * 0.2, rel=1e-4)
    wanted = [nll(e, s, np.zeros(3000)) for e, s in zip(errors, sds, strict=True)]
    assert found.nll == pytest.approx(np.mean(wanted))


def test_the_risk_falls_where_a_candidate_knows_when_it_errs() -> None:
    sd = RNG.uniform(0.05, 0.5, 4000)
    risk = score_uncertainty([sd * RNG.normal(size=4000)], [sd], [np.zeros(4000)], ["a"]).risk
    assert list(risk) == list(KEPT)
    assert list(risk.values()) == sorted(risk.values())
