"""Events for signals that turn bad and good again, measured in stream time."""

from __future__ import annotations

from dataclasses import dataclass

from biosense.core.types import Epoch, Event, EventKind

LOW, HIGH = 0.3, 0.6  # quality below which a signal is bad, above which it is good again
HOLD_S = 5.0  # a quality must stay there this long: a blink is no event
START_S = 20.0  # before that, features with long windows have no value yet and so no quality


@dataclass
class QualityWatch:
    """Report a signal whose quality stays low, and its return.

    Examples
    --------
    >>> import numpy as np
    >>> from biosense.core import Modality, StreamInfo
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
        return [Event(epoch.stop, kind, epoch.info.name, f"{text} ({epoch.quality:.2f})")]
