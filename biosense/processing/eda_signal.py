"""Prepare skin conductance: smooth it, say which samples can be believed, thin it out."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy import signal

from biosense.core.errors import BadInput
from biosense.core.grid import contiguous_runs, sample_indices
from biosense.core.types import Bools, Chunk, Floats, Ints, StreamInfo
from biosense.processing.sections import Sections

WORK_HZ = 8.0  # plenty for a signal smoothed at 1.5 Hz
LOWEST_US, HIGHEST_US = 0.05, 60.0  # Kleckner et al., IEEE TBME 65:1460, 2018
STEEPEST_US = 10.0  # per second, same source
SLOPE_SPAN_S = 1 / 16  # the slope of single samples at 500 Hz would be that of noise
SPOILT_S = 5.0  # after a violation, same source; before one the past is out already


class EdaPiece(NamedTuple):
    """Hold contiguous samples at the working rate, shape (n,) each; conductance in microsiemens.

    `fresh` is True where a gap, or the beginning, lies before them.
    """

    indices: Ints
    smooth: Floats
    raw: Floats
    valid: Bools
    fresh: bool


class EdaSignal:
    """Turn chunks of EDA in siemens into smoothed, checked pieces at about 8 Hz.

    The smoothing is a Bessel low-pass of second order: it does not overshoot behind a step, so that
    a step does not look like a response. Samples are thinned out by their position on the sample
    grid, independent of chunks.

    Parameters
    ----------
    info
        The stream: one channel, unit S, at least 4 Hz.
    cutoff
        Of the low-pass, Hz; at most 0.19 of the rate is used.

    Attributes
    ----------
    rate
        Rate of the pieces, Hz.
    delay
        How far the smoothed signal lags behind a ramp, seconds.
    """

    def __init__(self, info: StreamInfo, cutoff: float) -> None:
        if info.n_channels != 1 or info.sfreq < 4 or info.unit != "S":
            raise BadInput(
                f"{info.name!r} has {info.n_channels} channels at {info.sfreq} Hz in "
                f"{info.unit!r}; EDA needs 1 channel, at least 4 Hz, in 'S': put ToSI() and "
                "Regularise() before, and pick one channel"
            )
        self._sfreq = info.sfreq
        self._step = max(1, int(info.sfreq / WORK_HZ))
        self.rate = info.sfreq / self._step
        self._span = max(1, round(SLOPE_SPAN_S * info.sfreq))
        # Designed nearer to Nyquist the filter would overshoot behind a step after all.
        cutoff = min(cutoff, 0.19 * info.sfreq)
        self._low = Sections(signal.bessel(2, cutoff, fs=info.sfreq, output="sos", norm="mag"))
        ramp = np.arange(round(20 * info.sfreq)) / info.sfreq
        self.delay = float(ramp[-1] - self._low.filter(ramp)[-1])
        self._expected: int | None = None

    def push(self, chunk: Chunk) -> list[EdaPiece]:
        """Return what the chunk adds; pieces may be empty at the working rate."""
        present = np.isfinite(chunk.data[:, 0])
        indices = sample_indices(chunk)[present]
        values, ok = 1e6 * chunk.data[present, 0], chunk.ok[present]
        pieces = []
        for start, stop, fresh in contiguous_runs(indices, self._expected):
            part = slice(start, stop)
            pieces.append(self._piece(indices[part], values[part], ok[part], fresh))
            self._expected = int(indices[stop - 1]) + 1
        return pieces

    def _piece(self, indices: Ints, values: Floats, ok: Bools, fresh: bool) -> EdaPiece:
        if fresh:
            self._low.prime(float(values[0]))
            self._before = np.full(self._span, values[0])
            self._spoilt_at = -np.inf
        smooth = self._low.filter(values)
        valid = ok & self._unspoilt(indices, values)
        kept = np.flatnonzero(indices % self._step == 0)
        return EdaPiece(indices[kept] // self._step, smooth[kept], values[kept], valid[kept], fresh)

    def _unspoilt(self, indices: Ints, values: Floats) -> Bools:
        """Return which samples have no violation of range or slope in the 5 s before."""
        known = np.concatenate([self._before, values])
        self._before = known[-self._span :]
        slope = np.abs(known[self._span :] - known[: -self._span]) * self._sfreq / self._span
        wrong = (values < LOWEST_US) | (values > HIGHEST_US) | (slope > STEEPEST_US)
        last = np.maximum.accumulate(np.where(wrong, indices, -np.inf))
        last = np.maximum(last, self._spoilt_at)
        self._spoilt_at = float(last[-1])
        return np.asarray(indices - last > SPOILT_S * self._sfreq)
