"""Short synthetic EEG with artefacts: what the contract tests feed to the stages of EEG."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from biosense.core.types import Epoch, Floats, Modality, StreamInfo
from biosense.testing.streams import START_S, window_epochs

_EEG = StreamInfo("eeg", Modality.EEG, ("Fp1", "F3", "F4", "Pz"), 128.0, "V")


def eeg_windows() -> list[Epoch]:
    """Return windows of 2 s in volts: a blink, a jump, fast bursts and a channel that goes flat."""
    epochs = []
    for number, epoch in enumerate(window_epochs(_EEG, length=2.0)):
        data = 1e-6 * epoch.data
        t = np.arange(len(data)) / _EEG.sfreq
        if number in (1, 2):
            data[:, 0] += 2e-4 * np.exp(-(((t - 1.0) / 0.1) ** 2))
        if number == 5:
            data[128:, 1] += 4e-4
        if number in (7, 8):
            data += 4e-5 * np.sin(2 * np.pi * 31.0 * t)[:, None]
        if number >= 9:
            data[:, 3] = 0.0
        epochs.append(replace(epoch, data=data))
    return epochs


def burst_waves(times: Floats, channels: int) -> Floats:
    """Return noise in volts with a large burst in one direction after 7 and 11 s."""
    rng = np.random.default_rng(8)
    mixing = np.eye(channels) + 0.3 * rng.standard_normal((channels, channels))
    data = 1e-5 * rng.standard_normal((len(times), channels)) @ mixing
    since = times - START_S
    inside = (since > 7) & (since < 7.6) | (since > 11) & (since < 11.3)
    burst = 3e-4 * rng.standard_normal(len(times)) * inside
    return np.asarray(data + np.outer(burst, rng.standard_normal(channels)))
