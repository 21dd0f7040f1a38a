"""Everything that the window decides, without Qt: messages and samples in, words and curves out."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import psutil

from biosense.core.affect import ESTIMATE_VALUES, TARGETS
from biosense.core.clock import Clock
from biosense.core.own_streams import AFFECT, own_source_id
from biosense.core.types import Event
from biosense.gui.connection.control_client import CommandReply, Greeting, Message, PreviewImage
from biosense.gui.connection.lsl_feed import Sink, WantedStream
from biosense.gui.state.banners import Banner, Level, Phase, banners_of
from biosense.gui.state.estimate_paths import (
    STALE_S,
    Path,
    PathBuffer,
    PlaneView,
    plane_view,
)
from biosense.gui.state.event_log import EventLog
from biosense.gui.state.headline import Headline, headline_of
from biosense.gui.state.panels import panels_of
from biosense.gui.state.stream_rows import TRUTH as TRUTH_STREAM
from biosense.gui.state.stream_rows import StreamRow, badges_of, rows_of
from biosense.gui.state.trace import Trace
from biosense.live.output.status import RunStatus

SPAN_S = 10.0  # on the sweep
SILENT_S = 2.0  # eight statuses that did not come
SIMULATED = "simulated"  # participant of `demo`
DEMONSTRATION = "demonstration model: no evidence about people"
_NOTICE_S = 5.0


class WindowState:
    """Decide what the window shows.

    `take` and the rest belong to one thread; the sinks of `wanted` may be called from another.

    Parameters
    ----------
    clock
        Session time.
    is_alive
        Tells whether a process exists: a run that is silent may hang, or be gone.

    Examples
    --------
    >>> from biosense.core.clock import SystemClock
    >>> state = WindowState(SystemClock())
    >>> state.take(RunStatus(state.now, 61.0, (), participant="simulated"))
    >>> state.phase.value, state.headline().elapsed[:4], state.stops_on_close
    ('live', '01:0', True)
    """

    def __init__(self, clock: Clock, is_alive: Callable[[int], bool] = psutil.pid_exists) -> None:
        self._clock = clock
        self._is_alive = is_alive
        self._since = clock.now()
        self._heard = np.nan
        self._pid: int | None = None
        self._ended = False
        self.status: RunStatus | None = None
        self.revision = 0
        self.traces: tuple[Trace, ...] = ()
        self.preview: bytes | None = None
        self.previews = 0
        self.events = EventLog()
        self._estimates = PathBuffer(ESTIMATE_VALUES)
        self._said_estimates = PathBuffer(ESTIMATE_VALUES)
        self._truth = PathBuffer(TARGETS)
        self._notice: tuple[float, Banner] | None = None
        self._failures: dict[str, str] = {}

    # What comes in.

    def take(self, message: Message) -> None:
        """Take what the run said."""
        self.revision += 1
        if isinstance(message, RunStatus):
            self._take_status(message)
        elif isinstance(message, Event):
            self.events.add(message)
        elif isinstance(message, PreviewImage):
            self.preview = message.jpeg
            self.previews += 1
        elif isinstance(message, Greeting):
            self._pid = message.pid
        elif isinstance(message, CommandReply):
            self._take_reply(message)

    def wanted(self) -> dict[WantedStream, Sink]:
        """Return the LSL streams that the window reads, and where their samples go."""
        if self.status is None:
            return {}
        traces = {trace.panel.stream: trace for trace in self.traces}
        wanted: dict[WantedStream, Sink] = {}
        for stream in self.status.streams:
            key = WantedStream(stream.name, stream.source_id)
            if stream.name in traces:
                wanted[key] = traces[stream.name].buffer.append
            elif stream.name == TRUTH_STREAM:
                wanted[key] = self._truth.append
            elif not stream.modality and stream.nominal_hz == 0:
                wanted[key] = self.events.append
        if self.status.model:
            wanted[WantedStream(AFFECT, own_source_id(AFFECT, self.status.run))] = (
                self._estimates.append
            )
        return wanted

    def fail(self, part: str, reason: str) -> None:
        """Note that a part of the window itself has ended by an error."""
        if reason and part not in self._failures:
            self._failures[part] = reason
            self.revision += 1

    # What is shown.

    @property
    def now(self) -> float:
        """Session time."""
        return self._clock.now()

    @property
    def silence(self) -> float:
        """Seconds since the run was heard of."""
        return self.now - (self._since if np.isnan(self._heard) else self._heard)

    @property
    def phase(self) -> Phase:
        """How the run stands."""
        if self.status is None and self._pid is None:
            return Phase.CONNECTING
        if self.silence <= SILENT_S:
            return Phase.CONNECTING if self.status is None else Phase.LIVE
        if self._pid is not None and not self._is_alive(self._pid):
            return Phase.ENDED
        return Phase.SILENT

    @property
    def stops_on_close(self) -> bool:
        """True where closing the window ends the run: a demonstration, that still goes on."""
        simulated = self.status is not None and self.status.participant == SIMULATED
        return simulated and self.phase is Phase.LIVE

    def headline(self) -> Headline:
        """Return the words of the top bar."""
        return headline_of(self.status, self.phase, self.now)

    def banners(self) -> tuple[Banner, ...]:
        """Return what must be said loudly, the worst first."""
        said = banners_of(self.phase, self.status, self.silence, self._stopped_estimates())
        failures = [
            Banner(Level.ERROR, f"this window's {part} failed: {reason}. Open it again.")
            for part, reason in self._failures.items()
        ]
        notice = []
        if self._notice is not None and self.now - self._notice[0] < _NOTICE_S:
            notice = [self._notice[1]]
        return (*failures, *said, *notice)

    def rows(self) -> tuple[StreamRow, ...]:
        """Return the table of streams."""
        if self.status is None:
            return ()
        silence = self.silence if self.phase is not Phase.LIVE else 0.0
        weights = {} if silence or self._stopped_estimates() else self.weights
        return rows_of(self.status, weights, silence=silence)

    def badges(self) -> dict[str, str]:
        """Return what to write beside a trace that is in trouble, by name of stream."""
        return badges_of(self.status, is_live=self.phase is Phase.LIVE)

    @property
    def started(self) -> float:
        """Session time at which the run began; 0 before it is known."""
        return 0.0 if self.status is None else self.status.time - self.status.elapsed

    @property
    def weights(self) -> dict[str, float]:
        """What carried the newest estimate, by modality."""
        return dict(self._source().weights)

    @property
    def estimates(self) -> Path:
        """The estimates of the last two minutes."""
        return self._source().path()

    @property
    def estimates_total(self) -> int:
        """How many came so far."""
        return self._source().total

    @property
    def truth(self) -> Path:
        """The hidden path of a simulated participant; empty where there is none."""
        return self._truth.path()

    def plane(self, steps: int) -> PlaneView:
        """Return what the plane shows, its trail in `steps` steps of fading."""
        message = ""
        if self.status is not None:
            message = "no estimate yet" if self.status.model else "no model: signals only"
        return plane_view(self.estimates, self.truth, self.now, message, steps)

    def _source(self) -> PathBuffer:
        # The status carries the newest estimate too, for a window that cannot see the stream.
        return self._estimates if self._estimates.total else self._said_estimates

    @property
    def closing(self) -> str:
        """What closing the window does."""
        if self.phase in (Phase.ENDED, Phase.CONNECTING):
            return ""
        if self.stops_on_close:
            return "Closing this window ends the demonstration."
        return "Closing this window does not stop the run: use Stop, or Ctrl-C in its terminal."

    def _take_status(self, status: RunStatus) -> None:
        known = self.status
        self.status = status
        self._heard = self.now
        new = known is None or known.estimates != status.estimates
        if new and status.estimate is not None:
            self._said_estimates.put(status.time, status.estimate)
        layout = tuple((stream.name, stream.channels) for stream in status.streams)
        if known is None or layout != tuple((s.name, s.channels) for s in known.streams):
            self._lay_out(status)

    def _lay_out(self, status: RunStatus) -> None:
        streams = {stream.name: stream for stream in status.streams}
        kept = {trace.panel.stream: trace for trace in self.traces}
        self.traces = tuple(
            kept.get(panel.stream) or Trace.of(panel, streams[panel.stream], SPAN_S)
            for panel in panels_of(status.streams)
        )

    def _take_reply(self, reply: CommandReply) -> None:
        if reply.error:
            text = f"{reply.command} failed: {reply.error}"
            self._notice = (self.now, Banner(Level.ERROR, text))
        elif reply.command == "marker":
            self._notice = (self.now, Banner(Level.GOOD, f"marker set: {reply.text}"))
        elif reply.command == "stop":
            self._notice = (self.now, Banner(Level.INFO, "stopping: the run ends in good order"))

    def _stopped_estimates(self) -> float | None:
        source = self._source()
        if source.total == 0:
            return None
        age = self.now - float(source.path().times[-1])
        return age if age > STALE_S else None
