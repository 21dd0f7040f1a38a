"""Find heart beats in an ECG while it arrives."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from scipy import signal

from biosense.core.errors import BadInput
from biosense.core.grid import contiguous_runs, sample_indices
from biosense.core.types import Chunk, Floats, StreamInfo
from biosense.processing.beat_logic import BeatJudge
from biosense.processing.beat_track import (
    BeatRow,
    BeatTrack,
    beat_chunks,
    beat_info,
    parabolic_peak,
)
from biosense.processing.sections import Sections

SEARCH_S = 0.075  # the R wave lies within this of the envelope's peak, delay removed
SHAPE_S = 0.1  # on either side of the R peak: QRS and a little more


@dataclass
class RPeaks:
    """Detect R peaks online, after Pan and Tompkins (IEEE TBME 32:230, 1985).

    Takes a regularised ECG of any scale, 100 to 1000 Hz, either polarity. Gives beats as chunks
    with irregular times: the R peak (largest deflection of the 0.5 to 40 Hz signal, parabola
    through three samples, filter delay removed) and the columns amplitude (in the unit of the
    input), confidence (0 to 1), known_at (session time of the sample that settled it) and late.
    A beat is known at most 0.4 s after its R peak; only beats found while learning (first 2 s) or
    by searching back are later, and say so in `late`.

    The filters are designed by frequency: band-pass 5 to 15 Hz, slope, square, triangular window of
    150 ms, root. What is kept of the paper's decisions, and what is not: see `BeatJudge`.

    Parameters
    ----------
    band
        Pass band of the detection filter, Hz.
    hold
        A peak counts when the envelope stays below it for so long, seconds.

    Examples
    --------
    >>> from biosense.core.types import Modality
    >>> info = StreamInfo("chest", Modality.ECG, ("ecg",), 200.0, "V")
    >>> ecg = np.zeros((2000, 1))
    >>> ecg[100::160] = 1e-3
    >>> detector = RPeaks()
    >>> beats_info = detector.start(info)
    >>> [beats] = detector.push(Chunk.of(info, np.arange(2000) / 200, ecg))
    >>> np.diff(beats.times).round(3).tolist()[:3]
    [0.8, 0.8, 0.8]
    """

    band: tuple[float, float] = (5.0, 15.0)
    hold: float = 0.15
    _front: _QrsFilter = field(init=False, repr=False)
    _track: BeatTrack = field(init=False, repr=False)
    _info: StreamInfo = field(init=False, repr=False)
    _expected: int | None = field(init=False, repr=False)

    def start(self, info: StreamInfo) -> StreamInfo:
        """Design the filters for the rate of the stream and forget everything."""
        if info.n_channels != 1 or not 100 <= info.sfreq <= 1000:
            raise BadInput(
                f"{info.name!r} has {info.n_channels} channels at {info.sfreq} Hz; R peaks need "
                "1 channel, regularised, at 100 to 1000 Hz: pick one or resample"
            )
        rate = info.sfreq
        self._front = _QrsFilter(rate, self.band)
        delay, light_delay = self._front.measure_delay()
        reach, around = round(SEARCH_S * rate), round(SHAPE_S * rate)
        hold = round(self.hold * rate)
        self._track = BeatTrack(rate, hold, delay, light_delay, reach, around, True, BeatJudge())
        self._expected = None
        self._info = beat_info(info)
        return self._info

    @property
    def latency(self) -> float:
        """Longest time from an R peak to its confirmation, seconds; late beats excepted."""
        return self._track.latency

    def push(self, item: Chunk) -> Sequence[Chunk]:
        """Take samples; return the beats that they settle."""
        valid = np.isfinite(item.data[:, 0])
        indices, values, ok = sample_indices(item)[valid], item.data[valid, 0], item.ok[valid]
        rows: list[BeatRow] = []
        for begin, stop, fresh in contiguous_runs(indices, self._expected):
            if fresh:
                rows += self._jump(int(indices[begin]), float(values[begin]))
            light, envelope = self._front.filter(values[begin:stop])
            rows += self._track.push(light, envelope, ok[begin:stop])
            self._expected = int(indices[stop - 1]) + 1
        return beat_chunks(self._info, rows)

    def flush(self) -> Sequence[Chunk]:
        """Return the last beat, if its samples were complete."""
        if self._expected is None:
            return []
        known = (self._expected - 1) / self._info_rate
        return beat_chunks(self._info, self._track.close(known))

    @property
    def _info_rate(self) -> float:
        return self._track.sfreq

    def _jump(self, now: int, first: float) -> list[BeatRow]:
        rows: list[BeatRow] = []
        if self._expected is not None:
            rows = self._track.close(now / self._info_rate)
            missing = (now - self._expected) / self._info_rate
            self._track.judge.gap(now / self._info_rate, missing)
        self._track.prime(now)
        self._front.prime(first)
        return rows


class _QrsFilter:
    """Filter an ECG lightly, for the place of the R peak, and into an envelope of QRS energy."""

    def __init__(self, sfreq: float, band: tuple[float, float]) -> None:
        self._sfreq = sfreq
        self._light = Sections(signal.butter(2, (0.5, 40.0), "bandpass", fs=sfreq, output="sos"))
        self._band = Sections(signal.butter(2, band, "bandpass", fs=sfreq, output="sos"))
        window = signal.windows.triang(max(3, round(0.15 * sfreq)))
        self._window = window / window.sum()
        self.prime(0.0)

    def prime(self, first: float) -> None:
        """Begin anew, as if the first value had been there for ever."""
        self._light.prime(first)
        self._band.prime(0.0)
        self._window_state = np.zeros(len(self._window) - 1)
        self._before = 0.0

    def filter(self, values: Floats) -> tuple[Floats, Floats]:
        """Return the lightly filtered signal and the envelope, shape (n,) each."""
        light = self._light.filter(values)
        band = self._band.filter(light)
        slope = np.diff(band, prepend=self._before)
        self._before = float(band[-1])
        # The second coefficient keeps scipy off np.convolve, whose sums depend on the cutting.
        energy, self._window_state = signal.lfilter(
            self._window, [1.0, 0.0], slope**2, zi=self._window_state
        )
        return light, np.sqrt(np.maximum(energy, 0.0))

    def measure_delay(self) -> tuple[int, float]:
        """Measure, on a pulse as wide as a QRS, how late envelope and light signal peak."""
        at = round(0.5 * self._sfreq)
        width = max(0.012 * self._sfreq, 1.0)
        light, envelope = self.filter(np.exp(-0.5 * ((np.arange(3 * at) - at) / width) ** 2))
        self.prime(0.0)
        return int(np.argmax(envelope)) - at, parabolic_peak(light, int(np.argmax(light)))[0] - at
