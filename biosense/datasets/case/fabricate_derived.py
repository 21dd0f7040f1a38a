"""A miniature of the derived series of CASE: its keys and quirks, everything in it made up."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from biosense.core.types import Floats
from biosense.datasets.fabricated_signals import breath_wave, skin_conductance, skin_temperature

COLUMNS = ("IHR", "PTT", "EDAPh", "EDATon", "RESP", "TEMP", "TEMGEnv", "ZEMGEnv", "CEMGEnv")
SFREQ, ROWS, VIDEOS = 20.0, 401, 8


def fabricate(folder: Path, people: int, seed: int) -> None:
    """Write one file of 20 s of each video: a heart rate that overshoots once, a resting joystick.

    Ratings have nothing to do with the signals.

    Parameters
    ----------
    folder
        An empty one, or one that is not there yet.
    people
        How many.
    seed
        Of all that is made up.
    """
    rng = np.random.default_rng(seed)
    segments = [(who, video) for who in range(1, people + 1) for video in range(1, VIDEOS + 1)]
    orders = {who: rng.permutation(VIDEOS) for who in range(1, people + 1)}
    x = np.stack([_signals(rng, overshoot=video == 2) for _, video in segments])
    y = np.stack([_ratings(rng, rests=video == 5) for _, video in segments])
    np.savez(
        folder / "case_made_up.npz",
        X=x.astype(np.float32),
        Y=y.astype(np.float32),
        subject=np.array([who for who, _ in segments], np.int16),
        video=np.array([video for _, video in segments], np.int16),
        fold=np.array([who % 2 for who, _ in segments], np.int16),
        start_ms=np.array([60_000 * (1 + orders[who][v - 1]) for who, v in segments], np.int64),
        cols=np.array(COLUMNS),
        fs=np.array(SFREQ),
    )


def _signals(rng: np.random.Generator, *, overshoot: bool) -> Floats:
    times = np.arange(ROWS) / SFREQ
    heart = rng.uniform(60, 85) + 4 * np.sin(2 * np.pi * times / rng.uniform(8, 12))
    if overshoot:
        heart[200:204] = 400.0
    skin = skin_conductance(times, rng.uniform(2, 12), rng)
    muscles = 0.08 * np.exp(0.2 * rng.standard_normal((3, ROWS)))
    columns = [
        heart,
        np.full(ROWS, 0.3),
        skin - skin.min(),
        np.full(ROWS, skin.min()),
        15 + breath_wave(times, 15.0, rng),
        skin_temperature(times, rng),
        *muscles,
    ]
    return np.stack(columns, axis=1)


def _ratings(rng: np.random.Generator, *, rests: bool) -> Floats:
    if rests:
        return np.full((ROWS, 2), 5.0)
    times = np.arange(ROWS) / SFREQ
    waves = np.sin(2 * np.pi * times[:, None] / rng.uniform(10, 30, 2) + rng.uniform(0, 6, 2))
    ratings: Floats = np.clip(5 + rng.uniform(-2, 2, 2) + 3 * waves, 0.5, 9.5)
    return ratings
