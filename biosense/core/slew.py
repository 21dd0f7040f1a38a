"""A map from device stamps to session time that follows a changing line without steps."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from biosense.core.types import Floats

MAX_SLOPE = 500e-6  # crystals are far better; a wider slope is radio queueing, not drift
SLEW = 0.002  # seconds of correction per second of stream time
SLEW_WARM = 0.05  # the same while little is known


class Line(NamedTuple):
    """Hold what is to be added to stamps: `level` at stamp `at`, and `slope` seconds per second.

    Parameters
    ----------
    at
        Stamp at which the offset is `level`, seconds.
    level
        Seconds.
    slope
        Change of the offset, seconds per second.
    """

    at: float = 0.0
    level: float = 0.0
    slope: float = 0.0

    def offset(self, stamp: float) -> float:
        """Return what is to be added to one stamp."""
        return self.level + self.slope * (stamp - self.at)


@dataclass
class SlewedMap:
    """Add a line to stamps; where the line changes, take back the step at a bounded rate.

    Mapped times never run backwards. The state changes only through the calls.

    Parameters
    ----------
    line
        From stamps to offsets, to begin with.

    Examples
    --------
    >>> times = SlewedMap()
    >>> times.jump(Line(level=10.0))
    >>> times.to_session(np.array([0.0, 1.0])).tolist()
    [10.0, 11.0]
    >>> times.follow(Line(level=10.003), rate=0.002)
    >>> times.to_session(np.array([1.5, 3.0])).round(4).tolist()
    [11.501, 13.003]
    """

    line: Line = field(default=Line(), init=False)
    _mapped: float = field(default=-np.inf, init=False, repr=False)
    _step: tuple[float, float] = field(default=(0.0, 0.0), init=False, repr=False)
    _rate: float = field(default=SLEW, init=False, repr=False)
    _last: float = field(default=-np.inf, init=False, repr=False)

    def jump(self, line: Line) -> None:
        """Use a line from here on: the stamps before were of another clock."""
        self.line, self._mapped, self._step = line, -np.inf, (0.0, 0.0)

    def follow(self, line: Line, rate: float) -> None:
        """Change to a line, from the last mapped stamp on, by `rate` seconds per second at most."""
        before, at = self.offset(self._mapped), self._mapped
        self.line = line
        self._step, self._rate = (0.0, 0.0), rate
        if np.isfinite(at):
            self._step = (at, before - line.offset(at))

    def offset(self, stamp: float) -> float:
        """Return what is added to a stamp now."""
        if not np.isfinite(stamp):
            return self.line.level
        return self.line.offset(stamp) + float(self._left(np.array([stamp]))[0])

    def to_session(self, stamps: Floats, delay: float = 0.0, latest: float = np.inf) -> Floats:
        """Map stamps, shape (n,), less `delay`, to times that never run backwards.

        None is later than `latest`.
        """
        if len(stamps) == 0:
            return np.zeros(0)
        at, level, slope = self.line
        mapped = stamps + (level + slope * (stamps - at) + self._left(stamps) - delay)
        mapped = np.maximum.accumulate(np.minimum(mapped, latest))
        mapped = np.maximum(mapped, self._last)
        self._last, self._mapped = float(mapped[-1]), float(stamps[-1])
        return mapped

    def _left(self, stamps: Floats) -> Floats:
        """Return what is not yet taken back, at stamps, of the step between two lines."""
        since, step = self._step
        if step == 0:
            return np.zeros(len(stamps))
        left = np.maximum(abs(step) - self._rate * np.maximum(stamps - since, 0.0), 0.0)
        return np.copysign(left, step)
