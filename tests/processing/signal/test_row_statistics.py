"""Statistics of rows are those of each row alone."""

from __future__ import annotations

import numpy as np
import pytest

from biosense.processing.signal.row_statistics import overlapping_quantiles, present_quantiles


@pytest.mark.parametrize("share", [0.0, 0.15, 0.2, 0.5, 1.0])
def test_quantiles_of_overlapping_windows_are_those_of_each(share):
    rng = np.random.default_rng(7)
    for missing in (0.0, 0.2, 0.9, 1.0):
        for n in (1, 2, 7, 40):
            starts = np.cumsum(rng.integers(0, 4, 12))
            values = np.round(rng.standard_normal(starts[-1] + n + 3), 1)
            values[rng.random(len(values)) < missing] = np.nan
            each = present_quantiles(np.array([values[at : at + n] for at in starts]), share)
            together = overlapping_quantiles(values, starts, n, share)
            np.testing.assert_array_equal(together, each)
