"""Features that come and go, and a toy world that five modalities see: what models are tried on."""

from __future__ import annotations

import numpy as np
import torch
from scipy.ndimage import gaussian_filter1d
from torch import Tensor

from biosense.core.grid import HOP
from biosense.core.types import Floats, Modality
from biosense.models.base import FusionModel, FusionOutput
from biosense.models.sequences import LabelledSequence

COUNTS = (("eeg", 6), ("ecg", 4), ("eda", 1), ("rppg", 3))
NAMES = tuple(Modality(name) for name, _ in COUNTS)
TIME = 90  # nearly three windows of 32 steps, and not a multiple of one
FIELDS = ("mean", "log_variance", "weight")
TOY_FEATURES = {
    Modality.EEG: 5,
    Modality.ECG: 4,
    Modality.EDA: 3,
    Modality.RPPG: 4,
    Modality.FACE: 6,
}
X = dict[Modality, Tensor]


def draw(batch: int = 3, time: int = TIME, seed: int = 0) -> tuple[X, Tensor]:
    """Draw features, and qualities that come and go: single absences, outages, total silence."""
    g = torch.Generator().manual_seed(seed)
    x = {Modality(m): torch.randn(batch, time, n, generator=g) for m, n in COUNTS}
    present = torch.rand(batch, time, len(COUNTS), generator=g)
    present = present * (torch.rand(present.shape, generator=g) > 0.3)
    present[:, 20:50, 1] = 0
    present[0, 30:75] = 0
    return x, present


def labelled(seed: int) -> LabelledSequence:
    """Draw a sequence whose targets depend on the features of every modality."""
    x, present = draw(1, 400, seed=100 + seed)
    mixed = torch.stack([values[0, :, 0] for values in x.values()]).sum(0).unsqueeze(1)
    target = torch.tanh(0.5 * torch.cat((mixed, -mixed), 1)).double().numpy()
    data = {modality: values[0].double().numpy() for modality, values in x.items()}
    quality = {m: present[0, :, k].double().numpy() for k, m in enumerate(NAMES)}
    return LabelledSequence(
        f"s{seed}", HOP * np.arange(400, dtype=np.float64), data, quality, target
    )


def slow_path(rng: np.random.Generator, steps: int, smooth_s: float = 8.0) -> Floats:
    """Draw a smooth path in [-1, 1], (steps, 2)."""
    path = gaussian_filter1d(rng.standard_normal((steps, 2)), smooth_s / HOP, axis=0)
    return np.asarray(np.tanh(path / path.std()))


def toy_sequences(
    subjects: int = 6, steps: int = 300, noise: float = 0.7, seed: int = 0
) -> list[LabelledSequence]:
    """Simulate recordings: each feature is a mix of valence and arousal in noise of its own.

    Parameters
    ----------
    subjects
        How many, a sequence each.
    steps
        Of a sequence, 0.25 s each.
    noise
        Standard deviation, where that of a clean feature is about 1.
    seed
        Of the people; the world that they live in is always the same.

    Returns
    -------
    list of LabelledSequence
        With features of five modalities, single ones missing, and an outage of each modality.
    """
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
        time = HOP * np.arange(steps, dtype=np.float64)
        sequences.append(LabelledSequence(f"s{subject:02d}", time, data, quality, target))
    return sequences


def at(x: X, t: int) -> X:
    """Return the features of one step."""
    return {modality: values[:, t] for modality, values in x.items()}


def run(model: FusionModel, x: X, present: Tensor) -> FusionOutput:
    """Estimate whole sequences, without gradients."""
    with torch.inference_mode():
        output: FusionOutput = model(x, present)
    return output


def stream(model: FusionModel, x: X, present: Tensor) -> FusionOutput:
    """Estimate step by step, as a live run does."""
    state, outputs = model.begin(len(present)), []
    with torch.inference_mode():
        for t in range(present.shape[1]):
            output, state = model.step(at(x, t), present[:, t], state)
            outputs.append(output)
    mean, log_variance, weight = (
        torch.stack([getattr(output, field) for output in outputs], 1) for field in FIELDS
    )
    return FusionOutput(mean, log_variance, weight)


def assert_equal(a: FusionOutput, b: FusionOutput, tolerance: float = 0.0) -> None:
    """Raise an AssertionError unless two outputs are equal, within a tolerance."""
    for field in FIELDS:
        got, wanted = getattr(a, field), getattr(b, field)
        try:
            torch.testing.assert_close(got, wanted, rtol=0, atol=tolerance)
        except AssertionError as error:
            raise AssertionError(f"{field} differs: {error}") from error
