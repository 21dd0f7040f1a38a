"""Windows that overlap: what they have in common is worked out once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import as_strided

from biosense.core.types import Epoch, Floats, Ints

_PARTS = 8  # of a window, a power of two


@dataclass(frozen=True, eq=False, slots=True)
class WindowSource:
    """Say of a window which samples it was cut from, as others were.

    Parameters
    ----------
    samples
        The window, (n, channels).
    whole, begin
        Samples (m, channels), of which the window is that from `begin` on.
    """

    samples: Floats
    whole: Floats
    begin: int


@dataclass(frozen=True, eq=False)
class OverlappingWindows:
    """Hold the samples of k windows; those of windows that overlap only once.

    What is computed of the samples along the last axis, each value from a few samples in a row, is
    cut into windows afterwards: each window has the same numbers as alone.

    Parameters
    ----------
    values
        Samples (channels, m) from which windows were cut; (k, channels, n) where they were not.
    begins
        Where in `values` each window begins, (k,); None for windows that were not cut.
    n
        Samples of a window.

    Examples
    --------
    >>> windows = OverlappingWindows(np.arange(6.0)[None], np.array([0, 2]), 4)
    >>> steps = windows.values[:, 1:] - windows.values[:, :-1]
    >>> windows.cut(steps).shape, windows.greatest(steps).tolist()
    ((2, 1, 3), [[1.0], [1.0]])
    """

    values: Floats
    begins: Ints | None
    n: int

    @classmethod
    def of(cls, items: Sequence[Epoch]) -> OverlappingWindows:
        """Return the samples of windows of one length."""
        sources = [source for item in items if (source := item.known(WindowSource)) is not None]
        n = len(items[0].data)
        if 1 < len(items) == len(sources) and all(s.whole is sources[0].whole for s in sources):
            begins = np.array([source.begin for source in sources])
            if (begins[1:] > begins[:-1]).all():
                whole = sources[0].whole[begins[0] : begins[-1] + n]
                # A channel's samples in a row: most of what is asked of them goes along it.
                return cls(np.ascontiguousarray(whole.T), begins - begins[0], n)
        return cls(np.array([item.data.T for item in items]), None, n)

    def part(self, start: int, stop: int) -> OverlappingWindows:
        """Return the samples of the windows start..stop-1."""
        if self.begins is None:
            return OverlappingWindows(self.values[start:stop], None, self.n)
        return OverlappingWindows(self.values, self.begins[start:stop], self.n)

    def cut(self, values: Floats) -> Floats:
        """Cut what was computed of the samples into windows, (k, channels, ..): a view if it can.

        A window is shorter by as much as `values` are.
        """
        if self.begins is None:
            return values
        n = self.n - self.values.shape[-1] + values.shape[-1]
        outer, inner = values.strides
        places = values.shape[1] - n + 1
        every = as_strided(values, (places, len(values), n), (inner, outer, inner), writeable=False)
        first, count = int(self.begins[0]), len(self.begins)
        step = int(self.begins[1]) - first if count > 1 else 1
        if (self.begins == first + step * np.arange(count)).all():
            return every[first::step][:count]
        return np.asarray(every[self.begins])

    def greatest(self, values: Floats) -> Floats:
        """Return the greatest of what was computed of the samples of each window, (k, channels)."""
        n = self.n - self.values.shape[-1] + values.shape[-1]
        hop = int(np.gcd.reduce(self.begins)) if self.begins is not None else 0
        if self.begins is None or not 1 < hop <= n:
            return np.asarray(self.cut(values).max(axis=-1))
        # The greatest of each hop, and of as many hops in a row as a window has; a rest of less
        # than a hop is covered by the hop that ends with the window.
        found = _greatest_in_a_row(_of_hops(values, 0, hop), n // hop)[:, self.begins // hop]
        if n % hop:
            last = _of_hops(values, n % hop, hop)[:, self.begins // hop + n // hop - 1]
            found = np.maximum(found, last)
        return np.asarray(found.T)

    def products(self, channels: slice | Ints) -> Floats:
        """Return the sums of products of any two channels over each window, (k, c, c).

        Each window is summed in eighths, those of its whole first: windows that begin an eighth
        apart share them, and have the same numbers as alone.
        """
        parts = _PARTS if self.n % _PARTS == 0 else 1
        size = self.n // parts
        if self.begins is None or (self.begins % size).any():
            windows = np.ascontiguousarray(self.cut(self.values)[:, channels])
            pieces = windows.reshape(*windows.shape[:2], parts, size).transpose(2, 0, 1, 3)
            return np.asarray(_in_a_row(_squared(pieces), parts)[0])
        values = self.values[channels, : self.values.shape[1] // size * size]
        pieces = values.reshape(len(values), -1, size).transpose(1, 0, 2)
        return np.asarray(_in_a_row(_squared(pieces), parts)[self.begins // size])


def _squared(pieces: Floats) -> Floats:
    """Return each of some matrices times its transpose."""
    # A matrix times itself, of which half would do, takes longer than times another one.
    return np.asarray(np.matmul(pieces, pieces.copy().swapaxes(-1, -2)))


def _in_a_row(values: Floats, n: int) -> Floats:
    """Return the sums of n values in a row along the first axis; n is a power of two."""
    while n > 1:
        values = values[: -n // 2] + values[n // 2 :]
        n //= 2
    return values


def _of_hops(values: Floats, start: int, hop: int) -> Floats:
    """Return the greatest of each `hop` values from `start` on, (channels, hops)."""
    count = (values.shape[1] - start) // hop
    hops = values[:, start : start + count * hop].reshape(len(values), count, hop)
    return np.asarray(hops.max(axis=2))


def _greatest_in_a_row(values: Floats, n: int) -> Floats:
    """Return the greatest of every n values in a row, (channels, m - n + 1)."""
    size = 1
    while 2 * size <= n:  # of twice as many at each turn
        values = np.maximum(values[:, :-size], values[:, size:])
        size *= 2
    return np.asarray(np.maximum(values[:, : values.shape[1] - n + size], values[:, n - size :]))


def moving_sums(values: Floats, width: int) -> Floats:
    """Return the sums of `width` values in a row along the last axis, n - width + 1 of them.

    Each is summed in the same order wherever it lies, and no other value counts: not one that is
    NaN, nor the rounding of those before.

    Parameters
    ----------
    values
        Shape (..., n).
    width
        How many values are summed.

    Returns
    -------
    Floats
        Shape (..., n - width + 1).

    Examples
    --------
    >>> moving_sums(np.arange(5.0), 3).tolist()
    [3.0, 6.0, 9.0]
    """
    count, done, size = values.shape[-1] - width + 1, 0, 1
    total: Floats | None = None
    while True:  # `values` are sums of 1, 2, 4, .. in a row
        if width & size:
            part = values[..., done : done + count]
            total = part if total is None else total + part
            done += size
        if 2 * size > width:
            return np.asarray(total)
        values = values[..., :-size] + values[..., size:]
        size *= 2
