"""A rest of 150 s with four stimuli: skin conductance with known responses, and breathing."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from tests.support.signals.eda_traces import responses

SFREQ = 100.0
LARGE_S = (13.3, 21.7, 26.2, 45.6, 68.6, 118.8, 131.3, 145.4)
SMALL_S = (34.0, 57.0, 80.0, 92.0, 104.0)
BREATHS_PER_MINUTE = 17.8


def four_stimuli(path: Path) -> None:
    """Write skin conductance (microsiemens) and a breathing belt, 100 Hz."""
    rng = np.random.default_rng(4)
    times = np.arange(round(150 * SFREQ)) / SFREQ
    onsets = np.array((*LARGE_S, *SMALL_S))
    heights = np.array([1.0] * len(LARGE_S) + [0.2] * len(SMALL_S))
    level = 6 + 0.8 * np.sin(2 * np.pi * times / 170)
    eda = level + responses(times, onsets, heights) + 0.002 * rng.standard_normal(len(times))
    phase = BREATHS_PER_MINUTE / 60 * times + 0.03 * np.sin(2 * np.pi * times / 31)
    belt = 0.7 * np.sin(2 * np.pi * phase) + 0.1 * np.sin(4 * np.pi * phase)
    belt = belt + 0.02 * rng.standard_normal(len(times))
    table = np.column_stack([eda, belt])
    np.savetxt(path, table, "%.5f", ",", header="EDA,RSP", comments="")
