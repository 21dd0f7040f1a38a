"""The lower envelope of arrival delays: the line that a link without any waiting would give."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from itertools import takewhile

import numpy as np

from biosense.core.slew import MAX_SLOPE, Line
from biosense.core.types import Bools, Floats

GROWN_S = 30.0  # packets that are all late for as long show that the least delay has grown
_SHIFT_S = 0.003  # changes of it by less are followed as if they were drift
_RECENT = 10  # seconds, and fits, that are judged by what was known before them
_BIN_S = 1.0  # only the packet of each second that was least late can touch the line
_DOUBT = 200e-6  # of the slope of a crystal of which nothing is known
_DOUBT_KNOWN = 20e-6  # of one that was measured: batteries run down and bodies are warm
_KNOWN_S = 60.0  # that it takes to measure one
_LONE_S = 0.01  # one packet ahead of all others by more has a wrong stamp
_UNLIKELY = 12.0  # -log of the chance that counts as none
_SLOPES = 101
_ZOOMS = 3  # from +-500 ppm to what 300 s can tell apart


@dataclass
class Envelope:
    """Fit the line under the delays of the packets of the last `window` seconds.

    A packet can be late and never early, so the line lies below all delays; how far below is told
    by how close the least of them lie to each other. Where d of them are expected per second of
    delay, a void of area a under them has the chance exp(-d a). The line is the mean of all lines
    below the delays, weighted by that chance and by what is known of the slope before. The most
    likely of these lines, the corner of the weight, is the linear programme of Moon, Skelly and
    Towsley [1]_; the mean is steadier, and lies at the least delay rather than above it.

    Parameters
    ----------
    window
        Seconds of stamps that count, as long as the delay stays the same.
    slope
        Slope that is known from before; 0 where nothing is.
    is_known
        True where `slope` was measured on this device.

    References
    ----------
    .. [1] S. B. Moon, P. Skelly and D. Towsley, "Estimation and removal of clock skew from network
       delay measurements," IEEE INFOCOM, 227-234, 1999.

    Examples
    --------
    >>> envelope = Envelope(300.0)
    >>> for second in range(200):
    ...     envelope.add(float(second), 5.0 + 40e-6 * second + 0.01 * (second % 7))
    >>> envelope.refit()
    >>> round(envelope.line.offset(200.0), 3), round(envelope.slope * 1e6)
    (5.008, 40)
    """

    window: float
    slope: float = 0.0
    is_known: bool = False
    residual: float = field(default=0.0, init=False)
    line: Line = field(default=Line(), init=False)
    _bins: deque[tuple[int, float, float]] = field(default_factory=deque, init=False, repr=False)
    _lines: deque[tuple[Line, float]] = field(
        default_factory=lambda: deque(maxlen=_RECENT), init=False, repr=False
    )

    def __post_init__(self) -> None:
        self._prior, self._doubt = self.slope, _DOUBT_KNOWN if self.is_known else _DOUBT

    def __len__(self) -> int:
        return len(self._bins)

    @property
    def span(self) -> float:
        """Seconds of stamps that the line rests on."""
        return self._bins[-1][1] - self._bins[0][1] if self._bins else 0.0

    def successor(self) -> Envelope:
        """Return an empty one that knows what this one has learned of the slope."""
        return Envelope(self.window, self.slope, self.is_known or self.span > _KNOWN_S)

    def add(self, stamp: float, delay: float) -> None:
        """Take a packet: its stamp, and its arrival minus its stamp."""
        number = int(stamp // _BIN_S)
        later = []
        while self._bins and self._bins[-1][0] > number:  # out of order, by a second at most
            later.append(self._bins.pop())
        point = (number, stamp, delay)
        if self._bins and self._bins[-1][0] == number:
            point = min(point, self._bins.pop(), key=lambda each: each[2])
        self._bins.append(point)
        self._bins.extend(reversed(later))
        self._forget(self.window)

    def refit(self) -> None:
        """Lay the line anew."""
        early = self._early() if self.span > _KNOWN_S and self._lines else []
        if len(early) > 1:
            self._shift(self._bins[-1][1] - min(early))
        heights, times = self._fit(early[0] if len(early) == 1 else np.nan)
        if self.span > 2 * GROWN_S and self._has_grown(heights, times):
            self._shift(GROWN_S)
            heights, _ = self._fit()
        middle = float(np.median(heights))
        self.residual = float(1.4826 * np.median(np.abs(heights - middle)))  # as of a Gaussian

    def _early(self) -> list[float]:
        """Return the stamps of recent packets that came earlier than an older line allows."""
        line, density = self._lines[0]
        newest, limit = self._bins[-1][1], max(_SHIFT_S, _UNLIKELY / density)
        recent = takewhile(lambda each: newest - each[1] < _RECENT, reversed(self._bins))
        return [stamp for _, stamp, delay in recent if delay < line.offset(stamp) - limit]

    def _has_grown(self, heights: Floats, times: Floats) -> bool:
        is_recent = times > -GROWN_S
        recent = heights[is_recent]
        if len(recent) == 0 or times[is_recent][0] > -0.8 * GROWN_S:
            return False  # after a silence the few new packets do not tell
        least, density = float(recent.min()), self._lines[-1][1]
        return least > _SHIFT_S and density * least * len(recent) / len(heights) > _UNLIKELY

    def _shift(self, seconds: float) -> None:
        """Keep what came in the last seconds, and the slope."""
        self._prior, self._doubt = self.slope, _DOUBT_KNOWN
        self._lines.clear()
        self._forget(seconds)

    def _forget(self, seconds: float) -> None:
        while self._bins[-1][1] - self._bins[0][1] > seconds:
            self._bins.popleft()

    def _fit(self, without: float = np.nan) -> tuple[Floats, Floats]:
        """Lay the line; return the heights of the delays over it, and their times."""
        points = np.array(self._bins)[:, 1:]
        # Relative to the newest point and the known slope, so that large stamps cost no digits.
        stamp, delay = points[-1].tolist()
        times, delays = (points - points[-1]).T
        delays = delays - self._prior * times
        kept = _without_lone(delays - (self.slope - self._prior) * times)
        kept &= points[:, 0] != without
        times, delays = times[kept], delays[kept]
        extra, level, density = self._mean_line(times, delays)
        self.slope = self._prior + extra
        self.line = Line(stamp, delay + level, self.slope)
        self._lines.append((self.line, density))
        return delays - level - extra * times, times

    def _mean_line(self, times: Floats, delays: Floats) -> tuple[float, float, float]:
        """Return slope beyond the known one, level at time 0, density of delays near the line."""
        hull = _lower_hull(times, delays)
        middle = float(times.mean())
        x, y = times[hull] - middle, delays[hull]
        low, high = -MAX_SLOPE - self._prior, MAX_SLOPE - self._prior
        slope = min(max(0.0, low), high)
        for _ in range(_ZOOMS):
            slopes = np.linspace(low, high, _SLOPES)
            levels = (y - slopes[:, None] * x).min(axis=1)  # of the highest line, at the middle
            density = _density(delays - slope * (times - middle))
            chance = density * levels - np.abs(slopes) / self._doubt
            chance -= chance.max()
            weights = np.exp(chance)
            weights /= weights.sum()
            slope = float(weights @ slopes)
            likely = slopes[chance > -_UNLIKELY]
            step = (high - low) / (_SLOPES - 1)
            low, high = max(low, likely[0] - step), min(high, likely[-1] + step)
        below = 1 / density if len(times) >= 5 else 0.0
        return slope, float(weights @ levels) - below - slope * middle, density


def _density(heights: Floats) -> float:
    """Return how many packets there are per second of delay just above the least delay."""
    low = np.sort(heights)
    near = min(max(3, len(low) // 4), len(low) - 1)
    return float((near + 0.5) / max(low[near] - low[0], 1e-4))


def _without_lone(heights: Floats) -> Bools:
    """Return which points to keep: all but one that lies far below all others."""
    kept = np.ones(len(heights), np.bool_)
    if len(heights) > 10:
        low = np.partition(heights, (0, 1, 9))
        if low[1] - low[0] > max(_LONE_S, 5 * (low[9] - low[1])):
            kept[np.argmin(heights)] = False
    return kept


def _lower_hull(x: Floats, y: Floats) -> list[int]:
    """Return the indices of the lower convex hull, left to right (Andrew's monotone chain)."""
    xs, ys = x.tolist(), y.tolist()
    hull: list[int] = []
    for k in range(len(xs)):  # each needs the ones before; one point a second is few
        while len(hull) > 1:
            i, j = hull[-2], hull[-1]
            if (xs[j] - xs[i]) * (ys[k] - ys[i]) > (ys[j] - ys[i]) * (xs[k] - xs[i]):
                break
            hull.pop()
        hull.append(k)
    return hull
