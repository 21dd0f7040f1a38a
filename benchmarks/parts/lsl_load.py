"""Many fast LSL streams whose every value is known, for what records them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

PACKET_S = 0.025  # a sender hands over this much at a time
MODULUS = 1 << 22  # below 2**24, up to which float32 holds every whole number


@dataclass(frozen=True)
class Case:
    """Describe streams of one kind."""

    streams: int
    channels: int
    sfreq: float

    def __str__(self) -> str:
        return f"{self.streams} streams of {self.channels} channels at {self.sfreq:g} Hz"

    def name(self, number: int) -> str:
        return f"raw-{number:02}"

    def samples(self, start: int, stop: int) -> np.ndarray:
        """Return samples start..stop-1 of any of the streams: the count, plus the channel."""
        grid = np.arange(start, stop)[:, None] + np.arange(self.channels)
        return (grid % MODULUS).astype(np.float32)


CASES = {"wide": Case(32, 64, 2000.0), "many": Case(64, 8, 256.0)}
