"""Electrodermal features on the session grid: level, drift, responses."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from biosense.core.grid import HOP, grid_time, sample_index
from biosense.core.types import Chunk, Epoch, Floats, Ints, StreamInfo
from biosense.processing.eda_faults import FAULTS, UNTRUSTED
from biosense.processing.eda_signal import EdaPiece, EdaSignal
from biosense.processing.grid_cut import GridCut
from biosense.processing.grid_ring import GridRing
from biosense.processing.scr import CUTOFF_HZ, MIN_AMPLITUDE_US
from biosense.processing.scr_finder import Recovery, Scr, ScrFinder

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
TONIC_SHARE = 0.25
FLAT_US = 1e-5
_GAP = UNTRUSTED + 1


@dataclass
class EdaFeatures:
    """Compute tonic level, its slope and skin conductance responses at every point of the grid.

    Takes regularised EDA in siemens, 4 Hz or more; skin conductance is in microsiemens below:

    =============  ===============================================================================
    scl_log        log of the tonic level (5 s needed)
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

    The tonic level is the lower quartile, over `tonic_window`, of the signal with the decay of
    responses undone (3 s times its slope added: that lies on the level while a response recovers,
    where a quantile of the signal itself waits until it has); it never lies above the signal.

    Quality is the share of valid samples in the last 10 s: there, ok, 0.05 to 60 uS, no slope
    beyond 10 uS/s (Kleckner et al., IEEE TBME 65:1460, 2018), no step of a slipping electrode, and
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
    tonic_window: float = 10.0
    cutoff: float = CUTOFF_HZ
    _info: StreamInfo = field(init=False, repr=False)
    _signal: EdaSignal = field(init=False, repr=False)
    _finder: ScrFinder = field(init=False, repr=False)
    _cut: GridCut = field(init=False, repr=False)
    _ring: GridRing = field(init=False, repr=False)
    _waiting: deque[Scr | Recovery] = field(init=False, repr=False)
    _known: deque[Scr] = field(init=False, repr=False)
    _ended: deque[Recovery] = field(init=False, repr=False)

    def start(self, info: StreamInfo) -> StreamInfo:
        """Design the smoothing and forget everything."""
        self._signal = EdaSignal(info, self.cutoff)
        self._finder = ScrFinder(
            self._signal.rate, self._signal.delay, self._signal.onset_delay, self.min_amplitude
        )
        self._cut = GridCut(info.sfreq, self.hop)
        self._ring = GridRing(self._samples(max(self.tonic_window, COUNT_S)) + 1, 3)
        self._waiting, self._known, self._ended = deque(), deque(), deque()
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
        epochs, done = [], 0
        for _, k in self._cut.cut(item.times):
            last = sample_index(grid_time(k, self.hop), self._signal.rate)
            stop = int(np.searchsorted(indices, last, side="right"))
            self._ring.put(indices[done:stop], rows[done:stop])
            done = stop
            epochs.append(self._epoch(k, last))
        self._ring.put(indices[done:], rows[done:])
        return epochs

    def flush(self) -> Sequence[Epoch]:
        """Return nothing: what is left belongs to a point that was not reached."""
        return []

    def _samples(self, seconds: float) -> int:
        return max(1, round(seconds * self._signal.rate))

    def _epoch(self, k: int, last: int) -> Epoch:
        now = grid_time(k, self.hop)
        self._learn(now)
        quality, reason = self._trust(last)
        data = np.array([*self._levels(last), *self._responses(now, last), *self._course(now)])
        return Epoch(self._info, k, now - QUALITY_S, now, data, quality, reason)

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

    def _trust(self, last: int) -> tuple[float, str]:
        """Return the share of valid samples, and what most of the others have."""
        faults = self._ring.upto(last, self._samples(QUALITY_S))[:, 2]
        share = float(np.mean(faults == 0))
        if share == 1.0:
            whole = self._ring.upto(last, self._samples(COUNT_S))[:, 0]
            still = np.ptp(whole) < FLAT_US  # False while a sample is missing
            return (0.0, "flat") if still else (1.0, "")
        codes = np.nan_to_num(faults, nan=_GAP).astype(np.int64)
        most = int(np.argmax(np.bincount(codes[codes > 0])))
        return share, "gaps" if most == _GAP else FAULTS[most]

    def _levels(self, last: int) -> tuple[float, float, float, float]:
        """Return log level, slope, phasic part and rise."""
        tonic = _present(self._ring.upto(last, self._samples(self.tonic_window))[:, 1])
        recent = self._ring.upto(last, self._samples(SLOPE_S))[:, 0]
        enough = self._samples(5.0)
        if len(tonic) < enough or not np.isfinite(recent[-1]):
            return np.nan, np.nan, np.nan, np.nan
        level = min(float(np.quantile(tonic, TONIC_SHARE)), float(recent[-1]))
        slope, rise = math.nan, math.nan
        if np.isfinite(recent).sum() >= enough:
            steps = _present(np.diff(recent)) * self._signal.rate
            slope, rise = self._slope(recent), float(np.maximum(steps, 0.0).mean())
        log = math.log(level) if level > 0 else math.nan
        return log, slope, float(recent[-1]) - level, rise

    def _slope(self, recent: Floats) -> float:
        known = np.flatnonzero(np.isfinite(recent))
        centred = (known - known.mean()) / self._signal.rate
        return float(np.sum(centred * recent[known]) / np.sum(centred**2))

    def _responses(self, now: float, last: int) -> tuple[float, float, float, float]:
        """Return rate, amplitude, recent amplitude and log of the time since the last response."""
        present = self._ring.upto(last, self._samples(COUNT_S))[:, 0]
        seconds = float(np.isfinite(present).sum()) / self._signal.rate
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


def _present(values: Floats) -> Floats:
    return values[np.isfinite(values)]


def _join(pieces: list[EdaPiece]) -> tuple[Ints, Floats]:
    """Return positions (n,) and rows (n, 3): smoothed, with its decay undone, code of the fault."""
    indices = np.concatenate([np.empty(0, np.int64), *(piece.indices for piece in pieces)])
    rows = [np.column_stack([piece.smooth, piece.undone, piece.faults]) for piece in pieces]
    return indices, np.concatenate([np.empty((0, 3)), *rows])
