"""Silence where nobody knows, and what it gains."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from biosense.core.affect import Estimate
from biosense.core.errors import BadInput
from biosense.core.types import Modality
from biosense.models.evaluation.selective_prediction import abstains, risk_coverage


def test_where_nothing_was_good_enough_it_abstains() -> None:
    sure = Estimate(0.0, 0.1, 0.1, 0.2, 0.3, {Modality.EDA: 0.9})
    assert not abstains(sure)
    assert abstains(replace(sure, weight={}))
    assert abstains(sure, most_sd=0.25)
    assert not abstains(sure, most_sd=0.3)


def test_risk_falls_with_the_share_where_the_sd_knows() -> None:
    rng = np.random.default_rng(3)
    sds = [rng.uniform(0.05, 0.6, 200) for _ in range(6)]
    errors = [sd * rng.standard_normal(200) for sd in sds]
    errors[0][:10] = np.nan
    curve = risk_coverage(errors, sds, list("abcdef"))
    assert curve.share[-1] == 1.0
    assert curve.rmse[0] < 0.3 * curve.rmse[-1]
    assert curve.area < 0.75 * curve.rmse[-1]
    blind = risk_coverage(errors, [rng.permutation(sd) for sd in sds], list("abcdef"))
    assert blind.area > 0.9 * blind.rmse[-1]
    with pytest.raises(BadInput, match="0 known errors"):
        risk_coverage([np.full(3, np.nan)], [np.ones(3)], ["a"])
