"""Windows of a stream that end on the session grid."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from biosense.core.errors import BadInput
from biosense.core.grid import HOP, sample_indices
from biosense.core.types import Chunk, Epoch, Ints, StreamInfo
from biosense.processing.signal.grid_points import GridPoints
from biosense.processing.signal.grid_ring import TOGETHER_S, GridRing
from biosense.processing.signal.overlapping_windows import WindowSource


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
        Below this share of ok samples quality is 0, for "gaps": the window says nothing.

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
    _cut: GridPoints = field(init=False, repr=False)

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
        # The last column holds ok.
        spare = round((TOGETHER_S - self.hop) * info.sfreq)
        self._ring = GridRing(self._size, info.n_channels + 1, spare)
        self._cut = GridPoints(info.sfreq, self.hop)
        return info

    def push(self, item: Chunk) -> Sequence[Epoch]:
        """Return the windows that this chunk completed."""
        rows = np.concatenate((item.data, item.ok[:, None]), axis=1)
        points, ends = self._cut.ends(item.times, self._info.sfreq)
        return [
            epoch
            for group in self._ring.groups(sample_indices(item), rows, ends)
            for epoch in self._epochs(points[group], ends[group])
        ]

    def flush(self) -> Sequence[Epoch]:
        """Return nothing: a window that has not ended is none."""
        return []

    def _epochs(self, points: list[int], ends: Ints) -> Iterator[Epoch]:
        """Return windows that end at some points: views of one array, which is never written to."""
        span = int(ends[-1] - ends[0])
        rows = self._ring.upto(int(ends[-1]), self._size + span)
        # Channel by channel in memory: once here, instead of in each of the windows that overlap.
        data = np.ascontiguousarray(rows[:, :-1].T).T
        data.flags.writeable = False
        finite = np.isfinite(data)
        trusted = (rows[:, -1] == 1) & (finite.all() or finite.any(axis=1))
        count = np.concatenate(([0], np.cumsum(trusted)))
        starts = ends - ends[0]
        shares = (count[starts + self._size] - count[starts]) / self._size
        for k, begin, share in zip(points, starts.tolist(), shares.tolist(), strict=True):
            stop = k * self.hop
            quality, reason = (share, "") if share >= self.min_ok else (0.0, "gaps")
            window = data[begin : begin + self._size]
            source = WindowSource(window, data, begin)
            yield Epoch(self._info, k, stop - self.length, stop, window, quality, reason, source)
