"""A toy world for the models: a slow path through valence and arousal that five modalities see."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter1d

from biosense.core.grid import HOP
from biosense.core.types import Floats, Modality
from biosense.models.sequences import LabelledSequence

TOY_FEATURES = {
    Modality.EEG: 5,
    Modality.ECG: 4,
    Modality.EDA: 3,
    Modality.RPPG: 4,
    Modality.FACE: 6,
}
MakeToy = Callable[..., list[LabelledSequence]]


def slow_path(rng: np.random.Generator, steps: int, smooth_s: float = 8.0) -> Floats:
    """Draw a smooth path in [-1, 1], (steps, 2)."""
    path = gaussian_filter1d(rng.standard_normal((steps, 2)), smooth_s / HOP, axis=0)
    return np.tanh(path / path.std())


def toy_sequences(
    subjects: int = 6, steps: int = 300, noise: float = 0.7, seed: int = 0
) -> list[LabelledSequence]:
    """Simulate recordings: each feature is a mix of valence and arousal in noise of its own."""
    world = np.random.default_rng(1234)
    mixes = {modality: world.standard_normal((2, n)) for modality, n in TOY_FEATURES.items()}
    sequences = []
    for subject in range(subjects):
        rng = np.random.default_rng((seed, subject))
        target = slow_path(rng, steps)
        data, quality = {}, {}
        for modality, mix in mixes.items():
            clean = target @ mix + 0.3 * rng.standard_normal(mix.shape[1])
            data[modality] = 10 + 3 * (clean + noise * rng.standard_normal(clean.shape))
            data[modality][rng.random(clean.shape) < 0.02] = np.nan
            start = int(rng.integers(0, steps))
            quality[modality] = rng.uniform(0.5, 1.0, steps)
            quality[modality][start : start + steps // 10] = 0.0
        time = HOP * np.arange(steps)
        sequences.append(LabelledSequence(f"s{subject:02d}", time, data, quality, target))
    return sequences


@pytest.fixture(scope="session")
def make_toy() -> MakeToy:
    return toy_sequences
