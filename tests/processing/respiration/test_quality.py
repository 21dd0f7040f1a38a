"""Windows of respiration with holes are looked at as if the samples around them were neighbours."""

from __future__ import annotations

import numpy as np
import pytest

from biosense.processing.respiration.quality import BreathQuality, breath_qualities


@pytest.mark.parametrize("kind", ["noise", "breath", "clipped", "flat"])
def test_holes_are_left_out(kind):
    rng, n = np.random.default_rng(4), 60
    breath = np.sin(np.arange(n) / 5)
    signals = {
        "noise": rng.standard_normal(n),
        "breath": breath,
        "clipped": np.clip(breath, -0.5, 0.5),
        "flat": np.full(n, 3.0),
    }
    raw = np.tile(signals[kind], (8, 1))
    there = rng.random(raw.shape) < np.linspace(0.2, 1.0, 8)[:, None]
    there[0] = False
    found = list(
        breath_qualities(np.where(there, raw, np.nan), np.where(there, raw, np.nan), there)
    )
    assert found[0] == BreathQuality(0, False, False, 0.0)
    for row in range(1, 8):
        known = raw[row, there[row]][None]
        [alone] = breath_qualities(known, known, np.ones(known.shape, bool))
        assert found[row] == alone
