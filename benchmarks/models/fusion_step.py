"""What a live step of each fusion family costs, at the beginning and after many hours.

Usage: python -m benchmarks.models.fusion_step [--hours 10] [--only FAMILY ..]

All nine modalities with the features of their pipelines, one CPU thread, batch of 1, as live. Two
tables: p50 and p99 of a step; and the median step at the beginning and at the end of many hours, in
which modalities come and go, with the growth of the state (which must be none).
"""

from __future__ import annotations

import argparse
import time
from typing import Any

import numpy as np
import torch
from torch import Tensor

from benchmarks.figures import Figure, tell
from biosense.core.grid import HOP
from biosense.core.types import Modality
from biosense.models.base import FusionModel, State
from biosense.models.batches import Augmentation
from biosense.models.families.closed_form import ClosedForm
from biosense.models.registry import MODELS, build_model
from biosense.models.sequences import LabelledSequence
from biosense.processing.eeg.band_powers import BANDS
from biosense.processing.eeg.layouts import layout
from biosense.processing.pipelines import schema

WARM_UP = 200
CAP = layout("deap")
EXTRA: dict[str, dict[str, Any]] = {
    "gated + reconstruction": {"reconstruct": True},
    "graph of 32 electrodes": {"electrodes": CAP},
}


def montage(electrodes: int) -> tuple[tuple[str, int], ...]:
    """Return (modality, features); with electrodes, EEG has an entropy for each band of each."""
    counts = {modality.value: len(names) for modality, names in schema().items()}
    if electrodes:
        counts["eeg"] = electrodes * len(BANDS)
    return tuple(counts.items())


def make(case: str) -> FusionModel:
    """Build a model with random weights; families in closed form are fitted on noise."""
    torch.manual_seed(0)
    options = EXTRA.get(case, {})
    counts = montage(len(options.get("electrodes", ())))
    model = build_model(case.split()[0], {"modalities": counts, **options}).eval()
    if isinstance(model, ClosedForm):
        noise = [sequence(counts, seed) for seed in range(2)]
        model.fit_closed(noise[:1], noise[1:], augmentation=Augmentation())
    return model


def sequence(counts: tuple[tuple[str, int], ...], seed: int) -> LabelledSequence:
    """Draw 20 minutes of noise: enough for trees of full size."""
    rng, n = np.random.default_rng(seed), 4800
    data = {Modality(name): rng.standard_normal((n, count)) for name, count in counts}
    target = np.tanh(data[Modality.EEG][:, :2] + rng.standard_normal((n, 2)))
    quality = {modality: np.ones(n) for modality in data}
    return LabelledSequence(f"s{seed}", HOP * np.arange(n), data, quality, target)


class Inputs:
    """Draw inputs as a live run has them: each modality is absent for a tenth of the time."""

    def __init__(self, model: FusionModel, n: int = 1024) -> None:
        g = torch.Generator().manual_seed(1)
        self._n = n
        self._x = {m: torch.randn(n, 1, k, generator=g) for m, k in model.inputs.counts.items()}
        there = torch.rand(n // 32, 1, len(self._x), generator=g) > 0.1
        self._present = there.float().repeat_interleave(32, 0)

    def at(self, t: int) -> tuple[dict[Modality, Tensor], Tensor]:
        row = t % self._n
        return {m: values[row] for m, values in self._x.items()}, self._present[row]


def run(model: FusionModel, inputs: Inputs, state: State, steps: range) -> tuple[np.ndarray, State]:
    """Return seconds of each step, and the state behind the last."""
    taken = np.empty(len(steps))
    with torch.inference_mode():
        for k, t in enumerate(steps):
            x, present = inputs.at(t)
            begun = time.perf_counter()
            output, state = model.step(x, present, state)
            output.mean.tolist()
            taken[k] = time.perf_counter() - begun
    return taken, state


def held(state: State) -> int:
    """Return the bytes that a state keeps alive."""
    return sum(tensor.untyped_storage().nbytes() for tensor in state)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--hours", type=float, default=10.0)
    parser.add_argument("--only", nargs="*", default=[*MODELS, *EXTRA])
    asked = parser.parse_args()
    torch.set_num_threads(1)
    total = round(asked.hours * 3600 / HOP)
    print(
        f"{'family':28s}{'p50':>9s}{'p99':>9s}{'first':>9s}{'last':>9s}{'ratio':>8s}{'state':>13s}"
    )
    figures, grown = [], 0
    for case in asked.only:
        model = make(case)
        inputs = Inputs(model)
        _, state = run(model, inputs, model.begin(1), range(WARM_UP))
        first, state = run(model, inputs, state, range(1000))
        before = held(state)
        middle, state = run(model, inputs, state, range(1000, max(total - 1000, 2000)))
        last, state = run(model, inputs, state, range(total - 1000, total))
        p50, p99 = np.quantile(np.concatenate((first, middle, last)), (0.5, 0.99)) * 1e3
        begin, end = np.median(first) * 1e3, np.median(last) * 1e3
        print(
            f"{case:28s}{p50:9.3f}{p99:9.3f}{begin:9.3f}{end:9.3f}{end / begin:8.2f}"
            f"{before:>9d}{held(state) - before:+4d}",
            flush=True,
        )
        grown += held(state) - before
        figures.append(Figure(f"a fusion step, {case}, p50", float(p50), "ms", timed=True))
    print(f"milliseconds; first and last 1000 of {total} steps ({asked.hours:g} h); state in bytes")
    tell(*figures, Figure("growth of all families' states over the steps", grown, "bytes"))


if __name__ == "__main__":
    main()
