"""What every simulated stream is: a description, and a block of samples for each index."""

from __future__ import annotations

from typing import Protocol

import numpy as np

from biosense.acquisition.simulated.noise import BLOCK_S
from biosense.core.types import Chunk, Floats, Modality, StreamInfo


class BlockStream(Protocol):
    """Make one stream of a simulated person, block by block and in any order."""

    @property
    def info(self) -> StreamInfo:
        """The stream."""
        ...

    def block(self, index: int) -> Chunk:
        """Return block `index`, times in seconds since the start of the person."""
        ...


def stream_info(
    modality: Modality, channels: tuple[str, ...], sfreq: float, unit: str, seed: int
) -> StreamInfo:
    """Describe a simulated stream: `sim-<modality>` of the device `simulated-<seed>-<modality>`."""
    return StreamInfo(
        name=f"sim-{modality}",
        modality=modality,
        channels=channels,
        sfreq=sfreq,
        unit=unit,
        source_id=f"simulated-{seed}-{modality}",
        dtype="float32",
        content_type=modality.upper(),
    )


def sample_times(sfreq: float, index: int) -> Floats:
    """Return the sample times of block `index` of a regular stream, seconds, shape (n,)."""
    n = round(sfreq * BLOCK_S)
    return np.arange(index * n, (index + 1) * n) / sfreq
