"""Events for signals that turn bad and good again, measured in stream time."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from biosense.core.types import Bools, Chunk, Epoch, Event, EventKind, Floats, Modality

LOW, HIGH = 0.3, 0.6  # quality below which a signal is bad, above which it is good again
HOLD_S = 5.0  # a quality must stay there this long: a blink is no event
START_S = 20.0  # before that, features with long windows have no value yet and so no quality
NO_NUMBER_S = 1.0  # shorter gaps are counted, and need no event of their own

_CAMERA = (Modality.RPPG, Modality.FACE)


def usable_rows(chunk: Chunk) -> Bools:
    """Tell which samples hold numbers in at least half of their channels, shape (n,).

    `Regularise` takes the others for not sent. A frame without a face is an answer and no gap: all
    frames of a camera are usable, and so is text.
    """
    if chunk.info.is_text or chunk.info.modality in _CAMERA:
        return np.ones(chunk.n, np.bool_)
    finite = np.isfinite(chunk.data)
    if finite.all():  # nearly always, and to count by rows costs ten times as much
        return np.ones(chunk.n, np.bool_)
    usable: Bools = 2 * finite.sum(axis=1) >= chunk.info.n_channels
    return usable


@dataclass
class NumberWatch:
    """Report a stream that goes on sending, but no numbers (NaN or infinite), and its return.

    Examples
    --------
    >>> from biosense.core import StreamInfo
    >>> info = StreamInfo("ecg", Modality.ECG, ("ecg",), 4.0)
    >>> watch = NumberWatch()
    >>> chunk = Chunk.of(info, np.arange(10) / 4, [[0.0], *[[np.nan]] * 8, [0.0]])
    >>> [(event.time, event.kind.value) for event in watch.push(chunk)]
    [(1.25, 'gap'), (2.25, 'recovered')]
    """

    _since: float | None = None
    _said: bool = False

    def push(self, chunk: Chunk) -> list[Event]:
        """Take raw samples and return the events that they bring."""
        usable = usable_rows(chunk)
        if self._since is None and usable.all():
            return []
        events: list[Event] = []
        edges = [0, *(np.flatnonzero(np.diff(usable)) + 1).tolist(), chunk.n]
        for start, stop in pairwise(edges):
            if stop > start and usable[start]:
                events += self._back(chunk.info.name, float(chunk.times[start]))
            elif stop > start:
                events += self._missing(chunk.info.name, chunk.times[start:stop])
        return events

    def _missing(self, stream: str, times: Floats) -> list[Event]:
        if self._since is None:
            self._since = float(times[0])
        late = int(np.searchsorted(times, self._since + NO_NUMBER_S))
        if self._said or late == len(times):
            return []
        self._said = True
        text = f"it sends no numbers (NaN or infinite) for {NO_NUMBER_S:g} s now"
        return [Event(float(times[late]), EventKind.GAP, stream, text)]

    def _back(self, stream: str, time: float) -> list[Event]:
        since, said = self._since, self._said
        self._since, self._said = None, False
        if since is None or not said:
            return []
        text = f"it sends numbers again after {time - since:.1f} s"
        return [Event(time, EventKind.RECOVERED, stream, text)]


@dataclass
class QualityWatch:
    """Report a signal whose quality stays low, and its return.

    Examples
    --------
    >>> from biosense.core import StreamInfo
    >>> info = StreamInfo("ecg", Modality.ECG, ("heart_rate",), 4.0)
    >>> watch = QualityWatch()
    >>> epochs = [Epoch(info, k, k - 1.0, float(k), np.zeros(1), 0.0) for k in range(30)]
    >>> [event.time for epoch in epochs for event in watch.push(epoch)]
    [20.0]
    """

    bad: bool = False
    _since: float | None = None
    _first: float | None = None

    def push(self, epoch: Epoch) -> list[Event]:
        """Take an epoch of features and return the event that it completes, if any."""
        if self._first is None:
            self._first = epoch.stop
        turning = epoch.quality > HIGH if self.bad else epoch.quality < LOW
        if not turning:
            self._since = None
            return []
        if self._since is None:
            self._since = epoch.stop
        if epoch.stop - self._since < HOLD_S or epoch.stop - self._first < START_S:
            return []
        self.bad, self._since = not self.bad, None
        kind = EventKind.LOW_QUALITY if self.bad else EventKind.RECOVERED
        text = "signal quality is low" if self.bad else "signal quality is good again"
        why = f": {epoch.reason}" if self.bad and epoch.reason else ""
        return [Event(epoch.stop, kind, epoch.info.name, f"{text} ({epoch.quality:.2f}){why}")]
