"""The y scale of a trace: robust, round, and calm, because each change repaints everything."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from biosense.core.types import Floats

_STEPS = (1.0, 1.5, 2.0, 3.0, 5.0, 7.0, 10.0)
_HEADROOM = 1.15
_SHRINK = 0.35  # a trace that uses less of its lane than this is given a finer scale ..
_PATIENCE_S = 4.0  # .. if it does so for this long
_RARE = 0.002  # share of samples that may be cut off at the edge of a lane


def round_up(value: float) -> float:
    """Return the next of 1, 1.5, 2, 3, 5, 7, 10, 15 .. that is not smaller.

    >>> round_up(0.034), round_up(5.0), round_up(61.0)
    (0.05, 5.0, 70.0)
    """
    if not (np.isfinite(value) and value > 0):
        return 1.0
    power = 10.0 ** np.floor(np.log10(value))
    step = next(step for step in _STEPS if value <= step * power * (1 + 1e-9))
    return float(f"{step * power:.6g}")


@dataclass
class Scale:
    """Follow the range of one lane, or of lanes that share a scale.

    It widens at once when the trace leaves it, and becomes finer only when the trace has been small
    for 4 s; both by round steps, so that it hardly ever moves.

    Parameters
    ----------
    centred
        True for a range -h to h; False for one that follows the level.
    least
        Smallest range from bottom to top.

    Examples
    --------
    >>> scale = Scale(centred=True, least=1.0)
    >>> scale.follow(np.sin(np.arange(100.0))[:, None], now=0.0), scale.low, scale.high
    (True, -1.5, 1.5)
    """

    centred: bool
    least: float
    low: float = field(default=0.0, init=False)
    high: float = field(default=0.0, init=False)
    _small_since: float | None = field(default=None, init=False, repr=False)

    @property
    def known(self) -> bool:
        """False until the first samples."""
        return self.high > self.low

    def follow(self, values: Floats, now: float) -> bool:
        """Look at the samples on display, shape (n, lanes); True when the range changed."""
        spread = _spread(values, self.centred)
        if spread is None:
            return False
        low, high = spread
        outside = low < self.low or high > self.high
        small = (high - low) < _SHRINK * (self.high - self.low)
        if not small:
            self._small_since = None
        elif self._small_since is None:
            self._small_since = now
        waited = self._small_since is not None and now - self._small_since >= _PATIENCE_S
        if self.known and not outside and not waited:
            return False
        self._small_since = None
        return self._set(low, high)

    def _set(self, low: float, high: float) -> bool:
        before = (self.low, self.high)
        size = max(high - low, self.least) * _HEADROOM
        if self.centred:
            half = round_up(size / 2)
            self.low, self.high = -half, half
        else:
            step = round_up(size / 8)
            middle = (high + low) / 2
            self.low = float(np.floor((middle - size / 2) / step) * step)
            self.high = float(np.ceil((middle + size / 2) / step) * step)
        return (self.low, self.high) != before


def _spread(values: Floats, centred: bool) -> tuple[float, float] | None:
    """Return the range of a lane; or, around zero, that of the usual one of several lanes."""
    known = values[:, np.isfinite(values).any(axis=0)] if len(values) else values[:, :0]
    if known.shape[1] == 0:
        return None
    if centred:
        # One loose electrode must not flatten the other lanes: the median lane decides.
        half = float(np.median(np.nanquantile(np.abs(known), 1 - _RARE, axis=0)))
        return -half, half
    return float(np.nanmin(known)), float(np.nanmax(known))
