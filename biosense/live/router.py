"""The one point that every item of a run passes, in its order of arrival."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Mapping

from biosense.acquisition.xdf.events import event_chunk
from biosense.acquisition.xdf.recorder import Recorder
from biosense.core.clock import Clock
from biosense.core.device_state import DeviceState
from biosense.core.types import Chunk, Event, EventKind, Item
from biosense.estimation.stream_health import StreamHealth
from biosense.live.output.publisher import Publisher
from biosense.live.processing_thread import ProcessingThread

log = logging.getLogger(__name__)

_QUIET = (
    EventKind.INFO,
    EventKind.CONNECTED,
    EventKind.RECOVERED,
    EventKind.MARKER,
    EventKind.ENDED,
)


class Router:
    """Pass items on: to the recorder first, then to the queue of the processing thread.

    So the order in a recording is the order of processing, and `estimate` gives the same numbers.
    For the event loop's thread.

    Parameters
    ----------
    recorder
        None where nothing is recorded.
    worker, publisher
        Of the run.
    healths
        By name of stream.
    published
        Names of the streams that the run publishes itself.
    clock
        Session time.
    on_event
        Called with every event.
    """

    def __init__(
        self,
        recorder: Recorder | None,
        processing: ProcessingThread,
        publisher: Publisher,
        *,
        healths: Mapping[str, StreamHealth],
        published: Collection[str],
        clock: Clock,
        on_event: Callable[[Event], None],
    ) -> None:
        self._recorder = recorder
        self._processing = processing
        self._publisher = publisher
        self._healths = healths
        self._published = published
        self._clock = clock
        self._on_event = on_event

    def take(self, item: Item) -> None:
        """Pass an item on."""
        if isinstance(item, DeviceState):
            if item.stream in self._healths:
                self._healths[item.stream].add(item)
            return
        if self._recorder is not None:
            self._recorder.put(item)
        if not self._processing.put(item) and self._processing.overruns == 1:
            self._announce_overrun()
        if isinstance(item, Event):
            self.announce(item)
            return
        self._healths[item.info.name].add(item)
        if isinstance(item, Chunk) and item.info.name in self._published:
            self._publisher.push(item)

    def emit(self, chunk: Chunk) -> None:
        """Record and publish what the run itself says: nothing is computed from it."""
        if self._recorder is not None:
            self._recorder.put(chunk)
        self._publisher.push(chunk)

    def announce(self, event: Event) -> None:
        """Say an event to everybody but the recorder."""
        level = logging.INFO if event.kind in _QUIET else logging.WARNING
        log.log(level, "%s %s: %s", event.kind, event.stream or "run", event.text)
        if event.stream in self._healths:
            self._healths[event.stream].add(event)
        self._publisher.push(event_chunk(event))
        self._on_event(event)

    def _announce_overrun(self) -> None:
        text = "processing is too slow: the recording is complete, estimates miss some samples"
        self.take(Event(self._clock.now(), EventKind.OVERRUN, "", text))
