"""The heart and the breath of a simulated person: when it beats, and the pulse that follows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from biosense.acquisition.simulated.noise import BLOCK_S, BlockCache, Wander, generator
from biosense.acquisition.simulated.state import AffectPath
from biosense.acquisition.simulated.templates import pulse_shape
from biosense.core.types import Floats

_GRID_HZ = 20.0  # rate is a smooth curve: 20 Hz places a beat to well under 1 ms
_MARGIN_S = 3.0  # no beat lasts longer


@dataclass(frozen=True)
class HeartTraits:
    """What differs between two hearts.

    Parameters
    ----------
    resting
        Beats per minute at neutral.
    arousal, valence
        Beats per minute for a unit of each: the heart slows for unpleasant things (Lang 1993).
    respiratory, mayer
        Amplitude of the respiratory and of the 0.1 Hz swing of the rate, beats per minute.
    withdrawal
        How strongly arousal takes the respiratory swing away, 1.
    wander
        Standard deviation of what nobody can explain, beats per minute.
    breathing
        Hz at neutral.
    """

    resting: float
    arousal: float
    valence: float
    respiratory: float
    mayer: float
    withdrawal: float
    wander: float
    breathing: float

    @classmethod
    def draw(cls, rng: np.random.Generator) -> HeartTraits:
        """Draw a heart."""
        return cls(
            resting=rng.uniform(58.0, 85.0),
            arousal=9.0 * rng.uniform(0.6, 1.4),
            valence=4.0 * rng.uniform(0.6, 1.4),
            respiratory=rng.uniform(1.2, 4.5),
            mayer=rng.uniform(0.5, 1.6),
            withdrawal=0.9 * rng.uniform(0.6, 1.4),
            wander=rng.uniform(1.2, 2.6),
            breathing=rng.uniform(0.19, 0.29),
        )


class Heart:
    """Beat and breathe along an affect path.

    A phase integrates the rate and each whole turn is a beat (IPFM model), so beats are exact to
    well under a sample and the rate may change within one. Only the phase at block borders is kept.

    Parameters
    ----------
    seed
        The person.
    path
        The hidden state.

    Examples
    --------
    >>> heart = Heart(4, AffectPath(4))
    >>> 40 < len(heart.beats(0.0, 60.0)) < 110
    True
    """

    def __init__(self, seed: int, path: AffectPath) -> None:
        self._seed = seed
        self._path = path
        rng = generator(seed, "heart")
        self.traits = HeartTraits.draw(rng)
        self._wander = Wander.draw(rng, 20.0, 240.0, columns=2)  # of the rate, of the breath
        self._mayer = Wander.draw(rng, 9.0, 12.0)
        self.transit = float(rng.uniform(0.18, 0.26))  # heart to face and finger, seconds
        self._turns: list[tuple[float, float]] = [(0.0, float(rng.random()))]  # breath, heart
        self._grids = BlockCache(self._grid)
        self._blocks = BlockCache(self._block, keep=64)
        self._shape: Floats | None = None

    def beats(self, start: float, stop: float) -> Floats:
        """Return the true times of the R peaks in [start, stop), seconds."""
        first = max(int(np.floor(start / BLOCK_S)), 0)
        last = int(np.floor(stop / BLOCK_S))
        if last < first:
            return np.zeros(0)
        beats = np.concatenate([self._blocks[index] for index in range(first, last + 1)])
        return beats[(beats >= start) & (beats < stop)]

    def breath(self, times: Floats) -> Floats:
        """Return the breath, -1 (out) to 1 (in), at times (n,) within one block."""
        grid, breath, _ = self._grids[max(int(times[0] // BLOCK_S), 0)]
        phase: Floats = np.interp(times, grid, breath)
        return np.sin(2 * np.pi * phase)

    def pulse(self, times: Floats) -> Floats:
        """Return the blood volume pulse, 0 to 1, at times (n,): a wave from beat to beat."""
        if self._shape is None:
            self._shape = pulse_shape(self._seed)
        arrived = times - self.transit
        beats = self.beats(arrived[0] - _MARGIN_S, arrived[-1] + _MARGIN_S)
        turns = np.interp(arrived, beats, np.arange(len(beats), dtype=np.float64))
        wave: Floats = np.interp(turns % 1.0, np.linspace(0.0, 1.0, len(self._shape)), self._shape)
        return wave

    def constriction(self, times: Floats) -> Floats:
        """Return how wide the vessels of the skin are, 1 at neutral: arousal narrows them."""
        arousal = self._path.lagged(times, 1.5, 2.0)[:, 1]
        return np.exp(-0.35 * arousal + 0.15 * self._wander.at(times)[:, 1])

    def _block(self, index: int) -> Floats:
        grid, _, turns = self._grids[index]
        whole = np.arange(np.ceil(turns[0]), np.ceil(turns[-1]))
        jitter = generator(self._seed, "beats", index).normal(0.0, 0.003, len(whole))
        # A jittered beat stays in its block, or two blocks would both own it, or neither.
        beats: Floats = np.interp(whole, turns, grid) + jitter
        return np.clip(beats, grid[0], np.nextafter(grid[-1], grid[0]))

    def _grid(self, index: int) -> tuple[Floats, Floats, Floats]:
        """Return times and the turns of breath and heart of a block, its end included."""
        while len(self._turns) <= index:
            self._turns.append(self._integrate(len(self._turns) - 1)[1])
        return self._integrate(index)[0]

    def _integrate(self, index: int) -> tuple[tuple[Floats, Floats, Floats], tuple[float, float]]:
        times = index * BLOCK_S + np.arange(round(BLOCK_S * _GRID_HZ) + 1) / _GRID_HZ
        breath0, heart0 = self._turns[index]
        breath = breath0 + _turns_of(self._breathing(times))
        heart = heart0 + _turns_of(self._rate(times, breath) / 60.0)
        return (times, breath, heart), (float(breath[-1]), float(heart[-1]))

    def _breathing(self, times: Floats) -> Floats:
        arousal = self._path.lagged(times, 1.0, 2.0)[:, 1]
        wander = self._wander.at(times)[:, 1]
        return self.traits.breathing * np.exp(0.12 * arousal + 0.08 * wander)

    def _rate(self, times: Floats, breath: Floats) -> Floats:
        traits = self.traits
        valence, arousal = self._path.lagged(times, 1.5, 2.0).T
        swing = traits.respiratory * np.exp(traits.withdrawal * (0.5 * valence - arousal))
        rate: Floats = (
            traits.resting
            + traits.arousal * arousal
            + traits.valence * valence
            + swing * np.sin(2 * np.pi * breath)
            + traits.mayer * self._mayer.at(times)[:, 0]
            + traits.wander * self._wander.at(times)[:, 0]
        )
        return np.clip(rate, 42.0, 150.0)


def _turns_of(rate: Floats) -> Floats:
    steps = (rate[1:] + rate[:-1]) / (2 * _GRID_HZ)
    return np.concatenate([[0.0], np.cumsum(steps)])
