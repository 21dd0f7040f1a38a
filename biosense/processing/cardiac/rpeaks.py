"""Find heart beats in an ECG while it arrives."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from biosense.core.errors import BadInput
from biosense.core.grid import contiguous_runs, sample_indices
from biosense.core.types import Chunk, StreamInfo
from biosense.processing.cardiac.beat_decision import AdaptiveThresholds
from biosense.processing.cardiac.beat_detector import BeatDetector
from biosense.processing.cardiac.beat_rows import BeatRow, beat_chunks, beat_info
from biosense.processing.cardiac.qrs_filter import QrsFilter

SEARCH_S = 0.075  # the R wave lies within this of the envelope's peak, delay removed
EARLY, DUE = 2.0, 0.8  # in noise, what comes too early must be higher
SHAPE_S = 0.1  # on either side of the R peak: QRS and a little more


@dataclass
class RPeaks:
    """Detect R peaks online, after Pan and Tompkins.

    Takes a regularised ECG of any scale, 100 to 1000 Hz, either polarity. Gives beats as chunks
    with irregular times: the R peak (largest deflection of the 0.5 to 40 Hz signal, parabola
    through three samples, filter delay removed) and the columns amplitude (in the unit of the
    input), confidence (0 to 1), known_at (session time of the sample that settled it) and late. A
    beat is known at most 0.5 s after its R peak; only beats found while learning (first 2 s) or by
    searching back are later, and say so in `late`.

    What takes the place of the filters of the paper [1]_: see `QrsFilter`. What is kept of its
    decisions, and what is not: see `AdaptiveThresholds`. Which way an R peak points is learned; a
    lead that is turned over or moved in mid-stream is followed within a few beats
    (`BeatConfidence`).

    Parameters
    ----------
    hold
        A peak counts when the envelope stays below it for so long, seconds.

    References
    ----------
    .. [1] J. Pan and W. J. Tompkins, "A real-time QRS detection algorithm," IEEE Transactions on
       Biomedical Engineering 32(3), 230-236, 1985.

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

    hold: float = 0.25
    _front: QrsFilter = field(init=False, repr=False)
    _detector: BeatDetector = field(init=False, repr=False)
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
        self._front = QrsFilter(rate)
        delay, light_delay = self._front.measure_delay()
        reach, around = round(SEARCH_S * rate), round(SHAPE_S * rate)
        hold = round(self.hold * rate)
        thresholds = AdaptiveThresholds(early=EARLY, due=DUE)
        self._detector = BeatDetector(
            rate, hold, delay, light_delay, reach, around, True, thresholds
        )
        self._expected = None
        self._info = beat_info(info)
        return self._info

    @property
    def latency(self) -> float:
        """Longest time from an R peak to its confirmation, seconds; late beats excepted."""
        return self._detector.latency

    def push(self, item: Chunk) -> Sequence[Chunk]:
        """Take samples; return the beats that they settle."""
        valid = np.isfinite(item.data[:, 0])
        indices, values, ok = sample_indices(item)[valid], item.data[valid, 0], item.ok[valid]
        rows: list[BeatRow] = []
        for begin, stop, fresh in contiguous_runs(indices, self._expected):
            if fresh:
                rows += self._jump(int(indices[begin]), float(values[begin]))
            light, envelope = self._front.filter(values[begin:stop], int(indices[begin]))
            rows += self._detector.push(light, envelope, ok[begin:stop])
            self._expected = int(indices[stop - 1]) + 1
        return beat_chunks(self._info, rows)

    def flush(self) -> Sequence[Chunk]:
        """Return the last beat, if its samples were complete."""
        if self._expected is None:
            return []
        known = (self._expected - 1) / self._info_rate
        return beat_chunks(self._info, self._detector.close(known))

    @property
    def _info_rate(self) -> float:
        return self._detector.sfreq

    def _jump(self, now: int, first: float) -> list[BeatRow]:
        rows: list[BeatRow] = []
        if self._expected is not None:
            rows = self._detector.close(now / self._info_rate)
            missing = (now - self._expected) / self._info_rate
            self._detector.thresholds.gap(now / self._info_rate, missing)
        self._detector.prime(now)
        self._front.prime(first)
        return rows
