"""A causal filter in second-order sections that starts without a transient and knows gaps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol

import numpy as np
from scipy import signal

from biosense.core.grid import contiguous_runs, sample_indices
from biosense.core.types import Bools, Chunk, Floats, StreamInfo
from biosense.processing.signal.missing import forward_fill

_SETTLED = 0.01  # of the largest value of the step response


def settling_samples(sos: Floats) -> int:
    """Return after how many samples the step response stays within 1 % of its final value.

    Parameters
    ----------
    sos
        Second-order sections, shape (sections, 6).

    Returns
    -------
    int
        Samples.
    """
    poles = np.concatenate([np.roots(section[3:]) for section in sos])
    slowest = min(max(float(np.abs(poles).max()), 0.5), 1 - 1e-7)
    # repeated poles decay later than a single one: 12 time constants, and room for short filters
    count = int(12 / -np.log(slowest)) + 64
    step = signal.sosfilt(sos, np.ones(count))
    final = np.prod(sos[:, :3].sum(axis=1) / sos[:, 3:].sum(axis=1))
    unsettled = np.flatnonzero(np.abs(step - final) > _SETTLED * np.abs(step).max())
    return int(unsettled[-1]) + 1 if len(unsettled) else 0


def group_delay(sos: Floats, frequency: float, sfreq: float) -> float:
    """Return the group delay of a filter at a frequency.

    Computed from the phase on both sides of the frequency, section by section, which stays exact
    where the polynomials of a whole cascade no longer do.

    Parameters
    ----------
    sos
        Second-order sections, shape (sections, 6).
    frequency
        Hz.
    sfreq
        Rate, Hz.

    Returns
    -------
    float
        Seconds.
    """
    near = np.array([frequency * (1 - 1e-4) - 1e-6, frequency * (1 + 1e-4) + 1e-6])
    delay = 0.0
    for section in sos:
        _, response = signal.freqz(section[:3], section[3:], near, fs=sfreq)
        turn = np.angle(response[1] / response[0])
        delay -= float(turn) / (2 * np.pi * (near[1] - near[0]))
    return delay


class SosRunner:
    """Filter the chunks of one stream: state carried, primed anew and not ok after each gap.

    It begins as if the first value of a contiguous run had always been there, so that an offset
    makes no transient. Until the step response has settled to 1 % samples are marked not ok.
    Missing values are replaced by the last value of their channel and marked not ok.

    Parameters
    ----------
    sos
        Second-order sections, shape (sections, 6).
    channels
        Number of channels.
    """

    def __init__(self, sos: Floats, channels: int) -> None:
        self.settle = settling_samples(sos)
        self._sos = sos
        self._steady = signal.sosfilt_zi(sos)[:, :, None]
        self._state: Floats = np.zeros((len(sos), 2, channels))
        self._last: Floats = np.zeros(channels)
        self._expected: int | None = None
        self._age = 0

    def push(self, chunk: Chunk, info: StreamInfo) -> list[Chunk]:
        """Return the filtered chunk, described by `info`."""
        if chunk.n == 0:
            return []
        values, ok = self._complete(chunk)
        indices = sample_indices(chunk)
        runs = contiguous_runs(indices, self._expected)
        parts = [self._run(values[start:stop], fresh) for start, stop, fresh in runs]
        filtered = parts[0] if len(parts) == 1 else np.concatenate(parts)
        settled = [self._settled(stop - start, fresh) for start, stop, fresh in runs]
        self._expected = int(indices[-1]) + 1
        return [replace(chunk, info=info, data=filtered, ok=ok & np.concatenate(settled))]

    def _complete(self, chunk: Chunk) -> tuple[Floats, Bools]:
        finite = np.isfinite(chunk.data)
        values, ok = chunk.data, chunk.ok
        if not finite.all():
            values = forward_fill(values, self._last)
            ok = ok & finite.all(axis=1)
        self._last = values[-1].copy()
        return values, ok

    def _run(self, values: Floats, fresh: bool) -> Floats:
        if fresh:
            self._state = self._steady * values[0]
        filtered, self._state = signal.sosfilt(self._sos, values, axis=0, zi=self._state)
        return filtered

    def _settled(self, count: int, fresh: bool) -> Bools:
        age = 0 if fresh else self._age
        self._age = age + count
        if age >= self.settle:
            return np.ones(count, bool)
        return np.arange(age, age + count) >= self.settle


class SosStage(Protocol):
    """Make a stage of whatever can be written as second-order sections."""

    _info: StreamInfo
    _runner: SosRunner

    def sos(self, info: StreamInfo) -> Floats:
        """Return the second-order sections for a stream, shape (sections, 6)."""
        ...

    def delay(self, frequency: float, info: StreamInfo) -> float:
        """Return the group delay at `frequency` Hz, seconds."""
        return group_delay(self.sos(info), frequency, info.sfreq)

    def start(self, info: StreamInfo) -> StreamInfo:
        """Design the filter for the stream's rate."""
        self._runner = SosRunner(self.sos(info), info.n_channels)
        self._info = replace(info, dtype="float64")
        return self._info

    def push(self, item: Chunk) -> Sequence[Chunk]:
        """Return the filtered chunk."""
        return self._runner.push(item, self._info)

    def flush(self) -> Sequence[Chunk]:
        """Return nothing: a filter holds nothing back."""
        return []
