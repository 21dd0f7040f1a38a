"""Waves as sensors send them, with jitter, and what is left of them on the grid."""

from __future__ import annotations

import numpy as np

from biosense.core import Chunk, Modality, Pipeline, StreamInfo
from biosense.core.types import Floats
from biosense.processing.signal.regularise import Regularise

START_S = 1000.123
WAVE_HZ = 5.0


def wave(times: Floats) -> Floats:
    return np.sin(2 * np.pi * WAVE_HZ * times)


def ecg_info(sfreq: float = 130.0, *, lossy: bool = False, channels: int = 1) -> StreamInfo:
    names = tuple(f"c{n}" for n in range(channels))
    return StreamInfo("strap", Modality.ECG, names, sfreq, "V", lossy=lossy)


def regularised(stage: Regularise, chunk: Chunk) -> Chunk:
    """Return the result of a stream in pieces of 10 samples as one chunk."""
    pieces = [chunk.slice(n, min(n + 10, chunk.n)) for n in range(0, chunk.n, 10)]
    out = Pipeline(stage).run(pieces, chunk.info)
    return Chunk(
        out[0].info,
        np.concatenate([part.times for part in out]),
        np.concatenate([part.data for part in out]),
        np.concatenate([part.ok for part in out]),
    )


def positions(chunk: Chunk) -> np.ndarray:
    return np.rint(chunk.times * chunk.info.sfreq).astype(int)


def jittered(
    *, true_hz: float, jitter: float, seconds: float = 60.0, info: StreamInfo, packet: int = 1
) -> Chunk:
    rng = np.random.default_rng(3)
    times = START_S + np.arange(round(seconds * true_hz)) / true_hz
    late = np.repeat(rng.standard_normal(len(times) // packet + 1) * jitter, packet)[: len(times)]
    return Chunk.of(info, np.maximum.accumulate(times + late), wave(times)[:, None])
