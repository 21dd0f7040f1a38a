"""Run a detector of events and score what it found, for the tests of detectors."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import repeat

import numpy as np

from biosense.core import Chunk
from biosense.core.stage import Pipeline, Stage
from biosense.core.types import Floats
from biosense.testing.cuttings import split


@dataclass(frozen=True)
class Score:
    """Hold how well found times match true ones; lag and jitter in seconds."""

    sensitivity: float
    precision: float
    f1: float
    lag: float
    jitter: float


def beats_of(stage: Stage[Chunk, Chunk], stream: Chunk, step: int) -> Floats:
    """Return the rows time, channels.. of all events, shape (n, 1 + channels)."""
    pipeline = Pipeline(stage)
    chunks = pipeline.run(split(stream, repeat(step)), stream.info)
    width = pipeline.start(stream.info).n_channels
    rows = [np.column_stack([chunk.times, chunk.data]) for chunk in chunks]
    return np.concatenate([np.empty((0, 1 + width)), *rows])


def score(found: Floats, true: Floats, tolerance: float) -> Score:
    """Match each true time with the nearest found one, each at most once."""
    errors, used = [], set()
    for time in true:
        at = int(np.argmin(np.abs(found - time))) if len(found) else -1
        if at >= 0 and at not in used and abs(found[at] - time) <= tolerance:
            used.add(at)
            errors.append(found[at] - time)
    hits = len(errors)
    return Score(
        sensitivity=hits / len(true),
        precision=hits / max(1, len(found)),
        f1=2 * hits / (len(true) + len(found)),
        lag=float(np.mean(errors)) if errors else np.nan,
        jitter=float(np.std(errors)) if errors else np.nan,
    )
