"""The estimates of the last minutes, and the simulated truth beside them. No Qt."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from biosense.core.affect import weights_of
from biosense.core.ring import MirroredRing
from biosense.core.types import Bools, Chunk, Floats

HISTORY_S = 120.0
TRAIL_S = 30.0
STALE_S = 3.0  # twelve estimates that did not come
_MOST_HZ = 20.0  # room: estimates come at 4 Hz
_GAP_S = 1.0


@dataclass(frozen=True, eq=False)
class Path:
    """Hold a path over time: `times` (n,), `values` (n, columns), `joined` (n,) to the next point.

    The last point of a path is joined to nothing, nor is one before a gap.
    """

    times: Floats
    values: Floats

    @property
    def joined(self) -> Bools:
        """True where a line leads on to the next point."""
        known: Bools = np.asarray(np.isfinite(self.values).all(axis=1))
        near: Bools = np.diff(self.times) <= _GAP_S
        joined: Bools = np.zeros(known.shape, np.bool_)
        joined[:-1] = near & known[:-1] & known[1:]
        return joined

    def since(self, time: float) -> Path:
        """Return what is not older."""
        at = int(np.searchsorted(self.times, time))
        return Path(self.times[at:], self.values[at:])


class PathBuffer:
    """Keep some columns of a slow stream; filled by one thread, read by another.

    Examples
    --------
    >>> from biosense.core.types import StreamInfo
    >>> buffer = PathBuffer(("valence", "arousal"))
    >>> info = StreamInfo("t", None, ("valence", "arousal"), 4.0)
    >>> buffer.append(Chunk.of(info, [5.0], [[0.1, 0.2]]))
    >>> buffer.path().values.tolist(), buffer.total
    ([[0.1, 0.2]], 1)
    """

    def __init__(self, columns: tuple[str, ...]) -> None:
        self._columns = columns
        self._ring = MirroredRing(int(HISTORY_S * _MOST_HZ), 1 + len(columns))
        self._lock = threading.Lock()
        self._weights: dict[str, float] = {}

    def append(self, chunk: Chunk) -> None:
        """Take samples; a stream without the wanted channels is passed over."""
        names = chunk.info.channels
        if chunk.n == 0 or any(column not in names for column in self._columns):
            return
        picked = chunk.data[:, [names.index(column) for column in self._columns]]
        newest = zip(names, chunk.data[-1].tolist(), strict=True)
        weights = weights_of(newest)
        with self._lock:
            self._ring.append(np.column_stack([chunk.times, picked]))
            self._weights = weights

    def put(self, time: float, values: Mapping[str, float]) -> None:
        """Take one sample that came another way."""
        row = np.array([[time, *(values[column] for column in self._columns)]])
        weights = weights_of(values.items())
        with self._lock:
            self._ring.append(row)
            self._weights = weights

    @property
    def total(self) -> int:
        """Samples since the beginning."""
        return self._ring.total

    @property
    def weights(self) -> Mapping[str, float]:
        """What carried the newest estimate, by modality; empty where nobody says."""
        return self._weights

    def path(self) -> Path:
        """Copy what is kept."""
        with self._lock:
            rows = self._ring.last(len(self._ring)).copy()
        return Path(rows[:, 0], rows[:, 1:])


@dataclass(frozen=True, eq=False)
class PlaneView:
    """Hold what the plane shows.

    `trail` has one path a step of fading, the oldest first; `newest` is valence, arousal and their
    standard deviations; `fresh` is False where it is old; `truth` is where a simulated participant
    really is; `message` stands in for what is not there.
    """

    trail: tuple[Path, ...]
    newest: tuple[float, float, float, float] | None
    fresh: bool
    truth: tuple[float, float] | None
    message: str


def plane_view(estimates: Path, truth: Path, now: float, message: str, steps: int) -> PlaneView:
    """Decide what the plane shows at session time `now`.

    Parameters
    ----------
    estimates
        Times, and valence, arousal and their standard deviations.
    truth
        Of a simulated participant; empty where there is none.
    now
        Session time, seconds.
    message
        Shown where there is no estimate.
    steps
        Of fading.

    Returns
    -------
    PlaneView
        What is drawn.

    Examples
    --------
    >>> path = Path(np.array([90.0, 99.0]), np.array([[0, 0, 0.1, 0.1], [0.5, -0.5, 0.2, 0.2]]))
    >>> view = plane_view(path, Path(np.zeros(0), np.zeros((0, 2))), 100.0, "", 3)
    >>> view.newest, view.fresh, [len(piece.times) for piece in view.trail]
    ((0.5, -0.5, 0.2, 0.2), True, [1, 1, 2])
    """
    edges = now - TRAIL_S * np.arange(steps, -1, -1) / steps
    at = np.searchsorted(estimates.times, edges[:-1])
    ends = np.append(at[1:], len(estimates.times))
    # Each piece takes the first point of the next one too: they join.
    pieces = [slice(first, end + 1) for first, end in zip(at, ends, strict=True)]
    trail = tuple(Path(estimates.times[cut], estimates.values[cut, :2]) for cut in pieces)
    newest = _newest(estimates)
    true = _newest(truth.since(now - STALE_S))
    return PlaneView(
        trail,
        None if newest is None else (newest[0], newest[1], newest[2], newest[3]),
        newest is not None and now - float(estimates.times[-1]) <= STALE_S,
        None if true is None else (true[0], true[1]),
        message if newest is None else "",
    )


def _newest(path: Path) -> list[float] | None:
    if len(path.times) == 0 or not np.isfinite(path.values[-1]).all():
        return None
    newest: list[float] = path.values[-1].tolist()
    return newest
