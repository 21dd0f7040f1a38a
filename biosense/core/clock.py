"""Clocks: session time, and the map from a device's clock to it."""

from __future__ import annotations

import time
from collections import deque
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from biosense.core.device_state import ClockState
from biosense.core.errors import BadInput
from biosense.core.slew import MAX_SLOPE, SLEW, SLEW_WARM, Line, SlewedMap
from biosense.core.types import Floats

RESET_S = (
    0.2  # an LSL offset is wrong by at most its round trip (0.128 s), so a larger jump is a reset
)
WARM_S = 30.0  # the slope is known from the fifth measurement on
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
    single bad measurements do not move it. Where it moves, mapped times follow by at most 2 ms per
    second (50 ms per second in the first 30 s), and they never run backwards. A jump of the offset
    is a reset of the device's clock: what was known before is forgotten, and times jump with it.

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
    residual: float = field(default=0.0, init=False)
    _points: deque[tuple[float, float]] = field(default_factory=deque, init=False, repr=False)
    _map: SlewedMap = field(default_factory=SlewedMap, init=False, repr=False)
    _began: float = field(default=np.nan, init=False, repr=False)

    def add(self, time: float, offset: float) -> bool:
        """Take a measurement: at device `time`, `offset` is to be added. True at a clock reset."""
        if not (np.isfinite(time) and np.isfinite(offset)):
            raise BadInput(f"a clock measurement must be finite, got time={time}, offset={offset}")
        is_first = not self._points
        reset = not is_first and self._is_reset(time, offset)
        if reset:
            self._points.clear()
            self.resets += 1
        self._points.append((time, offset))
        while self._points[-1][0] - self._points[0][0] > self.window:
            self._points.popleft()
        line, self.residual = self._fitted()
        if is_first or reset:
            self._map.jump(line)
            self._began = time
        else:
            self._map.follow(line, SLEW if time - self._began > WARM_S else SLEW_WARM)
        return reset

    def to_session(self, stamps: Floats) -> Floats:
        """Map device stamps, shape (n,), to session times that never run backwards."""
        return self._map.to_session(stamps)

    @property
    def offset(self) -> float:
        """Offset at the newest measurement, seconds."""
        return self._map.line.offset(self._points[-1][0]) if self._points else 0.0

    @property
    def slope(self) -> float:
        """Drift of the device's clock: what the offset grows by in a second."""
        return self._map.line.slope

    @property
    def slope_ppm(self) -> float:
        """Drift of the device's clock in parts per million."""
        return self.slope * 1e6

    @property
    def updated(self) -> float:
        """Device time of the newest measurement; NaN before the first."""
        return self._points[-1][0] if self._points else float("nan")

    @property
    def state(self) -> ClockState:
        """How stamps are mapped now; `updated` is NaN before the first measurement."""
        return ClockState(self.offset, self.slope_ppm, self.residual, self.updated + self.offset)

    def _is_reset(self, time: float, offset: float) -> bool:
        known_time, _ = self._points[-1]
        expected = self._map.line.offset(time)
        return time < known_time or abs(offset - expected) > RESET_S + MAX_SLOPE * (
            time - known_time
        )

    def _fitted(self) -> tuple[Line, float]:
        """Return the line through the measurements, and their scatter about it."""
        times, offsets = np.array(self._points).T
        slope = 0.0
        if len(times) >= _MIN_POINTS and times[-1] - times[0] >= _MIN_SPAN_S:
            i, j = np.triu_indices(len(times), 1)
            apart = times[j] > times[i]
            slopes = (offsets[j] - offsets[i])[apart] / (times[j] - times[i])[apart]
            slope = float(np.clip(np.median(slopes), -MAX_SLOPE, MAX_SLOPE))
        middle = float(times.mean())
        level = float(np.median(offsets - slope * (times - middle)))
        misfit = offsets - level - slope * (times - middle)
        scatter = float(1.4826 * np.median(np.abs(misfit)))  # MAD of a Gaussian
        return Line(middle, level, slope), scatter
