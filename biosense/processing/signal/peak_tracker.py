"""Find the peaks of a signal while it arrives, each confirmed by what follows it."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from biosense.core.types import Floats


@dataclass
class PeakTracker:
    """Find the maxima of an envelope that nothing exceeds for `hold` samples.

    Parameters
    ----------
    hold
        Samples.

    Examples
    --------
    >>> tracker = PeakTracker(hold=3)
    >>> tracker.push(np.array([0.0, 2, 1, 3, 0, 0, 0, 0]), 100)
    [(103, 3.0, 106)]
    """

    hold: int
    _tail: Floats = field(init=False, repr=False)
    _pending: tuple[int, float] | None = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Forget everything, as at the beginning of a stream or behind a gap."""
        self._tail = np.empty(0)
        self._pending = None

    def push(self, envelope: Floats, first: int) -> list[tuple[int, float, int]]:
        """Take the samples from position `first` on; return (position, height, confirmed at)."""
        known = np.concatenate([self._tail, envelope])
        rising = (known[1:-1] > known[:-2]) & (known[1:-1] >= known[2:])
        offset = first - len(self._tail) + 1
        self._tail = known[-2:]
        peaks: list[tuple[int, float, int]] = []
        # A loop over local maxima, some tens a second, not over samples.
        for at in (np.flatnonzero(rising) + offset).tolist():
            peaks += self._confirm(at)
            height = float(known[at - offset + 1])
            if self._pending is None or height >= self._pending[1]:
                self._pending = (at, height)
        return peaks + self._confirm(first + len(envelope) - 1)

    def close(self) -> tuple[int, float] | None:
        """Return the peak that was still waiting when the stream broke off, and forget all."""
        pending = self._pending
        self.reset()
        return pending

    def _confirm(self, now: int) -> list[tuple[int, float, int]]:
        if self._pending is None or now < self._pending[0] + self.hold:
            return []
        at, height = self._pending
        self._pending = None
        return [(at, height, at + self.hold)]


def parabolic_peak(values: Floats, at: int) -> tuple[float, float]:
    """Return place and height of the parabola through the sample `at` and its neighbours.

    Parameters
    ----------
    values
        Samples, shape (n,).
    at
        Position of the highest.

    Returns
    -------
    place : float
        Of the top, in samples.
    height : float
        Of the top.

    Examples
    --------
    >>> parabolic_peak(np.array([0.0, 3.0, 3.0, 0.0]), 1)
    (1.5, 3.375)
    """
    if not 0 < at < len(values) - 1:
        return float(at), float(values[at])
    before, peak, after = values[at - 1 : at + 2].tolist()
    bend = before - 2 * peak + after
    if bend >= 0:
        return float(at), peak
    shift = 0.5 * (before - after) / bend
    return at + shift, peak - 0.25 * (before - after) * shift
