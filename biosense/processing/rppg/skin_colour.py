"""Colour of skin and background in overlapping windows: what every camera pulse method works on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from biosense.core.camera_streams import RPPG_CHANNELS, RPPG_COLOURS, RPPG_REGIONS
from biosense.core.errors import BadInput
from biosense.core.grid import contiguous_runs, sample_indices
from biosense.core.types import Bools, Chunk, Floats, Ints, StreamInfo

WINDOW_S = 1.6  # Wang et al. 2017; also de Haan & Jeanne 2013
LEAST_HZ = 8.0  # twice the highest pulse rate, and some
_DARK = 1e-6  # mean linear colour below which a region shows nothing to divide by
_COLUMNS = len(RPPG_COLOURS)
_SKIN = len(RPPG_REGIONS) - 1  # the last region is the background

Method = Callable[[Floats], Floats]
"""A pulse method: from windows of colour changes (windows, l, 3), which have zero mean and are
fractions of it, to their waves (windows, l)."""


def window_samples(sfreq: float) -> int:
    """Return the length l of a window in samples; the latency of final values is l - 1.

    Parameters
    ----------
    sfreq
        Frames per second.

    Returns
    -------
    int

    Examples
    --------
    >>> window_samples(30.0)
    48
    """
    return int(np.ceil(WINDOW_S * sfreq - 1e-9))


def check_colours(info: StreamInfo) -> None:
    """Check that a stream is that of a camera's colours, fast enough for a pulse.

    Parameters
    ----------
    info
        The stream.

    Raises
    ------
    BadInput
        It is not.
    """
    if info.channels not in (RPPG_CHANNELS, RPPG_COLOURS):
        raise BadInput(
            f"channels of {info.name!r} must be RPPG_CHANNELS (forehead_r .. head_roll; "
            f"recordings may lack the last four), got {info.channels}"
        )
    if not info.sfreq >= LEAST_HZ:
        raise BadInput(
            f"sfreq={info.sfreq} Hz of {info.name!r} must be at least {LEAST_HZ:g} Hz for a pulse"
        )


@dataclass(frozen=True, eq=False)
class Waves:
    """Hold samples of `SkinColour`.

    Parameters
    ----------
    indices
        Positions on the sample grid, shape (n,).
    times
        Session times, seconds, shape (n,).
    rows
        Pulse and colours of skin and of background, shape (n, 8).
    """

    indices: Ints
    times: Floats
    rows: Floats


class SkinColour:
    """Project the colours of skin and background in every window, and average where they overlap.

    A sample is the mean of what all windows that hold it say, so it is final l - 1 samples after
    it came in; `unfinished` is what the windows so far say about the last ones. Windows do not
    reach across a gap, nor across samples without any skin (or background); what no window holds
    is NaN.

    Columns: wave, r, g, b of the skin, then of the background; colours are changes as fractions of
    the mean of the windows. Within a window the regions of skin that are in view all along are
    averaged with their mean pixel counts: counts that change from frame to frame would otherwise
    mix the regions' colours in changing parts, which looks like a pulse.

    Parameters
    ----------
    length
        Samples in a window.
    method
        Makes the wave.

    Examples
    --------
    >>> info = StreamInfo("webcam", None, RPPG_COLOURS, 30.0)
    >>> colours = SkinColour(window_samples(30.0), lambda change: -change[:, :, 1])
    >>> frames = Chunk.of(info, np.arange(60) / 30, np.tile([0.5, 0.4, 0.3, 900.0], (60, 4)))
    >>> colours.push(frames)[0].rows.shape, len(colours.unfinished().times)
    ((13, 8), 47)
    """

    def __init__(self, length: int, method: Method) -> None:
        self._length = length
        self._method = method
        self._expected: int | None = None
        self._begin()

    def push(self, frames: Chunk) -> list[Waves]:
        """Return the samples that became final; frames are on the sample grid."""
        indices = sample_indices(frames)
        done: list[Waves] = []
        for start, stop, fresh in contiguous_runs(indices, self._expected):
            if fresh:
                done.extend(self.finish())
            done.extend(self._push_run(frames.slice(start, stop), indices[start:stop]))
        if len(indices):
            self._expected = int(indices[-1]) + 1
        return done

    def unfinished(self) -> Waves:
        """Return the samples that are not final, as known so far."""
        n = len(self._times)
        return Waves(self._indices, self._times, _mean(self._sums[:n], self._counts[:n]))

    def finish(self) -> list[Waves]:
        """Return the last samples of the run, and begin a new one."""
        left = self.unfinished()
        self._begin()
        return [left] if len(left.times) else []

    def _begin(self) -> None:
        self._frames = np.zeros((0, _COLUMNS))  # the last l - 1 of the run
        self._seen_for = np.zeros(_SKIN + 1, np.int64)  # samples in view without a break
        self._indices = np.zeros(0, np.int64)  # of the samples that are not final
        self._times = np.zeros(0)
        self._sums = np.zeros((0, 8))
        self._counts = np.zeros((0, 2))

    def _push_run(self, run: Chunk, indices: Ints) -> list[Waves]:
        data = run.data[:, :_COLUMNS]
        in_view = _in_view(data) & run.ok[:, None]
        whole = self._in_view_for(in_view) >= self._length
        # An absent region is made 0, so that its NaN does not reach the sums over regions.
        fresh = np.where(np.repeat(in_view, 4, axis=1), data, 0.0)
        self._frames = np.concatenate([self._frames, fresh])
        self._indices = np.concatenate([self._indices, indices])
        self._times = np.concatenate([self._times, run.times])
        self._sums = np.concatenate([self._sums, np.zeros((run.n, 8))])
        self._counts = np.concatenate([self._counts, np.zeros((run.n, 2))])
        first = len(self._frames) - run.n - self._length + 1
        for start, stop in _stretches(whole):
            self._add_windows(first + start, first + stop, whole[start])
        return self._final()

    def _in_view_for(self, in_view: Bools) -> Ints:
        position = np.arange(1, len(in_view) + 1)[:, None]
        lost = np.maximum.accumulate(np.where(in_view, -self._seen_for, position), axis=0)
        lengths = position - lost
        self._seen_for = lengths[-1]
        return lengths

    def _add_windows(self, start: int, stop: int, whole: Bools) -> None:
        """Add the windows that begin at frames start..stop-1, in which the same regions are."""
        frames = self._frames[start : stop + self._length - 1]
        windows = sliding_window_view(frames, self._length, axis=0)  # (windows, 16, l)
        mean = (np.add.reduce(windows, axis=2) / self._length).reshape(stop - start, -1, 4)
        pixels = mean[:, :, 3] * whole
        for surface, regions in enumerate((slice(0, _SKIN), slice(_SKIN, None))):
            share = pixels[:, regions]
            share = share / np.maximum(share.sum(axis=1, keepdims=True), _DARK)
            colour = (share[:, :, None] * mean[:, regions, :3]).sum(axis=1)
            seen = colour.min(axis=1) > _DARK
            mix = np.zeros((*share.shape, 4, 3))
            weight = share / np.maximum(colour, _DARK).T[:, :, None]
            mix[:, :, (0, 1, 2), (0, 1, 2)] = np.moveaxis(weight, 0, 2)
            columns = slice(4 * regions.start, 4 * regions.stop if regions.stop else None)
            parts = windows[:, columns].transpose(0, 2, 1)  # (windows, l, values)
            change = parts @ mix.reshape(stop - start, -1, 3) - 1.0
            wave = self._method(change)
            block = np.concatenate([wave[:, :, None], change], axis=2)
            # Window by window: they overlap in all but one sample.
            for number in np.flatnonzero(seen).tolist():
                at = slice(start + number, start + number + self._length)
                self._sums[at, 4 * surface : 4 * surface + 4] += block[number]
                self._counts[at, surface] += 1

    def _final(self) -> list[Waves]:
        n = max(0, len(self._times) - self._length + 1)
        self._frames = self._frames[n:]
        final = Waves(self._indices[:n], self._times[:n], _mean(self._sums[:n], self._counts[:n]))
        self._indices, self._times = self._indices[n:], self._times[n:]
        self._sums, self._counts = self._sums[n:], self._counts[n:]
        return [final] if n else []


@dataclass
class WaveStream:
    """Hold what the stages of all methods share: from frames to chunks of (pulse, background).

    Parameters
    ----------
    info
        What comes out.
    waves
        From frames to waves.
    """

    info: StreamInfo
    waves: SkinColour

    @classmethod
    def start(cls, info: StreamInfo, channels: tuple[str, ...], method: Method) -> WaveStream:
        """Check the channels, which must be those of a camera's colours."""
        check_colours(info)
        out = replace(info, channels=channels, unit="", dtype="float64")
        return cls(out, SkinColour(window_samples(info.sfreq), method))

    def chunks(self, parts: list[Waves]) -> list[Chunk]:
        """Return the waves; a sample without skin is not ok."""
        return [
            Chunk(self.info, part.times, part.rows[:, [0, 4]], np.isfinite(part.rows[:, 0]))
            for part in parts
        ]


def _stretches(whole: Bools) -> list[tuple[int, int]]:
    """Return from where to where the same regions (at least one) are in view."""
    cuts = np.flatnonzero((whole[1:] != whole[:-1]).any(axis=1)) + 1
    edges = [0, *cuts.tolist(), len(whole)]
    return [(start, stop) for start, stop in pairwise(edges) if whole[start:stop].any()]


def _in_view(data: Floats) -> Bools:
    """Tell which regions are in view, shape (n, regions)."""
    values = data.reshape(len(data), -1, 4)
    seen: Bools = np.isfinite(values).all(axis=2) & (values[:, :, 3] > 0)
    return seen


def _mean(sums: Floats, counts: Floats) -> Floats:
    each = np.repeat(counts, 4, axis=1)
    mean: Floats = np.where(each > 0, sums / np.maximum(each, 1), np.nan)
    return mean
