"""Trials that a data set keeps apart, laid one behind the other on one session clock."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from biosense.core.types import Chunk, Floats, StreamInfo

PAUSE_S = 60.0
"""Made up, between trials: longer than what features look back, so that none reaches another."""


class TrialConcatenation:
    """Collect what was recorded in each trial, and join it to whole streams.

    Where a trial has nothing of a stream there is a gap. A sample is trusted where any of its
    channels has a value.

    Examples
    --------
    >>> whole = TrialConcatenation()
    >>> info = StreamInfo("eda", None, ("eda",), 4.0, "S")
    >>> for _ in range(2):
    ...     whole.add(info, whole.begin(0.5), np.ones((2, 1)))
    >>> whole.streams()[0].times.tolist()
    [0.0, 0.25, 61.0, 61.25]
    """

    def __init__(self) -> None:
        self._next = 0.0
        self._pieces: dict[StreamInfo, list[tuple[Floats, NDArray[Any]]]] = {}

    def begin(self, seconds: float) -> float:
        """Return the session time at which the next trial, of that length, begins."""
        start = self._next
        self._next = math.ceil(start + seconds) + PAUSE_S
        return start

    def add(self, info: StreamInfo, start: float, data: NDArray[Any]) -> None:
        """Add samples of a stream, shape (n, channels), the first of them at `start`."""
        times = start + np.arange(len(data)) / info.sfreq
        self._pieces.setdefault(info, []).append((times, data))

    def streams(self) -> tuple[Chunk, ...]:
        """Return the streams, in the order in which they came first."""
        chunks = []
        for info, pieces in self._pieces.items():
            data = np.concatenate([data for _, data in pieces])
            times = np.concatenate([times for times, _ in pieces])
            chunks.append(Chunk.of(info, times, data, np.isfinite(data).any(axis=1)))
        return tuple(chunks)


def silent_channels(info: StreamInfo, data: NDArray[Any], where: str) -> list[str]:
    """Say which channels of a trial lack values, one line each.

    Parameters
    ----------
    info
        The stream.
    data
        Of the trial, shape (n, channels).
    where
        First words of every line.

    Returns
    -------
    list of str

    Examples
    --------
    >>> info = StreamInfo("eeg", None, ("F3", "F4"), 4.0)
    >>> silent_channels(info, np.array([[1.0, np.nan]]), "P01 video 4")
    ['P01 video 4: eeg F4 lacks 100% of its samples']
    """
    shares = 1 - np.isfinite(data).mean(axis=0)
    return [
        f"{where}: {info.name} {name} lacks {share:.0%} of its samples"
        for name, share in zip(info.channels, shares, strict=True)
        if share > 0
    ]
