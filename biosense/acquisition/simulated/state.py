"""The hidden state of a simulated person: where on the valence-arousal plane they are, and when."""

from __future__ import annotations

import numpy as np

from biosense.acquisition.simulated.noise import Wander, generator
from biosense.core.types import Floats

_PLATEAU_S = 28.0  # mean length of a plateau
_JITTER_S = 8.0  # a move begins at most this much before or after its slot of the plateau grid
_MOVES_S = (4.0, 12.0)  # length of a move from one plateau to the next
_SIGNS = np.array([[-1, -1], [-1, 1], [1, -1], [1, 1]])
_NODES = -np.log(1 - (np.arange(6) + 0.5) / 6)  # quantiles of an exponential lag


class AffectPath:
    """Valence and arousal over time: plateaus with smooth moves between them, and slow waves.

    Each four plateaus in a row visit the four quadrants in random order, so that every minute or
    two spans the plane and valence says nothing about arousal.

    Parameters
    ----------
    seed
        The person.

    Examples
    --------
    >>> path = AffectPath(3)
    >>> path.at(np.array([0.0, 0.25, 0.5])).shape
    (3, 2)
    """

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._waves = Wander.draw(generator(seed, "path"), 15.0, 60.0, columns=2)
        self._known: dict[int, Floats] = {}

    def at(self, times: Floats) -> Floats:
        """Return valence and arousal in (-1, 1) at times (n,) since the start, shape (n, 2)."""
        moments = np.asarray(times, dtype=np.float64)
        state: Floats = np.tanh(self._plateaus(moments) + 0.12 * self._waves.at(moments))
        return state

    def lagged(self, times: Floats, delay: float, spread: float) -> Floats:
        """Return the state as an organ feels it: `delay` s later, low-passed with `spread` s.

        The low-pass is an exponential one, taken at six quantiles of its kernel.
        """
        moments = np.asarray(times, dtype=np.float64)
        past = moments[:, None] - delay - spread * _NODES
        felt: Floats = self.at(past.ravel()).reshape(len(moments), len(_NODES), 2).mean(axis=1)
        return felt

    def _plateaus(self, times: Floats) -> Floats:
        slots = np.floor(times / _PLATEAU_S).astype(np.int64)
        which = np.unique(slots)
        # Moves before those of the slot are over, and those after the next have not begun.
        table = np.array([[self._plateau(int(n) + step) for step in (-1, 0, 1)] for n in which])
        near = table.reshape(-1, 3, 3, 2)[np.searchsorted(which, slots)]  # (n, 3, [t, dur, v], 2)
        starts, lengths, levels = near[:, 1:, 0], near[:, 1:, 1], near[:, :, 2]
        done = np.clip((times[:, None, None] - starts) / lengths, 0.0, 1.0)
        smooth = done * done * (3.0 - 2.0 * done)
        values: Floats = levels[:, 0] + (smooth * np.diff(levels, axis=1)).sum(axis=1)
        return values

    def _plateau(self, index: int) -> Floats:
        """Return start of the move, its length, and the level reached, of valence and arousal."""
        if index not in self._known:
            group = generator(self._seed, "quadrants", index // 4)
            signs = _SIGNS[group.permutation(4)[index % 4]]
            rng = generator(self._seed, "plateau", index)
            start = index * _PLATEAU_S + rng.uniform(-_JITTER_S, _JITTER_S)
            starts = start + rng.uniform(-2.0, 2.0, 2)
            lengths = rng.uniform(*_MOVES_S, 2)
            self._known[index] = np.array([starts, lengths, signs * rng.uniform(0.25, 1.05, 2)])
        return self._known[index]
