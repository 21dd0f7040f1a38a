"""Skin conductance responses as a stage: one row each, from onset to half recovery."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from biosense.core.types import Chunk, StreamInfo
from biosense.processing.eda.scr_finder import Recovery, Scr, ScrFinder
from biosense.processing.eda.signal import EdaSignal

CUTOFF_HZ = 1.5
MIN_AMPLITUDE_US = 0.03  # 0.01 to 0.05 are usual: Boucsein et al., Psychophysiology 49:1017, 2012
SCR_CHANNELS = ("amplitude", "rise_time", "half_recovery", "known_at")


@dataclass
class ScrDetector:
    """Detect skin conductance responses online.

    Takes regularised EDA in siemens, 4 Hz or more. Gives responses as chunks: times are the onsets,
    columns amplitude (siemens), rise_time (seconds), half_recovery (seconds from the peak to half
    of the amplitude; NaN where the next response, a gap or the end came first, or 20 s went by) and
    known_at (session time at which the response was confirmed, 0.5 s after its smoothed peak). A
    response is given out when it has recovered or cannot any more. The criteria: `ScrFinder`.

    Parameters
    ----------
    min_amplitude
        Microsiemens; 0.01 to 0.05 are usual [1]_, 0.05 for old or noisy equipment.
    cutoff
        Of the smoothing, Hz.

    References
    ----------
    .. [1] W. Boucsein et al., "Publication recommendations for electrodermal measurements,"
       Psychophysiology 49(8), 1017-1034, 2012.

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
    ([5.0], [5e-07])
    """

    min_amplitude: float = MIN_AMPLITUDE_US
    cutoff: float = CUTOFF_HZ
    _signal: EdaSignal = field(init=False, repr=False)
    _finder: ScrFinder = field(init=False, repr=False)
    _info: StreamInfo = field(init=False, repr=False)

    def start(self, info: StreamInfo) -> StreamInfo:
        """Design the smoothing and forget everything."""
        self._signal = EdaSignal(info, self.cutoff)
        signal = self._signal
        self._finder = ScrFinder(signal.rate, signal.delay, signal.onset_delay, self.min_amplitude)
        self._info = replace(info, channels=SCR_CHANNELS, sfreq=0.0, unit="", dtype="float64")
        return self._info

    def push(self, item: Chunk) -> Sequence[Chunk]:
        """Take samples; return the responses that they complete."""
        pieces = self._signal.push(item)
        return self._rows(found for piece in pieces for found in self._finder.push(piece))

    def flush(self) -> Sequence[Chunk]:
        """Return the response that had not recovered when the stream ended."""
        return self._rows(self._finder.close())

    def _rows(self, found: Iterable[Scr | Recovery]) -> list[Chunk]:
        ended = [one for one in found if isinstance(one, Recovery)]
        if not ended:
            return []
        times = np.array([one.scr.onset for one in ended])
        data = np.array(
            [
                (1e-6 * one.scr.amplitude, one.scr.rise_time, one.half, one.scr.known_at)
                for one in ended
            ]
        )
        return [Chunk(self._info, times, data, np.ones(len(ended), bool))]
