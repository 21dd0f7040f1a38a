"""Events of a camera that a person should read: said once, and not at every flicker."""

from __future__ import annotations

from dataclasses import dataclass, field

_HELD_S = 0.5  # a blink of the tracker is no news
_REPORT_S = 5.0


@dataclass
class FaceWatch:
    """Say when a face has come or gone for good: for half a second of frames.

    Examples
    --------
    >>> watch = FaceWatch()
    >>> [watch.push(time, present=True) for time in (0.0, 0.3, 0.5, 0.6)]
    ['', '', 'face found', '']
    """

    _told: bool | None = field(default=None, init=False, repr=False)
    _seen: bool | None = field(default=None, init=False, repr=False)
    _since: float = field(default=0.0, init=False, repr=False)

    def push(self, time: float, *, present: bool) -> str:
        """Take a frame's time and whether a face is in it; return what to say, mostly nothing."""
        if present != self._seen:
            self._seen, self._since = present, time
        if present == self._told or time - self._since < _HELD_S:
            return ""
        first, self._told = self._told is None, present
        if present:
            return "face found"
        return "no face in view" if first else "face left"


@dataclass
class DropWatch:
    """Say how many frames were dropped, no more than once in 5 s.

    Examples
    --------
    >>> watch = DropWatch()
    >>> [watch.push(time, dropped) for time, dropped in ((0.0, 0), (1.0, 2), (2.0, 3), (6.0, 3))]
    [0, 2, 0, 1]
    """

    _told: int = field(default=0, init=False, repr=False)
    _at: float = field(default=-_REPORT_S, init=False, repr=False)

    def push(self, time: float, dropped: int) -> int:
        """Take the number of frames dropped so far; return how many to report now."""
        if dropped == self._told or time - self._at < _REPORT_S:
            return 0
        new, self._told, self._at = dropped - self._told, dropped, time
        return new
