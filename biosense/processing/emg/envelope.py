"""The envelope of EMG: its root mean square, about 32 times a second."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from biosense.core.errors import BadInput
from biosense.core.grid import contiguous_runs, sample_indices
from biosense.core.types import Chunk, Floats, StreamInfo

LEAST_HZ = 100.0
BAND_HZ = (20.0, 450.0)  # SENIAM: surface EMG lies between; below it is cables and movement
BLOCK_HZ = 32.0
BLOCKS = 4  # 125 ms of root mean square


def emg_band(sfreq: float) -> tuple[float, float]:
    """Return the band that is kept at a rate: 20 to 450 Hz, or to 90 % of Nyquist.

    Parameters
    ----------
    sfreq
        Rate, Hz.

    Returns
    -------
    tuple of float
        Lowest and highest frequency, Hz.

    Raises
    ------
    BadInput
        Below 100 Hz.

    Examples
    --------
    >>> emg_band(2000.0), emg_band(200.0)
    ((20.0, 450.0), (20.0, 90.0))
    """
    if sfreq < LEAST_HZ:
        raise BadInput(
            f"EMG at {sfreq:g} Hz: at least {LEAST_HZ:g} Hz is needed, most of it lies above 50 Hz"
        )
    return BAND_HZ[0], min(BAND_HZ[1], 0.45 * sfreq)


@dataclass
class EmgEnvelope:
    """Turn band-passed EMG into the root mean square of each muscle, about 32 times a second.

    Squares are averaged over blocks that lie on the sample grid and over 4 of them; a value is
    stamped at the end of its 125 ms, which it lags by half. After a gap the first full block is
    taken for those before it. A value is ok where all samples of its newest block are.

    Examples
    --------
    >>> from biosense.core.types import Modality
    >>> info = StreamInfo("face", Modality.EMG, ("zygomaticus",), 512.0, "V")
    >>> stage = EmgEnvelope()
    >>> stage.start(info).sfreq
    32.0
    >>> times = np.arange(512) / 512
    >>> wave = 2e-5 * np.sin(2 * np.pi * 64 * times)
    >>> stage.push(Chunk.of(info, times, wave[:, None]))[0].data[-1].round(7).tolist()
    [1.41e-05]
    """

    _info: StreamInfo = field(init=False, repr=False)
    _step: int = field(init=False, repr=False)
    _rest: Floats = field(init=False, repr=False)
    _before: Floats | None = field(init=False, repr=False)
    _expected: int | None = field(init=False, repr=False)

    def start(self, info: StreamInfo) -> StreamInfo:
        """Choose the blocks for the stream's rate."""
        if info.sfreq < LEAST_HZ or info.unit != "V":
            raise BadInput(
                f"{info.name!r} has {info.sfreq} Hz in {info.unit!r}; EMG needs at least "
                f"{LEAST_HZ:g} Hz, in 'V': put ToSI() and Regularise() before"
            )
        self._step = max(1, int(info.sfreq / BLOCK_HZ))
        self._rest = np.empty((0, info.n_channels + 1))  # the last column holds ok
        self._before, self._expected = None, None
        self._info = replace(info, sfreq=info.sfreq / self._step, dtype="float64")
        return self._info

    def push(self, item: Chunk) -> Sequence[Chunk]:
        """Return the envelope of the blocks that this chunk completed."""
        indices = sample_indices(item)
        rows = np.column_stack([item.data**2, item.ok & np.isfinite(item.data).all(axis=1)])
        chunks = []
        for start, stop, fresh in contiguous_runs(indices, self._expected):
            if fresh:
                self._rest, self._before = self._rest[:0], None
            chunks += self._run(int(indices[start]), rows[start:stop])
            self._expected = int(indices[stop - 1]) + 1
        return chunks

    def flush(self) -> Sequence[Chunk]:
        """Return nothing: half a block is none."""
        return []

    def _run(self, first: int, rows: Floats) -> list[Chunk]:
        first -= len(self._rest)
        rows = np.concatenate([self._rest, rows])
        skip = min(-first % self._step, len(rows))  # up to the next block
        count = (len(rows) - skip) // self._step
        used = skip + count * self._step
        self._rest = rows[used:]
        if count == 0:
            return []
        blocks = rows[skip:used].reshape(count, self._step, -1)
        means = blocks.mean(axis=1)
        stops = (first + skip) // self._step + 1 + np.arange(count)
        data = np.sqrt(self._averaged(means[:, :-1]))
        ok = blocks[:, :, -1].min(axis=1) == 1
        return [Chunk(self._info, stops / self._info.sfreq, data, ok)]

    def _averaged(self, means: Floats) -> Floats:
        if self._before is None:
            self._before = np.repeat(means[:1], BLOCKS - 1, axis=0)
        known = np.concatenate([self._before, means])
        self._before = known[-(BLOCKS - 1) :]
        parts = [known[at : at + len(means)] for at in range(BLOCKS)]
        return np.asarray(sum(parts[1:], parts[0]) / BLOCKS)
