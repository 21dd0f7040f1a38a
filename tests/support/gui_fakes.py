"""What the tests of the window share: a clock to set, statuses, streams, tracks."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from biosense.core.stream_status import StreamState, StreamStatus
from biosense.core.types import Chunk, Modality, StreamInfo
from biosense.gui.state.panels import Panel, TraceStyle
from biosense.gui.state.trace import Trace
from biosense.live.output.status import RunStatus


@dataclass
class FakeClock:
    time: float = 1000.0

    def now(self) -> float:
        return self.time


def stream(name: str = "sim-ecg", modality: str = "ecg", **changes: Any) -> StreamStatus:
    known = StreamStatus(
        name=name,
        modality=modality,
        channels=(modality or "marker",),
        unit="mV",
        nominal_hz=100.0,
        rate_hz=100.1,
        samples=500,
        age=0.1,
        gaps=0,
        lost=0,
        offset=0.0,
        drift_ppm=0.0,
        residual=0.0,
        quality=0.9,
        state=StreamState.GOOD,
        source_id=f"id-{name}",
    )
    return replace(known, **changes)


def run_status(*streams: StreamStatus, time: float = 1000.0, **changes: Any) -> RunStatus:
    return replace(RunStatus(time, 65.0, streams or (stream(),)), **changes)


def chunk(info: StreamInfo, times: Any, values: Any) -> Chunk:
    data = np.asarray(values, dtype=np.float64)
    return Chunk.of(info, times, data.reshape(len(np.atleast_1d(times)), -1))


PLAIN = TraceStyle("", 1.0, (0.0, 0.0), False, 1.0, 1e-9)
INFO = StreamInfo("plain", Modality.ECG, ("x",), 100.0, "")


def plain_trace(span: float = 10.0, lanes: int = 1, info: StreamInfo = INFO) -> Trace:
    """Make a track that draws samples as they are, on a scale from 0 to 1 that stays."""
    from biosense.gui.state.trace_buffer import TraceBuffer

    names = tuple(f"lane {n}" for n in range(lanes))
    panel = Panel(info.name, Modality.ECG, "plain", names, PLAIN, lambda data: data[:, :lanes])
    trace = Trace(panel, TraceBuffer(panel, info, span * 1.25), span)
    for scale in trace.scales:
        scale.low, scale.high = 0.0, 1.0
    trace._due = np.inf
    return trace
