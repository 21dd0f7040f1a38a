"""The clock of a sensor that gathers samples until its processor reads them."""

from __future__ import annotations

from collections import deque

import numpy as np

from biosense.core.types import Floats, Ints

SETTLE_S = 0.5  # from the first reading until stamps are given
_STALE_S = 0.2  # what is read first may have been lying there since before the start
_WINDOW_S = 30.0
_MIN_SPAN_S = 5.0  # below this a slope through readings that are 10 ms apart is worth nothing
_MOST_OFF = 0.01  # sensors count by oscillators of their own: 0.3 % off was seen
_SLEW = 0.005  # seconds of correction per second
_PAUSED_S = 0.06  # samples that all come later by this were not taken for a while
_PAUSED_BINS = 3


class SampleClock:
    """Tell when each sample was taken, from its number and from when it was read.

    Reading comes after taking, by up to what the sensor can store, so the true times lie under the
    readings: on the lower envelope of reading time over sample number, a straight line whose slope
    is the sensor's own rate. The line is laid anew every second; stamps drift towards it by at most
    5 ms in a second, so that they stay regular. Only where the sensor paused (all readings later
    than the line for some seconds) do they jump.

    Parameters
    ----------
    sfreq
        Nominal rate, Hz.

    Examples
    --------
    >>> clock = SampleClock(64.0)
    >>> for number in range(0, 64, 8):
    ...     clock.add(number, 100.0 + number / 64)
    >>> clock.is_settled, clock.stamps(np.array([64, 65])).tolist()
    (True, [101.0, 101.015625])
    """

    def __init__(self, sfreq: float) -> None:
        self._sfreq = sfreq
        self._start: list[tuple[float, float, float]] = []
        self._bins: deque[tuple[float, float]] = deque()
        self._slope = 0.0
        self._anchor = (0.0, 0.0)
        self._knot: tuple[float, float] = (0.0, 0.0)
        self._given: float | None = None

    @property
    def is_settled(self) -> bool:
        """True once stamps can be given."""
        return bool(self._bins)

    @property
    def rate(self) -> float:
        """The sensor's rate by the device's clock, Hz."""
        return self._sfreq / (1 + self._slope)

    def add(self, number: int, read: float) -> None:
        """Take a reading: the number of its newest sample, and when it was read, seconds."""
        nominal = number / self._sfreq
        if self.is_settled:
            self._note(nominal, read - nominal)
            return
        self._start.append((read, nominal, read - nominal))
        if read - self._start[0][0] >= SETTLE_S:
            self.settle()

    def settle(self) -> None:
        """Be content with the readings so far, of which there is at least one."""
        since = self._start[0][0] + _STALE_S
        for _, nominal, delay in [each for each in self._start if each[0] >= since] or self._start:
            self._note(nominal, delay)
        self._start.clear()
        self._lay_line()

    def stamps(self, numbers: Ints) -> Floats:
        """Return when samples were taken, seconds of the device's clock; numbers rise, (n,)."""
        nominal = numbers / self._sfreq
        self._given = float(nominal[-1])
        return nominal + self._delay(nominal)

    def _note(self, nominal: float, delay: float) -> None:
        """Keep the least late reading of every second."""
        if self._bins and nominal // 1 <= self._bins[-1][0] // 1:
            self._bins[-1] = min(self._bins[-1], (nominal, delay), key=lambda each: each[1])
            return
        self._bins.append((nominal, delay))
        while nominal - self._bins[0][0] > _WINDOW_S:
            self._bins.popleft()
        self._lay_line()

    def _lay_line(self) -> None:
        """Lay the line anew; what it then differs from the last stamp is made up for slowly."""
        before = None if self._given is None else float(self._delay(np.array([self._given]))[0])
        times, delays = np.array(self._bins).T
        heights = self._heights(times, delays)
        paused = (
            len(heights) > _PAUSED_BINS + 1
            and heights[-1 - _PAUSED_BINS : -1].min() > heights.min() + _PAUSED_S
        )
        if paused:
            for _ in range(len(times) - _PAUSED_BINS - 1):
                self._bins.popleft()
            times, heights = times[-1 - _PAUSED_BINS :], heights[-1 - _PAUSED_BINS :]
        self._anchor = (float(times[-1]), float(heights.min()))
        self._knot = (0.0, 0.0)
        if before is not None and self._given is not None and not paused:
            error = before - float(self._delay(np.array([self._given]))[0])
            self._knot = (self._given, error)

    def _heights(self, times: Floats, delays: Floats) -> Floats:
        """Find the slope, and return what the delays would be at the newest time."""
        # The newest second has only begun: its reading may be a late one.
        old, known = times[:-1], delays[:-1]
        if len(old) > 1 and old[-1] - old[0] >= _MIN_SPAN_S:
            i, j = np.triu_indices(len(old), 1)
            slope = float(np.median((known[j] - known[i]) / (old[j] - old[i])))  # Theil, 1950
            self._slope = min(max(slope, -_MOST_OFF), _MOST_OFF)
        heights: Floats = delays - self._slope * (times - times[-1])
        return heights

    def _delay(self, nominal: Floats) -> Floats:
        at, level = self._anchor
        since, error = self._knot
        left = np.maximum(abs(error) - _SLEW * np.maximum(nominal - since, 0.0), 0.0)
        delay: Floats = level + self._slope * (nominal - at) + np.copysign(left, error)
        return delay
