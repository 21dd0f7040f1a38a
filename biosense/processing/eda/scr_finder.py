"""Find skin conductance responses and how they recover, sample by sample."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from biosense.core.types import Bools, Floats
from biosense.processing.eda.artefacts import SLIP_S
from biosense.processing.eda.signal import ONSET_SHARE, EdaSegment
from biosense.processing.signal.peak_tracker import PeakTracker

HOLD_S = 0.5
LONGEST_RISE_S = 5.0
SHORTEST_RISE_S = 0.3
FOOT_SHARE = 0.15  # of the steepest slope: below it a response has not begun
STEP_SHARE = 0.75
DESCENT, DESCENT_US = 0.01, 0.002
SLIP_DESCENT, SPIKE_DESCENT = 0.1, 0.7  # a slip stays, a spike is gone; a steep response is between
RECOVERY_S = 20.0  # half recovery takes 2 to 10 s: Dawson, Schell & Filion, 2007


class Scr(NamedTuple):
    """Hold one skin conductance response.

    Parameters
    ----------
    onset
        Session time, seconds.
    amplitude
        Microsiemens.
    rise_time
        From onset to peak, seconds.
    known_at
        Session time at which it was confirmed, seconds.
    """

    onset: float
    amplitude: float
    rise_time: float
    known_at: float


class Recovery(NamedTuple):
    """Hold how a response ended: seconds from its peak to half of its amplitude.

    NaN where the next response, a gap or the end came before, or 20 s went by.

    Parameters
    ----------
    scr
        The response.
    half
        From the peak to half of the amplitude, seconds; NaN where it did not get there.
    known_at
        Session time at which that was known, seconds.
    """

    scr: Scr
    half: float
    known_at: float


class _Shape(NamedTuple):
    """Hold where a rise lies in the buffer, and how high it is.

    The onset is `part` of a sample behind `begun`: apart, so that it is rounded the same wherever
    the buffer begins.
    """

    foot: int
    peak: int
    begun: int
    part: float
    amplitude: float


class _Open(NamedTuple):
    """Hold a response that has not come down: position of its peak, next one to look at."""

    scr: Scr
    level: float
    peak: int
    next: int


class ScrFinder:
    """Find responses in prepared skin conductance.

    What is usual of responses: see [1]_ and [2]_.

    A peak counts when nothing exceeds it for 0.5 s and the signal has come down by 1 % of the rise,
    and 2 nS, by then. Its rise goes back to the trough, where the signal turns up by more than a
    tenth of the rise, or to where the slope falls below 15 % of its steepest: on a level that
    drifts up there is no trough. The onset is where 5 % of the amplitude are reached, less the
    delay of the smoothing. No response: a rise below the minimum, shorter than 0.3 s or longer than
    5 s, one with invalid samples, or one of which three quarters happened within 0.25 s and that
    then stays (a slipping electrode) or is gone in 0.5 s (a spike).

    Parameters
    ----------
    rate
        Working rate, Hz.
    delay, onset_delay
        Of the smoothing, seconds: see `EdaSignal`.
    min_amplitude
        Microsiemens.

    References
    ----------
    .. [1] W. Boucsein et al., "Publication recommendations for electrodermal measurements,"
       Psychophysiology 49(8), 1017-1034, 2012.
    .. [2] M. E. Dawson, A. M. Schell and D. L. Filion, "The electrodermal system," in Handbook of
       Psychophysiology, Cambridge University Press, 2007.
    """

    def __init__(self, rate: float, delay: float, onset_delay: float, min_amplitude: float) -> None:
        self._rate, self._delay, self._min_amplitude = rate, delay, min_amplitude
        self._onset_delay = onset_delay
        self._tracker = PeakTracker(max(2, round(HOLD_S * rate)))
        self._keep = round((LONGEST_RISE_S + 3.0) * rate)
        self._open: _Open | None = None
        self._newest = 0
        self._clear()

    def _clear(self) -> None:
        self._tracker.reset()
        self._smooth = self._raw = np.empty(0)
        self._valid: Bools = np.empty(0, bool)

    def push(self, piece: EdaSegment) -> list[Scr | Recovery]:
        """Take the next samples; return what they show, in the order in which it became known."""
        found: list[Scr | Recovery] = []
        if piece.fresh:
            found += self.close()
            self._clear()
        if len(piece.indices) == 0:
            return found
        self._smooth = np.concatenate([self._smooth, piece.smooth])
        self._raw = np.concatenate([self._raw, piece.raw])
        self._valid = np.concatenate([self._valid, piece.faults == 0])
        self._newest = int(piece.indices[-1])
        origin = self._newest + 1 - len(self._smooth)
        for at, _, known in self._tracker.push(piece.smooth, int(piece.indices[0])):
            found += self._recovered(origin, known)
            found += self._response(at - origin, known - origin, origin)
        found += self._recovered(origin, self._newest)
        keep = self._keep + self._tracker.hold
        self._smooth, self._raw = self._smooth[-keep:], self._raw[-keep:]
        self._valid = self._valid[-keep:]
        return found

    def close(self) -> list[Scr | Recovery]:
        """Return the response that cannot recover any more: the stream has ended."""
        return self._cut_off(self._newest)

    def _response(self, peak: int, known: int, origin: int) -> list[Scr | Recovery]:
        shape = self._shape(peak)
        seconds = (peak - shape.begun - shape.part) / self._rate
        if (
            shape.amplitude < self._min_amplitude
            or not SHORTEST_RISE_S <= seconds <= LONGEST_RISE_S
            or not self._valid[shape.foot : known + 1].all()
            or self._is_artefact(shape, known)
        ):
            return []
        time = (shape.begun + origin + shape.part) / self._rate - self._onset_delay
        scr = Scr(time, shape.amplitude, seconds, (known + origin) / self._rate)
        cut_off = self._cut_off(known + origin)
        level = float(self._smooth[peak]) - shape.amplitude / 2
        self._open = _Open(scr, level, peak + origin, peak + origin + 1)
        return [*cut_off, scr, *self._recovered(origin, known + origin)]

    def _shape(self, peak: int) -> _Shape:
        first = max(0, peak - self._keep + 1)
        trough = peak - _trough(self._smooth[first : peak + 1][::-1])
        slopes = np.diff(self._smooth[trough : peak + 1])
        foot = trough + (_foot(slopes) if len(slopes) else 0)
        amplitude = float(self._smooth[peak] - self._smooth[foot])
        rise = self._smooth[foot : peak + 1] - self._smooth[foot]
        below = int(np.flatnonzero(rise <= ONSET_SHARE * amplitude)[-1])
        part = 0.0
        if amplitude > 0:
            part = (ONSET_SHARE * amplitude - rise[below]) / (rise[below + 1] - rise[below])
        return _Shape(foot, peak, foot + below, float(part), amplitude)

    def _is_artefact(self, shape: _Shape, known: int) -> bool:
        fall = float(self._smooth[shape.peak] - self._smooth[known])
        if fall < max(DESCENT_US, DESCENT * shape.amplitude):
            return True
        steep = self._steepest(shape.foot, shape.peak) > STEP_SHARE * shape.amplitude
        return steep and not SLIP_DESCENT < fall / shape.amplitude < SPIKE_DESCENT

    def _steepest(self, foot: int, peak: int) -> float:
        """Return the largest change of the raw signal within `SLIP_S` on the way up."""
        span = max(1, round(SLIP_S * self._rate))
        early = max(0, foot - span - round(2 * self._delay * self._rate))
        raw = self._raw[early : peak + 1]
        return float((raw[span:] - raw[:-span]).max()) if len(raw) > span else 0.0

    def _recovered(self, origin: int, upto: int) -> list[Scr | Recovery]:
        """Return the half recovery if it lies at or before position `upto`."""
        if self._open is None:
            return []
        scr, level, peak, begin = self._open
        last = peak + round(RECOVERY_S * self._rate)
        values = self._smooth[begin - origin : min(upto, last) + 1 - origin]
        low = np.flatnonzero(values <= level)
        if len(low):
            at = begin + int(low[0])
            above, below = self._smooth[at - 1 - origin], self._smooth[at - origin]
            half = at - peak - (level - below) / (above - below)
            self._open = None
            return [Recovery(scr, float(half) / self._rate, at / self._rate)]
        if upto >= last:
            return self._cut_off(last)
        self._open = self._open._replace(next=max(begin, upto + 1))
        return []

    def _cut_off(self, at: int) -> list[Scr | Recovery]:
        if self._open is None:
            return []
        scr, self._open = self._open.scr, None
        return [Recovery(scr, math.nan, at / self._rate)]


def _trough(backwards: Floats) -> int:
    """Return how many samples before a peak (the first value) the signal had its trough.

    >>> _trough(np.array([1.0, 0.8, 0.3, 0.1, 0.12, 0.4, 0.0]))
    3
    """
    lowest = np.minimum.accumulate(backwards)
    turned = np.flatnonzero(backwards - lowest > 0.1 * (backwards[0] - lowest) + 1e-3)
    return int(np.argmin(backwards[: turned[0]] if len(turned) else backwards))


def _foot(slopes: Floats) -> int:
    """Return from where on the slope is more than a share of its steepest, before that one.

    >>> _foot(np.array([0.1, 0.1, 0.3, 1.0, 0.8, 0.1]))
    2
    """
    steepest = int(np.argmax(slopes))
    flat = np.flatnonzero(slopes[:steepest] < FOOT_SHARE * slopes[steepest])
    return int(flat[-1]) + 1 if len(flat) else 0
