"""Find skin conductance responses, from trough to peak."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

import numpy as np

from biosense.core.types import Bools, Chunk, Floats, StreamInfo
from biosense.processing.beat_logic import PeakTracker
from biosense.processing.eda_signal import EdaPiece, EdaSignal

CUTOFF_HZ = 1.5
MIN_AMPLITUDE_US = 0.03  # 0.01 to 0.05 are usual: Boucsein et al., Psychophysiology 49:1017, 2012
HOLD_S = 0.5
LONGEST_RISE_S = 5.0
SHORTEST_RISE_S = 0.3
STEP_S = 0.25  # an electrode that slips needs no longer
STEP_SHARE = 0.75
DESCENT = 0.01
SLIP_DESCENT, SPIKE_DESCENT = 0.1, 0.7  # a slip stays, a spike is gone; a steep response is between
SCR_CHANNELS = ("amplitude", "rise_time", "known_at")


class Scr(NamedTuple):
    """Hold one response: onset in session time, amplitude in microsiemens, times in seconds."""

    onset: float
    amplitude: float
    rise_time: float
    known_at: float


class ScrFinder:
    """Find responses in prepared skin conductance.

    A peak counts when nothing exceeds it for 0.5 s and the signal has come down by 1 % of the rise
    by then. The trough is found by walking back from the peak until the signal turns up by more
    than a tenth of the rise; the onset is where 5 % of the rise is reached. No response: a rise
    below the minimum, shorter than 0.3 s or longer than 5 s, one with invalid samples, or one of
    which three quarters happened within 0.25 s and that then stays (a slipping electrode) or is
    gone in 0.5 s (a spike).

    Parameters
    ----------
    rate
        Working rate, Hz.
    delay
        Delay of the smoothing, seconds: taken off the onset.
    min_amplitude
        Microsiemens.
    """

    def __init__(self, rate: float, delay: float, min_amplitude: float) -> None:
        self._rate, self._delay, self._min_amplitude = rate, delay, min_amplitude
        self._tracker = PeakTracker(max(2, round(HOLD_S * rate)))
        self._keep = round((LONGEST_RISE_S + 3.0) * rate)
        self._clear()

    def _clear(self) -> None:
        self._tracker.reset()
        self._smooth = self._raw = np.empty(0)
        self._valid: Bools = np.empty(0, bool)

    def push(self, piece: EdaPiece) -> list[Scr]:
        """Take the next samples; return the responses that they confirm."""
        if piece.fresh:
            self._clear()
        if len(piece.indices) == 0:
            return []
        self._smooth = np.concatenate([self._smooth, piece.smooth])
        self._raw = np.concatenate([self._raw, piece.raw])
        self._valid = np.concatenate([self._valid, piece.valid])
        origin = int(piece.indices[-1]) + 1 - len(self._smooth)
        found = []
        for at, _, known in self._tracker.push(piece.smooth, int(piece.indices[0])):
            response = self._response(at - origin, known - origin, origin)
            found += [response] if response is not None else []
        keep = self._keep + self._tracker.hold
        self._smooth, self._raw = self._smooth[-keep:], self._raw[-keep:]
        self._valid = self._valid[-keep:]
        return found

    def _response(self, peak: int, known: int, origin: int) -> Scr | None:
        first = max(0, peak - self._keep + 1)
        trough = peak - _trough(self._smooth[first : peak + 1][::-1])
        amplitude = float(self._smooth[peak] - self._smooth[trough])
        if amplitude < self._min_amplitude or not self._valid[trough : known + 1].all():
            return None
        rise = self._smooth[trough : peak + 1]
        onset = trough + int(np.flatnonzero(rise <= rise[0] + 0.05 * amplitude)[-1])
        seconds = (peak - onset) / self._rate
        if not SHORTEST_RISE_S <= seconds <= LONGEST_RISE_S:
            return None
        descent = float(self._smooth[peak] - self._smooth[known]) / amplitude
        steep = self._steepest(trough, peak) > STEP_SHARE * amplitude
        if descent < DESCENT or (steep and not SLIP_DESCENT < descent < SPIKE_DESCENT):
            return None
        time = (onset + origin) / self._rate - self._delay
        return Scr(time, amplitude, seconds, (known + origin) / self._rate)

    def _steepest(self, trough: int, peak: int) -> float:
        """Return the largest change of the raw signal within `STEP_S` on the way up."""
        span = max(1, round(STEP_S * self._rate))
        early = max(0, trough - span - round(2 * self._delay * self._rate))
        raw = self._raw[early : peak + 1]
        return float((raw[span:] - raw[:-span]).max()) if len(raw) > span else 0.0


def _trough(backwards: Floats) -> int:
    """Return how many samples before a peak (the first value) the signal had its trough.

    >>> _trough(np.array([1.0, 0.8, 0.3, 0.1, 0.12, 0.4, 0.0]))
    3
    """
    lowest = np.minimum.accumulate(backwards)
    turned = np.flatnonzero(backwards - lowest > 0.1 * (backwards[0] - lowest) + 1e-3)
    return int(np.argmin(backwards[: turned[0]] if len(turned) else backwards))


@dataclass
class ScrDetector:
    """Detect skin conductance responses online.

    Takes regularised EDA in siemens, 4 Hz or more. Gives responses as chunks: times are the onsets,
    columns amplitude (siemens), rise_time (seconds) and known_at (session time at which the
    response was confirmed, 0.5 s after its smoothed peak). The criteria: `ScrFinder`.

    Parameters
    ----------
    min_amplitude
        Microsiemens; 0.05 for old or noisy equipment.
    cutoff
        Of the smoothing, Hz.

    Examples
    --------
    >>> from biosense.core.types import Modality
    >>> info = StreamInfo("palm", Modality.EDA, ("eda",), 8.0, "S")
    >>> since = np.maximum(np.arange(0, 20, 0.125) - 5.0, 0)
    >>> response = 0.5 / 0.37 * (np.exp(-since / 2) - np.exp(-since / 0.7))
    >>> detector = ScrDetector()
    >>> _ = detector.start(info)
    >>> eda = Chunk.of(info, np.arange(160) / 8, 1e-6 * (3 + response[:, None]))
    >>> [found] = detector.push(eda)
    >>> found.times.round(1).tolist(), found.data[:, 0].round(8).tolist()
    ([4.9], [5e-07])
    """

    min_amplitude: float = MIN_AMPLITUDE_US
    cutoff: float = CUTOFF_HZ
    _signal: EdaSignal = field(init=False, repr=False)
    _finder: ScrFinder = field(init=False, repr=False)
    _info: StreamInfo = field(init=False, repr=False)

    def start(self, info: StreamInfo) -> StreamInfo:
        """Design the smoothing and forget everything."""
        self._signal = EdaSignal(info, self.cutoff)
        self._finder = ScrFinder(self._signal.rate, self._signal.delay, self.min_amplitude)
        self._info = replace(info, channels=SCR_CHANNELS, sfreq=0.0, unit="", dtype="float64")
        return self._info

    def push(self, item: Chunk) -> Sequence[Chunk]:
        """Take samples; return the responses that they confirm."""
        rows = [scr for piece in self._signal.push(item) for scr in self._finder.push(piece)]
        if not rows:
            return []
        table = np.array(rows, np.float64)
        data = table[:, 1:] * [1e-6, 1.0, 1.0]
        return [Chunk(self._info, table[:, 0].copy(), data, np.ones(len(table), bool))]

    def flush(self) -> Sequence[Chunk]:
        """Return nothing: a response without its descent is not confirmed."""
        return []
