"""The list of what happened: events of the run, and markers as they come back over LSL. No Qt."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from biosense.core.own_streams import OWN_MARKERS
from biosense.core.types import Chunk, Event, EventKind
from biosense.gui.state.banners import Level

_KEPT = 200
_LEVELS = {
    EventKind.LOST: Level.ERROR,
    EventKind.ERROR: Level.ERROR,
    EventKind.OVERRUN: Level.ERROR,
    EventKind.GAP: Level.WARN,
    EventKind.LOW_QUALITY: Level.WARN,
    EventKind.CLOCK_RESET: Level.WARN,
    EventKind.RECOVERED: Level.GOOD,
    EventKind.ENDED: Level.QUIET,
    EventKind.CONNECTED: Level.QUIET,
    EventKind.MARKER: Level.INFO,
    EventKind.INFO: Level.QUIET,
}


@dataclass(frozen=True)
class EventLine:
    """Hold one line: session time, how loud it is, and its words."""

    time: float
    level: Level
    kind: str
    text: str


class EventLog:
    """Keep the newest events, in the order in which they became known.

    Examples
    --------
    >>> log = EventLog()
    >>> log.add(Event(3.0, EventKind.GAP, "chest", "0.5 s"))
    EventLine(time=3.0, level=<Level.WARN: 'warn'>, kind='gap', text='chest: 0.5 s')
    """

    def __init__(self) -> None:
        self.lines: deque[EventLine] = deque(maxlen=_KEPT)
        self.total = 0
        self._markers: deque[tuple[float, str]] = deque(maxlen=_KEPT)

    def add(self, event: Event) -> EventLine:
        """Take an event."""
        text = f"{event.stream}: {event.text}" if event.stream else event.text
        line = EventLine(event.time, _LEVELS[event.kind], event.kind.value, text)
        self.lines.append(line)
        self.total += 1
        return line

    def append(self, chunk: Chunk) -> None:
        """Take samples of a stream of text, in any thread."""
        if not chunk.info.is_text:
            return
        sender = "" if chunk.info.name == OWN_MARKERS else f"{chunk.info.name}: "
        self._markers.extend(
            (float(time), f"{sender}{row[0]}")
            for time, row in zip(chunk.times, chunk.data, strict=True)
        )

    def collect(self) -> list[EventLine]:
        """Enter the markers that came since the last call, and return them."""
        lines = []
        while self._markers:
            time, text = self._markers.popleft()
            lines.append(self.add(Event(time, EventKind.MARKER, "", text)))
        return lines


def clock_words(seconds: float) -> str:
    """Return a time as minutes and seconds, with hours where it needs them.

    >>> clock_words(61.9), clock_words(3725.0)
    ('01:01', '1:02:05')
    """
    minutes, rest = divmod(int(max(seconds, 0.0)), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes:02d}:{rest:02d}"
