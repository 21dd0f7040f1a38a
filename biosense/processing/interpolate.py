"""From samples at uneven times to samples at n / sfreq, as they come and never across a gap."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from biosense.core.types import Bools, Floats, Ints

_EPSILON = 1e-6  # in grid steps: forgives rounding, far below any real jitter


@dataclass(frozen=True, eq=False)
class Samples:
    """Hold samples at any times: `times` (n,), `values` (n, channels), `ok` (n,)."""

    times: Floats
    values: Floats
    ok: Bools

    def __len__(self) -> int:
        return len(self.times)

    def part(self, start: int, stop: int) -> Samples:
        """Return the samples start..stop-1 as views."""
        return Samples(self.times[start:stop], self.values[start:stop], self.ok[start:stop])

    def then(self, other: Samples) -> Samples:
        """Return these samples and the other ones behind them."""
        return Samples(
            np.concatenate((self.times, other.times)),
            np.concatenate((self.values, other.values)),
            np.concatenate((self.ok, other.ok)),
        )


class GridInterpolator:
    """Put one contiguous run of samples after another on the grid n / sfreq.

    Between two samples the value is that of the cubic through them and their neighbours (Lagrange),
    or of the straight line. In the first and last interval of a run, where a neighbour is missing,
    it is the straight line. A grid point is ok where all samples that it is made of are.

    Parameters
    ----------
    sfreq
        Rate of the grid, Hz.
    order
        3 or 1. A cubic needs one sample more: it comes one sample later.
    """

    def __init__(self, sfreq: float, order: int) -> None:
        self._sfreq = sfreq
        self._behind = 2 if order == 3 else 1
        self._known: Samples | None = None
        self._next = 0

    def extend(self, samples: Samples) -> Samples | None:
        """Add samples to the run and return the grid points that became known, or None."""
        if self._known is None:
            self._next = int(np.ceil(samples.times[0] * self._sfreq - _EPSILON))
            known = samples
        else:
            known = self._known.then(samples)
        self._known = known
        if len(known) < self._behind:
            return None
        points = self._points(float(known.times[-self._behind]), known)
        keep = self._behind + 1
        if len(known) > keep:
            self._known = known.part(len(known) - keep, len(known))
        return points

    def finish(self) -> Samples | None:
        """End the run and return the grid points that are left, or None."""
        known, self._known = self._known, None
        return None if known is None else self._points(float(known.times[-1]), known)

    def _points(self, until: float, known: Samples) -> Samples | None:
        """Return the grid points up to the time `until` that have not been returned before."""
        stop = int(np.floor(until * self._sfreq + _EPSILON)) + 1
        if stop <= self._next:
            return None
        n = np.arange(self._next, stop)
        self._next = stop
        if len(known) == 1:  # alone in its run, and on the grid
            return Samples(n / self._sfreq, known.values, known.ok)
        return self._at(n, known)

    def _at(self, n: Ints, known: Samples) -> Samples:
        times = n / self._sfreq
        t, x, ok = known.times, known.values, known.ok
        left = np.searchsorted(t, times + _EPSILON / self._sfreq, side="right") - 1
        left = np.clip(left, 0, len(t) - 2)
        near = left + np.arange(-1, 3)[:, None]
        cubic = (near[0] >= 0) & (near[3] < len(t)) & (self._behind == 2)
        if not cubic.all():
            near[0] = np.where(cubic, near[0], left)
            near[3] = np.where(cubic, near[3], left + 1)
        weights = _weights(times, t[near], cubic)
        values = weights[0][:, None] * _rows(x, near[0])
        part = np.empty_like(values)
        for number in (1, 2, 3):
            np.multiply(weights[number][:, None], _rows(x, near[number]), out=part)
            values += part
        hit = np.abs(times - t[left]) * self._sfreq <= _EPSILON
        return Samples(times, values, np.where(hit, ok[left], ok[near].all(axis=0)))


def _rows(x: Floats, at: Ints) -> Floats:
    """Return the rows at some places; a view where they lie side by side, as nearly always."""
    first, last = int(at[0]), int(at[-1])
    is_run = last - first == len(at) - 1 and bool((at[1:] - at[:-1] == 1).all())
    return x[first : last + 1] if is_run else x[at]


def _weights(times: Floats, nodes: Floats, cubic: Bools) -> Floats:
    """Return what each of the 4 nodes around a time counts; both (4, n)."""
    weights = _lagrange(times, nodes) if cubic.all() else np.zeros_like(nodes)
    if not cubic.all():
        weights[:, cubic] = _lagrange(times[cubic], nodes[:, cubic])
        line = ~cubic
        weights[2, line] = ((times - nodes[1]) / (nodes[2] - nodes[1]))[line]
        weights[1, line] = 1 - weights[2, line]
    return weights


def _lagrange(times: Floats, nodes: Floats) -> Floats:
    a, b, c, d = times - nodes
    ab, ac, ad = nodes[0] - nodes[1:]
    bc, bd = nodes[1] - nodes[2:]
    cd = nodes[2] - nodes[3]
    outer, inner = a * d, b * c
    return np.stack(
        (
            inner * d / (ab * ac * ad),
            outer * c / (-ab * bc * bd),
            outer * b / (ac * bc * cd),
            inner * a / (-ad * bd * cd),
        )
    )
