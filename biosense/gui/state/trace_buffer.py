"""The last seconds of one stream as they are drawn; filled by one thread, read by another."""

from __future__ import annotations

import threading
from dataclasses import dataclass

import numpy as np
from scipy import signal

from biosense.core.grid import longest_step
from biosense.core.ring import MirroredRing
from biosense.core.types import Bools, Chunk, Floats, StreamInfo
from biosense.gui.state.panels import Panel, screen_unit
from biosense.processing.signal.units import ToSI

_IRREGULAR_GAP_S = 2.0
_IRREGULAR_HZ = 250.0  # room for streams without a nominal rate
_ROOM = 1.5  # senders are faster than they say


def gap_of(sfreq: float) -> float:
    """Return the distance of two samples, seconds, from which on they are not connected."""
    return longest_step(sfreq) if sfreq > 0 else _IRREGULAR_GAP_S


class EyeFilter:
    """Take drift (and noise above a pulse) out of one lane, for the eye only.

    Causal; starts anew, without a swing, behind each gap and each missing value.

    Examples
    --------
    >>> level = EyeFilter((0.5, 0.0), 100.0).push(np.full(3, 7.0), np.zeros(3, bool))
    >>> bool(np.allclose(level, 0.0))
    True
    """

    def __init__(self, band: tuple[float, float], sfreq: float) -> None:
        self._sos = _design(band, sfreq)
        self._state: Floats | None = None

    def push(self, values: Floats, fresh: Bools) -> Floats:
        """Filter values (n,); `fresh` where a sample does not continue the one before."""
        if self._sos is None:
            return values
        result = np.full(len(values), np.nan)
        known = np.isfinite(values)
        before = np.concatenate([[True], known[:-1]])
        cuts = np.flatnonzero(fresh | (known != before))
        for start, stop in zip([0, *cuts], [*cuts, len(values)], strict=True):
            if start == stop:
                continue
            if fresh[start] or not known[start]:
                self._state = None
            if known[start]:
                result[start:stop] = self._run(values[start:stop])
        return result

    def _run(self, values: Floats) -> Floats:
        assert self._sos is not None
        if self._state is None:
            self._state = signal.sosfilt_zi(self._sos) * values[0]
        result, self._state = signal.sosfilt(self._sos, values, zi=self._state)
        filtered: Floats = result
        return filtered


def _design(band: tuple[float, float], sfreq: float) -> Floats | None:
    low, high = band
    high = high if high < 0.45 * sfreq else 0.0
    if low <= 0 or low >= 0.45 * sfreq:
        return None
    if high:
        return signal.butter(2, [low, high], "bandpass", fs=sfreq, output="sos")
    return signal.butter(1, low, "highpass", fs=sfreq, output="sos")


@dataclass(frozen=True, eq=False)
class Snapshot:
    """Hold samples copied out of a buffer; `first` counts from the stream's beginning."""

    first: int
    times: Floats
    values: Floats


class TraceBuffer:
    """Keep what is drawn of one stream.

    Parameters
    ----------
    panel
        Which channels, on which scale.
    info
        The stream, as the run describes it.
    seconds
        How much is kept.

    Examples
    --------
    >>> from biosense.core.types import Modality
    >>> from biosense.gui.state.panels import _STYLES
    >>> panel = Panel("wrist", Modality.EDA, "EDA", ("EDA",), _STYLES[Modality.EDA], lambda x: x)
    >>> info = StreamInfo("wrist", Modality.EDA, ("eda",), 4.0, "S")
    >>> buffer = TraceBuffer(panel, info, 10.0)
    >>> buffer.append(Chunk.of(info, [0.0, 0.25], [[2e-6], [3e-6]]))
    >>> buffer.since(1).values.round(3).tolist(), buffer.unit
    ([[3.0]], 'µS')
    """

    def __init__(self, panel: Panel, info: StreamInfo, seconds: float) -> None:
        self.panel = panel
        self.gap = gap_of(info.sfreq)
        self._si = ToSI()
        unit = self._si.start(info).unit
        self.unit, self._factor = screen_unit(panel.style, unit)
        if panel.unit is not None:
            self.unit, self._factor = panel.unit, 1.0
        self._filters = [EyeFilter(panel.style.band, info.sfreq) for _ in panel.lanes]
        rows = int(seconds * (info.sfreq * _ROOM or _IRREGULAR_HZ)) + 1
        self._ring = MirroredRing(rows, 1 + len(panel.lanes))
        self._lock = threading.Lock()
        self._last = np.nan

    def append(self, chunk: Chunk) -> None:
        """Take samples of the stream, in the unit of its sender."""
        for known in self._si.push(chunk):
            drawn = self.panel.take(known.data) * self._factor
            fresh = np.diff(known.times, prepend=self._last) > self.gap
            lanes = [lane.push(drawn[:, at], fresh) for at, lane in enumerate(self._filters)]
            self._last = float(known.times[-1])
            with self._lock:
                self._ring.append(np.column_stack([known.times, *lanes]))

    @property
    def total(self) -> int:
        """Samples since the beginning."""
        return self._ring.total

    def since(self, row: int) -> Snapshot:
        """Copy the samples from `row` on, or as many of them as are kept."""
        with self._lock:
            total = self._ring.total
            first = min(max(row, total - len(self._ring)), total)
            rows = self._ring.window(first, total).copy()
        return Snapshot(first, rows[:, 0], rows[:, 1:])

    def last_seconds(self, seconds: float) -> Snapshot:
        """Copy the samples of the last seconds before the newest one."""
        whole = self.since(0)
        if len(whole.times) == 0:
            return whole
        at = int(np.searchsorted(whole.times, whole.times[-1] - seconds))
        return Snapshot(whole.first + at, whole.times[at:], whole.values[at:])
