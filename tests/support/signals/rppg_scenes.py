"""Skin with a pulse, light that swings, a head that moves: what the camera gate is tried on."""

from dataclasses import replace

import numpy as np

from biosense.core import Chunk, Modality, StreamInfo
from biosense.core.camera_streams import RPPG_CHANNELS, RPPG_COLOURS
from biosense.processing.rppg.features import RPPG_FEATURES, RppgFeatures

SFREQ = 30.0
INFO = StreamInfo("webcam", Modality.RPPG, RPPG_COLOURS, SFREQ)
SKIN = np.array([0.5, 0.36, 0.29])
WALL = np.array([0.35, 0.35, 0.37])
ABSORPTION = np.array([0.33, 0.77, 0.53]) / 0.77
GREEN_PURPLE = np.array([-1.0, 1.0, -1.0])
RED_CYAN = np.array([1.0, -1.0, -1.0])


def scene(seconds, *, bpm=72.0, pulse=0.005, swing=0.0, colour=GREEN_PURPLE, seed=0, noise=7e-4):
    """Skin and background; `pulse` and `swing` are peak-to-peak fractions of the mean colour."""
    rng = np.random.default_rng(seed)
    t = np.arange(round(seconds * SFREQ)) / SFREQ
    phase = 2 * np.pi * np.cumsum(np.broadcast_to(bpm, t.shape)) / 60 / SFREQ
    blood = 0.5 * np.sin(phase) + 0.2 * np.sin(2 * phase - 0.8)
    light = 1 + 0.5 * swing * np.outer(np.sin(2 * np.pi * 1.45 * t), colour)
    parts = []
    for pixels in (2600.0, 1900.0, 1800.0, 4000.0):
        base = np.tile(WALL, (len(t), 1))
        if pixels < 4000:
            base = SKIN * (1 - pulse * np.outer(blood, ABSORPTION))
        parts += [base * light * (1 + noise * rng.standard_normal((len(t), 3)))]
        parts += [np.full((len(t), 1), pixels)]
    return np.hstack(parts)


def run(data, sizes=None, indices=None, **parameters):
    indices = np.arange(len(data)) if indices is None else indices
    info = INFO if data.shape[1] == INFO.n_channels else replace(INFO, channels=RPPG_CHANNELS)
    chunk = Chunk.of(info, indices / SFREQ, data)
    stage = RppgFeatures(**parameters)
    stage.start(info)
    epochs, at = [], 0
    for size in [len(data)] if sizes is None else sizes:
        epochs.extend(stage.push(chunk.slice(at, at + size)))
        at += size
    return [*epochs, *stage.flush()]


def column(epochs, name):
    return np.array([epoch.data[RPPG_FEATURES.index(name)] for epoch in epochs])


def given(epochs):
    return np.isfinite(column(epochs, "heart_rate"))
