"""Fewer samples per second, without aliases and without dependence on where a chunk begins."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from scipy import signal

from biosense.core.errors import BadInput
from biosense.core.grid import sample_indices
from biosense.core.types import Chunk, Floats, StreamInfo
from biosense.processing.signal.sos import SosRunner, group_delay

_ORDER, _RIPPLE_DB, _EDGE = 8, 0.05, 0.8  # scipy.signal.decimate: flat up to 0.8 of new Nyquist


@dataclass
class Decimate:
    """Keep every `factor`-th sample of a regularised stream, so that `to_sfreq` Hz remain.

    Sample n of the session's sample grid is kept where n is a multiple of the factor, so the
    choice does not depend on chunks, gaps or the beginning of the stream. Before that a causal
    Chebyshev low-pass takes out what would alias (its delay: `delay`).

    Parameters
    ----------
    to_sfreq
        Rate of the output in Hz; the stream's rate must be a multiple of it.
    filtered
        True where the stream holds nothing above `to_sfreq` / 2 any more (it went through a
        low-pass): then no further filter delays it.

    Raises
    ------
    BadInput
        In `start`, where the rates have no whole ratio.

    Examples
    --------
    >>> stage = Decimate(2.0, filtered=True)
    >>> info = StreamInfo("wrist", None, ("eda",), 4.0, "S")
    >>> stage.start(info).sfreq
    2.0
    >>> chunk = Chunk.of(info, [0.25, 0.5, 0.75, 1.0], [[1.0], [2.0], [3.0], [4.0]])
    >>> stage.push(chunk)[0].times.tolist()
    [0.5, 1.0]
    """

    to_sfreq: float
    filtered: bool = False
    _factor: int = field(init=False, repr=False)
    _info: StreamInfo = field(init=False, repr=False)
    _smooth: SosRunner | None = field(init=False, repr=False)

    def start(self, info: StreamInfo) -> StreamInfo:
        """Check the ratio of the rates and design the low-pass."""
        self._factor = self._ratio(info)
        self._info = replace(info, sfreq=info.sfreq / self._factor, dtype="float64")
        self._smooth = None
        if self._factor > 1 and not self.filtered:
            self._smooth = SosRunner(_anti_alias(self._factor), info.n_channels)
        return self._info

    def push(self, item: Chunk) -> Sequence[Chunk]:
        """Return the samples that are kept."""
        if item.n == 0:
            return []
        source = item if self._smooth is None else self._smooth.push(item, item.info)[0]
        indices = sample_indices(item)
        kept = np.flatnonzero(indices % self._factor == 0)
        if len(kept) == 0:
            return []
        times = (indices[kept] // self._factor) / self._info.sfreq
        return [Chunk(self._info, times, source.data[kept], source.ok[kept], arrived=item.arrived)]

    def flush(self) -> Sequence[Chunk]:
        """Return nothing: no sample is held back."""
        return []

    def delay(self, frequency: float, info: StreamInfo) -> float:
        """Return the group delay of the low-pass at `frequency` Hz, seconds."""
        factor = self._ratio(info)
        if self.filtered or factor == 1:
            return 0.0
        return group_delay(_anti_alias(factor), frequency, info.sfreq)

    def _ratio(self, info: StreamInfo) -> int:
        if not self.to_sfreq > 0:
            raise BadInput(f"to_sfreq={self.to_sfreq} Hz must be above 0")
        factor = round(info.sfreq / self.to_sfreq)
        if factor < 1 or abs(info.sfreq - factor * self.to_sfreq) > 1e-6 * self.to_sfreq:
            raise BadInput(
                f"{info.sfreq} Hz of {info.name!r} is not a multiple of to_sfreq={self.to_sfreq} "
                f"Hz: choose a rate that divides it, or Regularise(sfreq={self.to_sfreq}) after a "
                "low-pass"
            )
        return factor


def _anti_alias(factor: int) -> Floats:
    sos: Floats = signal.cheby1(_ORDER, _RIPPLE_DB, _EDGE / factor, output="sos")
    # an even Chebyshev filter has its ripple at 0 Hz: bring the gain there to 1
    sos[0, :3] /= np.prod(sos[:, :3].sum(axis=1) / sos[:, 3:].sum(axis=1))
    return sos
