"""Skin temperature: level and slope on the session grid, and whether it is one of skin."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from biosense.core.errors import BadInput
from biosense.core.grid import HOP, grid_time, sample_indices
from biosense.core.skin import TEMPERATURE_C
from biosense.core.types import Bools, Chunk, Epoch, Floats, Ints, StreamInfo
from biosense.processing.signal.grid_points import GridPoints
from biosense.processing.signal.grid_ring import TOGETHER_S, GridRing
from biosense.processing.signal.row_statistics import (
    overlapping_quantiles,
    present_quantiles,
    present_slopes,
)

TEMP_CHANNELS = ("temp_level", "temp_slope", "temp_change")
LOWEST_C, HIGHEST_C = TEMPERATURE_C
STEEPEST_C = 1.0  # per second: skin has mass, a sensor that touches or leaves it has not
WORK_HZ = 4.0
LEVEL_S = 5.0
SLOPE_S = 30.0
CHANGE_S = 120.0
QUALITY_S = 10.0
_GAP, _COLD, _HOT, _JUMP, _UNTRUSTED = 1, 2, 3, 4, 5
_REASONS = ("", "gaps", "off the skin", f"above {HIGHEST_C:g} degC", "jump", "untrusted")


@dataclass
class TempFeatures:
    """Compute level and slope of the skin's temperature at every point of the grid.

    Takes one regularised channel in degrees Celsius, 0.5 Hz or more, of which it looks at about 4
    samples a second:

    ===========  ==================================================================
    temp_level   median of the last 5 s, degC
    temp_slope   least-squares slope over 30 s, degC per minute (15 s needed)
    temp_change  level less the median of the last 120 s, degC (60 s needed)
    ===========  ==================================================================

    Values that cannot be skin's count in none of them. Quality is the share of samples in the last
    10 s that are there, ok, 20 to 42 degC and no faster than 1 degC/s; `reason` is "gaps", "off the
    skin", "above 42 degC", "jump" or "untrusted", whichever costs most.

    Parameters
    ----------
    hop
        Step of the grid, seconds.

    Examples
    --------
    >>> from biosense.core.types import Modality
    >>> info = StreamInfo("wrist", Modality.TEMP, ("skin",), 4.0, "degC")
    >>> stage = TempFeatures()
    >>> _ = stage.start(info)
    >>> times = np.arange(240) / 4
    >>> epoch = stage.push(Chunk.of(info, times, 33 + times[:, None] / 60))[-1]
    >>> epoch.data[:2].round(2).tolist(), epoch.quality
    ([33.96, 1.0], 1.0)
    """

    hop: float = HOP
    _info: StreamInfo = field(init=False, repr=False)
    _step: int = field(init=False, repr=False)
    _rate: float = field(init=False, repr=False)
    _cut: GridPoints = field(init=False, repr=False)
    _ring: GridRing = field(init=False, repr=False)
    _last: tuple[int, float] | None = field(init=False, repr=False)

    def start(self, info: StreamInfo) -> StreamInfo:
        """Make the buffers."""
        if info.n_channels != 1 or info.sfreq < 0.5 or info.unit != "degC":
            raise BadInput(
                f"{info.name!r} has {info.n_channels} channels at {info.sfreq} Hz in "
                f"{info.unit!r}; skin temperature needs 1 channel, at least 0.5 Hz, in 'degC': put "
                "ToSI() and Regularise() before, and pick one channel"
            )
        self._step = max(1, int(info.sfreq / WORK_HZ))
        self._rate = info.sfreq / self._step
        self._cut = GridPoints(info.sfreq, self.hop)
        self._ring = GridRing(self._samples(CHANGE_S) + 1, 2, self._samples(TOGETHER_S))
        self._last = None
        self._info = replace(
            info, channels=TEMP_CHANNELS, sfreq=1.0 / self.hop, unit="", dtype="float64"
        )
        return self._info

    def push(self, item: Chunk) -> Sequence[Epoch]:
        """Return the features of the points that this chunk completed."""
        indices = sample_indices(item)
        kept = np.flatnonzero((indices % self._step == 0) & np.isfinite(item.data[:, 0]))
        places = indices[kept] // self._step
        values = item.data[kept, 0]
        rows = np.column_stack([values, self._faults(places, values, item.ok[kept])])
        points, ends = self._cut.ends(item.times, self._rate)
        return [
            epoch
            for group in self._ring.groups(places, rows, ends)
            for epoch in self._epochs(points[group], ends[group])
        ]

    def flush(self) -> Sequence[Epoch]:
        """Return nothing: what is left belongs to a point that was not reached."""
        return []

    def _samples(self, seconds: float) -> int:
        return max(1, round(seconds * self._rate))

    def _faults(self, places: Ints, values: Floats, ok: Bools) -> Ints:
        """Return the code of what is wrong with each sample, 0 where nothing."""
        if len(values) == 0:
            return np.empty(0, np.int64)
        before = self._last if self._last is not None else (int(places[0]) - 1, float(values[0]))
        self._last = int(places[-1]), float(values[-1])
        steps = np.diff(places, prepend=before[0]) / self._rate
        fast = np.abs(np.diff(values, prepend=before[1])) > STEEPEST_C * steps
        wrong = [values < LOWEST_C, values > HIGHEST_C, fast, ~ok]
        return np.select(wrong, [_COLD, _HOT, _JUMP, _UNTRUSTED], 0)

    def _epochs(self, points: list[int], ends: Ints) -> Iterator[Epoch]:
        n, starts = self._samples(CHANGE_S), ends - ends[0]
        rows = self._ring.upto(int(ends[-1]), n + int(starts[-1]))
        faults = rows[:, 1]
        values = np.where((faults == 0) | (faults == _JUMP), rows[:, 0], np.nan)
        late = n - self._samples(QUALITY_S)
        recent = _windows(faults, starts + late, n - late)
        shares = np.mean(recent == 0, axis=1).tolist()
        features = self._features(values, starts, n)
        for k, share, codes, data in zip(points, shares, recent, features, strict=True):
            now, most = grid_time(k, self.hop), 0
            if share < 1:
                wrong = np.where(np.isnan(codes), _GAP, codes).astype(np.int64)
                most = int(np.argmax(np.bincount(wrong[wrong > 0])))
            yield Epoch(self._info, k, now - QUALITY_S, now, data, share, _REASONS[most])

    def _features(self, values: Floats, starts: Ints, n: int) -> Floats:
        """Return level, slope and change of windows of n values from each of `starts`, (k, 3)."""
        short, long = self._samples(LEVEL_S), self._samples(SLOPE_S)
        recent = _windows(values, starts + n - long, long)
        level = present_quantiles(_windows(values, starts + n - short, short), 0.5)
        sloped = np.isfinite(recent).sum(axis=1) >= max(3, self._samples(SLOPE_S / 2))
        slope = np.where(sloped, 60.0 * present_slopes(recent, self._rate), np.nan)
        known = np.concatenate(([0], np.cumsum(np.isfinite(values))))
        changed = known[starts + n] - known[starts] >= self._samples(CHANGE_S / 2)
        change = np.full(len(starts), np.nan)
        if changed.any():
            usual = overlapping_quantiles(values, starts[changed], n, 0.5)
            change[changed] = level[changed] - usual
        return np.column_stack((level, slope, change))


def _windows(values: Floats, starts: Ints, n: int) -> Floats:
    """Return the n values from each of `starts`, (k, n)."""
    windows: Floats = values[starts[:, None] + np.arange(n)]
    return windows
