"""Smooth the time stamps of a regular stream as it comes, without counting samples for the truth.

Stamps tremble because programs and radios are late at random; a device's sampling does not. A
second-order loop follows the stamps slowly enough to average that out and, unlike a line over the
sample count, finds its way back by itself after lost samples.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from scipy import signal

from biosense.core.types import Bools, Floats

BANDWIDTH_HZ = 0.05  # a crystal's rate changes over minutes, stamps tremble within seconds
_MAX_STEP = 0.5  # natural frequency of the loop in radians per sample: slow streams stay stable
_WARM_S = 1.0  # the first stamps are averaged: the loop alone would take 10 s to forget the first
_WARM_SAMPLES = 8


def steps_from(before: float, values: Floats) -> Floats:
    """Return how far each value lies from the one in front of it; a fast np.diff with prepend.

    Parameters
    ----------
    before
        Value in front of the first.
    values
        Shape (n,).

    Returns
    -------
    Floats
        Shape (n,).

    Examples
    --------
    >>> steps_from(1.0, np.array([2.0, 4.0])).tolist()
    [1.0, 2.0]
    """
    steps = np.empty(len(values))
    steps[:1] = values[:1] - before
    np.subtract(values[1:], values[:-1], out=steps[1:])
    return steps


class Dejitter:
    """Follow the stamps of one stream with a type-2 loop (no lag at a constant rate error).

    What is filtered is the difference between a stamp and a ramp of the nominal rate, by a linear
    filter with carried state, so that any cutting of the stream gives the same times. The loop
    starts anew after a gap, and its ramp is moved where a smoothed stamp would stray from the raw
    one by more than `gap`.

    Parameters
    ----------
    sfreq
        Nominal rate, Hz.
    gap
        Step between two stamps that makes a gap, seconds.
    lossy
        True for streams that can lose samples: their stamps come from a device's counter, so a
        step of more than half a sample interval is a loss, and is passed on at once. For the
        others it is a hiccup of the sender, and is smoothed.
    """

    def __init__(self, sfreq: float, gap: float, lossy: bool) -> None:
        self._sfreq, self._gap, self._lossy = sfreq, gap, lossy
        step = min(2 * np.pi * BANDWIDTH_HZ / sfreq, _MAX_STEP)
        alpha, beta = 2 * step, step**2  # critically damped
        self._b = np.array([alpha, beta - alpha, 0.0])
        self._a = np.array([1.0, alpha + beta - 2, 1 - alpha])
        # state of a loop that has been at 1 for ever
        self._steady = np.array([1 - alpha, self._b[2] - self._a[2]])
        self._warm = max(_WARM_SAMPLES, round(_WARM_S * sfreq))
        self._high = -np.inf

    def push(self, stamps: Floats) -> tuple[Floats, Bools]:
        """Return the smoothed stamps and where a gap came before, both (n,); stamps are finite."""
        high = np.maximum.accumulate(np.concatenate(([self._high], stamps)))
        self._high = float(high[-1])
        fresh = stamps - high[:-1] > self._gap
        if not fresh.any():
            return self._track(stamps), fresh
        smoothed = np.empty(len(stamps))
        edges = sorted({0, *np.flatnonzero(fresh).tolist(), len(stamps)})
        for start, stop in pairwise(edges):
            if fresh[start]:
                self._lock(float(stamps[start]))
            smoothed[start:stop] = self._track(stamps[start:stop])
        return smoothed, fresh

    def _lock(self, origin: float) -> None:
        self._origin = self._previous = origin
        self._count = 0  # samples since the lock
        self._shift = 0.0  # of the ramp, seconds
        self._total = 0.0  # sum of the first errors
        self._level = 0.0  # last output of the loop, seconds
        self._state: Floats | None = None

    def _track(self, stamps: Floats) -> Floats:
        """Return the smoothed stamps of samples with no gap between them."""
        smoothed = np.empty(len(stamps))
        nominal = self._origin + (self._count + np.arange(len(stamps))) / self._sfreq
        lost = self._lost(stamps)
        done = 0
        while done < len(stamps):
            # summed up sample by sample, so that the bits do not depend on where the chunk began
            shift = np.cumsum(np.concatenate(([self._shift], lost[done:])))[1:]
            error = stamps[done:] - (nominal[done:] + shift)
            level = self._follow(error)
            good = len(level)
            smoothed[done : done + good] = nominal[done : done + good] + shift[:good] + level
            done += good
            self._shift = float(shift[good - 1]) if good else self._shift
            if good < len(error):
                lost[done] += float(error[good]) - self._level
        return smoothed

    def _lost(self, stamps: Floats) -> Floats:
        """Return by how much the ramp moves at each sample because of losses, seconds."""
        if len(stamps) == 0 or not self._lossy:
            return np.zeros(len(stamps))
        steps = steps_from(self._previous, stamps) - 1 / self._sfreq
        if self._count == 0:
            steps[0] = 0.0
        self._previous = float(stamps[-1])
        return np.where(np.abs(steps) > 0.5 / self._sfreq, steps, 0.0)

    def _follow(self, error: Floats) -> Floats:
        """Return the loop's output up to the first sample that strays too far, that one left out.

        The state afterwards is as if the samples behind had never been seen.
        """
        level, total, state = self._loop(error)
        strays = np.abs(error - level) > self._gap
        if strays.any():
            good = int(np.argmax(strays))
            level, total, state = self._loop(error[:good])
        if len(level):
            self._total, self._state, self._level = total, state, float(level[-1])
            self._count += len(level)
        return level

    def _loop(self, error: Floats) -> tuple[Floats, float, Floats | None]:
        """Return the loop's output (n,) and the state behind it: the mean at first, then the loop.

        Nothing is kept here, so that the caller can take back what strayed.
        """
        warming = min(max(self._warm - self._count, 0), len(error))
        totals = np.cumsum(np.concatenate(([self._total], error[:warming])))
        level = totals[1:] / (self._count + 1 + np.arange(warming))
        if warming == len(error):
            return level, float(totals[-1]), self._state
        state = self._steady * (totals[-1] / self._warm) if self._state is None else self._state
        followed, state = signal.lfilter(self._b, self._a, error[warming:], zi=state)
        return np.concatenate((level, followed)), float(totals[-1]), state
