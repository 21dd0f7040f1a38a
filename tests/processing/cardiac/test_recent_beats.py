"""Sums over the beats of the last minute, whoever asks for them together."""

from __future__ import annotations

import numpy as np
import pytest

from biosense.processing.cardiac.recent_beats import MOST, RecentBeats


@pytest.mark.parametrize("beats", [5, 60, 127, 128, 129, 250])
def test_sums_over_recent_rows_do_not_depend_on_the_places_given(beats):
    rng, rows = np.random.default_rng(beats), RecentBeats()
    times = np.sort(rng.uniform(0, 60, beats))
    for time in times.tolist():
        rows.add((time, rng.standard_normal(), 0.0))
    few = rows.before([beats], np.array([-1.0]))
    every = rows._columns[:, None, rows.count : rows.count + MOST]
    assert beats <= few.shape[2] <= MOST
    few_sum, every_sum = (np.where(x[0] > -1.0, x[1], 0.0).sum(axis=1) for x in (few, every))
    assert few_sum == every_sum
