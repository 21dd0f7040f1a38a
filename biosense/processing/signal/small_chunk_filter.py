"""Filter small chunks of one channel fast: second-order sections without the cost of `sosfilt`."""

from __future__ import annotations

import numpy as np
from scipy import signal

from biosense.core.types import Floats


class SmallChunkFilter:
    """Filter one channel through second-order sections, state carried from chunk to chunk.

    Checking its arguments costs `scipy.signal.sosfilt` 25 us a call, `lfilter` 5 us; a chunk of 16
    samples takes less than 1 us to filter, and a live ECG comes in tens of such chunks a second.

    Parameters
    ----------
    sos
        Second-order sections, shape (sections, 6).
    """

    def __init__(self, sos: Floats) -> None:
        self._sections = [(section[:3].copy(), section[3:].copy()) for section in sos]
        self._steady = signal.sosfilt_zi(sos)
        self._states: list[Floats] = []
        self.prime(0.0)

    def prime(self, first: float) -> None:
        """Begin anew, as if the value `first` had been there for ever."""
        self._states = [steady * first for steady in self._steady]

    def filter(self, values: Floats) -> Floats:
        """Return the filtered values, shape (n,)."""
        for number, (b, a) in enumerate(self._sections):
            values, self._states[number] = signal.lfilter(b, a, values, zi=self._states[number])
        return np.asarray(values)
