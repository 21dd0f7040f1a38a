"""Heart features from intervals between beats, as a heart rate strap sends them: no signal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import ClassVar

import numpy as np

from biosense.core.errors import BadInput
from biosense.core.grid import HOP, grid_index, grid_time
from biosense.core.preprocessed_streams import INTERVAL_CHANNELS, is_intervals
from biosense.core.types import Chunk, Epoch, Floats, StreamInfo
from biosense.processing.cardiac.features import PULSE_CHANNELS, WINDOW_S
from biosense.processing.cardiac.pulse_transit import TRANSIT_CHANNELS
from biosense.processing.cardiac.rhythm import HEART_CHANNELS, TROUBLE, Rhythm

HOLD_S = 3.0  # a strap that sends no beat for so long says nothing any more
_ERROR_S = (0.03, 0.01)  # error of a Polar PPI at which it is not believed, and fully believed


@dataclass
class RrFeatures:
    """Compute heart features from intervals between beats; amplitudes have no value.

    Takes an irregular stream in seconds (behind `ToSI`), whose sample at t is the interval that
    ended at t, in its first channel. The channels `ppi_error` (seconds) and `movement` of a Polar
    sensor, where present, say how far each is believed. Features and quality: see `HeartFeatures`.

    Point k of the grid uses the beats at or before it. It is given out with the first beat behind
    it, or by `advance`, when others say that time has passed: a strap reports once per second and
    would keep everybody waiting. Without beats for 3 s there are no points.

    Parameters
    ----------
    transit
        True to have the channels of a pulse wave (`PulseTransit`), without a value.
    hop
        Step of the grid, seconds.

    Raises
    ------
    BadInput
        In `start`, for a regular stream, or one that does not begin with intervals in seconds.

    Examples
    --------
    >>> info = StreamInfo("strap rr", None, ("rr",), 0.0, "s")
    >>> stage = RrFeatures()
    >>> stage.start(info).channels[0]
    'heart_rate'
    >>> epochs = stage.push(Chunk.of(info, np.arange(1, 12) * 0.75, np.full((11, 1), 0.75)))
    >>> round(float(epochs[-1].data[0]), 6), epochs[-1].stop
    (80.0, 8.25)
    """

    follows_time: ClassVar[bool] = True

    transit: bool = False
    hop: float = HOP
    _info: StreamInfo = field(init=False, repr=False)
    _columns: tuple[int | None, int | None] = field(init=False, repr=False)
    _rhythm: Rhythm = field(init=False, repr=False)
    _given: int | None = field(init=False, repr=False)
    _newest: float = field(init=False, repr=False)

    def start(self, info: StreamInfo) -> StreamInfo:
        """Look which channels there are, and forget everything."""
        if not is_intervals(info) or info.unit != "s":
            raise BadInput(
                f"{info.name!r} has the channels {info.channels} in {info.unit!r} at "
                f"{info.sfreq} Hz; intervals between beats are an irregular stream (0 Hz) in "
                f"seconds whose first channel is one of {INTERVAL_CHANNELS}"
            )
        names = info.channels
        self._columns = (
            names.index("ppi_error") if "ppi_error" in names else None,
            names.index("movement") if "movement" in names else None,
        )
        self._info = replace(
            info,
            channels=PULSE_CHANNELS if self.transit else HEART_CHANNELS,
            sfreq=1.0 / self.hop,
            unit="",
            dtype="float64",
        )
        self._rhythm = Rhythm()
        self._given, self._newest = None, -np.inf
        return self._info

    def push(self, item: Chunk) -> Sequence[Epoch]:
        """Return the points that lie before these beats."""
        epochs: list[Epoch] = []
        # One turn a beat, about one a second.
        for time, row, ok in zip(item.times.tolist(), item.data, item.ok.tolist(), strict=True):
            if not np.isfinite(time) or time <= self._newest:
                continue
            epochs += self._upto(time - 1e-5)
            self._rhythm.add_interval(time, float(row[0]), self._confidence(row) if ok else 0.0)
            self._newest = time
            epochs += self._upto(time)
        return epochs

    def advance(self, time: float) -> Sequence[Epoch]:
        """Return the points up to session time `time`, as of the beats that have come."""
        return self._upto(time) if np.isfinite(time) else []

    def flush(self) -> Sequence[Epoch]:
        """Return nothing: no point is held back."""
        return []

    def _upto(self, time: float) -> list[Epoch]:
        """Give out the points from the newest beat on that were not yet, none twice."""
        if np.isinf(self._newest):
            return []
        first = -grid_index(-self._newest, self.hop)
        first = first if self._given is None else max(first, self._given + 1)
        last = grid_index(min(time, self._newest + HOLD_S), self.hop)
        if last < first:
            return []
        self._given = last
        return [self._epoch(k) for k in range(first, last + 1)]

    def _epoch(self, k: int) -> Epoch:
        now = grid_time(k, self.hop)
        quality = self._rhythm.quality(now)
        trouble = "" if quality > TROUBLE else self._rhythm.trouble(now)
        data = self._rhythm.features(now)
        if self.transit:
            data = np.append(data, np.full(len(TRANSIT_CHANNELS), np.nan))
        return Epoch(self._info, k, now - WINDOW_S, now, data, quality, trouble)

    def _confidence(self, row: Floats) -> float:
        error, movement = self._columns
        if movement is not None and row[movement] > 0:
            return 0.0
        if error is None:
            return 1.0
        doubted, believed = _ERROR_S
        share = np.clip((doubted - row[error]) / (doubted - believed), 0.0, 1.0)
        return float(np.nan_to_num(share))
