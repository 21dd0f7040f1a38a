"""What can be wrong with a stream that arrives: silence, and time stamps that are no good."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from statistics import median

import numpy as np

from biosense.core.types import Floats

_LEAST_S = 1.0  # shorter silences are the business of the processing, which sees every sample
_START_S = 6.0  # a device may take a while to its first packet, and so may its clock offset


@dataclass
class Silence:
    """Notice that a regular stream fell silent, and that it is back.

    LSL reconnects on its own and says nothing, so the age of the last sample is the only alarm. It
    is raised after three usual intervals between packets, at least 1 s.

    Parameters
    ----------
    sfreq
        Nominal rate of the stream in Hz; an irregular stream (0) is never late.
    since
        When the stream was opened, session time.

    Examples
    --------
    >>> silence = Silence(100.0, since=0.0)
    >>> silence.arrived(0.5, 50), silence.overdue(1.9), silence.overdue(2.1)
    (None, False, True)
    >>> silence.arrived(4.5, 50)
    4.0
    """

    sfreq: float
    since: float
    lost: bool = field(default=False, init=False)
    _intervals: deque[float] = field(
        default_factory=lambda: deque(maxlen=9), init=False, repr=False
    )

    @property
    def limit(self) -> float:
        """Seconds without a sample after which the stream counts as lost."""
        if self.sfreq == 0:
            return np.inf
        if not self._intervals:
            return max(_START_S, 3 / self.sfreq)
        return max(_LEAST_S, 3 * median(self._intervals))

    def age(self, now: float) -> float:
        """Return the seconds since the last sample, or since the opening."""
        return now - self.since

    def overdue(self, now: float) -> bool:
        """Tell, once per silence, that it is too long."""
        if self.lost or self.age(now) <= self.limit:
            return False
        self.lost = True
        return True

    def arrived(self, now: float, n: int) -> float | None:
        """Take note of n samples; return how long a silence that was too long has lasted."""
        age, was_lost = self.age(now), self.lost
        self.since, self.lost = now, False
        if was_lost:
            return age
        if self.sfreq:
            # A packet of n samples is followed by the next one n / sfreq later.
            self._intervals.append(n / self.sfreq)
        return None


@dataclass
class StampCheck:
    """Find time stamps that cannot be, and replace those that are no numbers.

    Stamps that repeat or step back are passed on as they are, since a recording holds what was
    sent; they are counted. A stamp that is not finite would spoil every time after it and cannot be
    recorded in a file that others can read: it becomes that of the sample before plus one sample.

    Parameters
    ----------
    sfreq
        Nominal rate in Hz, 0 for an irregular stream.

    Examples
    --------
    >>> check = StampCheck(10.0)
    >>> check.take(np.array([1.0, np.nan, 1.2, 1.15, 9.0])).round(2).tolist()
    [1.0, 1.1, 1.2, 1.15, 9.0]
    >>> check.invalid, check.backwards, round(check.step, 2)
    (1, 1, 7.85)
    """

    sfreq: float
    invalid: int = field(default=0, init=False)
    backwards: int = field(default=0, init=False)
    step: float = field(default=0.0, init=False)
    _last: float = field(default=np.nan, init=False, repr=False)

    def take(self, stamps: Floats) -> Floats:
        """Return the stamps, finite; `step` is the largest distance of two that follow."""
        bad = ~np.isfinite(stamps)
        if bad.any():
            self.invalid += int(bad.sum())
            stamps = self._repaired(stamps, bad)
        steps = np.diff(stamps, prepend=stamps[0] if np.isnan(self._last) else self._last)
        self.backwards += int((steps < 0).sum())
        self.step = float(steps.max())
        self._last = float(stamps[-1])
        return stamps

    def forget(self) -> None:
        """Expect stamps in another clock from here on."""
        self._last = np.nan

    def _repaired(self, stamps: Floats, bad: np.ndarray) -> Floats:
        step = 1 / self.sfreq if self.sfreq else 0.0
        good = np.flatnonzero(~bad)
        first = stamps[good[0]] - step * (good[0] + 1) if len(good) else 0.0
        last = first if np.isnan(self._last) else self._last
        repaired = stamps.copy()
        for at in range(len(stamps)):  # rare, and each sample needs the one before
            if bad[at]:
                repaired[at] = last + step
            last = repaired[at]
        return repaired
