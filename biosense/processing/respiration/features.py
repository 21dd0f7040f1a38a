"""Respiration from a belt or a nasal sensor: rate, depth and their steadiness on the grid."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field, replace
from statistics import median

import numpy as np
from scipy import signal

from biosense.core.errors import BadInput
from biosense.core.grid import HOP, contiguous_runs, grid_time, sample_indices
from biosense.core.types import Bools, Chunk, Epoch, Floats, Ints, StreamInfo
from biosense.processing.respiration.breaths import Breath, BreathFinder
from biosense.processing.respiration.quality import BreathQuality, breath_qualities
from biosense.processing.signal.grid_points import GridPoints
from biosense.processing.signal.grid_ring import TOGETHER_S, GridRing
from biosense.processing.signal.small_chunk_filter import SmallChunkFilter

RESP_CHANNELS = (
    "resp_rate",
    "resp_spread",
    "resp_depth",
    "resp_inspiration",
    "resp_since",
)
WORK_HZ = 10.0
LEAST_HZ = 4.0
COUNT_S = 30.0
QUALITY_S = 20.0
LONGEST_WAIT_S = 60.0
RAIL_SHARE = 0.1  # of the samples at one and the same end of the range: clipped


@dataclass
class RespFeatures:
    """Compute rate and depth of breathing at every point of the grid.

    Takes a regularised signal of one channel in any unit, 4 Hz or more, that rises while air or
    chest goes in. It is smoothed (Bessel, second order, `cutoff`) and looked at 10 times a second;
    breaths are found by `BreathFinder`. Of the breaths of the last 30 s:

    ================  =============================================================
    resp_rate         60 over the median interval between peaks, per minute
    resp_spread       their SD over their mean; three breaths needed
    resp_depth        log of the median depth, in the unit of the signal
    resp_inspiration  median share of the interval from trough to peak
    resp_since        log(1 + seconds since the last peak), capped at 60 s
    ================  =============================================================

    Quality is the share of samples in the last 20 s that are there and ok; times the share that is
    not at the end of the range where it is clipped; 0 where it is flat or mostly noise, and at most
    0.5 without a breath in that time (10 s needed). `reason` is "gaps", "clipped", "flat", "noise"
    or "no breaths".

    Parameters
    ----------
    hop
        Step of the grid, seconds.
    cutoff
        Of the smoothing, Hz.

    Examples
    --------
    >>> from biosense.core.types import Modality
    >>> info = StreamInfo("belt", Modality.RESP, ("chest",), 10.0)
    >>> stage = RespFeatures()
    >>> _ = stage.start(info)
    >>> times = np.arange(400) / 10
    >>> wave = np.sin(2 * np.pi * 0.25 * times)
    >>> epoch = stage.push(Chunk.of(info, times, wave[:, None]))[-1]
    >>> round(float(epoch.data[0]), 1), epoch.quality
    (15.0, 1.0)
    """

    hop: float = HOP
    cutoff: float = 1.0
    _info: StreamInfo = field(init=False, repr=False)
    _step: int = field(init=False, repr=False)
    _rate: float = field(init=False, repr=False)
    _expected: int | None = field(init=False, repr=False)
    _low: SmallChunkFilter = field(init=False, repr=False)
    _finder: BreathFinder = field(init=False, repr=False)
    _cut: GridPoints = field(init=False, repr=False)
    _ring: GridRing = field(init=False, repr=False)
    _waiting: deque[Breath] = field(init=False, repr=False)
    _known: deque[Breath] = field(init=False, repr=False)
    _counted: deque[Breath] = field(init=False, repr=False)
    _summary: tuple[float, ...] = field(init=False, repr=False)

    def start(self, info: StreamInfo) -> StreamInfo:
        """Design the smoothing and forget everything."""
        if info.n_channels != 1 or info.sfreq < LEAST_HZ:
            raise BadInput(
                f"{info.name!r} has {info.n_channels} channels at {info.sfreq} Hz; respiration "
                f"needs 1 channel, at least {LEAST_HZ:g} Hz: put Regularise() before, and pick one "
                "channel"
            )
        self._step = max(1, int(info.sfreq / WORK_HZ))
        self._rate = info.sfreq / self._step
        cutoff = min(self.cutoff, 0.19 * info.sfreq)
        self._low = SmallChunkFilter(
            signal.bessel(2, cutoff, fs=info.sfreq, output="sos", norm="mag")
        )
        self._finder = BreathFinder(self._rate, self._delay(info.sfreq))
        self._cut = GridPoints(info.sfreq, self.hop)
        self._ring = GridRing(self._samples(QUALITY_S) + 1, 3, self._samples(TOGETHER_S))
        self._waiting, self._known, self._counted = deque(), deque(), deque()
        self._summary = _summary(self._counted)
        self._expected: int | None = None
        self._info = replace(
            info, channels=RESP_CHANNELS, sfreq=1.0 / self.hop, unit="", dtype="float64"
        )
        return self._info

    def push(self, item: Chunk) -> Sequence[Epoch]:
        """Return the features of the points that this chunk completed."""
        indices, rows = self._thinned(item)
        points, ends = self._cut.ends(item.times, self._rate)
        return [
            epoch
            for group in self._ring.groups(indices, rows, ends)
            for epoch in self._epochs(points[group], ends[group])
        ]

    def flush(self) -> Sequence[Epoch]:
        """Return nothing: what is left belongs to a point that was not reached."""
        return []

    def _samples(self, seconds: float) -> int:
        return max(1, round(seconds * self._rate))

    def _delay(self, sfreq: float) -> float:
        """Return how far the smoothed signal lags behind a ramp, seconds."""
        ramp = np.arange(round(20 * sfreq)) / sfreq
        return float(ramp[-1] - self._low.filter(ramp)[-1])

    def _thinned(self, chunk: Chunk) -> tuple[Ints, Floats]:
        """Return positions at the working rate, rows of smoothed, raw and ok; find the breaths."""
        present = np.isfinite(chunk.data[:, 0])
        indices = sample_indices(chunk)[present]
        values, ok = chunk.data[present, 0], chunk.ok[present]
        places, rows = [np.empty(0, np.int64)], [np.empty((0, 3))]
        for start, stop, fresh in contiguous_runs(indices, self._expected):
            part = slice(start, stop)
            at, row = self._run(indices[part], values[part], ok[part], fresh)
            places.append(at)
            rows.append(row)
            self._expected = int(indices[stop - 1]) + 1
        return np.concatenate(places), np.concatenate(rows)

    def _run(self, indices: Ints, values: Floats, ok: Bools, fresh: bool) -> tuple[Ints, Floats]:
        if fresh:
            self._low.prime(float(values[0]))
            self._finder.reset()
        smooth = self._low.filter(values)
        kept = np.flatnonzero(indices % self._step == 0)
        places = indices[kept] // self._step
        # A loop over samples, ten a second: each turn decides what the next one has to reach.
        for at, value in zip(places.tolist(), smooth[kept].tolist(), strict=True):
            self._waiting.extend(self._finder.push(at, value))
        return places, np.column_stack([smooth[kept], values[kept], ok[kept]])

    def _epochs(self, points: list[int], ends: Ints) -> Iterator[Epoch]:
        rows = self._ring.windows(ends, self._samples(QUALITY_S))
        there = np.isfinite(rows[:, :, 0])
        shares = np.mean(there & (rows[:, :, 2] == 1), axis=1).tolist()
        signals = breath_qualities(rows[:, :, 0], rows[:, :, 1], there)
        for k, share, seen in zip(points, shares, signals, strict=True):
            now = grid_time(k, self.hop)
            self._learn(now)
            quality, reason = self._trust(now, share, seen)
            yield Epoch(self._info, k, now - QUALITY_S, now, self._features(now), quality, reason)

    def _learn(self, now: float) -> None:
        """Take over what is known by now; count 30 s of it and forget what is older than 60."""
        changed = False
        while self._waiting and self._waiting[0].known_at <= now + 1e-9:
            self._known.append(self._waiting[0])
            self._counted.append(self._waiting.popleft())
            changed = True
        for breaths, seconds in ((self._known, LONGEST_WAIT_S), (self._counted, COUNT_S)):
            while breaths and breaths[0].known_at <= now - seconds:
                breaths.popleft()
                changed = True
        if changed:
            self._summary = _summary(self._counted)

    def _features(self, now: float) -> Floats:
        since = math.nan
        if self._known:
            since = math.log1p(min(now - self._known[-1].peak, LONGEST_WAIT_S))
        return np.array([*self._summary, since])

    def _trust(self, now: float, share: float, seen: BreathQuality) -> tuple[float, str]:
        """Return the quality of the last 20 s and what lowers it."""
        if not seen.present:
            return 0.0, "gaps"
        enough = seen.present >= self._samples(QUALITY_S / 2)
        if enough and seen.is_flat:
            return 0.0, "flat"
        breathed = self._known and self._known[-1].known_at > now - QUALITY_S
        paused = self._known and not breathed  # what is left then is noise, and not to blame
        if enough and not paused and seen.is_noise:
            return 0.0, "noise"
        rails = seen.clipped if enough else 0.0
        if rails > RAIL_SHARE:
            return share * (1 - rails), "clipped"
        if enough and not breathed:
            return min(share, 0.5), "no breaths"
        return share, "" if share == 1.0 else "gaps"


def _summary(breaths: Collection[Breath]) -> tuple[float, ...]:
    """Return the features of some breaths, the time since the last one left out."""
    intervals = [b.interval for b in breaths if math.isfinite(b.interval)]
    shares = [b.inspiration for b in breaths if math.isfinite(b.inspiration)]
    rate = 60.0 / median(intervals) if intervals else math.nan
    spread = math.nan
    if len(intervals) >= 3:
        spread = float(np.std(intervals) / np.mean(intervals))
    depth = math.log(median([b.depth for b in breaths])) if breaths else math.nan
    return rate, spread, depth, median(shares) if shares else math.nan
