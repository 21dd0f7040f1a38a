"""A live run: every source into the recorder and the pipelines, estimates and health out."""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Callable, Collection, Coroutine, Sequence
from contextlib import AsyncExitStack, suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from biosense.core.clock import Clock
from biosense.core.errors import BadInput, BiosenseError, DeviceLost
from biosense.core.source import Source
from biosense.core.types import Event, EventKind, Item
from biosense.live.active_run import ActiveRun, RunContext
from biosense.live.config.preflight_settings import OnProblem, PreflightSettings
from biosense.live.config.run_settings import RunSettings
from biosense.live.health.checks import check_disk
from biosense.live.health.preflight import (
    NotReady,
    PreflightData,
    as_event,
    find_problems,
    refusals,
)
from biosense.live.health.signal_checks import Finding
from biosense.live.open_sources import open_sources
from biosense.live.output.publisher import MARKERS, text_chunk
from biosense.live.output.status import RunStatus
from biosense.live.output.summary import RunSummary
from biosense.live.restarted_clocks import RestartedClocks
from biosense.live.stream_names import StreamNames
from biosense.live.tasks import cancel, raise_failures

if TYPE_CHECKING:
    from biosense.models.deployment.checkpoint import Loaded

log = logging.getLogger(__name__)

STATUS_EVERY_S = 0.25
_DRAIN_S = 2.0  # what closed sources get to hand over the items that they hold

Sleep = Callable[[float], Coroutine[Any, Any, None]]
Tasks = Sequence[asyncio.Task[None]]


class Run:
    """Run sources, recorder, pipelines and estimator together; no Qt.

    Every item of every source passes one point, in order of arrival: first to the recorder, then to
    the queue of the processing thread. So the order in a recording is the order of processing, and
    `estimate` gives the same numbers. What the pre-flight looks at comes before: it is neither
    recorded nor processed.

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
    optional
        Those of the sources that the run can do without. One that is missing at the start is said,
        and not looked for again; one that is lost for good is no error of the run.
    sleep
        How to wait; a test passes one that moves its clock.
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
        republish: Collection[Source] = (),
        optional: Collection[Source] = (),
        sleep: Sleep = asyncio.sleep,
        on_status: Callable[[RunStatus], None] = lambda _: None,
        on_event: Callable[[Event], None] = lambda _: None,
    ) -> None:
        self.settings = settings
        self._sources = sources
        self._republish = republish
        self._optional = optional
        self._clock = clock
        self._sleep = sleep
        self._on_status = on_status
        self._context = RunContext(
            settings, clock, loaded, secrets.token_hex(4), self._call, self.stop, on_event
        )
        self._stop = asyncio.Event()
        self._preflight_data = PreflightData((), clock.now())
        self._active: ActiveRun | None = None
        self._closing = False
        self._lost: list[str] = []
        self._loop: asyncio.AbstractEventLoop | None = None

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
        if self._active is None or not self._active.is_open:
            raise BadInput(f"marker {text!r} was not set: the run has not begun, or is over")
        self._call(self._active.take, text_chunk(MARKERS, self._clock.now(), text))

    async def run(self) -> RunSummary:
        """Run until the end, and sum up.

        Raises
        ------
        StreamNotFound
            When a source that is not optional is not there at the start.
        NotReady
            When the pre-flight refuses to begin.
        """
        self._loop = asyncio.get_running_loop()
        if not self._sources:
            raise BadInput("a run needs at least one stream; name one, or use --simulate")
        async with AsyncExitStack() as stack:
            entered = await open_sources(stack, self._sources, self._optional)
            self._names = StreamNames(entered.sources)
            self._preflight_data = PreflightData(self._names.infos, self._clock.now())
            tasks = [asyncio.create_task(self._forward(source)) for source in entered.sources]
            try:
                found = await self._preflight(tasks)
                self._active = self._open()
                try:
                    # Nothing is awaited before: no sample slips in between look and run.
                    self._begin(self._active, found, entered.missing)
                    await self._forward_until_stopped(self._active, tasks, stack)
                finally:
                    await self._close(self._active)
            finally:
                await cancel(tasks)
        self._on_status(self._active.status())  # the last word of a view that stays open
        return self._active.summary(self._lost)

    async def _preflight(self, tasks: Tasks) -> list[Finding]:
        """Look at the signals for a while; nothing of it is recorded or processed."""
        settings = self.settings.preflight
        if settings.seconds == 0:
            return []
        end = self._clock.now() + settings.seconds
        report = asyncio.create_task(self._report(lambda: self._early_status(end)))
        try:
            await self._wait(tasks, settings.seconds)
        finally:
            await cancel([report])
        raise_failures([*tasks, report])
        if self._stop.is_set():
            raise BiosenseError("stopped during the pre-flight: nothing was recorded")
        found = self._judge(settings)
        names = {info.name for source in self._optional for info in self._names.of(source)}
        reasons = refusals(found, names) if settings.on_problem is OnProblem.REFUSE else []
        if reasons:
            raise NotReady(reasons)
        return found

    def _judge(self, settings: PreflightSettings) -> list[Finding]:
        now, data, asked = self._clock.now(), self._preflight_data, self.settings
        found = find_problems(data, settings, now=now, mains_hz=asked.processor.mains_hz)
        if asked.record is not None:
            rate = data.bytes / max(now - data.began, 1.0)
            found += check_disk(asked.record, rate, asked.seconds)
        for each in found:
            log.info("pre-flight %s: %s", each.severity, each)
        return found

    def _open(self) -> ActiveRun:
        own = [info for source in self._republish for info in self._names.of(source)]
        devices = self._preflight_data.devices.values()
        return ActiveRun(self._context, self._names.infos, own, devices)

    def _begin(self, active: ActiveRun, found: Sequence[Finding], missing: Sequence[str]) -> None:
        """Say what is known from before the run; the samples of before are let go."""
        before, self._preflight_data = self._preflight_data, PreflightData((), active.started)
        self._clocks = RestartedClocks(before.offsets)
        offsets = [offset for measured in before.offsets.values() for offset in measured]
        said: list[Item] = [*offsets, *before.devices.values(), *before.events]
        for item in said:
            active.take(item)
        for error in missing:
            text = f"the run goes on without an optional source, and looks for it no more: {error}"
            active.take(Event(active.started, EventKind.LOST, "", text))
        for each in found:
            active.take(as_event(each, active.started))

    @staticmethod
    async def _close(active: ActiveRun) -> None:
        try:
            # In a thread: the loop still takes the events that the last samples bring.
            await asyncio.to_thread(active.drain)
        finally:
            try:
                active.end()
            finally:
                await asyncio.to_thread(active.close)

    async def _forward_until_stopped(
        self, active: ActiveRun, tasks: Tasks, stack: AsyncExitStack
    ) -> None:
        report = asyncio.create_task(self._report(active.status, active.log_health))
        try:
            seconds = self.settings.seconds
            left = None if seconds is None else active.started + seconds - self._clock.now()
            await self._wait(tasks, left)
            self._closing = True
            with suppress(DeviceLost):  # reported when the iteration raised it
                await stack.aclose()
            await asyncio.wait(tasks, timeout=_DRAIN_S)
        finally:
            await cancel([*tasks, report])
        raise_failures([*tasks, report])

    async def _wait(self, tasks: Tasks, seconds: float | None) -> None:
        """Wait for the time, a stop, an error, or the end of every source."""
        ends: set[asyncio.Task[Any]] = {asyncio.create_task(self._stop.wait())}
        if seconds is not None:
            ends.add(asyncio.create_task(self._sleep(max(seconds, 0.0))))
        pending = set(tasks)
        try:
            while pending:
                done, _ = await asyncio.wait({*pending, *ends}, return_when=asyncio.FIRST_COMPLETED)
                if done & ends or any(task.exception() for task in done):
                    return
                pending -= done
        finally:
            await cancel(ends)

    async def _forward(self, source: Source) -> None:
        try:
            async for item in source:
                self._receive(self._names.renamed(source, item))
        except DeviceLost as error:
            self._report_end(source, EventKind.LOST, str(error))
            if source not in self._optional:
                names = ", ".join(info.name for info in self._names.of(source))
                self._lost.append(f"{names}: {error}")
        except Exception as error:
            names = ", ".join(repr(info.name) for info in self._names.of(source))
            error.add_note(f"while reading {names}")
            raise
        else:
            if not self._closing:
                self._report_end(source, EventKind.ENDED, "its source has come to its end")

    def _report_end(self, source: Source, kind: EventKind, text: str) -> None:
        for info in self._names.of(source):
            self._receive(Event(self._clock.now(), kind, info.name, text))

    def _receive(self, item: Item) -> None:
        if self._active is None:
            self._preflight_data.take(item)
        else:
            self._active.take(self._clocks.timed(item))

    def _early_status(self, end: float) -> RunStatus:
        now = self._clock.now()
        status = self._preflight_data.status(now, end - now)
        return replace(status, participant=self.settings.participant, run=self._context.run)

    async def _report(
        self,
        status: Callable[[], RunStatus],
        also: Callable[[RunStatus], None] = lambda _: None,
    ) -> None:
        while True:
            current = status()
            self._on_status(current)
            also(current)
            await asyncio.sleep(STATUS_EVERY_S)

    def _call(self, function: Callable[..., None], *arguments: object) -> None:
        if self._loop is None:
            raise BadInput("the run has not started yet")
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(function, *arguments)
