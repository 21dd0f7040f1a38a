"""A signal as it should be of every modality: what hostile inputs and spikes are made from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from biosense.core.camera_streams import FACE_CHANNELS, RPPG_CHANNELS
from biosense.core.types import Chunk, Floats, Modality, StreamInfo
from biosense.testing.body import (
    breath_waves,
    ecg_waves,
    muscle_waves,
    ppg_waves,
    scr_waves,
    skin_waves,
)
from biosense.testing.camera import colour_frames, face_frames

START_S = 100.0


def brain_waves(times: Floats, channels: int) -> Floats:
    noise = np.random.default_rng(3).standard_normal((len(times), channels))
    return 1e-5 * (noise + np.sin(2 * np.pi * 10 * times)[:, None])


@dataclass(frozen=True)
class Case:
    """A stream as it should be, and a feature by which one sees whether the rest is right."""

    info: StreamInfo
    waves: Callable[[Floats, int], Floats]
    feature: str
    within: float
    seconds: float = 16.0

    def stream(self, info: StreamInfo | None = None) -> Chunk:
        info = info or self.info
        times = START_S + np.arange(round(self.seconds * info.sfreq)) / info.sfreq
        return Chunk.of(info, times, self.waves(times, info.n_channels))


def _info(kind: str, channels: tuple[str, ...], sfreq: float, unit: str = "") -> StreamInfo:
    return StreamInfo(kind, Modality(kind), channels, sfreq, unit)


CAP = ("F3", "F4", "C3", "C4", "P3", "P4", "O1", "O2")
CASES = {
    "eeg": Case(_info("eeg", CAP, 128.0, "V"), brain_waves, "all_alpha", 0.7),
    "ecg": Case(_info("ecg", ("ecg",), 130.0, "V"), ecg_waves, "heart_rate", 3.0),
    "ppg": Case(_info("ppg", ("ppg",), 64.0), ppg_waves, "heart_rate", 3.0),
    "eda": Case(_info("eda", ("eda",), 16.0, "S"), scr_waves, "scl_log", 0.1, 34.0),
    "resp": Case(_info("resp", ("belt",), 25.0), breath_waves, "resp_rate", 1.0, 34.0),
    "temp": Case(_info("temp", ("skin",), 4.0, "degC"), skin_waves, "temp_level", 0.5, 34.0),
    "emg": Case(_info("emg", ("zyg", "corr"), 256.0, "V"), muscle_waves, "emg_slow", 0.5),
    "rppg": Case(_info("rppg", RPPG_CHANNELS, 30.0), colour_frames, "heart_rate", 3.0, 20.0),
    "face": Case(_info("face", FACE_CHANNELS, 30.0), face_frames, "ear", 0.05),
}
