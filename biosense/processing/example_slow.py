"""Drawn breathing, skin temperature and muscles: what their stages are tried on."""

from __future__ import annotations

import numpy as np

from biosense.core.types import Floats

BREATH_S = 4.0


def breath_waves(times: Floats, channels: int = 1) -> Floats:
    """Return a belt with 15 breaths per minute on a drifting level, shape (n, channels)."""
    rng = np.random.default_rng(11)
    phase = times / BREATH_S + 0.1 * np.sin(2 * np.pi * times / 30.0)
    belt = np.sin(2 * np.pi * phase) + 0.01 * times + 0.02 * rng.standard_normal(len(times))
    return np.repeat(belt[:, None], channels, axis=1)


def skin_waves(times: Floats, channels: int = 1) -> Floats:
    """Return the temperature of a finger that warms up slowly, degC, shape (n, channels)."""
    rng = np.random.default_rng(12)
    level = 32.0 + np.sin(2 * np.pi * times / 300.0) + 0.01 * rng.standard_normal(len(times))
    return np.repeat(level[:, None], channels, axis=1)


def muscle_waves(times: Floats, channels: int = 1) -> Floats:
    """Return muscles that contract for a second every four, volts, shape (n, channels)."""
    rng = np.random.default_rng(13)
    force = 3e-6 + 6e-5 * (times % 4.0 < 1.0)
    return np.asarray(force[:, None] * rng.standard_normal((len(times), channels)))
