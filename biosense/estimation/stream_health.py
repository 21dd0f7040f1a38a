"""The health of streams: counted from the chunks, clock measurements and events that pass by."""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass, field

import numpy as np

from biosense.core.clock import ClockFit
from biosense.core.device_state import ClockState, DeviceState
from biosense.core.grid import longest_step
from biosense.core.stream_status import StreamState, StreamStatus
from biosense.core.types import Chunk, ClockOffset, EventKind, Item, StreamInfo
from biosense.estimation.signal_quality import usable_rows

RATE_WINDOW_S = 10.0
STALE_S = 2.0
_POOR_QUALITY = 0.4


@dataclass
class StreamHealth:
    """Watch one stream.

    Samples without numbers are counted in `samples`, since they were sent, and as gaps.

    Parameters
    ----------
    info
        The stream.
    published
        Whether the run itself sends it over LSL.

    Attributes
    ----------
    samples
        How many came.
    gaps, lost
        How many gaps there were, and samples that are missing in them.
    quality
        Of the newest features, 0 to 1; NaN before the first.
    connected, ended
        What its source said last.
    device
        What its device said last; None before.

    Examples
    --------
    >>> from biosense.core import Modality
    >>> info = StreamInfo("eda", Modality.EDA, ("eda",), 4.0, "S")
    >>> health = StreamHealth(info)
    >>> health.add(Chunk.of(info, [0.0, 0.25, 2.5], [[1.0], [1.0], [1.0]], arrived=2.5))
    >>> health.samples, health.gaps, health.lost
    (3, 1, 8)
    """

    info: StreamInfo
    published: bool = False
    samples: int = 0
    gaps: int = 0
    lost: int = 0
    quality: float = math.nan
    connected: bool = True
    ended: bool = False
    device: DeviceState | None = None
    _clock: ClockFit = field(default_factory=ClockFit, repr=False)
    _first_time: float = math.nan
    _last_time: float = math.nan
    _last_usable: float = math.nan
    _arrived: float = math.nan
    _counts: deque[tuple[float, int]] = field(default_factory=deque, repr=False)

    def add(self, item: Item) -> None:
        """Take what came from the stream."""
        if isinstance(item, DeviceState):
            self.device = item
        elif isinstance(item, Chunk):
            self._add_chunk(item)
        elif isinstance(item, ClockOffset):
            self._clock.add(item.time, item.offset)
        elif item.kind is EventKind.LOST:
            self.connected = False
        elif item.kind in (EventKind.RECOVERED, EventKind.CONNECTED):
            self.connected = True
        elif item.kind is EventKind.ENDED:
            self.ended = True

    def status(self, now: float) -> StreamStatus:
        """Return the health at session time `now`."""
        info, clock = self.info, self._clock_state()
        age = now - self._arrived
        device = self.device or DeviceState(now, info.name)
        return StreamStatus(
            name=info.name,
            modality=info.modality.value if info.modality else "",
            channels=info.channels,
            unit=info.unit,
            nominal_hz=info.sfreq,
            rate_hz=self.recent_rate,
            samples=self.samples,
            age=age,
            gaps=self.gaps,
            lost=self.lost,
            offset=clock.offset,
            drift_ppm=clock.slope_ppm,
            residual=clock.residual,
            quality=self.quality,
            state=self._state(age),
            source_id=info.source_id,
            published=self.published,
            clock_age=None if math.isnan(clock.updated) else now - clock.updated,
            battery=device.battery,
            contact=device.contact,
            link=device.link,
            device=device.model,
            firmware=device.firmware,
            rssi=device.rssi,
        )

    @property
    def mean_rate(self) -> float:
        """Rate from the first to the last sample, Hz, gaps included; NaN below two samples."""
        span = self._last_time - self._first_time
        return (self.samples - 1) / span if self.samples > 1 and span > 0 else math.nan

    @property
    def recent_rate(self) -> float:
        """Rate over the last 10 s, Hz; NaN below two chunks."""
        if len(self._counts) < 2:
            return math.nan
        (start, before), (stop, after) = self._counts[0], self._counts[-1]
        return (after - before) / (stop - start) if stop > start else math.nan

    def _add_chunk(self, chunk: Chunk) -> None:
        if chunk.n == 0:
            return
        if self.info.sfreq > 0:
            self._count_gaps(chunk)
        if self.samples == 0:
            self._first_time = float(chunk.times[0])
        self.samples += chunk.n
        self._last_time = float(chunk.times[-1])
        self._arrived = chunk.arrived
        self.connected = True
        self._counts.append((self._last_time, self.samples))
        while self._last_time - self._counts[0][0] > RATE_WINDOW_S:
            self._counts.popleft()

    def _count_gaps(self, chunk: Chunk) -> None:
        times = chunk.times[usable_rows(chunk)]
        if len(times) == 0:
            return
        steps = np.empty(len(times))
        steps[0] = 0.0 if math.isnan(self._last_usable) else times[0] - self._last_usable
        np.subtract(times[1:], times[:-1], out=steps[1:])
        wide = steps > longest_step(self.info.sfreq)
        self.gaps += int(wide.sum())
        self.lost += int((np.rint(steps[wide] * self.info.sfreq) - 1).sum())
        self._last_usable = float(times[-1])

    def _clock_state(self) -> ClockState:
        if self.device is not None and self.device.clock is not None:
            return self.device.clock
        fit = self._clock
        return ClockState(fit.offset, fit.slope_ppm, fit.residual, fit.updated + fit.offset)

    def _state(self, age: float) -> StreamState:
        if self.ended:
            return StreamState.ENDED
        if self.samples == 0:
            return StreamState.WAITING if self.connected else StreamState.LOST
        if not self.connected or (self.info.sfreq > 0 and age > STALE_S):
            return StreamState.LOST
        poor = not math.isnan(self.quality) and self.quality < _POOR_QUALITY
        poor = poor or (self.device is not None and self.device.contact is False)
        return StreamState.POOR if poor else StreamState.GOOD
