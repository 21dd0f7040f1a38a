"""Features in the context of a person's own past: what has changed, since when, for how long."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from biosense.core.errors import BadInput
from biosense.core.grid import HOP
from biosense.core.ring import MirroredRing
from biosense.core.types import Bools, Epoch, Floats, StreamInfo
from biosense.processing.normalise import RunningNormalise

VIEWS = ("z", "start", "before")
SUMMARIES = ("3", "10", "30", "slope", "max_15")
_OFFSETS = {
    **dict.fromkeys(("phasic", "rise", "scr_amplitude", "scr_recent"), 0.1),
    **dict.fromkeys(("ibi", "rmssd_30", "sdnn_60"), 1e-4),
}
"""Features with long tails, which are seen as log(offset + value)."""


@dataclass
class PersonContext:
    """Show each feature against the person's own past, and summarise the last half minute.

    A passage is a stretch of epochs without a pause of `pause` seconds: a trial, or everything
    since a sensor came back. Each chosen feature gives three views:

    ======  ================================================================================
    z       standard deviations from the person's mean so far (`RunningNormalise`)
    start   difference from the mean of the first `start_seconds` of the passage
    before  difference from the mean of the passage before; NaN in the first one
    ======  ================================================================================

    and each view five summaries, all of the past only: its mean over 3, 10 and 30 s, its slope
    (mean of 3 s less that of 15 s), its largest value of 15 s. They are named
    `feature.view.summary`.

    `before` tells what came before apart from what is now. Where stimuli never repeat in a row this
    also tells something about their order, and a study has to show what is left without.

    Parameters
    ----------
    features
        Which ones; empty for all.
    typical
        Mean and SD of each of `features` among people, with which `z` begins; empty: unknown.
    prior_seconds
        Weight of `typical`, see `RunningNormalise`.
    start_seconds, pause
        See above.
    min_quality
        Epochs below it count as without a value.
    hop
        Seconds between epochs.

    Examples
    --------
    >>> stage = PersonContext(prior_seconds=0.0)
    >>> info = stage.start(StreamInfo("heart", None, ("rate",), 4.0))
    >>> len(info.channels), info.channels[:2]
    (15, ('rate.z.3', 'rate.start.3'))
    >>> epochs = [Epoch(info, k, k / 4 - 1, k / 4, np.array([k / 4]), 1.0) for k in range(80)]
    >>> round(float(stage.push_all(epochs)[-1].data[1]), 2)  # 18.38 now, 4.88 at the start
    13.5
    """

    features: tuple[str, ...] = ()
    typical: tuple[tuple[float, float], ...] = ()
    prior_seconds: float = 15.0
    start_seconds: float = 10.0
    pause: float = 5.0
    min_quality: float = 0.2
    hop: float = HOP
    _chosen: list[int] = field(init=False, repr=False)
    _offsets: Floats = field(init=False, repr=False)
    _normalise: RunningNormalise = field(init=False, repr=False)
    _info: StreamInfo = field(init=False, repr=False)
    _ring: MirroredRing = field(init=False, repr=False)
    _index: int | None = field(init=False, repr=False)
    _passage: _Passage = field(init=False, repr=False)
    _before: Floats = field(init=False, repr=False)

    def start(self, info: StreamInfo) -> StreamInfo:
        """Look for the features and forget the person."""
        absent = [name for name in self.features if name not in info.channels]
        if absent:
            raise BadInput(f"{info.name!r} has no features {absent}; it has {info.channels}")
        names = self.features or info.channels
        self._chosen = [info.channels.index(name) for name in names]
        self._offsets = np.array([_OFFSETS.get(name, np.nan) for name in names])
        inner = replace(info, channels=names)
        mean, sd = zip(*self.typical, strict=True) if self.typical else ((), ())
        self._normalise = RunningNormalise(self.prior_seconds, mean=mean, sd=sd, hop=self.hop)
        self._normalise.start(inner)
        self._ring = MirroredRing(self._steps(30.0), len(VIEWS) * len(names))
        self._passage = _Passage(len(names), self.start_seconds, self.hop)
        self._before = np.full(len(names), np.nan)
        self._index = None
        made = [f"{name}.{view}.{kind}" for kind in SUMMARIES for view in VIEWS for name in names]
        self._info = replace(info, channels=tuple(made))
        return self._info

    def push(self, item: Epoch) -> Sequence[Epoch]:
        """Return the epoch with its features in context."""
        values = self._values(item)
        if self._index is not None and (item.index - self._index) * self.hop > self.pause:
            self._before = self._passage.mean
            self._passage = _Passage(len(values), self.start_seconds, self.hop)
            self._ring.clear()
        self._index = item.index
        (relative,) = self._normalise.push(replace(item, data=values))
        self._passage.take(values)
        views = [relative.data, values - self._passage.start, values - self._before]
        self._ring.append(np.concatenate(views)[None])
        return [replace(item, info=self._info, data=self._summaries())]

    def push_all(self, items: Sequence[Epoch]) -> Sequence[Epoch]:
        """Return what `push` does of one after the other."""
        return [epoch for item in items for epoch in self.push(item)]

    def flush(self) -> Sequence[Epoch]:
        """Return nothing: every epoch was answered at once."""
        return []

    def _steps(self, seconds: float) -> int:
        return max(1, round(seconds / self.hop))

    def _values(self, item: Epoch) -> Floats:
        """Return the chosen features, long tails as logarithms; NaN where nothing is believed."""
        values = np.asarray(item.data, np.float64)[self._chosen]
        if item.quality < self.min_quality:
            return np.full(len(values), np.nan)
        shifted = values + np.nan_to_num(self._offsets)
        logs = np.log(np.where(shifted > 0, shifted, np.nan))
        return np.where(np.isnan(self._offsets), values, logs)

    def _summaries(self) -> Floats:
        """Return `SUMMARIES` of every view; NaN where none of its values is known."""
        rows = self._ring.last(len(self._ring))
        known = np.isfinite(rows)
        means = {s: _mean(rows, known, self._steps(s)) for s in (3.0, 10.0, 15.0, 30.0)}
        largest = np.where(known, rows, -np.inf)[-self._steps(15.0) :].max(axis=0)
        parts = [
            means[3.0],
            means[10.0],
            means[30.0],
            means[3.0] - means[15.0],
            np.where(np.isfinite(largest), largest, np.nan),
        ]
        return np.concatenate(parts)


class _Passage:
    """The mean of a passage, and that of its beginning."""

    def __init__(self, features: int, start_seconds: float, hop: float) -> None:
        self._limit = start_seconds / hop
        self._sum, self._count = np.zeros(features), np.zeros(features)
        self._first, self._used = np.zeros(features), np.zeros(features)

    def take(self, values: Floats) -> None:
        """Add the values of one epoch."""
        known = np.isfinite(values)
        early = known & (self._used < self._limit)
        self._sum = self._sum + np.where(known, values, 0.0)
        self._count = self._count + known
        self._first = self._first + np.where(early, values, 0.0)
        self._used = self._used + early

    @property
    def mean(self) -> Floats:
        """Mean of each feature; NaN where it never had a value."""
        return _ratio(self._sum, self._count)

    @property
    def start(self) -> Floats:
        """Mean of the first seconds of each feature, of those that have passed."""
        return _ratio(self._first, self._used)


def _mean(rows: Floats, known: Bools, steps: int) -> Floats:
    """Return the mean over the known ones of the last rows."""
    return _ratio(np.where(known, rows, 0.0)[-steps:].sum(axis=0), known[-steps:].sum(axis=0))


def _ratio(total: Floats, count: NDArray[Any]) -> Floats:
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)
