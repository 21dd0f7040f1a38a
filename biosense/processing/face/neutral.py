"""What a person's face is like when nothing happens: a median of the past, never of the future."""

from __future__ import annotations

import numpy as np

from biosense.core.ring import MirroredRing
from biosense.core.types import Floats


class Neutral:
    """Keep the running median of each value over the time in which the face was seen.

    The shape of a face, where its camera stands and how it is turned dwarf what an expression
    changes; taken off, they leave the change. Time without a face does not count: after an absence
    the person is still known. A smile has to last half of `memory` to become neutral.

    Parameters
    ----------
    memory, least
        Looks kept, and looks before there is a median.
    channels
        Values of a look.

    Examples
    --------
    >>> neutral = Neutral(memory=8, least=3, channels=1)
    >>> for value in (2.0, 1.0, 5.0):
    ...     neutral.put(np.array([value]))
    >>> neutral.median.tolist()
    [2.0]
    """

    def __init__(self, memory: int, least: int, channels: int) -> None:
        self._least = least
        self._looks = MirroredRing(memory, channels)
        self._nothing = np.full(channels, np.nan)

    def put(self, values: Floats) -> None:
        """Add a look, shape (channels,); one with a NaN is left out."""
        if np.isfinite(values).all():
            self._looks.append(values[None])

    @property
    def median(self) -> Floats:
        """Median of each value, shape (channels,); NaN while fewer than `least` looks are known."""
        if len(self._looks) < self._least:
            return self._nothing
        looks = np.sort(self._looks.last(len(self._looks)), axis=0)
        middle = len(looks) // 2
        return np.asarray(0.5 * (looks[middle] + looks[len(looks) - 1 - middle]))
