"""From what a device sent to samples on the session's sample grid, which all stages need."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Literal

import numpy as np

from biosense.core.errors import BadInput
from biosense.core.types import Bools, Chunk, Floats, Ints, StreamInfo
from biosense.processing.signal.dejitter import Dejitter, steps_from
from biosense.processing.signal.interpolate import GridInterpolator, Samples
from biosense.processing.signal.missing import all_numbers, are_numbers, forward_fill

GAP_INTERVALS = 3.5  # two lost samples are bridged
GAP_LOSSY_S = 0.025
GAP_S = 0.1  # a sender without loss that pauses up to this long hiccups; LSL senders do
_LEAST_ADVANCE = 0.25  # sample intervals; a cubic through nearer samples would amplify noise
_BLOCK = 4096  # samples taken at a time: bounds memory and the cost of moving the ramp


@dataclass
class Regularise:
    """Put a raw stream on the session's sample grid: sample n at n / sfreq.

    - Rows with more than half of their channels missing (NaN, infinite or beyond 1e12, which no
      sensor gives in any unit) count as not sent. In the others a missing value is the last one of
      its channel, 0 before any.
    - Stamps of regular streams are freed of jitter (see `Dejitter`).
    - A sample whose stamp does not advance (by a quarter of the sample interval) is dropped: it was
      sent twice, or its stamp is wrong.
    - Values are interpolated onto the grid. A few lost samples are bridged; nothing is interpolated
      across a gap: there the output's positions jump.

    The output is late by up to two sample intervals (one with `order=1`).

    Parameters
    ----------
    sfreq
        Rate of the output in Hz; None keeps the nominal rate. A lower one needs a signal without
        frequencies above its half: interpolation is no low-pass.
    order
        3 for cubic interpolation; 1 for straight lines, which suits slow and irregular streams.
    gap
        Step between two samples from which on it is a gap, seconds; None takes 3.5 sample
        intervals, and at least 25 ms for a lossy stream, 100 ms for others (whose sender may pause,
        but loses nothing).
    dejitter
        False where the stamps tell when each sample was really taken (frames of a camera).
    fill
        False leaves single missing values NaN, for stages that can tell; filters cannot.

    Raises
    ------
    BadInput
        In `start`, for an irregular stream without `sfreq`.

    Examples
    --------
    >>> stage = Regularise(order=1, dejitter=False)
    >>> info = stage.start(StreamInfo("wrist", None, ("eda",), 4.0, "S"))
    >>> chunk = Chunk.of(info, [0.125, 0.375, 0.625], [[1.0], [2.0], [3.0]])
    >>> [(c.times.tolist(), c.data[:, 0].tolist()) for c in stage.push(chunk)]
    [([0.25, 0.5], [1.5, 2.5])]
    """

    sfreq: float | None = None
    order: Literal[1, 3] = 3
    gap: float | None = None
    dejitter: bool = True
    fill: bool = True
    _info: StreamInfo = field(init=False, repr=False)
    _gap: float = field(init=False, repr=False)
    _least: float = field(init=False, repr=False)
    _clock: Dejitter | None = field(init=False, repr=False)
    _grid: GridInterpolator = field(init=False, repr=False)
    _last: Floats = field(init=False, repr=False)
    _kept: float = field(init=False, repr=False)
    _broken: bool = field(init=False, repr=False)

    def __post_init__(self) -> None:
        if self.order not in (1, 3):
            raise BadInput(f"order={self.order} must be 3 (cubic) or 1 (straight lines)")
        for name, value in (("sfreq", self.sfreq), ("gap", self.gap)):
            if value is not None and not value > 0:
                raise BadInput(f"{name}={value} must be above 0")

    def start(self, info: StreamInfo) -> StreamInfo:
        """Choose grid and gap for the stream."""
        sfreq = self.sfreq or info.sfreq
        if sfreq == 0:
            raise BadInput(f"{info.name!r} is irregular: say Regularise(sfreq=..) in Hz")
        if info.is_text:
            raise BadInput(f"{info.name!r} is a stream of text: it has no values between samples")
        interval = 1 / (info.sfreq or sfreq)
        least_gap = GAP_LOSSY_S if info.lossy else GAP_S
        self._gap = self.gap or max(GAP_INTERVALS * interval, least_gap)
        self._least = _LEAST_ADVANCE * interval if info.sfreq else 1e-9
        smooth = self.dejitter and info.sfreq > 0
        self._clock = Dejitter(info.sfreq, self._gap, info.lossy) if smooth else None
        self._grid = GridInterpolator(sfreq, self.order)
        self._last = np.zeros(info.n_channels)
        self._kept = -np.inf
        self._broken = False
        self._info = replace(info, sfreq=sfreq, dtype="float64")
        return self._info

    def push(self, item: Chunk) -> Sequence[Chunk]:
        """Return the samples on the grid that became known."""
        parts = []
        for start in range(0, item.n, _BLOCK):
            parts += self._block(item.slice(start, min(start + _BLOCK, item.n)))
        return self._chunks(parts, item.arrived)

    def flush(self) -> Sequence[Chunk]:
        """Return the last samples of the stream."""
        return self._chunks([self._grid.finish()], float("nan"))

    def _block(self, item: Chunk) -> list[Samples | None]:
        stamped = np.isfinite(item.times)
        if not stamped.all():
            item = replace(
                item,
                times=item.times[stamped],
                data=item.data[stamped],
                ok=item.ok[stamped],
                stamps=None,
            )
        if item.n == 0:
            return []
        nothing = np.zeros(item.n, bool)
        times, fresh = self._clock.push(item.times) if self._clock else (item.times, nothing)
        values, present = self._values(item)
        before = self._kept
        keep = self._advancing(times, np.flatnonzero(present))
        cuts = self._cuts(steps_from(before, times[keep]), fresh, keep)
        return self._interpolate(Samples(times[keep], values[keep], item.ok[keep]), cuts)

    def _values(self, item: Chunk) -> tuple[Floats, Bools]:
        """Return the values without holes, and which rows were sent at all."""
        values = np.asarray(item.data, dtype=np.float64)
        if all_numbers(values):  # nearly always
            self._last = values[-1].copy()
            return values, np.ones(item.n, bool)
        finite = are_numbers(values)
        filled = forward_fill(values, self._last)
        self._last = filled[-1].copy()
        present = 2 * finite.sum(axis=1) >= values.shape[1]
        return filled if self.fill else np.where(finite, values, np.nan), present

    def _advancing(self, times: Floats, rows: Ints) -> Ints:
        """Return those of `rows` whose time advances from the one kept before."""
        advances = steps_from(self._kept, times[rows]) >= self._least
        if not advances.all():
            # rare, and each decision depends on the one before: a loop over samples
            kept, last = [], self._kept
            for row, time in zip(rows.tolist(), times[rows].tolist(), strict=True):
                if time - last >= self._least:
                    kept.append(row)
                    last = time
            rows = np.array(kept, dtype=np.int64)
        if len(rows):
            self._kept = float(times[rows[-1]])
        return rows

    def _cuts(self, steps: Floats, fresh: Bools, keep: Ints) -> list[int]:
        """Return before which of the kept samples a gap lies: by time, or a new start of clock."""
        gaps = steps > self._gap
        if self._broken or fresh.any():
            # a clock may have started at a sample that was dropped: it is the next one's gap
            starts = np.concatenate(([0], np.cumsum(fresh) + int(self._broken)))
            numbers = starts[np.concatenate(([0], keep + 1))]
            self._broken = bool(starts[-1] > numbers[-1])
            gaps |= np.diff(numbers) > 0
        return np.flatnonzero(gaps).tolist()

    def _interpolate(self, kept: Samples, cuts: list[int]) -> list[Samples | None]:
        parts: list[Samples | None] = []
        for start, stop in pairwise([0, *cuts, len(kept)]):
            if start in cuts:
                parts.append(self._grid.finish())
            if stop > start:
                parts.append(self._grid.extend(kept.part(start, stop)))
        return parts

    def _chunks(self, parts: list[Samples | None], arrived: float) -> list[Chunk]:
        return [
            Chunk(self._info, part.times, part.values, part.ok, arrived=arrived)
            for part in parts
            if part is not None
        ]
