"""Beats as they leave a detector: a row each, a chunk of them, the stream that they make."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import numpy as np

from biosense.core.types import Chunk, StreamInfo

BEAT_CHANNELS = ("amplitude", "confidence", "known_at", "late")


class BeatRow(NamedTuple):
    """Hold one beat as it leaves a detector.

    Parameters
    ----------
    time
        Session time of the beat, seconds.
    amplitude
        In the unit of the signal.
    confidence
        0 to 1.
    known_at
        Session time of the sample that settled it, seconds.
    late
        1 where it was found while learning or by searching back, else 0.
    """

    time: float
    amplitude: float
    confidence: float
    known_at: float
    late: float


def beat_info(info: StreamInfo) -> StreamInfo:
    """Describe the stream of beats of a signal.

    Parameters
    ----------
    info
        The signal.

    Returns
    -------
    StreamInfo
        Channels `BEAT_CHANNELS`, irregular.
    """
    return replace(info, channels=BEAT_CHANNELS, sfreq=0.0, unit="", dtype="float64")


def beat_chunks(info: StreamInfo, rows: list[BeatRow]) -> list[Chunk]:
    """Return beats as one chunk; none if there are no beats.

    Parameters
    ----------
    info
        As `beat_info` returns it.
    rows
        Beats in order of time.

    Returns
    -------
    list of Chunk
        One, or none where there is no beat.
    """
    if not rows:
        return []
    table = np.array(rows, np.float64)
    return [Chunk(info, table[:, 0].copy(), table[:, 1:].copy(), np.ones(len(table), bool))]
