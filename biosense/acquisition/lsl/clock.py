"""The clock of a session: LSL's local clock."""

from __future__ import annotations


class LslClock:
    """Tell session time as LSL does, in the time base of every stamp and clock offset.

    Examples
    --------
    >>> clock = LslClock()
    >>> clock.now() <= clock.now()
    True
    """

    def __init__(self) -> None:
        import pylsl

        self._local_clock = pylsl.local_clock

    def now(self) -> float:
        """Return session time, seconds."""
        return float(self._local_clock())
