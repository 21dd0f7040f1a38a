"""Skin conductance with known responses, and what the features make of it."""

from __future__ import annotations

from itertools import repeat

import numpy as np

from biosense.core import Chunk, Epoch, Modality, Pipeline, StreamInfo
from biosense.core.types import Bools, Floats
from biosense.processing.eda.features import EDA_CHANNELS, EdaFeatures
from biosense.testing.cuttings import split

PEAK_S = 1.13  # of the canonical response, after its onset


def eda_info(sfreq: float, unit: str = "S") -> StreamInfo:
    return StreamInfo("palm", Modality.EDA, ("eda",), sfreq, unit)


def responses(times: Floats, onsets: Floats, amplitudes: Floats) -> Floats:
    """Return the sum of canonical responses (2.0 and 0.7 s), microsiemens."""
    since = np.maximum(times[:, None] - onsets, 0.0)
    shape = np.exp(-since / 2.0) - np.exp(-since / 0.7)
    peak = np.exp(-PEAK_S / 2.0) - np.exp(-PEAK_S / 0.7)
    return np.asarray(shape @ amplitudes / peak)


def run(eda_us: Floats, sfreq: float = 8.0, keep: Bools | None = None) -> list[Epoch]:
    info = eda_info(sfreq)
    n = np.arange(len(eda_us)) if keep is None else np.flatnonzero(keep)
    stream = Chunk.of(info, n / sfreq, 1e-6 * eda_us[n, None])
    return Pipeline(EdaFeatures()).run(split(stream, repeat(5)), info)


def value(epoch: Epoch, name: str) -> float:
    return float(epoch.data[EDA_CHANNELS.index(name)])
