"""Pulse transit time: from the R peak of the heart to the pulse wave that it sends."""

from __future__ import annotations

from collections import deque

import numpy as np

TRANSIT_CHANNELS = ("transit_10", "transit_delta")
"""Median of 10 s, seconds; and what it differs by from the median of 60 s."""
SHORTEST_S, LONGEST_S = 0.1, 0.6  # to the steepest upstroke at finger, wrist or ear, with margin
SPREAD_S = 0.03  # median distance from the median: beats that scatter more are not each other's
SURE = 0.5  # confidence that a beat must have, on either side
_NEW_S, _KEEP_S = 10.0, 60.0
_FEWEST, _FEWEST_KEPT = 5, 15


class PulseTransit:
    """Pair R peaks with the pulse waves behind them, and summarise the times between.

    A pulse belongs to the last R peak that lies 0.1 to 0.6 s before it; which that is, is decided
    when an R peak behind it is known, as the two sensors need not deliver at the same moment. Times
    of sensors whose clocks differ are wrong by as much, but not how they change: `transit_delta` is
    good then too.

    Examples
    --------
    >>> transit = PulseTransit()
    >>> for beat in np.arange(0, 30, 0.8):
    ...     transit.add_heart(beat, 1.0)
    ...     transit.add_pulse(beat + 0.25, 1.0)
    >>> [round(value, 3) for value in transit.features(30.0)]
    [0.25, 0.0]
    """

    def __init__(self) -> None:
        self._heart: deque[float] = deque(maxlen=16)
        self._pulses: deque[float] = deque(maxlen=16)
        self._known: deque[tuple[float, float]] = deque()

    def add_heart(self, time: float, confidence: float) -> None:
        """Take the next R peak."""
        if confidence < SURE:
            return
        self._heart.append(time)
        while self._pulses and self._pulses[0] - SHORTEST_S < time:
            self._pair(self._pulses.popleft())

    def add_pulse(self, time: float, confidence: float) -> None:
        """Take the next pulse wave."""
        if confidence < SURE:
            return
        if self._heart and time - SHORTEST_S < self._heart[-1]:
            self._pair(time)
        else:
            self._pulses.append(time)

    def _pair(self, pulse: float) -> None:
        since = [pulse - beat for beat in self._heart if SHORTEST_S <= pulse - beat <= LONGEST_S]
        if since:
            self._known.append((pulse, min(since)))

    def features(self, now: float) -> tuple[float, float]:
        """Return `TRANSIT_CHANNELS` at session time `now`, NaN where too little is known."""
        while self._known and self._known[0][0] <= now - _KEEP_S:
            self._known.popleft()
        if not self._known:
            return np.nan, np.nan
        table = np.array(self._known, np.float64).reshape(-1, 2)
        kept, new = table[:, 1], table[table[:, 0] > now - _NEW_S, 1]
        if len(new) < _FEWEST:
            return np.nan, np.nan
        middle = float(np.median(new))
        if float(np.median(np.abs(new - middle))) > SPREAD_S:
            return np.nan, np.nan
        if len(kept) < _FEWEST_KEPT:
            return middle, np.nan
        return middle, middle - float(np.median(kept))
