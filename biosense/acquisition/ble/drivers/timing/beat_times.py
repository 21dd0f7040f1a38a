"""When beats were, for sensors that send the intervals between beats but no times."""

from __future__ import annotations

import numpy as np

from biosense.core.types import Floats

AHEAD_S = 0.5  # beats that would be this far ahead of their arrival have not occurred
_REPORT_S = 1.0  # straps report about once per second, so a beat is up to this old on arrival,
_SLACK_S = 0.25  # plus what the interval to the next one may differ
_LASTING_S = 0.5  # radio that was jammed delivers late as well, but all at once
_LOST_S = 5.0
_LOOK_S = 60.0
_ROUNDED_S = 1e-3  # of an interval: straps round or cut off to 1/1024 s, and their clocks drift
_RISE_S = 1e-3


class BeatTimes:
    """Place beats in session time by adding up their intervals.

    The first beats are placed backwards from their arrival; those that follow by adding their
    intervals to the last one. A beat cannot be later than its packet, so where the sum is ahead of
    an arrival, a new run begins there: after some packets the sum is right behind the beats that
    were reported at once. Nor can a beat be older than the interval to the next one, or a second,
    as a strap would have reported it before: where that lasts, beats were lost, and a new run
    begins as well. Between these, the sum moves by at most 1 ms a beat towards the packet of the
    last minute that was the least late. Times always rise.

    Examples
    --------
    >>> beats = BeatTimes()
    >>> beats.place(np.array([1.0, 0.75]), arrived=10.0).tolist()
    [9.25, 10.0]
    >>> beats.place(np.array([0.75]), arrived=11.0).tolist()
    [10.75]
    """

    def __init__(self) -> None:
        self._last: float | None = None  # by the sum
        self._given = -np.inf
        self._late_since = np.inf
        self._least_late, self._looked_since, self._beats = np.inf, -np.inf, 0

    def could_follow(self, intervals: Floats, arrived: float) -> bool:
        """Tell whether beats with these intervals had the time to occur since the last one."""
        return self._last is None or self._last + intervals.sum() - arrived <= AHEAD_S

    def place(self, intervals: Floats, arrived: float) -> Floats:
        """Return the times of beats, shape (n,), from the intervals before them in seconds, (n,).

        Intervals are positive; `arrived` never decreases.
        """
        if len(intervals) == 0:
            return np.zeros(0)
        if self._last is None:
            self._begin(arrived)
        else:
            self._go_on(self._last, intervals, arrived)
        assert self._last is not None
        times: Floats = self._last - np.append(np.cumsum(intervals[:0:-1])[::-1], 0.0)
        step = _RISE_S * np.arange(1, len(times) + 1)
        times = np.maximum(np.maximum.accumulate(times - step), self._given) + step
        self._given = float(times[-1])
        return times

    def _begin(self, arrived: float) -> None:
        self._last, self._late_since = arrived, np.inf
        self._look_anew(arrived)

    def _go_on(self, before: float, intervals: Floats, arrived: float) -> None:
        last = before + float(intervals.sum())
        late = arrived - last
        if late < 0 or self._has_lost(late, float(intervals[-1]), arrived):
            self._begin(arrived)
            return
        self._last = last
        self._beats += len(intervals)
        self._least_late = min(self._least_late, late)
        if arrived - self._looked_since >= _LOOK_S:
            self._last += min(self._least_late, _ROUNDED_S * self._beats)
            self._look_anew(arrived)

    def _has_lost(self, late: float, interval: float, arrived: float) -> bool:
        if late <= min(interval, _REPORT_S) + _SLACK_S:
            self._late_since = np.inf
            return False
        self._late_since = min(self._late_since, arrived)
        return late > _LOST_S or arrived - self._late_since >= _LASTING_S

    def _look_anew(self, arrived: float) -> None:
        self._least_late, self._looked_since, self._beats = np.inf, arrived, 0
