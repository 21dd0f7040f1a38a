"""Simulated skin conductance with known responses, and how found onsets are counted."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from biosense.core.types import Floats

SECONDS = 180.0


@dataclass(frozen=True)
class Scene:
    """Hold simulated skin conductance (uS) and its responses; times in seconds."""

    times: Floats
    eda: Floats
    onsets: Floats
    amplitudes: Floats
    noise: float  # SD, uS


@dataclass(frozen=True)
class Counts:
    """Hold how many onsets there are, were found, and agree; their errors in seconds."""

    true: int
    found: int
    hits: int
    errors: Floats

    @property
    def f1(self) -> float:
        return 2 * self.hits / max(1, self.true + self.found)


def response(since: Floats, decay: float = 2.0, rise: float = 0.7) -> Floats:
    """Return canonical responses of height 1."""
    peak = np.log(decay / rise) / (1 / rise - 1 / decay)
    after = np.maximum(since, 0.0)
    height = np.exp(-peak / decay) - np.exp(-peak / rise)
    return np.asarray((np.exp(-after / decay) - np.exp(-after / rise)) / height)


def scene(seed: int, sfreq: float, gaps: tuple[float, float], noise: float) -> Scene:
    rng = np.random.default_rng(seed)
    times = np.arange(int(SECONDS * sfreq)) / sfreq
    onsets = 5 + np.cumsum(rng.uniform(*gaps, 200))
    onsets = onsets[onsets < SECONDS - 8]
    amplitudes = np.exp(rng.uniform(np.log(0.1), 0.0, len(onsets)))
    eda = 4 + response(times[:, None] - onsets) @ amplitudes
    eda += 0.3 * np.sin(2 * np.pi * times / 200 + rng.uniform(0, 6))
    eda += noise * rng.standard_normal(len(times))
    return Scene(times, eda, onsets, amplitudes, noise)


def count(found: Floats, true: Floats, tolerance: float = 1.0) -> Counts:
    free, errors = list(range(len(true))), []
    for onset in found:
        near = min(free, key=lambda at, onset=onset: abs(true[at] - onset), default=None)
        if near is not None and abs(true[near] - onset) <= tolerance:
            free.remove(near)
            errors.append(onset - true[near])
    return Counts(len(true), len(found), len(errors), np.array(errors))


def total(counts: list[Counts]) -> Counts:
    return Counts(
        sum(one.true for one in counts),
        sum(one.found for one in counts),
        sum(one.hits for one in counts),
        np.concatenate([one.errors for one in counts]),
    )
