"""How much of an event there is in a stream at each moment: what delays are measured from."""

from __future__ import annotations

from typing import Literal

import numpy as np
from scipy import ndimage

from biosense.core.errors import BadInput
from biosense.core.types import Bools, Chunk, Floats

Shape = Literal["change", "level", "signal"]

_LEAST_RATE_HZ, _MOST_RATE_HZ = 200.0, 2000.0
_LEAST_BLUR_S = 0.005
_GAP_INTERVALS, _LEAST_GAP_S = 4.0, 0.1


def interval(chunk: Chunk) -> float:
    """Return the usual seconds between samples; 0 for markers, whose times are exact."""
    if chunk.info.is_text or chunk.n < 3:
        return 0.0
    return float(np.median(np.diff(chunk.times)))


def common_grid(a: Chunk, b: Chunk, least: float) -> Floats:
    """Return times at which both streams are known, several for each sample, shape (n,).

    Raises
    ------
    BadInput
        If the streams overlap for less than `least` seconds.
    """
    names = f"{a.info.name!r} and {b.info.name!r}"
    lasting = [chunk for chunk in (a, b) if not chunk.info.is_text]  # silence has no markers
    if not lasting or any(chunk.n < 4 for chunk in lasting) or min(a.n, b.n) < 1:
        raise BadInput(f"{names} have {a.n} and {b.n} samples: too few to compare")
    start = max(float(chunk.times[0]) for chunk in lasting)
    stop = min(float(chunk.times[-1]) for chunk in lasting)
    if stop - start < least:
        raise BadInput(
            f"{names} overlap for {max(stop - start, 0.0):.1f} s, at least {least:g} s are needed"
        )
    finest = min(each for each in (interval(a), interval(b), 0.1) if each > 0)
    rate = float(np.clip(4 / finest, _LEAST_RATE_HZ, _MOST_RATE_HZ))
    return np.arange(int((stop - start) * rate)) / rate + start


def strength(chunk: Chunk, grid: Floats, shape: Shape, blur: float) -> Floats:
    """Return how much of an event there is at each point of the grid, shape (n,).

    `blur` is the standard deviation of the Gaussian that events are widened by, seconds: two
    streams of different rates see the same event alike only as the slower one does.
    """
    step = float(grid[1] - grid[0])
    blur = max(blur, _LEAST_BLUR_S) / step
    if chunk.info.is_text:
        at = np.rint((chunk.times - grid[0]) / step).astype(int)
        events = np.bincount(at[(at >= 0) & (at < len(grid))], minlength=len(grid)).astype(float)
        widened: Floats = ndimage.gaussian_filter1d(events, blur)
        return widened
    total = np.zeros(len(grid))
    for column in range(chunk.info.n_channels):
        total += _channel(chunk, column, grid, shape, blur)
    return total


def _channel(chunk: Chunk, column: int, grid: Floats, shape: Shape, blur: float) -> Floats:
    values, known = _resampled(chunk, column, grid)
    if not known.any():
        return np.zeros(len(grid))
    smooth: Floats = ndimage.gaussian_filter1d(values, blur)
    if shape == "change":
        smooth = np.abs(np.gradient(smooth))
    elif shape == "level":
        smooth = np.abs(smooth - np.median(smooth))
    smooth = np.where(known, smooth - smooth[known].mean(), 0.0)
    return smooth / (float(smooth.std()) or 1.0)


def _resampled(chunk: Chunk, column: int, grid: Floats) -> tuple[Floats, Bools]:
    """Return a channel on the grid, and where it is known: not in a gap nor at its edges."""
    values = chunk.data[:, column].astype(np.float64)
    good = np.isfinite(values) & chunk.ok
    good[1:] &= np.diff(chunk.times) > 0
    times, values = chunk.times[good], values[good]
    if len(times) < 2:
        return np.zeros(len(grid)), np.zeros(len(grid), np.bool_)
    limit = max(_GAP_INTERVALS * float(np.median(np.diff(times))), _LEAST_GAP_S)
    after = np.clip(np.searchsorted(times, grid), 1, len(times) - 1)
    known = (times[after] - times[after - 1] <= limit) & (grid <= times[-1]) & (grid >= times[0])
    margin = max(1, round(limit / float(grid[1] - grid[0])))
    known = ndimage.binary_erosion(known, iterations=margin, border_value=1)
    return np.interp(grid, times, values), known
