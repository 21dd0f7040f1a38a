"""Positions are integers: they neither drift nor jump over a rounding error."""

from __future__ import annotations

import numpy as np
import pytest

from biosense.core import Chunk, StreamInfo
from biosense.core.grid import (
    HOP,
    contiguous_runs,
    grid_index,
    grid_time,
    sample_index,
    sample_indices,
)


@pytest.mark.parametrize("hop", [HOP, 0.1, 1 / 3])
def test_grid_points_survive_the_way_there_and_back(hop: float) -> None:
    for k in (0, 1, 7, 1000, 4_000_001):
        assert grid_index(grid_time(k, hop), hop) == k
        assert grid_index(grid_time(k, hop) - 1e-3 * hop, hop) == k - 1


@pytest.mark.parametrize("sfreq", [4.0, 51.2, 130.0, 2048.0, 20000.0])
def test_samples_survive_the_way_there_and_back_after_a_day(sfreq: float) -> None:
    first = round(86_400 * sfreq)
    n = np.arange(first, first + 1000)
    info = StreamInfo("a", None, ("x",), sfreq)
    chunk = Chunk.of(info, n / sfreq, np.zeros((1000, 1)))
    assert (sample_indices(chunk) == n).all()
    assert [sample_index(time, sfreq) for time in (n / sfreq).tolist()] == n.tolist()


def test_runs_are_cut_at_every_jump() -> None:
    assert contiguous_runs(np.array([3, 4, 5]), 3) == [(0, 3, False)]
    assert contiguous_runs(np.array([3, 4, 5]), None) == [(0, 3, True)]
    assert contiguous_runs(np.array([3, 4, 9, 10, 20]), 2) == [
        (0, 2, True),
        (2, 4, True),
        (4, 5, True),
    ]
    assert contiguous_runs(np.array([], dtype=int), 5) == []
