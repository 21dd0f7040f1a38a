"""Synthetic EEG of 32 channels with blinks and muscle of known size, for the benchmarks of EEG."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import signal

from biosense.core.types import Bools, Floats
from biosense.processing.eeg.layouts import layout
from biosense.processing.offline.eeg_positions import channel_positions

SFREQ = 128.0
TRAINED_S = 40.0  # before that there are no bursts of muscle


@dataclass(frozen=True, eq=False)
class Scene:
    """Hold clean EEG, the same with artefacts, EOG, and where the artefacts are."""

    channels: tuple[str, ...]
    clean: Floats
    dirty: Floats
    eog: Floats
    blink: Bools
    muscle: Bools


def make_scene(seed: int, blinks_from: float, seconds: float = 150.0) -> Scene:
    """Return 32 channels: 60 sources (1/f and alpha), blinks at Fp, muscle at the temples."""
    rng = np.random.default_rng(seed)
    channels, n = layout("deap"), round(seconds * SFREQ)
    places = channel_positions(channels)
    places = places / np.linalg.norm(places, axis=1, keepdims=True)
    sources = signal.lfilter([1.0], [1.0, -0.95], rng.laplace(size=(n, 60)), axis=0)
    alpha = signal.sosfilt(
        signal.butter(2, (8, 12), "bandpass", fs=SFREQ, output="sos"),
        rng.standard_normal((n, 60)),
        axis=0,
    )
    sources = sources / sources.std() + alpha / alpha.std()
    seats = rng.standard_normal((60, 3))
    seats = seats / np.linalg.norm(seats, axis=1, keepdims=True)
    mixing = np.exp(-np.square(places[:, None] - seats).sum(axis=2) / 0.5)
    mixing *= rng.choice([-1.0, 1.0], 60)
    clean = sources @ mixing.T
    clean = 1.2e-5 * clean / clean.std() + 5e-7 * rng.standard_normal(clean.shape)
    t = np.arange(n) / SFREQ
    blink_times = np.cumsum(rng.uniform(2.0, 5.0, int(seconds))) + blinks_from
    lid = sum(np.exp(-(((t - at) / 0.09) ** 2)) for at in blink_times if at < seconds - 1)
    lid = np.asarray(lid) * 1.5e-4
    front = np.exp(-np.square(places - places[[0, 16]].mean(axis=0)).sum(axis=1) / 0.4)
    muscle, bursts = np.zeros_like(clean), np.zeros(n, bool)
    for at in np.arange(TRAINED_S + 6.0, seconds - 2, 7.0):
        start, stop = round(at * SFREQ), round((at + rng.uniform(0.4, 1.2)) * SFREQ)
        side = channels.index(rng.choice(["T7", "T8", "F7", "F8"]))
        spread = np.exp(-np.square(places - places[side]).sum(axis=1) / 0.15)
        fast = signal.butter(2, 20, "highpass", fs=SFREQ, output="sos")
        for seat in range(3):
            wave = signal.sosfilt(fast, rng.standard_normal(stop - start + 64))[64:]
            part = spread * rng.uniform(0.4, 1.0, len(channels))
            muscle[start:stop] += 1e-4 * np.outer(wave, part) / np.sqrt(3 + seat)
        bursts[start:stop] = True
    eog = lid + 1e-5 * signal.lfilter([0.05], [1, -0.95], rng.standard_normal(n))
    dirty = clean + np.outer(lid, front) + muscle
    # The same causal filter for all: only what comes after it is compared.
    filters = signal.butter(2, (1, 45), "bandpass", fs=SFREQ, output="sos")
    passed = [signal.sosfilt(filters, x, axis=0) for x in (clean, dirty, eog)]
    return Scene(channels, passed[0], passed[1], passed[2], lid > 7.5e-6, bursts)
