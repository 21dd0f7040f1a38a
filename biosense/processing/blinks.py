"""Blinks and closed eyes from the eye aspect ratio, against the person's own open eyes."""

from __future__ import annotations

from collections import deque

import numpy as np

from biosense.core.types import Floats, Ints
from biosense.processing.grid_ring import GridRing

# Fixed limits of the eye aspect ratio fail per person; these are shares of the running median.
_CLOSE = 0.6
_REOPEN = 0.75
_CLOSED = 0.4  # about 80 % closed (PERCLOS, Wierwille 1994): shut lids still measure 0.15-0.25
_BLINK_S = (0.06, 0.5)
_BASELINE_S = 60.0
_RATE_S = 30.0
_LEAST_S = 10.0  # of face in view before there is a median, and as much again before a rate


class BlinkDetector:
    """Count blinks in the eye aspect ratio of a stream of frames.

    An eye closes below 0.6 of the running median (60 s), reopens above 0.75 of it; a blink lasts
    60-500 ms and counts from the moment the eye is open again. The median is renewed by each
    `look`, so results depend on when one looks, but not on how frames were grouped.

    Parameters
    ----------
    sfreq
        Frames per second.

    Examples
    --------
    >>> ratio = np.full(900, 0.3)
    >>> ratio[600:604] = 0.05
    >>> detector = BlinkDetector(30.0)
    >>> detector.put(np.arange(450), ratio[:450])
    >>> _ = detector.look(449)
    >>> detector.put(np.arange(450, 900), ratio[450:])
    >>> rate, closed = detector.look(899)
    >>> round(rate, 3), round(closed, 4)
    (4.0, 0.0044)
    """

    def __init__(self, sfreq: float) -> None:
        self._sfreq = sfreq
        self._ratios = GridRing(round(_BASELINE_S * sfreq), 1)
        self._open = float("nan")
        self._ready: int | None = None  # where blinks began to be looked for
        self._since: int | None = None  # where the present closure began
        self._last: int | None = None
        self._blinks: deque[int] = deque()

    def put(self, indices: Ints, ratios: Floats) -> None:
        """Add the eye aspect ratios of frames, shape (n,), at places of the sample grid.

        NaN means no face.
        """
        self._ratios.put(indices, ratios[:, None])
        # Frame by frame: a state machine, whose threshold depends on its state.
        for index, ratio in zip(indices.tolist(), ratios.tolist(), strict=True):
            self._step(index, ratio)

    def look(self, index: int) -> tuple[float, float]:
        """Return blinks per minute and share of closed eyes up to a frame, and renew the median.

        NaN while too little of a face was seen.
        """
        recent = self._ratios.upto(index, round(_BASELINE_S * self._sfreq))[:, 0]
        seen = recent[np.isfinite(recent)]
        if len(seen) >= _LEAST_S * self._sfreq:
            self._open = float(np.median(seen))
            self._ready = index if self._ready is None else self._ready
        while self._blinks and index - self._blinks[0] >= _RATE_S * self._sfreq:
            self._blinks.popleft()
        if self._ready is None:
            return float("nan"), float("nan")
        closed = float(np.mean(seen < _CLOSED * self._open)) if len(seen) else float("nan")
        span = min(round(_RATE_S * self._sfreq), index - self._ready)
        watched = int(np.isfinite(recent[len(recent) - span :]).sum()) / self._sfreq
        return 60.0 * len(self._blinks) / watched if watched >= _LEAST_S else float("nan"), closed

    def _step(self, index: int, ratio: float) -> None:
        if np.isnan(ratio) or (self._last is not None and index != self._last + 1):
            self._since = None  # whether it was a blink is not known
        elif self._since is None and ratio < _CLOSE * self._open:
            self._since = index
        elif self._since is not None and ratio > _REOPEN * self._open:
            lasted = (index - self._since) / self._sfreq
            if _BLINK_S[0] - 1e-9 <= lasted <= _BLINK_S[1] + 1e-9:
                self._blinks.append(index)
            self._since = None
        self._last = index
