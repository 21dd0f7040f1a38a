"""Randomness that is a function of time: the same however, and from wherever, it is read.

Everything here is a function of (seed, key, block or time), never of what was asked for before, so
a simulated person can be read block by block for a day, or jumped into, with the same samples.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

import numpy as np
from numpy.typing import NDArray
from scipy.fft import irfft

from biosense.core.types import Floats

BLOCK_S = 4.0  # length of a block: 2048 samples at 512 Hz, 120 frames at 30 Hz

T = TypeVar("T")


def generator(seed: int, *key: str | int) -> np.random.Generator:
    """Return the generator that belongs to a key and to nothing else.

    Examples
    --------
    >>> generator(1, "alpha", 7).integers(100) == generator(1, "alpha", 7).integers(100)
    np.True_
    """
    words = [zlib.crc32(part.encode()) if isinstance(part, str) else part for part in key]
    return np.random.default_rng([seed, *(word % 2**32 for word in words)])


class BlockCache(Generic[T]):
    """Keep the newest few blocks of something that is costly to make; forgetting changes nothing.

    Parameters
    ----------
    make
        Make block k.
    keep
        Blocks kept.
    """

    def __init__(self, make: Callable[[int], T], keep: int = 12) -> None:
        self._make = make
        self._keep = keep
        self._blocks: dict[int, T] = {}

    def __getitem__(self, index: int) -> T:
        if index not in self._blocks:
            while len(self._blocks) >= self._keep:
                del self._blocks[next(iter(self._blocks))]
            self._blocks[index] = self._make(index)
        return self._blocks[index]


@dataclass(frozen=True, eq=False)
class Wander:
    """A slow, smooth, unbounded wandering with unit variance: sines of unrelated periods.

    Parameters
    ----------
    frequencies, phases
        Hz and radians, shape (columns, sines).
    """

    frequencies: Floats
    phases: Floats

    @classmethod
    def draw(
        cls, rng: np.random.Generator, fastest_s: float, slowest_s: float, columns: int = 1
    ) -> Wander:
        """Draw five sines a column, periods log-uniform between the two bounds (seconds)."""
        # One period out of each fifth of the range, so that no column is all slow or all fast.
        steps = (np.arange(5) + rng.random((columns, 5))) / 5
        periods = fastest_s * (slowest_s / fastest_s) ** steps
        return cls(1.0 / periods, rng.uniform(0.0, 2 * np.pi, (columns, 5)))

    def at(self, times: Floats) -> Floats:
        """Return the value at times (n,), shape (n, columns)."""
        angles = 2 * np.pi * self.frequencies * times[:, None, None] + self.phases
        values: Floats = np.sqrt(2 / 5) * np.sin(angles).sum(axis=-1)
        return values


class ColouredNoise:
    """Gaussian noise of a given spectrum, unit variance a column, made in overlapping segments.

    Segments of two blocks, each its own random spectrum, are faded over by a sine window, whose
    squares add up to 1: the variance is the same everywhere and no state is carried.

    Parameters
    ----------
    seed, key
        Which noise it is.
    sfreq
        Hz; `sfreq * BLOCK_S` must be an integer.
    spectrum
        Relative amplitude at frequencies (bins,), shape (bins,) or (columns, bins).
    columns
        Independent columns.

    Examples
    --------
    >>> noise = ColouredNoise(1, "hum", 64.0, lambda hz: np.exp(-(((hz - 10) / 1) ** 2)), 3)
    >>> noise.block(5).shape
    (256, 3)
    """

    def __init__(
        self,
        seed: int,
        key: str,
        sfreq: float,
        spectrum: Callable[[Floats], Floats],
        columns: int = 1,
    ) -> None:
        self._name = (seed, key)
        self._n = round(sfreq * BLOCK_S)
        amplitude = np.broadcast_to(
            spectrum(np.arange(self._n + 1) / (2 * BLOCK_S)), (columns, self._n + 1)
        ).copy()
        amplitude[:, [0, -1]] = 0.0  # the mean and Nyquist have no phase to be random
        power = np.sqrt((amplitude**2).sum(axis=1, keepdims=True))
        self._amplitude = (amplitude * self._n / power).astype(np.float32)
        window = np.sin(np.pi * (np.arange(2 * self._n) + 0.5) / (2 * self._n))
        self._window = window.astype(np.float32)[:, None]
        self._segments = BlockCache(self._segment, keep=3)

    def block(self, index: int) -> NDArray[np.float32]:
        """Return block `index`, shape (samples of a block, columns)."""
        return self._segments[index - 1][self._n :] + self._segments[index][: self._n]

    def _segment(self, index: int) -> NDArray[np.float32]:
        rng = generator(*self._name, index)
        columns = len(self._amplitude)
        parts = rng.standard_normal((columns, self._n + 1, 2), dtype=np.float32)
        wave = irfft(parts.view(np.complex64)[..., 0] * self._amplitude, axis=1)
        faded: NDArray[np.float32] = wave.T * self._window
        return faded


class Events:
    """Random moments at a rate that changes over time: candidates at the ceiling, then thinned.

    Parameters
    ----------
    seed, key
        Which events they are.
    ceiling
        Highest rate, 1/s.
    rate
        Rate at times (n,), 1/s.
    """

    def __init__(
        self, seed: int, key: str, ceiling: float, rate: Callable[[Floats], Floats]
    ) -> None:
        self._name = (seed, key)
        self._ceiling = ceiling
        self._rate = rate
        self._blocks = BlockCache(self._block)

    def between(self, start: float, stop: float) -> tuple[Floats, Floats]:
        """Return the moments in [start, stop), shape (n,), and 3 random marks of each, (n, 3)."""
        first, last = int(np.floor(start / BLOCK_S)), int(np.floor(stop / BLOCK_S))
        blocks = [self._blocks[index] for index in range(first, last + 1)]
        rows = np.concatenate(blocks)
        inside = rows[(rows[:, 0] >= start) & (rows[:, 0] < stop)]
        return inside[:, 0], inside[:, 1:]

    def _block(self, index: int) -> Floats:
        rng = generator(*self._name, index)
        count = int(rng.poisson(self._ceiling * BLOCK_S))
        times = np.sort((index + rng.random(count)) * BLOCK_S)
        kept = rng.random(count) * self._ceiling < self._rate(times)
        rows: Floats = np.column_stack([times, rng.random((count, 3))])[kept]
        return rows


@dataclass(frozen=True)
class Episodes:
    """Stretches of time in which something goes on: at most one in each slot.

    Parameters
    ----------
    seed, key
        Which episodes they are.
    slot_s
        Length of a slot, seconds.
    probability
        Share of the slots that hold an episode.
    shortest_s, longest_s
        Length of an episode, seconds.
    """

    seed: int
    key: str
    slot_s: float
    probability: float
    shortest_s: float
    longest_s: float

    def at(self, times: Floats, ramp_s: float) -> Floats:
        """Return 1 inside an episode and 0 outside, with ramps of `ramp_s` seconds inside it."""
        slots = np.floor(times / self.slot_s).astype(np.int64)
        spans = np.array([self._span(int(slot)) for slot in np.unique(slots)]).reshape(-1, 2)
        start, stop = spans[np.searchsorted(np.unique(slots), slots)].T
        inside: Floats = np.clip(np.minimum(times - start, stop - times) / ramp_s, 0.0, 1.0)
        return inside

    def _span(self, slot: int) -> tuple[float, float]:
        rng = generator(self.seed, self.key, slot)
        length = rng.uniform(self.shortest_s, self.longest_s)
        start = slot * self.slot_s + rng.uniform(0.0, self.slot_s - length)
        return (start, start + length) if rng.random() < self.probability else (start, start)
