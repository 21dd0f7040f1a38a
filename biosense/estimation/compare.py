"""Hold offline estimates against those that the live run recorded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from biosense.acquisition.xdf.reader import XdfReader
from biosense.core.affect import Estimate
from biosense.core.own_streams import AFFECT
from biosense.core.types import Chunk
from biosense.estimation.estimate_stream import estimate_chunk


@dataclass(frozen=True)
class Comparison:
    """Say how far offline estimates are from the recorded ones.

    Parameters
    ----------
    recorded, offline
        How many there are of each.
    same_times
        How many stand at exactly the same time in both.
    largest_difference
        Over all channels, at those times.
    """

    recorded: int
    offline: int
    same_times: int
    largest_difference: float

    def __str__(self) -> str:
        return (
            f"{self.same_times} of {self.recorded} recorded estimates have the same time, "
            f"largest difference {self.largest_difference:.2g}"
        )


def compare_with_live(reader: XdfReader, estimates: Sequence[Estimate]) -> Comparison | None:
    """Compare offline estimates with the recorded ones; None where none were recorded.

    Parameters
    ----------
    reader
        Of the recording.
    estimates
        Offline ones.

    Returns
    -------
    Comparison or None
    """
    items = reader.items()
    live = [i for i in items if isinstance(i, Chunk) and i.info.name == AFFECT and i.n]
    if not live:
        return None
    recorded = {
        float(t): row for chunk in live for t, row in zip(chunk.times, chunk.data, strict=True)
    }
    offline = {item.time: estimate_chunk(live[0].info, item).data[0] for item in estimates}
    shared = recorded.keys() & offline.keys()
    differences = [float(np.abs(recorded[time] - offline[time]).max()) for time in shared]
    return Comparison(len(recorded), len(offline), len(shared), max(differences, default=0.0))
