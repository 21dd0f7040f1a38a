"""Events for signals that turn bad and good again, measured in stream time."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from biosense.core.camera_streams import CAMERA_MODALITIES
from biosense.core.types import Bools, Chunk, Epoch, Event, EventKind, Floats, Modality, StreamInfo
from biosense.processing.signal.missing import all_numbers, are_numbers

LOW, HIGH = 0.3, 0.6  # quality below which a signal is bad, above which it is good again
HOLD_S = 5.0  # a quality must stay there this long: a blink is no event
START_S = 20.0  # before that, features with long windows have no value yet and so no quality
NO_NUMBER_S = 1.0  # shorter gaps are counted, and need no event of their own

CLIPPED = 0.1  # of the samples, cut off at the least or greatest value
CLIP_S = 5.0
_RUN = 3  # equal extremes in a row that are no chance
_EDGE = 3.0  # steps of the converter by which a clipped signal enters its rail at once

_FAST = (Modality.EEG, Modality.ECG, Modality.EMG, Modality.PPG)


def usable_rows(chunk: Chunk) -> Bools:
    """Tell which samples hold numbers in at least half of their channels.

    `Regularise` takes the others for not sent. A frame without a face is an answer and no gap: of a
    camera's frame one number is enough (that there is no face). Text is usable.

    Parameters
    ----------
    chunk
        Raw samples.

    Returns
    -------
    Bools
        Shape (n,).
    """
    if chunk.info.is_text:
        return np.ones(chunk.n, np.bool_)
    if all_numbers(chunk.data):  # nearly always, and to count by rows costs ten times as much
        return np.ones(chunk.n, np.bool_)
    finite = are_numbers(chunk.data)
    if chunk.info.modality in CAMERA_MODALITIES:
        return np.asarray(finite.any(axis=1))
    usable: Bools = 2 * finite.sum(axis=1) >= chunk.info.n_channels
    return usable


@dataclass
class NumberWatch:
    """Report a stream that goes on sending, but no numbers (NaN, infinite, beyond any sensor).

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
class ClipWatch:
    """Report a raw signal that is cut off at the ends of its range, and when it is so no longer.

    Features cannot tell: a filter rounds the corners. Looked at in pieces of 5 s of stream time.
    Slow signals are left out: they rest at their extremes (see `clipped_share`).

    Examples
    --------
    >>> from biosense.core import StreamInfo
    >>> info = StreamInfo("ecg", Modality.ECG, ("ecg",), 64.0)
    >>> times = np.arange(64 * 6) / 64
    >>> wave = np.clip(np.sin(8 * times), -0.5, 0.5)[:, None]
    >>> [event.text for event in ClipWatch().push(Chunk.of(info, times, wave))]
    ['clipped: ecg, 62 % of the samples at an end of their range']
    """

    _piece: int | None = None
    _parts: list[NDArray[Any]] = field(default_factory=list)
    _said: bool = False

    def push(self, chunk: Chunk) -> list[Event]:
        """Take raw samples and return the events that they bring."""
        if chunk.info.modality not in _FAST or chunk.info.sfreq == 0 or chunk.n == 0:
            return []
        if chunk.times[-1] < self._end:  # nearly always: nothing is looked at
            self._parts.append(chunk.data)
            return []
        events: list[Event] = []
        pieces = np.floor(chunk.times / CLIP_S)
        edges = [0, *(np.flatnonzero(pieces[1:] != pieces[:-1]) + 1).tolist(), chunk.n]
        for start, stop in pairwise(edges):
            if self._piece != pieces[start]:
                events += self._look(chunk.info, float(chunk.times[start]))
                self._piece = int(pieces[start])
            self._parts.append(chunk.data[start:stop])
        return events

    @property
    def _end(self) -> float:
        return -np.inf if self._piece is None else (self._piece + 1) * CLIP_S

    def _look(self, info: StreamInfo, now: float) -> list[Event]:
        """Look at the piece that is complete."""
        parts, self._parts = self._parts, []
        if sum(map(len, parts)) < 0.5 * CLIP_S * info.sfreq:
            return []
        values = parts[0] if len(parts) == 1 else np.concatenate(parts)
        if not all_numbers(values):
            values = values[are_numbers(values).all(axis=1)]
        shares = clipped_shares(values)
        worst = int(np.argmax(shares))
        is_clipped = shares[worst] >= CLIPPED
        if is_clipped == self._said:
            return []
        self._said = is_clipped
        if not is_clipped:
            return [Event(now, EventKind.RECOVERED, info.name, "no longer clipped")]
        share = f"{100 * shares[worst]:.0f} % of the samples at an end of their range"
        text = f"clipped: {info.channels[worst]}, {share}"
        return [Event(now, EventKind.LOW_QUALITY, info.name, text)]


@dataclass
class QualityWatch:
    """Report a signal whose quality stays low, and its return.

    Attributes
    ----------
    bad
        Whether the signal is bad now.

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


def clipped_share(values: Floats) -> float:
    """Return the share of samples that were cut off at the least or greatest value.

    A signal with few steps repeats its extremes at every smooth turn, but enters them by one step;
    one that is cut off enters them at speed.

    Parameters
    ----------
    values
        Raw samples of one channel, shape (n,).

    Returns
    -------
    float
        0 to 1.
    """
    lowest, highest = values.min(), values.max()
    if max(np.count_nonzero(values == lowest), np.count_nonzero(values == highest)) < _RUN:
        return 0.0  # nearly always: no run of equal extremes
    steps = np.abs(np.diff(values))
    if not steps.any():
        return 0.0
    fast = _EDGE * steps[steps > 0].min()
    cut = 0
    for extreme in (lowest, highest):
        at = np.flatnonzero(values == extreme)
        edges = [0, *(np.flatnonzero(np.diff(at) > 1) + 1).tolist(), len(at)]
        for first, stop in pairwise(edges):
            begin, end = at[first], at[stop - 1]
            around = [*steps[max(begin - 1, 0) : begin], *steps[end : end + 1]]
            if stop - first >= _RUN and max(around, default=0.0) >= fast:
                cut += stop - first
    return cut / len(values)


def clipped_shares(values: NDArray[Any]) -> list[float]:
    """Return the `clipped_share` of each channel of some samples, shape (n, channels).

    Parameters
    ----------
    values
        Raw samples, shape (n, channels).

    Returns
    -------
    list of float
        0 to 1, one a channel.

    Examples
    --------
    >>> clipped_shares(np.array([[0.0, 0.0], [5.0, 1.0], [5.0, 2.0], [5.0, 3.0], [4.0, 4.0]]))
    [0.6, 0.0]
    """
    # All channels at once: of most no value follows its equal.
    resting = (values[1:] == values[:-1]).any(axis=0)
    return [
        clipped_share(column) if rests else 0.0
        for column, rests in zip(values.T, resting.tolist(), strict=True)
    ]
