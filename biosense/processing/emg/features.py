"""How much each muscle is at work, on the session grid: level, bursts, quality."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from biosense.core.errors import BadInput
from biosense.core.grid import HOP, grid_time, sample_indices
from biosense.core.types import Bools, Chunk, Epoch, Floats, Ints, StreamInfo
from biosense.processing.signal.grid_points import GridPoints
from biosense.processing.signal.grid_ring import GridRing
from biosense.processing.signal.row_statistics import overlapping_quantiles

MUSCLES = (("zygomaticus", "zyg"), ("corrugator", "corr"), ("trapezius", "trap"))
EMG_CHANNELS = (
    "emg_level",
    "emg_slow",
    "emg_burst",
    "emg_burst_share",
    "emg_burst_rate",
    *(name for name, _ in MUSCLES),
)
BURST, REST = 3.0, 0.2  # times the resting envelope: its lowest fifth of 30 s
REST_S, SLOW_S, SHARE_S = 30.0, 5.0, 10.0
_TOGETHER_S = 8.0  # more windows of REST_S at once do not fit the cache
FLAT_V, LARGEST_V = 5e-8, 5e-3  # an amplifier alone has 0.2 uV and more; muscles below 5 mV


@dataclass
class EmgFeatures:
    """Compute muscle activity at every point of the grid from envelopes in volts.

    ===============  ==============================================================
    emg_level        log of the envelope's RMS of 0.5 s in uV, mean over the muscles
    emg_slow         the same over 5 s
    emg_burst        share of the muscles that are in a burst now
    emg_burst_share  share of the last 10 s, mean over the muscles
    emg_burst_rate   bursts that began in 30 s, per minute, mean over the muscles
    zygomaticus ..   the level of the muscles named in `MUSCLES`, by the channels' names; NaN
                     without one
    ===============  ==============================================================

    A burst is an envelope above 3 times that at rest, which is the 20 % quantile of the last 30 s
    (5 s needed). Quality is the share of values in the last 10 s that are there, ok and neither
    flat (below 0.05 uV) nor beyond 5 mV, mean over the muscles; `reason` is "gaps", "flat",
    "too large" or "untrusted", whichever costs most.

    Parameters
    ----------
    hop
        Step of the grid, seconds.

    Examples
    --------
    >>> from biosense.core.types import Modality
    >>> info = StreamInfo("face", Modality.EMG, ("zygomaticus major",), 32.0, "V")
    >>> stage = EmgFeatures()
    >>> _ = stage.start(info)
    >>> epoch = stage.push(Chunk.of(info, np.arange(640) / 32, np.full((640, 1), 1e-5)))[-1]
    >>> dict(zip(EMG_CHANNELS, epoch.data.round(2).tolist()))["zygomaticus"], epoch.quality
    (2.3, 1.0)
    """

    hop: float = HOP
    _info: StreamInfo = field(init=False, repr=False)
    _rate: float = field(init=False, repr=False)
    _named: list[list[int]] = field(init=False, repr=False)
    _cut: GridPoints = field(init=False, repr=False)
    _ring: GridRing = field(init=False, repr=False)

    def start(self, info: StreamInfo) -> StreamInfo:
        """Look for the muscles that are known by name."""
        if info.sfreq < 1 / self.hop or info.unit != "V":
            raise BadInput(
                f"{info.name!r} has {info.sfreq} Hz in {info.unit!r}; features of EMG need "
                "envelopes in 'V': put EmgEnvelope() before"
            )
        self._rate = info.sfreq
        names = [name.lower() for name in info.channels]
        self._named = [
            [at for at, name in enumerate(names) if short in name] for _, short in MUSCLES
        ]
        self._cut = GridPoints(info.sfreq, self.hop)
        self._ring = GridRing(
            self._samples(REST_S) + 1, info.n_channels + 1, self._samples(_TOGETHER_S)
        )
        self._info = replace(
            info, channels=EMG_CHANNELS, sfreq=1.0 / self.hop, unit="", dtype="float64"
        )
        return self._info

    def push(self, item: Chunk) -> Sequence[Epoch]:
        """Return the features of the points that this chunk completed."""
        indices = sample_indices(item)
        rows = np.column_stack([item.data, item.ok])
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

    def _epochs(self, points: list[int], ends: Ints) -> Iterator[Epoch]:
        rows = self._ring.windows(ends, self._samples(REST_S))
        envelope, present = rows[:, :, :-1], np.isfinite(rows[:, :, -1])
        levels = _levels(envelope[:, -self._samples(0.5) :])
        slow = _levels(envelope[:, -self._samples(SLOW_S) :])
        named = [
            levels[:, at].mean(axis=1) if at else np.full(len(rows), math.nan) for at in self._named
        ]
        bursts = self._bursts(envelope, present, self._at_rest(ends, envelope.shape[1]))
        data = np.column_stack((levels.mean(axis=1), slow.mean(axis=1), bursts, *named))
        trust = self._trust(rows[:, -self._samples(SHARE_S) :])
        for k, (quality, reason), features in zip(points, trust, data, strict=True):
            now = grid_time(k, self.hop)
            yield Epoch(self._info, k, now - SHARE_S, now, features, quality, reason)

    def _at_rest(self, ends: Ints, n: int) -> Floats:
        """Return the envelope of each muscle at rest, in the n values before each end."""
        starts = ends - ends[0]
        rows = self._ring.upto(int(ends[-1]), n + int(starts[-1]))
        known = np.where(np.isfinite(rows[:, -1:]), rows[:, :-1], np.nan)
        muscles = [overlapping_quantiles(one, starts, n, REST) for one in known.T]
        return np.maximum(np.stack(muscles, axis=1), FLAT_V)

    def _bursts(self, envelope: Floats, present: Bools, rest: Floats) -> Floats:
        """Return the share of muscles in a burst now, their share of 10 s, bursts a minute."""
        active = (envelope > BURST * rest[:, None]) & present[:, :, None]
        seconds = present.sum(axis=1) / self._rate
        rate = 60.0 * _begun(active, present).mean(axis=1) / np.maximum(seconds, 1e-9)
        share = self._share(active, present)
        known = (seconds >= 5.0) & present[:, -1]
        found = np.column_stack((active[:, -1].mean(axis=1), share, rate))
        return np.where(known[:, None], found, np.nan)

    def _share(self, active: Bools, present: Bools) -> Floats:
        """Return the share of bursts in the newest values that are there, 10 s of them."""
        n = self._samples(SHARE_S)
        share = active[:, -n:].mean(axis=(1, 2))
        for row in np.flatnonzero(~present[:, -n:].all(axis=1)).tolist():
            newest = np.flatnonzero(present[row])[-n:]
            share[row] = active[row, newest].mean() if len(newest) else 0.0
        return np.asarray(share)

    def _trust(self, rows: Floats) -> list[tuple[float, str]]:
        """Return the share of good values of windows (k, n, channels), and what costs most."""
        there, ok = np.isfinite(rows[:, :, -1:]), rows[:, :, -1:] == 1
        flat, large = rows[:, :, :-1] < FLAT_V, rows[:, :, :-1] > LARGEST_V
        quality = np.mean(ok & ~flat & ~large, axis=(1, 2)).tolist()
        if min(quality) == 1.0:
            return [(1.0, "")] * len(rows)
        names = ("gaps", "flat", "too large", "untrusted")
        costs = [np.mean(cost, axis=(1, 2)) for cost in (~there, flat, large, there & ~ok)]
        worst = np.argmax(costs, axis=0).tolist()
        pairs = zip(quality, worst, strict=True)
        return [(share, "" if share == 1.0 else names[most]) for share, most in pairs]


def _begun(active: Bools, present: Bools) -> Ints:
    """Return how many bursts began in windows (k, n, channels); behind a gap they go on."""
    count = np.count_nonzero(active[:, 1:] > active[:, :-1], axis=1)
    if present.all():  # nearly always
        return np.asarray(count)
    rows, places = np.nonzero(present[:, 1:] & ~present[:, :-1])
    for row, place in zip(rows.tolist(), places.tolist(), strict=True):  # ends of gaps: few
        before = np.flatnonzero(present[row, : place + 1])
        was = active[row, before[-1]] if len(before) else True
        count[row] -= active[row, place + 1] & was
    return np.asarray(count)


def _levels(envelope: Floats) -> Floats:
    """Return the log of the RMS in microvolts of windows (k, n, channels); NaN without a value."""
    rows = envelope.transpose(0, 2, 1)  # each in a row in memory
    known = np.isfinite(rows[:, 0])
    count = np.count_nonzero(known, axis=1)[:, None]
    if not known.all():
        rows = np.where(known[:, None], rows, 0.0)
    rms = np.sqrt(np.vecdot(rows, rows) / np.maximum(count, 1))
    return np.where(count > 0, np.log(1e6 * np.maximum(rms, 1e-9)), np.nan)
