"""A simulated person with EEG (32 channels, 512 Hz), ECG and EDA, written as XDF."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from biosense.acquisition.simulated import simulate
from biosense.acquisition.xdf.writer import XdfWriter
from biosense.core.types import Modality
from biosense.estimation.interleave import interleave


def record(path: Path, minutes: float) -> None:
    """Write a recording of so many minutes."""
    kinds = [Modality.EEG, Modality.ECG, Modality.EDA]
    person = simulate(1, 60 * minutes, modalities=kinds, start=1000.0)
    streams = [
        replace(each, info=replace(each.info, dtype="float32"), data=each.data.astype(np.float32))
        for each in person.streams
    ]
    with XdfWriter(path) as writer:
        for stream in streams:
            writer.add_stream(stream.info)
        for chunk in interleave(streams, 0.1):
            writer.write(chunk)
