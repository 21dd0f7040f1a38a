"""Electrodermal features on the session grid: level, drift, responses."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from biosense.core.grid import HOP, grid_time
from biosense.core.types import Chunk, Epoch, Floats, Ints, StreamInfo
from biosense.processing.eda.artefacts import FAULTS, UNTRUSTED
from biosense.processing.eda.scr import CUTOFF_HZ, MIN_AMPLITUDE_US
from biosense.processing.eda.scr_finder import Recovery, Scr, ScrFinder
from biosense.processing.eda.signal import EdaSegment, EdaSignal
from biosense.processing.signal.grid_points import GridPoints
from biosense.processing.signal.grid_ring import TOGETHER_S, GridRing
from biosense.processing.signal.row_statistics import present_quantiles, present_slopes

EDA_CHANNELS = (
    "scl_log",
    "scl_slope",
    "phasic",
    "rise",
    "scr_rate",
    "scr_amplitude",
    "scr_recent",
    "scr_since",
    "scr_rise_time",
    "scr_recovery",
)
COUNT_S = 30.0
SLOPE_S = 10.0
QUALITY_S = 10.0
FORGET_S = 5.0
LONGEST_WAIT_S = 60.0
TONIC_SHARE = 0.15
TONIC_HZ = 0.05  # what BIOPAC's and NeuroKit2's split takes for tonic lies below
FLAT_US = 1e-5
_GAP = UNTRUSTED + 1


@dataclass
class EdaFeatures:
    """Compute tonic level, its slope and skin conductance responses at every point of the grid.

    Takes regularised EDA in siemens, 4 Hz or more; skin conductance is in microsiemens below:

    =============  ===============================================================================
    scl_log        log of the tonic level, smoothed (5 s needed)
    scl_slope      least-squares slope of the smoothed signal over 10 s, uS/s (5 s needed)
    phasic         smoothed signal above the tonic level, uS
    rise           how fast it rises: mean of the positive slopes of 10 s, uS/s (5 s needed)
    scr_rate       responses confirmed in 30 s, per minute (10 s needed)
    scr_amplitude  sum of their amplitudes, uS
    scr_recent     sum of amplitudes that decays with 5 s after each confirmation, uS
    scr_since      log(1 + seconds since the last onset), capped at 60 s
    scr_rise_time  mean time from onset to peak of the responses of 30 s, s; NaN without any
    scr_recovery   mean time from peak to half of the amplitude, of those that were seen to get
                   there in the last 60 s, s; NaN without any
    =============  ===============================================================================

    The tonic level is the 15 % quantile, over `tonic_window`, of the signal with the decay of
    responses undone (3 s times its slope added: that lies on the level while a response recovers,
    where a quantile of the signal itself waits until it has). A low-pass of first order at 0.05 Hz
    smooths it for `scl_log` only: it lags, and with it `phasic` would lose small responses while
    the level falls. Neither lies above the signal.

    Quality is the share of valid samples in the last 10 s: there, ok, 0.05 to 60 uS, no slope
    beyond 10 uS/s [1]_, no step of a slipping electrode, and
    none of that in the 5 s before; 0 where nothing moved for 30 s. `reason` names what cost most:
    "gaps", "flat", or one of `FAULTS`.

    Parameters
    ----------
    hop
        Step of the grid, seconds.
    min_amplitude
        Of a response, microsiemens; 0.05 for old or noisy equipment.
    tonic_window
        Seconds.
    cutoff
        Of the smoothing, Hz.

    References
    ----------
    .. [1] I. R. Kleckner et al., "Simple, transparent, and flexible automated quality assessment
       procedures for ambulatory electrodermal activity data," IEEE Transactions on Biomedical
       Engineering 65(7), 1460-1467, 2018.

    Examples
    --------
    >>> from biosense.core.types import Modality
    >>> info = StreamInfo("palm", Modality.EDA, ("eda",), 8.0, "S")
    >>> stage = EdaFeatures()
    >>> stage.start(info).channels[:3]
    ('scl_log', 'scl_slope', 'phasic')
    >>> epoch = stage.push(Chunk.of(info, np.arange(120) / 8, np.full((120, 1), 4e-6)))[-1]
    >>> epoch.stop, float(np.exp(epoch.data[0]).round(6)), epoch.quality
    (14.75, 4.0, 1.0)
    """

    hop: float = HOP
    min_amplitude: float = MIN_AMPLITUDE_US
    tonic_window: float = 8.0
    cutoff: float = CUTOFF_HZ
    _info: StreamInfo = field(init=False, repr=False)
    _signal: EdaSignal = field(init=False, repr=False)
    _finder: ScrFinder = field(init=False, repr=False)
    _cut: GridPoints = field(init=False, repr=False)
    _ring: GridRing = field(init=False, repr=False)
    _waiting: deque[Scr | Recovery] = field(init=False, repr=False)
    _known: deque[Scr] = field(init=False, repr=False)
    _ended: deque[Recovery] = field(init=False, repr=False)
    _tonic: float = field(init=False, repr=False)

    def start(self, info: StreamInfo) -> StreamInfo:
        """Design the smoothing and forget everything."""
        self._signal = EdaSignal(info, self.cutoff)
        self._finder = ScrFinder(
            self._signal.rate, self._signal.delay, self._signal.onset_delay, self.min_amplitude
        )
        self._cut = GridPoints(info.sfreq, self.hop)
        longest, spare = self._samples(max(self.tonic_window, COUNT_S)), self._samples(TOGETHER_S)
        self._ring = GridRing(longest + 1, 3, spare)
        self._waiting, self._known, self._ended = deque(), deque(), deque()
        self._tonic = math.nan
        self._info = replace(
            info, channels=EDA_CHANNELS, sfreq=1.0 / self.hop, unit="", dtype="float64"
        )
        return self._info

    def push(self, item: Chunk) -> Sequence[Epoch]:
        """Return the features of the points that this chunk completed."""
        pieces = self._signal.push(item)
        for piece in pieces:
            self._waiting.extend(self._finder.push(piece))
        indices, rows = _join(pieces)
        points, ends = self._cut.ends(item.times, self._signal.rate)
        return [
            epoch
            for group in self._ring.groups(indices, rows, ends)
            for epoch in self._epochs(points[group], ends[group])
        ]

    def flush(self) -> Sequence[Epoch]:
        """Return nothing: what is left belongs to a point that was not reached."""
        return []

    def _samples(self, seconds: float) -> int:
        return max(1, round(seconds * self._signal.rate))

    def _epochs(self, points: list[int], ends: Ints) -> Iterator[Epoch]:
        rows = self._ring.windows(ends, self._samples(max(self.tonic_window, COUNT_S)))
        smooth = rows[:, -self._samples(COUNT_S) :, 0]
        trust = self._trust(rows[:, -self._samples(QUALITY_S) :, 2], smooth)
        levels = self._levels(smooth, rows[:, -self._samples(self.tonic_window) :, 1])
        seconds = (np.isfinite(smooth).sum(axis=1) / self._signal.rate).tolist()
        for k, (quality, reason), level, known in zip(points, trust, levels, seconds, strict=True):
            now = grid_time(k, self.hop)
            self._learn(now)
            data = np.array([*level, *self._responses(now, known), *self._course(now)])
            yield Epoch(self._info, k, now - QUALITY_S, now, data, quality, reason)

    def _learn(self, now: float) -> None:
        """Take over what is known by now; forget what is older than a minute."""
        while self._waiting and self._waiting[0].known_at <= now + 1e-9:
            one = self._waiting.popleft()
            if isinstance(one, Scr):
                self._known.append(one)
            elif math.isfinite(one.half):
                self._ended.append(one)
        for old in (self._known, self._ended):
            while old and old[0].known_at <= now - LONGEST_WAIT_S:
                old.popleft()

    def _trust(self, faults: Floats, smooth: Floats) -> list[tuple[float, str]]:
        """Return the share of valid samples, and what most of the others have, of each window."""
        shares = np.mean(faults == 0, axis=1)
        still = np.ptp(smooth, axis=1) < FLAT_US  # False while a sample is missing
        found = []
        for share, flat, row in zip(shares.tolist(), still.tolist(), faults, strict=True):
            if share == 1.0:
                found.append((0.0, "flat") if flat else (1.0, ""))
                continue
            codes = np.where(np.isnan(row), _GAP, row).astype(np.int64)
            most = int(np.argmax(np.bincount(codes[codes > 0])))
            found.append((share, "gaps" if most == _GAP else FAULTS[most]))
        return found

    def _levels(self, smooth: Floats, undone: Floats) -> list[tuple[float, float, float, float]]:
        """Return log level, slope, phasic part and rise of each window."""
        recent, newest = smooth[:, -self._samples(SLOPE_S) :], smooth[:, -1]
        enough = self._samples(5.0)
        known = np.isfinite(undone).sum(axis=1) >= enough
        level = np.where(known, present_quantiles(undone, TONIC_SHARE), np.nan)
        steps = np.diff(recent, axis=1) * self._signal.rate
        there = np.isfinite(steps)
        rises = np.where(there, np.maximum(steps, 0.0), 0.0).sum(axis=1)
        rises = rises / np.maximum(there.sum(axis=1), 1)
        moves = np.isfinite(newest) & (np.isfinite(recent).sum(axis=1) >= enough)
        columns = (
            np.minimum(self._smoothed(level), newest),
            np.where(moves, present_slopes(recent, self._signal.rate), np.nan),
            np.maximum(newest - level, 0.0),
            np.where(moves, rises, np.nan),
        )
        return [
            (math.log(tonic) if tonic > 0 else math.nan, slope, phasic, rise)
            for tonic, slope, phasic, rise in np.column_stack(columns).tolist()
        ]

    def _smoothed(self, levels: Floats) -> Floats:
        """Return levels of successive points behind the low-pass; a missing one starts it anew."""
        keep = math.exp(-2 * math.pi * TONIC_HZ * self.hop)
        smoothed = []
        for level in levels.tolist():
            before = level if math.isnan(self._tonic) else self._tonic
            self._tonic = level + keep * (before - level)
            smoothed.append(self._tonic)
        return np.array(smoothed)

    def _responses(self, now: float, seconds: float) -> tuple[float, float, float, float]:
        """Return rate, amplitude, recent amplitude and log of the time since the last response.

        `seconds` of the last 30 are there.
        """
        if seconds < 10.0:
            return np.nan, np.nan, np.nan, np.nan
        counted = [scr.amplitude for scr in self._known if scr.known_at > now - COUNT_S]
        recent = sum(s.amplitude * math.exp((s.known_at - now) / FORGET_S) for s in self._known)
        since = now - self._known[-1].onset if self._known else LONGEST_WAIT_S
        waited = math.log1p(min(since, LONGEST_WAIT_S))
        return 60.0 * len(counted) / seconds, sum(counted), recent, waited

    def _course(self, now: float) -> tuple[float, float]:
        """Return mean rise time and mean half recovery."""
        rises = [scr.rise_time for scr in self._known if scr.known_at > now - COUNT_S]
        return _mean(rises), _mean([one.half for one in self._ended])


def _mean(values: list[float]) -> float:
    return sum(values) / len(values) if values else math.nan


def _join(pieces: list[EdaSegment]) -> tuple[Ints, Floats]:
    """Return positions (n,) and rows (n, 3): smoothed, with its decay undone, code of the fault."""
    indices = np.concatenate([np.empty(0, np.int64), *(piece.indices for piece in pieces)])
    rows = [np.column_stack([piece.smooth, piece.undone, piece.faults]) for piece in pieces]
    return indices, np.concatenate([np.empty((0, 3)), *rows])
