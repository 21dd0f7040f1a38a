"""One stream on display: its samples and the scale that they are drawn on. No Qt."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from biosense.core.stream_status import StreamStatus
from biosense.core.types import Floats, StreamInfo
from biosense.gui.state.panels import Panel
from biosense.gui.state.scale import Scale, round_up
from biosense.gui.state.trace_buffer import TraceBuffer

_FOLLOW_S = 1.0  # between two looks at the scale
_WARM_S = 3.0  # while the first samples come, looks are closer: the first scale is a guess
_WARM_FOLLOW_S = 0.25
_MARGIN = 1.25  # kept beyond the span of the display


@dataclass(eq=False)
class Trace:
    """Hold what the sweep needs to draw one stream.

    Parameters
    ----------
    panel
        Which lanes, how high.
    buffer
        The samples, as drawn.
    span
        Seconds on display.
    """

    panel: Panel
    buffer: TraceBuffer
    span: float
    scales: tuple[Scale, ...] = field(init=False)
    _due: float = field(default=-np.inf, init=False, repr=False)
    _first: float = field(default=np.nan, init=False, repr=False)

    def __post_init__(self) -> None:
        style = self.panel.style
        lanes = 1 if style.shared else len(self.panel.lanes)
        self.scales = tuple(Scale(style.shared, style.least) for _ in range(lanes))

    @classmethod
    def of(cls, panel: Panel, stream: StreamStatus, span: float) -> Trace:
        """Make the trace of a stream, which has no samples yet."""
        info = StreamInfo(
            stream.name, panel.modality, stream.channels, stream.nominal_hz, stream.unit
        )
        return cls(panel, TraceBuffer(panel, info, span * _MARGIN), span)

    def follow(self, now: float) -> bool:
        """Adapt the scales to what is on display, now and then; True when one changed."""
        if now < self._due or self.buffer.total == 0:
            return False
        self._first = now if np.isnan(self._first) else self._first
        self._due = now + (_WARM_FOLLOW_S if now - self._first < _WARM_S else _FOLLOW_S)
        values = self.buffer.last_seconds(self.span).values
        parts = (values,) if len(self.scales) == 1 else np.split(values, len(self.scales), axis=1)
        changed = [scale.follow(part, now) for scale, part in zip(self.scales, parts, strict=True)]
        return any(changed)

    def lane_range(self, lane: int) -> tuple[float, float]:
        """Return the values at the bottom and the top of a lane; 0 and 1 before any sample."""
        scale = self.scales[min(lane, len(self.scales) - 1)]
        return (scale.low, scale.high) if scale.known else (0.0, 1.0)

    def heights(self, values: Floats) -> Floats:
        """Map values (n, lanes) to heights in their lanes: 0 at the bottom, 1 at the top."""
        ranges = np.array([self.lane_range(lane) for lane in range(len(self.panel.lanes))])
        heights: Floats = (values - ranges[:, 0]) / (ranges[:, 1] - ranges[:, 0])
        return heights

    def scale_words(self, lane: int) -> tuple[str, ...]:
        """Say the scale of a lane: the size of its bar where it has no level, else its ends."""
        if not self.scales[0].known:
            return ()
        low, high = self.lane_range(lane)
        unit = f" {self.buffer.unit}" if self.buffer.unit else ""
        if self.panel.floats:
            return (f"{self.bar(lane):g}{unit}",)
        return (f"{high:g}{unit}", f"{low:g}{unit}")

    def bar(self, lane: int) -> float:
        """Return a round size of about half a lane."""
        low, high = self.lane_range(lane)
        return round_up((high - low) * 0.4)
