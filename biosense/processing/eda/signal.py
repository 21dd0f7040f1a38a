"""Prepare skin conductance: smooth it, say which samples can be believed, thin it out."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy import signal

from biosense.core.errors import BadInput
from biosense.core.grid import contiguous_runs, sample_indices
from biosense.core.types import Bools, Chunk, Floats, Ints, StreamInfo
from biosense.processing.eda.artefacts import Hangover, SlipFinder, violations
from biosense.processing.signal.small_chunk_filter import SmallChunkFilter

WORK_HZ = 8.0  # plenty for a signal smoothed at 1.5 Hz
SLOPE_SPAN_S = 1 / 16  # the slope of single samples at 500 Hz would be that of noise
RISE_S, DECAY_S = 0.7, 2.0  # of the canonical response: Greco et al., IEEE TBME 63:797, 2016
UNDO_S = 3.0  # decay that is undone: 2 s is canonical, half recovery of 2 to 10 s is usual
UNDO_HZ = 0.5
ONSET_SHARE = 0.05  # of the rise: where a response begins


class EdaSegment(NamedTuple):
    """Hold contiguous samples at the working rate; conductance in microsiemens.

    Parameters
    ----------
    indices
        Positions on the working grid, shape (n,).
    smooth, raw
        With and without the low-pass, shape (n,).
    undone
        The smoothed signal with the decay of responses undone, shape (n,): on their way down it
        lies on the tonic level already.
    faults
        Codes into `FAULTS`, shape (n,); 0 where nothing is wrong.
    fresh
        True where a gap, or the beginning, lies before them.
    """

    indices: Ints
    smooth: Floats
    raw: Floats
    undone: Floats
    faults: Ints
    fresh: bool


class EdaSignal:
    """Turn chunks of EDA in siemens into smoothed, checked pieces at about 8 Hz.

    How fast responses rise and fall: see [1]_. The smoothing is a Bessel low-pass of second order:
    it does not overshoot behind a step, so that a step does not look like a response. Samples are
    thinned out by their position on the sample grid, independent of chunks.

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
    onset_delay
        How late the smoothed canonical response reaches 5 % of its height, seconds.

    References
    ----------
    .. [1] A. Greco, G. Valenza, A. Lanata, E. P. Scilingo and L. Citi, "cvxEDA: a convex
       optimization approach to electrodermal activity processing," IEEE Transactions on Biomedical
       Engineering 63(4), 797-804, 2016.
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
        self._low = SmallChunkFilter(
            signal.bessel(2, cutoff, fs=info.sfreq, output="sos", norm="mag")
        )
        ramp = np.arange(round(20 * info.sfreq)) / info.sfreq
        self.delay = float(ramp[-1] - self._low.filter(ramp)[-1])
        self.onset_delay = self._onset_delay()
        self._undo = SmallChunkFilter(_undoing(self.rate))
        self._spoilt, self._slipped = Hangover(info.sfreq), Hangover(self.rate)
        self._slips = SlipFinder(self.rate)
        self._expected: int | None = None
        self._begun = False

    def push(self, chunk: Chunk) -> list[EdaSegment]:
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

    def _piece(self, indices: Ints, values: Floats, ok: Bools, fresh: bool) -> EdaSegment:
        if fresh:
            self._low.prime(float(values[0]))
            self._before = np.full(self._span, values[0])
            self._spoilt.reset()
            self._begun = False
        smooth = self._low.filter(values)
        faults = self._spoilt.push(indices, violations(values, self._slope(values)), ok)
        kept = np.flatnonzero(indices % self._step == 0)
        places, raw = indices[kept] // self._step, values[kept]
        undone, slips = self._thinned(places, raw, smooth[kept])
        worst = np.where(faults[kept] > 0, faults[kept], slips)
        return EdaSegment(places, smooth[kept], raw, undone, worst, fresh)

    def _thinned(self, places: Ints, raw: Floats, smooth: Floats) -> tuple[Floats, Ints]:
        """Return what is made of samples at the working rate: decay undone, codes of slips."""
        if len(places) == 0:
            return smooth, places
        if not self._begun:
            self._undo.prime(float(smooth[0]))
            self._slips.reset(float(raw[0]))
            self._slipped.reset()
            self._begun = True
        slips = self._slips.push(raw)
        return self._undo.filter(smooth), self._slipped.push(places, slips, np.ones(len(raw), bool))

    def _slope(self, values: Floats) -> Floats:
        """Return the slope over 1/16 s, microsiemens per second."""
        known = np.concatenate([self._before, values])
        self._before = known[-self._span :]
        return np.asarray(known[self._span :] - known[: -self._span]) * self._sfreq / self._span

    def _onset_delay(self) -> float:
        """Return how late 5 % are reached, the mean over four places between two samples."""
        times = np.arange(round(5 * self._sfreq) + 2) / self._sfreq - 1 / self._sfreq
        late = []
        for phase in np.arange(4) / (4 * self._sfreq):
            since = np.maximum(times - phase, 0.0)
            self._low.prime(0.0)
            smooth = self._low.filter(np.exp(-since / DECAY_S) - np.exp(-since / RISE_S))
            peak = int(np.argmax(smooth))
            level = ONSET_SHARE * smooth[peak]
            rising = smooth[: peak + 1]
            late.append(float(np.interp(level, rising, times[: peak + 1])) - phase)
        return float(np.mean(late))


def _undoing(rate: float) -> Floats:
    """Return the section that adds `UNDO_S` times the slope to a signal smoothed at 0.5 Hz.

    Of a decay A exp(-t / UNDO_S) it leaves nothing, of a constant everything.
    """
    b, a = signal.butter(1, UNDO_HZ, fs=rate)
    slope = UNDO_S * rate
    return np.array([[*np.convolve(b, [1 + slope, -slope]), *a, 0.0]])
