"""Session times of a recorded stream: the same numbers that the live run had."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from biosense.acquisition.xdf.parse import Offset, Samples
from biosense.core.clock import ClockFit
from biosense.core.types import Bools, Chunk, StreamInfo


@dataclass
class StreamSummary:
    """Hold what a look through the file tells about one stream.

    `first` and `last` are the sender's stamps; `offsets` counts clock measurements; `own_clock` is
    True where every measured offset is 0, i.e. the stamps are session times already.
    """

    info: StreamInfo
    samples: int = 0
    first: float = float("nan")
    last: float = float("nan")
    offsets: int = 0
    first_offset: tuple[float, float] | None = None
    own_clock: bool = True
    footer: bool = False

    def take(self, samples: Samples) -> None:
        """Count samples."""
        if len(samples.stamps):
            if not self.samples:
                self.first = float(samples.stamps[0])
            self.samples += len(samples.stamps)
            self.last = float(samples.stamps[-1])

    def take_offset(self, offset: Offset) -> None:
        """Count a clock measurement."""
        self.offsets += 1
        self.first_offset = self.first_offset or (offset.time, offset.offset)
        self.own_clock = self.own_clock and offset.offset == 0.0


@dataclass
class SessionClock:
    """Map one stream's stamps as the live run did; a late first measurement counts from the start.

    A stream whose samples come before its first measurement was recorded by another program.
    """

    summary: StreamSummary
    fit: ClockFit = field(default_factory=ClockFit)
    primed: bool = False

    def add(self, time: float, offset: float) -> None:
        """Take a clock measurement in the order of the file."""
        if self.primed and (time, offset) == self.summary.first_offset:
            self.primed = False  # taken before its turn, when the first samples came
            return
        self.fit.add(time, offset)

    def chunk(self, samples: Samples) -> Chunk:
        """Return samples with session times."""
        info, stamps = self.summary.info, samples.stamps
        ok: Bools = np.ones(len(stamps), np.bool_)
        if self.summary.own_clock:
            return Chunk(info, stamps, samples.data, ok)
        if np.isnan(self.fit.updated) and self.summary.first_offset is not None:
            self.fit.add(*self.summary.first_offset)
            self.primed = True
        return Chunk(info, self.fit.to_session(stamps), samples.data, ok, stamps)
