"""A live run: every source into the recorder and the pipelines, estimates and health out."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack, suppress
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from biosense.acquisition.xdf.events import EVENTS, event_chunk
from biosense.acquisition.xdf.folder import new_folder
from biosense.acquisition.xdf.recorder import Recorder
from biosense.core.clock import Clock
from biosense.core.errors import BadInput, DeviceLost, RecordingFailed
from biosense.core.source import Source
from biosense.core.types import Chunk, DeviceState, Event, EventKind, Item, StreamInfo
from biosense.live.health import StreamHealth
from biosense.live.names import StreamNames
from biosense.live.outputs import Outputs
from biosense.live.processor import Processor
from biosense.live.publish import MARKERS, Publisher, text_chunk
from biosense.live.settings import RunSettings, sidecar
from biosense.live.status import RunStatus
from biosense.live.summary import (
    ProcessMeter,
    Summary,
    latency_percentiles,
    rate,
    summarise_streams,
)
from biosense.live.worker import Worker
from biosense.models.checkpoint import Loaded
from biosense.models.streaming import StreamingEstimator

log = logging.getLogger(__name__)

STATUS_EVERY_S = 0.25
_DRAIN_S = 2.0  # what closed sources get to hand over the items that they hold
_QUIET = (EventKind.INFO, EventKind.CONNECTED, EventKind.RECOVERED, EventKind.MARKER)


class Run:
    """Run sources, recorder, pipelines and estimator together; no Qt.

    Every item of every source passes one point, in order of arrival: first to the recorder, then to
    the queue of the processing thread. So the order in a recording is the order of processing, and
    `estimate` gives the same numbers.

    Parameters
    ----------
    sources
        Not yet entered.
    settings
        What is asked for.
    clock
        Session time.
    loaded
        The checkpoint, or None to compute features only.
    republish
        Those of the sources that did not come over LSL: the run publishes their streams there.
    on_status, on_event
        Called in the event loop.
    """

    def __init__(
        self,
        sources: Sequence[Source],
        *,
        settings: RunSettings,
        clock: Clock,
        loaded: Loaded | None,
        republish: Sequence[Source] = (),
        on_status: Callable[[RunStatus], None] = lambda _: None,
        on_event: Callable[[Event], None] = lambda _: None,
    ) -> None:
        self.settings = settings
        self._sources = sources
        self._republish = republish
        self._clock = clock
        self._loaded = loaded
        self._on_status = on_status
        self._on_event = on_event
        self._stop = asyncio.Event()
        self._health: dict[str, StreamHealth] = {}
        self._errors: list[str] = []
        self._recorder: Recorder | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._is_open = False

    def stop(self) -> None:
        """End the run in good order; from any thread."""
        self._call(self._stop.set)

    def mark(self, text: str) -> None:
        """Put a marker, stamped now, into the recording and on the network; from any thread.

        Raises
        ------
        BadInput
            While the run is not under way: it would be lost.
        """
        if not self._is_open:
            raise BadInput(f"marker {text!r} was not set: the run has not begun, or is over")
        self._call(self._take, text_chunk(MARKERS, self._clock.now(), text))

    async def run(self) -> Summary:
        """Run until the end, and sum up.

        Raises
        ------
        StreamNotFound
            When a source is not there at the start.
        """
        self._loop = asyncio.get_running_loop()
        async with AsyncExitStack() as stack:
            await self._enter(stack)
            self._open()
            try:
                await self._forward_until_stopped(stack)
            finally:
                await self._close()
        self._on_status(self.status())  # the last word of a view that stays open
        return self._summary()

    async def _enter(self, stack: AsyncExitStack) -> None:
        """Enter all sources side by side: an LSL stream alone takes half a second to open."""
        entering = (stack.enter_async_context(source) for source in self._sources)
        for result in await asyncio.gather(*entering, return_exceptions=True):
            if isinstance(result, BaseException):
                raise result

    def status(self) -> RunStatus:
        """Return the health of the run as it is now."""
        now = self._clock.now()
        for name, health in self._health.items():
            health.quality = self._outputs.quality(name)
        return RunStatus(
            time=now,
            elapsed=now - self._started,
            streams=tuple(health.status(now) for health in self._health.values()),
            features=self._outputs.feature_values(),
            estimate=self._outputs.estimate,
            estimates=len(self._outputs.estimate_times),
            recording=str(self._recorder.folder) if self._recorder else "",
            recording_failed=self._errors[-1] if self._errors else "",
            participant=self.settings.participant,
            model=self.settings.model_name if self._loaded else "",
            latency_ms=1000 * self._outputs.latency(),
            cpu_cores=self._meter.cores(now),
            rss_mb=self._meter.rss_mb(),
        )

    def _open(self) -> None:
        self._started = self._clock.now()
        self._meter = ProcessMeter(self._started)
        self._names = StreamNames(self._sources)
        infos = self._names.infos
        if not infos:
            raise BadInput("a run needs at least one stream; name one, or use --simulate")
        processor = Processor(
            self.settings.processor, StreamingEstimator(self._loaded) if self._loaded else None
        )
        notes = [note for info in infos for note in processor.add_stream(info)]
        if self.settings.record is not None:
            self._recorder = self._open_recorder(self.settings.record, [*infos, MARKERS])
        self._publisher = Publisher()
        own = [info for source in self._republish for info in self._names.of(source)]
        self._publisher.open([*own, EVENTS, MARKERS])
        self._published = frozenset(info.name for info in (*own, MARKERS))
        for info in (*infos, MARKERS):
            self._health[info.name] = StreamHealth(info, published=info.name in self._published)
        self._outputs = Outputs(
            processor,
            self._publisher,
            self._recorder,
            clock=self._clock,
            loaded=self._loaded,
            model_name=self.settings.model_name,
            features=self.settings.features,
            on_event=lambda event: self._call(self._take, event),
        )
        self._worker = Worker(processor, self._outputs.deliver, lambda: self._call(self._stop.set))
        self._is_open = True
        for note in notes:
            self._take(replace(note, time=self._started))

    def _open_recorder(self, parent: Path, infos: list[StreamInfo]) -> Recorder:
        return Recorder(
            new_folder(parent, self.settings.participant, datetime.now().astimezone()),
            infos,
            clock=self._clock,
            sidecar=sidecar(self.settings, self._loaded),
            on_failure=self._recording_failed,
        )

    async def _forward_until_stopped(self, stack: AsyncExitStack) -> None:
        tasks = [asyncio.create_task(self._forward(source)) for source in self._sources]
        report = asyncio.create_task(self._report())
        stopped = asyncio.create_task(self._stop.wait())
        try:
            await self._wait(tasks, stopped)
            with suppress(DeviceLost):  # reported when the iteration raised it
                await stack.aclose()
            await asyncio.wait(tasks, timeout=_DRAIN_S)
        finally:
            for task in (*tasks, report, stopped):
                task.cancel()
            results = await asyncio.gather(*tasks, report, stopped, return_exceptions=True)
        for result in results:
            if isinstance(result, Exception):
                raise result

    async def _wait(self, tasks: Sequence[asyncio.Task[None]], stopped: asyncio.Task[bool]) -> None:
        """Wait for the time, a stop, an error, or the end of every source."""
        seconds = self.settings.seconds
        deadline = None if seconds is None else self._started + seconds
        pending = set(tasks)
        while pending:
            left = None if deadline is None else max(deadline - self._clock.now(), 0.0)
            done, _ = await asyncio.wait(
                {*pending, stopped}, timeout=left, return_when=asyncio.FIRST_COMPLETED
            )
            if not done or stopped in done or any(task.exception() for task in done):
                return
            pending = {task for task in pending if not task.done()}

    async def _close(self) -> None:
        try:
            # In a thread, so that the loop still takes the events that the last samples bring.
            await asyncio.to_thread(self._worker.close)
        finally:
            self._is_open = False
            if self._recorder is not None:
                self._recorder.close()
            self._publisher.close()

    async def _forward(self, source: Source) -> None:
        try:
            async for item in source:
                self._take(self._names.renamed(source, item))
        except DeviceLost as error:
            for info in self._names.of(source):
                self._take(Event(self._clock.now(), EventKind.LOST, info.name, str(error)))
        except Exception as error:
            names = ", ".join(repr(info.name) for info in self._names.of(source))
            error.add_note(f"while reading {names}")
            raise

    def _take(self, item: Item) -> None:
        """Pass an item on: recorder first, then processing. The one point that all items pass."""
        if not self._is_open:
            return
        if isinstance(item, DeviceState):
            self._health[item.stream].add(item)
            return
        if self._recorder is not None:
            self._recorder.put(item)
        if not self._worker.put(item) and self._worker.overruns == 1:
            self._announce_overrun()
        if isinstance(item, Event):
            self._announce(item)
            return
        self._health[item.info.name].add(item)
        if isinstance(item, Chunk) and item.info.name in self._published:
            self._publisher.push(item)

    def _announce(self, event: Event) -> None:
        level = logging.INFO if event.kind in _QUIET else logging.WARNING
        log.log(level, "%s %s: %s", event.kind, event.stream or "run", event.text)
        if event.stream in self._health:
            self._health[event.stream].add(event)
        self._publisher.push(event_chunk(event))
        self._on_event(event)

    def _announce_overrun(self) -> None:
        text = "processing is too slow: the recording is complete, estimates miss some samples"
        self._take(Event(self._clock.now(), EventKind.OVERRUN, "", text))

    def _recording_failed(self, error: RecordingFailed) -> None:
        self._errors.append(str(error))
        event = Event(self._clock.now(), EventKind.ERROR, "", str(error))
        self._call(self._announce, event)

    def _call(self, function: Callable[..., None], *arguments: object) -> None:
        if self._loop is None:
            raise BadInput("the run has not started yet")
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(function, *arguments)

    async def _report(self) -> None:
        while True:
            self._on_status(self.status())
            await asyncio.sleep(STATUS_EVERY_S)

    def _summary(self) -> Summary:
        now = self._clock.now()
        streams = [health for health in self._health.values() if health.info != MARKERS]
        return Summary(
            seconds=now - self._started,
            streams=summarise_streams(streams),
            estimates=len(self._outputs.estimate_times),
            estimate_hz=rate(self._outputs.estimate_times),
            latency_ms=latency_percentiles(self._outputs.latencies),
            cpu_cores=self._meter.cores(now),
            rss_mb=self._meter.rss_mb(),
            recording=str(self._recorder.folder) if self._recorder else None,
            errors=tuple(self._errors),
        )
