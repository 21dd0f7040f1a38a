"""Windows of a stream that end on the session grid."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from biosense.core.errors import BadInput
from biosense.core.grid import HOP, sample_index, sample_indices
from biosense.core.types import Chunk, Epoch, Floats, StreamInfo
from biosense.processing.grid_cut import GridCut
from biosense.processing.grid_ring import GridRing


@dataclass
class Window:
    """Cut a regularised stream into overlapping windows that end at k * hop.

    Each window has round(length * sfreq) rows, the last one the sample at or just before its end;
    missing samples are NaN. `quality` is the share of samples that are there and ok. Values that
    are not ok stay in the window. A point of the grid inside a gap gives no window.

    Parameters
    ----------
    length
        Seconds.
    hop
        Seconds from one window to the next.
    min_ok
        Below this share of ok samples quality is 0: the window says nothing.

    Examples
    --------
    >>> stage = Window(length=0.5)
    >>> info = StreamInfo("wrist", None, ("eda",), 4.0, "S")
    >>> out = stage.start(info)
    >>> chunk = Chunk.of(info, [0.25, 0.5, 0.75], [[1.0], [2.0], [3.0]])
    >>> [(epoch.stop, epoch.data[:, 0].tolist(), epoch.quality) for epoch in stage.push(chunk)]
    [(0.25, [nan, 1.0], 0.5), (0.5, [1.0, 2.0], 1.0), (0.75, [2.0, 3.0], 1.0)]
    """

    length: float
    hop: float = HOP
    min_ok: float = 0.5
    _info: StreamInfo = field(init=False, repr=False)
    _size: int = field(init=False, repr=False)
    _ring: GridRing = field(init=False, repr=False)
    _cut: GridCut = field(init=False, repr=False)

    def __post_init__(self) -> None:
        if not (self.length > 0 and self.hop > 0):
            raise BadInput(f"length={self.length} s and hop={self.hop} s must be above 0")

    def start(self, info: StreamInfo) -> StreamInfo:
        """Make the buffers."""
        self._size = round(self.length * info.sfreq)
        if self._size < 1:
            raise BadInput(
                f"a window of length={self.length} s holds no sample of {info.name!r}, which has "
                f"{info.sfreq} Hz"
            )
        self._info = info
        self._ring = GridRing(self._size, info.n_channels + 1)  # the last column holds ok
        self._cut = GridCut(info.sfreq, self.hop)
        return info

    def push(self, item: Chunk) -> Sequence[Epoch]:
        """Return the windows that this chunk completed."""
        indices = sample_indices(item)
        rows = np.concatenate((item.data, item.ok[:, None]), axis=1)
        epochs, done = [], 0
        for stop, k in self._cut.cut(item.times):
            self._ring.put(indices[done:stop], rows[done:stop])
            done = stop
            epochs.append(self._epoch(k))
        self._ring.put(indices[done:], rows[done:])
        return epochs

    def flush(self) -> Sequence[Epoch]:
        """Return nothing: a window that has not ended is none."""
        return []

    def _epoch(self, k: int) -> Epoch:
        stop = k * self.hop
        rows = self._ring.upto(sample_index(stop, self._info.sfreq), self._size)
        data: Floats = rows[:, :-1].copy()
        trusted = (rows[:, -1] == 1) & np.isfinite(data).any(axis=1)
        share = float(trusted.mean())
        quality = share if share >= self.min_ok else 0.0
        return Epoch(self._info, k, stop - self.length, stop, data, quality)
