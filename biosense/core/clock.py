"""Clocks: session time, and the map from a device's clock to it."""

from __future__ import annotations

import time
from collections import deque
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from biosense.core.errors import BadInput
from biosense.core.types import Floats

MAX_SLOPE = 500e-6  # crystals are far better; a wider slope is radio queueing, not drift
RESET_S = (
    0.2  # an LSL offset is wrong by at most its round trip (0.128 s), so a larger jump is a reset
)
_MIN_SPAN_S = 20.0  # below this the slope of +-1 ms measurements is worth less than none
_MIN_POINTS = 4


class Clock(Protocol):
    """Tell the session time."""

    def now(self) -> float:
        """Return session time, seconds."""
        ...


class SystemClock:
    """Tell this computer's monotonic time, which is also the LSL local clock of this computer."""

    def now(self) -> float:
        """Return session time, seconds."""
        return time.monotonic()


@dataclass
class ClockFit:
    """Map a device's time stamps to session time by a robust line through measured offsets.

    The line is Theil-Sen's over the last `window` seconds, its slope bounded to +-500 ppm, so that
    single bad measurements do not move it. A jump of the offset is a reset of the device's clock:
    what was known before is forgotten. Mapped times never run backwards.

    The state changes only through `add` and `to_session`, so replaying a recording's measurements
    and stamps in their order gives the same session times as the live run had.

    Examples
    --------
    >>> fit = ClockFit()
    >>> fit.add(100.0, 2.5)
    False
    >>> fit.to_session(np.array([101.0, 102.0])).tolist()
    [103.5, 104.5]
    """

    window: float = 120.0
    resets: int = field(default=0, init=False)
    slope: float = field(default=0.0, init=False)
    residual: float = field(default=0.0, init=False)
    _points: deque[tuple[float, float]] = field(default_factory=deque, init=False, repr=False)
    _anchor: tuple[float, float] = field(default=(0.0, 0.0), init=False, repr=False)
    _last: float = field(default=-np.inf, init=False, repr=False)

    def add(self, time: float, offset: float) -> bool:
        """Take a measurement: at device `time`, `offset` is to be added. True at a clock reset."""
        if not (np.isfinite(time) and np.isfinite(offset)):
            raise BadInput(f"a clock measurement must be finite, got time={time}, offset={offset}")
        reset = bool(self._points) and self._is_reset(time, offset)
        if reset:
            self._points.clear()
            self.resets += 1
        self._points.append((time, offset))
        while self._points[-1][0] - self._points[0][0] > self.window:
            self._points.popleft()
        self._refit()
        return reset

    def to_session(self, stamps: Floats) -> Floats:
        """Map device stamps, shape (n,), to session times that never run backwards."""
        if len(stamps) == 0:
            return np.zeros(0)
        at, offset = self._anchor
        mapped = stamps + (offset + self.slope * (stamps - at))
        mapped = np.maximum(np.maximum.accumulate(mapped), self._last)
        self._last = float(mapped[-1])
        return mapped

    @property
    def offset(self) -> float:
        """Offset at the newest measurement, seconds."""
        if not self._points:
            return 0.0
        at, offset = self._anchor
        return offset + self.slope * (self._points[-1][0] - at)

    @property
    def slope_ppm(self) -> float:
        """Drift of the device's clock in parts per million."""
        return self.slope * 1e6

    @property
    def updated(self) -> float:
        """Device time of the newest measurement; NaN before the first."""
        return self._points[-1][0] if self._points else float("nan")

    def _is_reset(self, time: float, offset: float) -> bool:
        known_time, _ = self._points[-1]
        expected = self.offset + self.slope * (time - known_time)
        return time < known_time or abs(offset - expected) > RESET_S + MAX_SLOPE * (
            time - known_time
        )

    def _refit(self) -> None:
        times, offsets = np.array(self._points).T
        self.slope = 0.0
        if len(times) >= _MIN_POINTS and times[-1] - times[0] >= _MIN_SPAN_S:
            i, j = np.triu_indices(len(times), 1)
            apart = times[j] > times[i]
            slopes = (offsets[j] - offsets[i])[apart] / (times[j] - times[i])[apart]
            self.slope = float(np.clip(np.median(slopes), -MAX_SLOPE, MAX_SLOPE))
        middle = float(times.mean())
        level = float(np.median(offsets - self.slope * (times - middle)))
        self._anchor = (middle, level)
        misfit = offsets - level - self.slope * (times - middle)
        self.residual = float(1.4826 * np.median(np.abs(misfit)))  # MAD of a Gaussian
