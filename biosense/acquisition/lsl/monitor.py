"""What can be wrong with a stream that arrives: silence, and time stamps that are no good."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from statistics import median

import numpy as np

from biosense.core.types import Bools, Floats

_LEAST_S = 1.0  # shorter silences are the business of the processing, which sees every sample
TOLERANCE_S = 1.0  # senders may stamp ahead a little: players do, by 18 ms (mne-lsl)
TREMBLE_S = 0.1  # a sender that stamps the last sample of each packet trembles by its own lateness
TOLERANCE_IRREGULAR_S = 10.0  # a marker may announce what comes
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
    """Find time stamps that cannot be, and replace those that would spoil the ones after them.

    Stamps that repeat or step back are passed on as they are, since a recording holds what was
    sent; steps back by more than the lateness of a packet are counted. Two kinds of stamps are
    replaced, before they are recorded, so that the recording gives the same times again:

    - One that is not finite becomes that of the sample before plus one sample.
    - One that jumps ahead, to a time later than its own arrival by more than `TOLERANCE_S`, becomes
      that of the sample before plus one sample, or of an irregular stream the arrival. Session
      times never run backwards, so a single one would silence its stream until that time has come.
      Stamps that follow it and are ahead by as much are moved by as much: their distances are kept,
      whether the sender's clock was set forward or it stamps in a clock of its own.

    A gap is passed on: the stamp behind it jumps, but is not later than its arrival. A sender that
    is ahead step by step, as one that plays a file too fast, is passed on too.

    Parameters
    ----------
    sfreq
        Nominal rate in Hz, 0 for an irregular stream.

    Examples
    --------
    >>> check = StampCheck(10.0)
    >>> check.take(np.array([1.0, np.nan, 1.2, 1.05, 9.0]), latest=9.0).round(2).tolist()
    [1.0, 1.1, 1.2, 1.05, 9.0]
    >>> check.take(np.array([9.1, 5000.0, 9.3]), latest=9.3).round(2).tolist()
    [9.1, 9.2, 9.3]
    >>> check.invalid, check.ahead, check.backwards, round(check.lead, 1)
    (1, 1, 1, 4990.8)
    """

    sfreq: float
    invalid: int = field(default=0, init=False)
    ahead: int = field(default=0, init=False)
    backwards: int = field(default=0, init=False)
    step: float = field(default=0.0, init=False)
    lead: float = field(default=0.0, init=False)
    _last: float = field(default=np.nan, init=False, repr=False)

    def __post_init__(self) -> None:
        self._interval = 1 / self.sfreq if self.sfreq else 0.0
        self._tremble = TREMBLE_S if self.sfreq else 0.0
        self._tolerance = TOLERANCE_S if self.sfreq else TOLERANCE_IRREGULAR_S

    def take(self, stamps: Floats, latest: float = np.inf) -> Floats:
        """Return the stamps, shape (n,), none later than can be.

        `latest` is the time of their arrival in the sender's clock. Afterwards `step` is the
        largest distance of two that follow, and `lead` by how much the newest that was later than
        its arrival has been moved.
        """
        bad = ~np.isfinite(stamps)
        if bad.any():
            self.invalid += int(bad.sum())
            stamps = self._repaired(stamps, bad)
        far = stamps > latest + self._tolerance
        if far.any():
            stamps = self._moved(stamps, far, latest)
        first = 0.0 if np.isnan(self._last) else float(stamps[0]) - self._last
        steps = stamps[1:] - stamps[:-1]
        self.backwards += int((steps < -self._tremble).sum()) + (first < -self._tremble)
        self.step = float(steps.max(initial=first))
        self._last = float(stamps[-1])
        return stamps

    @property
    def faults(self) -> int:
        """Number of stamps that were wrong in any way."""
        return self.invalid + self.ahead + self.backwards

    def summary(self) -> str:
        """Tell what was wrong so far, and what was done about it."""
        parts = [
            f"{self.invalid} not finite (replaced)",
            f"{self.backwards} before the one ahead of them (kept)",
        ]
        if self.ahead:
            parts.append(
                f"{self.ahead} later than their own arrival (moved, last by {self.lead:.6g} s)"
            )
        return ", ".join(parts)

    def forget(self) -> None:
        """Expect stamps in another clock from here on."""
        self._last, self.lead = np.nan, 0.0

    def _repaired(self, stamps: Floats, bad: Bools) -> Floats:
        repaired, last = stamps.copy(), self._before(stamps, ~bad)
        for at in range(len(stamps)):  # rare, and each sample needs the one before
            if bad[at]:
                repaired[at] = (0.0 if np.isnan(last) else last) + self._interval
            last = repaired[at]
        return repaired

    def _moved(self, stamps: Floats, far: Bools, latest: float) -> Floats:
        moved, last = stamps.copy(), self._before(stamps, ~far)
        newest = float(stamps[far][-1])
        for at, stamp in enumerate(stamps.tolist()):  # rare too, but for senders always ahead
            # One that goes ahead step by step sends faster than it samples: a player, not an error.
            if far[at] and not stamp - last <= self._tolerance:
                if not abs(stamp - self.lead - last) <= self._tolerance:
                    self.lead = self._new_lead(stamp, last, latest, newest)
                moved[at] = stamp - self.lead
                self.ahead += 1
            last = float(moved[at])
        return moved

    def _new_lead(self, stamp: float, last: float, latest: float, newest: float) -> float:
        if np.isnan(last):
            return newest - latest
        return stamp - (last + self._interval if self.sfreq else latest)

    def _before(self, stamps: Floats, good: Bools) -> float:
        """Return the stamp ahead of these, or what it would have been; NaN where nobody knows."""
        if not (np.isnan(self._last) and self.sfreq and good.any()):
            return self._last
        at = int(np.argmax(good))
        return float(stamps[at]) - (at + 1) * self._interval
