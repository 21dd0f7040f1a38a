"""Clean intervals between beats: which count, which do not, and what is wrong with those."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from enum import StrEnum
from statistics import median

SHORTEST_S, LONGEST_S = 0.3, 2.0  # 200 to 30 beats per minute
TOLERANCE = 0.25  # of the median of the last 5 accepted intervals (Malik rule, a little wider)
WHOLE_TOLERANCE = 0.1


class IntervalKind(StrEnum):
    """Name what an interval between two beats is.

    EARLY is a beat before its time; the next interval tells what it was: ECTOPIC where the heart
    pauses after it or goes on as before, EXTRA where both intervals together are a usual one (a
    beat was found that is none). MISSED spans two or three usual intervals.
    """

    NORMAL = "normal"
    EARLY = "early"
    ECTOPIC = "ectopic"
    EXTRA = "extra"
    MISSED = "missed"
    IMPLAUSIBLE = "implausible"


@dataclass(frozen=True)
class JudgedInterval:
    """Hold what an interval is.

    Parameters
    ----------
    kind
        What it is.
    seconds
        What counts: its own length, or that of two pieces; None for nothing.
    """

    kind: IntervalKind
    seconds: float | None = None


@dataclass
class IntervalFilter:
    """Judge intervals between beats, with nothing but the past.

    An interval counts within 25 % of the median of the last 5 that did. Three in a row that do not,
    but agree with each other, are a new rhythm: the third counts and the median starts from them.
    Two pieces of a usual interval (within 10 %), with a beat between them that was none, count as
    one.

    Examples
    --------
    >>> intervals = IntervalFilter()
    >>> [str(intervals.judge(seconds).kind) for seconds in (0.8, 0.82, 0.5, 1.1, 0.8, 0.3, 0.5)]
    ['normal', 'normal', 'early', 'ectopic', 'normal', 'early', 'extra']
    """

    _accepted: deque[float] = field(default_factory=lambda: deque(maxlen=5), repr=False)
    _rejected: deque[float] = field(default_factory=lambda: deque(maxlen=3), repr=False)
    _early: float | None = field(default=None, repr=False)

    def accept(self, seconds: float, *, doubtful: bool = False) -> bool:
        """Return whether an interval counts as it is; see `judge`."""
        return self.judge(seconds, doubtful=doubtful).seconds == seconds

    def judge(self, seconds: float, *, doubtful: bool = False) -> JudgedInterval:
        """Say what an interval is, and learn from it; a doubtful one sets no rhythm."""
        early, self._early = self._early, None
        # More such pieces in a row would be a rhythm of twice the rate.
        if early is not None and len(self._rejected) == 1 and not doubtful:
            whole = early + seconds
            if self._fits(whole, WHOLE_TOLERANCE):
                self._rejected.append(seconds)
                self._accepted.append(whole)
                return JudgedInterval(IntervalKind.EXTRA, whole)
        if not SHORTEST_S <= seconds <= LONGEST_S:
            self._rejected.clear()
            return JudgedInterval(self._unusual(seconds, early))
        if self._fits(seconds):
            self._rejected.clear()
            self._accepted.append(seconds)
            return JudgedInterval(IntervalKind.NORMAL, seconds)
        kind = self._unusual(seconds, early)
        if doubtful:
            self._rejected.clear()
            return JudgedInterval(kind)
        return self._new_rhythm(seconds, kind)

    def _new_rhythm(self, seconds: float, kind: IntervalKind) -> JudgedInterval:
        """Start from three in a row that do not fit, but agree with each other."""
        self._rejected.append(seconds)
        usual = median(self._rejected)
        if len(self._rejected) < 3 or not all(_near(one, usual, 0.15) for one in self._rejected):
            return JudgedInterval(kind)
        self._accepted = deque(self._rejected, maxlen=5)
        self._rejected.clear()
        self._early = None
        return JudgedInterval(IntervalKind.NORMAL, seconds)

    def forget_early(self) -> None:
        """Do not add the next interval to the one before: it does not follow it."""
        self._early = None

    def _fits(self, seconds: float, tolerance: float = TOLERANCE) -> bool:
        return _near(seconds, median(self._accepted or [seconds]), tolerance)

    def _unusual(self, seconds: float, early: float | None) -> IntervalKind:
        if not self._accepted:
            return IntervalKind.IMPLAUSIBLE
        usual = median(self._accepted)
        if seconds < usual:
            self._early = seconds
            return IntervalKind.EARLY
        if early is not None and _near(early + seconds, 2 * usual, 0.15):
            return IntervalKind.ECTOPIC
        if any(_near(seconds, times * usual, 0.15) for times in (2, 3)):
            return IntervalKind.MISSED
        return IntervalKind.IMPLAUSIBLE


def _near(seconds: float, usual: float, tolerance: float) -> bool:
    return abs(seconds - usual) <= tolerance * usual
