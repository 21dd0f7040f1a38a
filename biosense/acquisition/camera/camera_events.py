"""Events of a camera that a person should read: said once, and not at every flicker."""

from __future__ import annotations

from dataclasses import dataclass, field

_HELD_S = 0.5  # a blink of the tracker is no news
_REPORT_S = 5.0


@dataclass
class FaceWatch:
    """Say when the person's face has come or gone for good: for half a second of frames.

    Another person's face in its place is said once, until the person is back.

    Examples
    --------
    >>> watch = FaceWatch()
    >>> [watch.push(time, present=True) for time in (0.0, 0.3, 0.5, 0.6)]
    ['', '', 'face found', '']
    """

    _told: bool | None = field(default=None, init=False, repr=False)
    _seen: bool | None = field(default=None, init=False, repr=False)
    _since: float = field(default=0.0, init=False, repr=False)
    _warned: bool = field(default=False, init=False, repr=False)

    def push(self, time: float, *, present: bool, stranger: bool = False) -> str:
        """Take a frame's time and whose face is in it; return what to say, mostly nothing.

        Parameters
        ----------
        time
            Session time, seconds.
        present
            Whether the person's face is in view.
        stranger
            Whether a face is in view that is not the person's.
        """
        if present != self._seen:
            self._seen, self._since = present, time
        if self._told is False and stranger and not self._warned:
            self._warned = True
            return "another face in view: not followed, it is not the one this run began with"
        if present == self._told or time - self._since < _HELD_S:
            return ""
        first, self._told = self._told is None, present
        if present:
            self._warned = False
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
