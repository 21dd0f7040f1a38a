"""Blinks and closed eyes from the eye aspect ratio, against the person's own open eyes."""

from __future__ import annotations

from collections import deque

import numpy as np

from biosense.core.types import Floats, Ints
from biosense.processing.signal.grid_ring import GridRing

# Fixed limits of the eye aspect ratio fail per person; these are shares of the open eye's.
_CLOSE = 0.55
_REOPEN = 0.7
# Shut lids still measure a fifth of an open eye (0.14-0.26 on two clips), so an eye that is 80 %
# closed (PERCLOS, Wierwille 1994) measures 0.2 + 0.2 * 0.8.
_CLOSED = 0.36
_BLINK_S = (0.06, 0.5)
_OPEN_PERCENT = 80  # of the ratios: a median would be that of shut eyes in a tired person
_OPEN_S = 120.0
_FORGET_S = 600.0  # half-life: eyes that stay shut do not become open ones for as long
_CLOSED_S = 60.0
_RATE_S = 30.0
_LEAST_S = 10.0  # of face in view before the open eye is known, and as much again before a rate


class BlinkDetector:
    """Count blinks in the eye aspect ratio of a stream of frames, and the time with closed eyes.

    The ratio is that of Soukupova and Cech [1]_, the time that of PERCLOS [2]_.

    The open eye is the 80th percentile over the last 120 s, or what it was before, which is
    forgotten with a half-life of 10 min. An eye closes below 0.55 of it and reopens above 0.7; a
    blink lasts 60-500 ms and counts from the moment the eye is open again. The open eye is renewed
    by each `look`, so results depend on when one looks, but not on how frames were grouped.

    Parameters
    ----------
    sfreq
        Frames per second.

    References
    ----------
    .. [1] T. Soukupova and J. Cech, "Real-time eye blink detection using facial landmarks," 21st
       Computer Vision Winter Workshop, 2016.
    .. [2] W. W. Wierwille et al., "Research on vehicle-based driver status/performance monitoring,"
       US National Highway Traffic Safety Administration, DOT HS 808 247, 1994.

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
        self._ratios = GridRing(round(_OPEN_S * sfreq), 1)
        self._open = float("nan")
        self._looked = 0  # where the open eye was renewed
        self._ready: int | None = None  # where blinks began to be looked for
        self._since: int | None = None  # where the present closure began
        self._last: int | None = None
        self._blinks: deque[int] = deque()

    def put(self, indices: Ints, ratios: Floats) -> None:
        """Add the eye aspect ratios of frames, shape (n,), at places of the sample grid.

        NaN means that no eye is seen.
        """
        self._ratios.put(indices, ratios[:, None])
        # Frame by frame: a state machine, whose threshold depends on its state.
        for index, ratio in zip(indices.tolist(), ratios.tolist(), strict=True):
            self._step(index, ratio)

    def look(self, index: int) -> tuple[float, float]:
        """Return blinks per minute over 30 s and PERCLOS, and renew the open eye.

        PERCLOS is the share of the last 60 s in which the eyes, as far as they were seen, were at
        least 80 % closed. Both are NaN while too little of a face was seen.
        """
        past = self._ratios.upto(index, round(_OPEN_S * self._sfreq))[:, 0]
        self._renew(index, past[np.isfinite(past)])
        while self._blinks and index - self._blinks[0] >= _RATE_S * self._sfreq:
            self._blinks.popleft()
        if self._ready is None:
            return float("nan"), float("nan")
        recent = past[len(past) - round(_CLOSED_S * self._sfreq) :]
        seen = recent[np.isfinite(recent)]
        enough = len(seen) >= _LEAST_S * self._sfreq
        closed = float(np.mean(seen < _CLOSED * self._open)) if enough else float("nan")
        span = min(round(_RATE_S * self._sfreq), index - self._ready)
        watched = int(np.isfinite(recent[len(recent) - span :]).sum()) / self._sfreq
        return 60.0 * len(self._blinks) / watched if watched >= _LEAST_S else float("nan"), closed

    def _renew(self, index: int, seen: Floats) -> None:
        if len(seen) < _LEAST_S * self._sfreq:
            return
        widest = float(np.percentile(seen, _OPEN_PERCENT))
        if self._ready is None:
            self._ready, self._open = index, widest
        kept = 0.5 ** ((index - self._looked) / (_FORGET_S * self._sfreq))
        self._open, self._looked = max(widest, self._open * kept), index

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
