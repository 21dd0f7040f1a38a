"""What is kept of a signal for drawing: extremes by quarter seconds, spectrum, samples."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from scipy import signal

from biosense.core.types import Bools, Chunk, Floats, Ints, StreamInfo

BIN_S = 0.25
SWING_S = 0.5
SEGMENT_S = 4.0  # of a spectrum: lines of 0.25 Hz
_MOST_SEGMENTS = 450  # half an hour; of longer recordings, the first ones


class SignalSamples(NamedTuple):
    """Hold samples of a signal: times (n,), values (n, channels), trusted (n,)."""

    times: Floats
    values: Floats
    ok: Bools


class Extremes(NamedTuple):
    """Hold a signal by columns of time: their middles (n,), lowest and highest value (n, channels)
    and the share of trusted samples (n,); NaN where there is no sample.
    """

    times: Floats
    low: Floats
    high: Floats
    trusted: Floats


class Spectrum(NamedTuple):
    """Hold power spectral densities: frequencies (n,), unit^2/Hz (n, channels)."""

    frequencies: Floats
    power: Floats


@dataclass
class SignalSummary:
    """Take the chunks of a signal in their order and keep what a drawing of it needs.

    Parameters
    ----------
    info
        The signal.
    columns
        Positions of the channels that are drawn.
    scale
        From the unit of the signal to the one that is drawn.
    keep
        True keeps the samples as well, in single precision.

    Examples
    --------
    >>> info = StreamInfo("eda", None, ("eda",), 4.0, "S")
    >>> summary = SignalSummary(info, (0,), 1e6, keep=True)
    >>> summary.push(Chunk.of(info, np.arange(8) / 4, 1e-6 * np.arange(8)))
    >>> summary.extremes(0.0, 2.0, 2).high[:, 0].round(6).tolist()
    [3.0, 7.0]
    """

    info: StreamInfo
    columns: tuple[int, ...]
    scale: float = 1.0
    keep: bool = False
    samples: int = 0
    distrusted: int = 0
    _bins: list[tuple[Ints, Floats, Floats, Floats]] = field(default_factory=list, repr=False)
    _kept: list[SignalSamples] = field(default_factory=list, repr=False)
    _segment: list[SignalSamples] = field(default_factory=list, repr=False)
    _power: Floats | None = field(default=None, repr=False)
    _segments: int = field(default=0, repr=False)

    @property
    def channels(self) -> tuple[str, ...]:
        """Names of the channels that are drawn."""
        return tuple(self.info.channels[column] for column in self.columns)

    def push(self, chunk: Chunk) -> None:
        """Take the next chunk."""
        if chunk.n == 0:
            return
        values = np.asarray(chunk.data, np.float64)[:, list(self.columns)] * self.scale
        part = SignalSamples(chunk.times, values, chunk.ok)
        self.samples += chunk.n
        self.distrusted += int(np.count_nonzero(~chunk.ok))
        self._bin(part)
        if self.info.sfreq and self._segments < _MOST_SEGMENTS:
            self._transform(part)
        if self.keep:
            self._kept.append(SignalSamples(part.times, values.astype(np.float32), chunk.ok))

    def extremes(self, begin: float, end: float, columns: int) -> Extremes:
        """Return the signal between two times in so many columns, or as many as there are bins."""
        columns = max(1, min(columns, int((end - begin) / BIN_S)))
        shape = (columns, len(self.columns))
        low, high = np.full(shape, np.inf), np.full(shape, -np.inf)
        count, good = np.zeros(columns), np.zeros(columns)
        for numbers, lowest, highest, trusted in self._bins:
            middles = (numbers + 0.5) * BIN_S
            at = np.floor((middles - begin) / (end - begin) * columns).astype(int)
            at = np.clip(at, 0, columns - 1)
            np.fmin.at(low, at, lowest)
            np.fmax.at(high, at, highest)
            np.add.at(count, at, 1)
            np.add.at(good, at, trusted)
        empty = ~np.isfinite(low) | ~np.isfinite(high)
        low[empty] = high[empty] = np.nan
        with np.errstate(invalid="ignore"):
            share = good / count
        edges: Floats = np.linspace(begin, end, columns + 1)
        return Extremes((edges[1:] + edges[:-1]) / 2, low, high, share)

    def swings(self, begin: float, end: float, columns: int) -> Floats:
        """Return the mean peak-to-peak value of half seconds, shape (columns, channels)."""
        found = self.extremes(begin, end, max(1, int((end - begin) / SWING_S)))
        swings = found.high - found.low
        columns = min(columns, len(swings))
        total, count = np.zeros((columns, swings.shape[1])), np.zeros((columns, swings.shape[1]))
        at = np.arange(len(swings)) * columns // len(swings)
        np.add.at(total, at, np.nan_to_num(swings))
        np.add.at(count, at, np.isfinite(swings))
        mean: Floats = np.where(count > 0, total / np.maximum(count, 1), np.nan)
        return mean

    def window(self, begin: float, end: float) -> SignalSamples:
        """Return the samples kept of a window."""
        inside = [part for part in self._kept if part.times[-1] >= begin and part.times[0] <= end]
        if not inside:
            empty = np.empty((0, len(self.columns)))
            return SignalSamples(np.empty(0), empty, np.empty(0, np.bool_))
        whole = _one(inside)
        chosen = (whole.times >= begin) & (whole.times <= end)
        return SignalSamples(whole.times[chosen], whole.values[chosen], whole.ok[chosen])

    def spectrum(self) -> Spectrum | None:
        """Return the mean spectrum; None where no segment was whole."""
        if self._power is None:
            return None
        count = round(SEGMENT_S * self.info.sfreq)
        frequencies = np.asarray(np.fft.rfftfreq(count, 1 / self.info.sfreq), np.float64)
        return Spectrum(frequencies, self._power / self._segments)

    def _bin(self, part: SignalSamples) -> None:
        numbers = np.floor(part.times / BIN_S).astype(np.int64)
        starts = np.concatenate([[0], np.flatnonzero(np.diff(numbers)) + 1])
        lengths = np.diff(np.append(starts, len(numbers)))
        trusted = np.add.reduceat(part.ok.astype(np.float64), starts) / lengths
        lowest = np.fmin.reduceat(part.values, starts, axis=0)
        highest = np.fmax.reduceat(part.values, starts, axis=0)
        self._bins.append((numbers[starts], lowest, highest, trusted))

    def _transform(self, part: SignalSamples) -> None:
        """Add the spectra of segments without gaps or missing values (Welch, no overlap)."""
        self._segment.append(part)
        count = round(SEGMENT_S * self.info.sfreq)
        if sum(len(each.times) for each in self._segment) < count:
            return
        whole = _one(self._segment)
        for start in range(0, len(whole.times) - count + 1, count):
            self._add(_part(whole, start, start + count))
        rest = len(whole.times) - len(whole.times) % count
        self._segment = [_part(whole, rest, len(whole.times))]

    def _add(self, segment: SignalSamples) -> None:
        is_whole = segment.times[-1] - segment.times[0] < 1.05 * SEGMENT_S
        if not (is_whole and segment.ok.all() and np.isfinite(segment.values).all()):
            return
        _, power = signal.periodogram(segment.values, self.info.sfreq, "hann", axis=0)
        self._power = power if self._power is None else self._power + power
        self._segments += 1


def _one(parts: list[SignalSamples]) -> SignalSamples:
    return SignalSamples(
        np.concatenate([part.times for part in parts]),
        np.concatenate([part.values for part in parts]),
        np.concatenate([part.ok for part in parts]),
    )


def _part(whole: SignalSamples, start: int, stop: int) -> SignalSamples:
    return SignalSamples(whole.times[start:stop], whole.values[start:stop], whole.ok[start:stop])
