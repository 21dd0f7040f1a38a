"""From samples at uneven times to samples at n / sfreq, as they come and never across a gap."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from biosense.core.types import Bools, Floats, Ints

_EPSILON = 1e-6  # in grid steps: forgives rounding, far below any real jitter


@dataclass(frozen=True, eq=False)
class Samples:
    """Hold samples at any times.

    Parameters
    ----------
    times
        Seconds, rising, shape (n,).
    values
        Shape (n, channels).
    ok
        Trusted samples, shape (n,).
    """

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
    it is the straight line. A grid point is ok where all samples that it is made of are. A sample
    on the grid, to a millionth of a step, is taken as it is.

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
        hit = np.abs(times - t[np.maximum(left, 0)]) * self._sfreq <= _EPSILON
        if hit.all():  # the samples of most files lie on the grid as they are
            return Samples(times, _Nodes(left, 1).of(x)[0].copy(), ok[left])
        on = left[hit]
        left = np.clip(left, 0, len(t) - 2)
        values, good = np.empty((len(n), x.shape[1])), np.empty(len(n), np.bool_)
        # The ends of a run have no neighbour on one side.
        bounds = (1, len(t) - 2) if self._behind == 2 else (len(t), len(t))
        start, stop = np.searchsorted(left, bounds).tolist()
        stop = max(start, stop)
        for part, before in ((slice(start), 0), (slice(start, stop), 1), (slice(stop, None), 0)):
            if len(times[part]):
                near = _Nodes(left[part] - before, 2 + 2 * before)
                _weigh(near.of(x), _weights(times[part], near.of(t)), values[part])
                good[part] = np.logical_and.reduce(near.of(ok))
        values[hit], good[hit] = x[on], ok[on]
        return Samples(times, values, good)


class _Nodes:
    """Take the samples around each of some times: `count` in a row, the first `at` some places."""

    def __init__(self, at: Ints, count: int) -> None:
        self._at, self._count = at, count
        first, last = int(at[0]), int(at[-1])
        # Where they lie side by side, as nearly always, a view will do.
        is_run = last - first == len(at) - 1 and bool((at[1:] - at[:-1] == 1).all())
        self._run = (first, last + 1) if is_run else None

    def of(self, samples: NDArray[Any]) -> list[NDArray[Any]]:
        """Return the first sample of each time, then the second, and so on."""
        if self._run is None:
            return [samples[self._at + step] for step in range(self._count)]
        start, stop = self._run
        return [samples[start + step : stop + step] for step in range(self._count)]


def _weigh(rows: list[Floats], weights: tuple[Floats, ...], values: Floats) -> None:
    """Write the weighted sums of samples, (n, channels) each, to `values`."""
    np.multiply(weights[0][:, None], rows[0], out=values)
    part = np.empty_like(values)
    for weight, row in zip(weights[1:], rows[1:], strict=True):
        np.multiply(weight[:, None], row, out=part)
        values += part


def _weights(times: Floats, nodes: list[Floats]) -> tuple[Floats, ...]:
    """Return what each of the 2 or 4 nodes around a time counts, (n,) each."""
    if len(nodes) == 4:
        return _lagrange(times, nodes)
    after = (times - nodes[0]) / (nodes[1] - nodes[0])
    return 1 - after, after


def _lagrange(times: Floats, nodes: list[Floats]) -> tuple[Floats, ...]:
    a, b, c, d = (times - node for node in nodes)
    ab, ac, ad = (nodes[0] - node for node in nodes[1:])
    bc, bd = nodes[1] - nodes[2], nodes[1] - nodes[3]
    cd = nodes[2] - nodes[3]
    outer, inner = a * d, b * c
    return (
        inner * d / (ab * ac * ad),
        outer * c / (-ab * bc * bd),
        outer * b / (ac * bc * cd),
        inner * a / (-ad * bd * cd),
    )
