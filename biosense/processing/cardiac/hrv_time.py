"""Heart rate, its variability and the change of both, at many moments at once."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from biosense.core.types import Bools, Floats
from biosense.processing.signal.row_statistics import chosen_medians

KEEP_S = 60.0
_SOON = 64  # of the newest rows: more beats than these are in no 10 s
_LONG_STEP_S = 0.05  # of pNN50


class Moment(NamedTuple):
    """Hold when features are asked for, how many beats and intervals were known, and spectra.

    Parameters
    ----------
    now
        Session time, seconds.
    beats, accepted
        How many beats and intervals had been added by then.
    powers
        ln of HF and LF power, ln(s^2).
    """

    now: float
    beats: int
    accepted: int
    powers: tuple[float, float]


class _Window:
    """Choose, in rows of many moments, those of the last seconds."""

    def __init__(self, times: Floats, now: Floats, seconds: float) -> None:
        self.inside: Bools = times > (now - seconds)[:, None]
        self.count = np.count_nonzero(self.inside, axis=1)

    def total(self, values: Floats, chosen: Bools | None = None) -> Floats:
        """Return the sum of the values inside, and chosen, at each moment."""
        inside = self.inside if chosen is None else self.inside & chosen
        total: Floats = np.where(inside, values, 0.0).sum(axis=1)
        return total

    def mean(self, values: Floats, chosen: Bools | None = None) -> Floats:
        """Return the mean of the values inside, and chosen; 0 where there are none."""
        inside = self.inside if chosen is None else self.inside & chosen
        total: Floats = np.where(inside, values, 0.0).sum(axis=1)
        return np.asarray(total / np.maximum(np.count_nonzero(inside, axis=1), 1))


def of_intervals(rows: Floats, now: Floats) -> list[Floats]:
    """Return heart rate and variability of accepted intervals at moments, shape (k,) each.

    Takes their end, length and difference to the one before, (3, k, n) as `RecentBeats` gives them.

    Parameters
    ----------
    rows
        End, interval and difference of accepted intervals before each moment, seconds, shape (3, k,
        places).
    now
        Session time of each moment, seconds, shape (k,).

    Returns
    -------
    list of Floats
        A feature each, shape (k,), in the order of `HEART_CHANNELS`.
    """
    times, lengths, steps = rows
    known = np.isfinite(steps)
    windows = {seconds: _Window(times, now, seconds) for seconds in (10.0, 20.0, 30.0, KEEP_S)}
    filled = {seconds: window.total(lengths) for seconds, window in windows.items()}
    rates = {seconds: _rate(windows[seconds], filled[seconds], seconds) for seconds in windows}
    half, minute = windows[30.0], windows[KEEP_S]
    few = np.count_nonzero(half.inside & known, axis=1) < 8
    squares = np.sqrt(half.mean(np.where(known, steps, 0.0) ** 2, known))
    scarce = (filled[KEEP_S] < 40.0) | (np.count_nonzero(minute.inside & known, axis=1) < 16)
    away = np.where(minute.inside, lengths - minute.mean(lengths)[:, None], 0.0)
    long = np.abs(np.where(known, steps, 0.0)) > _LONG_STEP_S
    return [
        rates[10.0],
        rates[30.0],
        np.where(times[:, -1] > now - 3.0, lengths[:, -1], np.nan),
        np.where((filled[30.0] < 20.0) | few, np.nan, squares),
        np.where(scarce, np.nan, np.sqrt(minute.mean(away**2))),
        np.where(scarce, np.nan, minute.mean(long.astype(np.float64), known)),
        np.where(filled[20.0] < 10.0, np.nan, _slope(windows[20.0], times, lengths)),
        rates[10.0] - rates[KEEP_S],
    ]


def of_amplitudes(rows: Floats, now: Floats) -> list[Floats]:
    """Return the change and the scatter of the amplitude of beats at moments, shape (k,) each.

    Takes their time and the logarithm of their amplitude, NaN without one.

    Parameters
    ----------
    rows
        Time (seconds) and ln of the amplitude of beats before each moment, shape (3, k, places).
    now
        Session time of each moment, seconds, shape (k,).

    Returns
    -------
    list of Floats
        A feature each, shape (k,), in the order of `HEART_CHANNELS`.
    """
    times, logs = rows[0], rows[1]
    there = np.isfinite(logs)
    minute, soon = _Window(times, now, KEEP_S), _Window(times, now, 10.0)
    half = _Window(times, now, 30.0)
    kept, new = minute.inside & there, (soon.inside & there)[:, -_SOON:]
    first = np.where(kept, times, np.inf).min(axis=1)
    last = np.where(kept, times, -np.inf).max(axis=1)
    known = (np.count_nonzero(new, axis=1) >= 4) & (last - first >= 20.0)
    change = chosen_medians(logs[:, -_SOON:], new) - chosen_medians(logs, kept)
    away = np.where(half.inside & there, logs - half.mean(logs, there)[:, None], 0.0)
    scatter = np.sqrt(half.mean(away**2, there))
    return [np.where(known, change, np.nan), np.where(known, scatter, np.nan)]


def _rate(window: _Window, filled: Floats, seconds: float) -> Floats:
    """Return beats per minute if accepted intervals fill half of the window (20 s of 60)."""
    enough = filled >= min(0.5 * seconds, 20.0)
    return np.asarray(np.where(enough, 60.0 * window.count / np.where(enough, filled, 1.0), np.nan))


def _slope(window: _Window, times: Floats, lengths: Floats) -> Floats:
    """Return the least-squares slope of the beat-by-beat heart rate, bpm per second."""
    times = np.where(window.inside, times, 0.0)
    centred = np.where(window.inside, times - window.mean(times)[:, None], 0.0)
    rates = 60.0 / np.where(window.inside, lengths, 1.0)
    spread = np.square(centred).sum(axis=1)
    return np.asarray((centred * rates).sum(axis=1) / np.where(spread > 0, spread, 1.0))
