"""The order control: the same recording with its trials in another order."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from biosense.core.recording import Recording, Trial
from biosense.core.types import Chunk, Floats


@dataclass(frozen=True)
class _Block:
    """Hold where a stretch of the recording, with one trial in it, was and where it goes."""

    start: float
    stop: float
    shift: float


def reordered(recording: Recording, seed: int) -> Recording:
    """Return a recording with its trials, and what was recorded during them, in random order.

    Playlists have rules (on CASE, a quadrant never follows itself), and features with memory, such
    as running normalisation, can read the rule instead of the body. What a candidate loses when
    features are extracted from reordered recordings was read from the order. Each trial moves with
    its baseline and with what follows it up to the next one; what came before the first stays.

    Parameters
    ----------
    recording
        Of one person; streams, annotations, markers, ratings and trials move together.
    seed
        Of the order; mix it with the subject, or all get orders that are alike.
    """
    if len(recording.trials) < 2:
        return recording
    blocks = _blocks(recording, np.random.default_rng(seed))
    trials = sorted((_moved(t, blocks) for t in recording.trials), key=lambda t: t.start)
    return replace(
        recording,
        streams=tuple(_moved_chunk(chunk, blocks) for chunk in recording.streams),
        annotations=tuple(_moved_chunk(chunk, blocks) for chunk in recording.annotations),
        markers=tuple(replace(m, time=m.time + _shift(m.time, blocks)) for m in recording.markers),
        ratings=tuple(replace(r, time=r.time + _shift(r.time, blocks)) for r in recording.ratings),
        trials=tuple(trials),
        notes=(*recording.notes, f"trials in random order, seed {seed}"),
    )


def _blocks(recording: Recording, rng: np.random.Generator) -> list[_Block]:
    """Cut at whole seconds, so that samples stay on the grid of streams with a whole rate."""
    trials = sorted(recording.trials, key=_begin)
    ends = [chunk.times[-1] for chunk in (*recording.streams, *recording.annotations) if chunk.n]
    last = max([trials[-1].stop, *map(float, ends)])
    edges = [*(float(math.floor(_begin(trial))) for trial in trials), math.floor(last) + 1.0]
    stretches = list(pairwise(edges))
    blocks, cursor = [], edges[0]
    for k in rng.permutation(len(stretches)):
        start, stop = stretches[k]
        blocks.append(_Block(start, stop, cursor - start))
        cursor += stop - start
    return blocks


def _begin(trial: Trial) -> float:
    return trial.start if trial.baseline is None else trial.baseline


def _shift(time: float, blocks: Sequence[_Block]) -> float:
    return sum(block.shift for block in blocks if block.start <= time < block.stop)


def _moved(trial: Trial, blocks: Sequence[_Block]) -> Trial:
    by = _shift(_begin(trial), blocks)
    rating = None if trial.rating is None else replace(trial.rating, time=trial.rating.time + by)
    return replace(
        trial,
        start=trial.start + by,
        stop=trial.stop + by,
        baseline=None if trial.baseline is None else trial.baseline + by,
        rating=rating,
        video_start=trial.video_start + by,
    )


def _moved_chunk(chunk: Chunk, blocks: Sequence[_Block]) -> Chunk:
    by: Floats = np.zeros(chunk.n)
    for block in blocks:
        by[(chunk.times >= block.start) & (chunk.times < block.stop)] = block.shift
    order = np.argsort(chunk.times + by, kind="stable")
    return replace(
        chunk,
        times=(chunk.times + by)[order],
        data=chunk.data[order],
        ok=chunk.ok[order],
        stamps=None if chunk.stamps is None else (chunk.stamps + by)[order],
    )
