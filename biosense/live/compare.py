"""Hold offline estimates against those that the live run recorded."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from biosense.acquisition.xdf.reader import load
from biosense.core.types import Chunk, Estimate, Floats
from biosense.live.affect import AFFECT, affect_chunk


def compare_with_live(path: Path, estimates: Sequence[Estimate]) -> dict[str, float | int] | None:
    """Return how far offline estimates are from the recorded ones; None where none were recorded.

    Returns
    -------
    dict
        "estimates" recorded, how many of their times are also "shared" offline, and the "largest
        difference" over all channels at those times.
    """
    streams = [stream for stream in load(path).streams if stream.info.name == AFFECT]
    if not streams or streams[0].n == 0:
        return None
    live = streams[0]
    offline = _matrix(live, estimates)
    _, at_live, at_offline = np.intersect1d(live.times, offline[:, 0], return_indices=True)
    difference = np.abs(live.data[at_live] - offline[at_offline, 1:])
    return {
        "estimates": live.n,
        "shared": len(at_live),
        "offline_only": len(estimates) - len(at_offline),
        "largest_difference": float(difference.max(initial=0.0)),
    }


def _matrix(live: Chunk, estimates: Sequence[Estimate]) -> Floats:
    rows = [np.append(item.time, affect_chunk(live.info, item).data) for item in estimates]
    return np.reshape(rows, (len(rows), 1 + live.info.n_channels)).astype(np.float64)
