"""What works while a run is open: recorder, processing, network and health, opened together."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from biosense.acquisition.xdf.events import EVENTS
from biosense.acquisition.xdf.recorder import Recorder
from biosense.acquisition.xdf.recording_folder import new_folder
from biosense.core.clock import Clock
from biosense.core.device_state import DeviceState
from biosense.core.errors import RecordingFailed
from biosense.core.own_streams import OWN_MARKERS, is_packets, own_source_id
from biosense.core.types import Event, EventKind, Item, StreamInfo
from biosense.estimation.processor import Processor
from biosense.estimation.stream_health import StreamHealth
from biosense.live.config.run_settings import RunSettings, sidecar
from biosense.live.health.log import HEALTH, HealthLog
from biosense.live.output.outcomes import Outputs
from biosense.live.output.publisher import MARKERS, Publisher
from biosense.live.output.status import RunStatus
from biosense.live.output.summary import (
    ProcessMeter,
    RunSummary,
    count_streams,
    latency_percentiles,
    rate,
)
from biosense.live.processing_thread import ProcessingThread
from biosense.live.router import Router

if TYPE_CHECKING:
    from biosense.models.deployment.checkpoint import Loaded
    from biosense.models.deployment.streaming import StreamingEstimator

Call = Callable[..., None]


@dataclass(frozen=True)
class RunContext:
    """Hold what an engine is told from outside.

    Parameters
    ----------
    settings, clock, loaded
        Of the run.
    run
        Tells this run from others on the network.
    call
        Calls a function with arguments in the event loop, from any thread.
    stop
        Ends the run; called from any thread.
    on_event
        Called in the event loop with every event.
    """

    settings: RunSettings
    clock: Clock
    loaded: Loaded | None
    run: str
    call: Call
    stop: Callable[[], None]
    on_event: Callable[[Event], None]


class ActiveRun:
    """Record, process, publish and watch the streams of a run; for the event loop's thread.

    Parameters
    ----------
    around
        What it is told from outside.
    infos
        The streams, under their names within the run.
    own
        Names of those that did not come over LSL: the run publishes them there.
    devices
        What is known of devices before the run begins.

    Raises
    ------
    RecordingFailed, BadInput
        When a part of it cannot be opened; what was opened is closed again.
    """

    def __init__(
        self,
        context: RunContext,
        infos: Sequence[StreamInfo],
        own: Iterable[StreamInfo],
        devices: Iterable[DeviceState] = (),
    ) -> None:
        self.started = context.clock.now()
        self.is_open = False
        self._context = context
        self._meter = ProcessMeter(self.started)
        self._health_log = HealthLog()
        self._failures: list[str] = []
        published = [info for info in own if not is_packets(info)]
        markers = replace(MARKERS, source_id=own_source_id(OWN_MARKERS, context.run))
        names = frozenset(info.name for info in (*published, MARKERS))
        self._health = {
            info.name: StreamHealth(info, published=info.name in names)
            for info in (*infos, markers)
        }
        with ExitStack() as opened:
            self._open(opened, infos, published, tuple(devices))
            self._opened = opened.pop_all()
        self._router = Router(
            self._recorder,
            self._processing,
            self._publisher,
            healths=self._health,
            published=names,
            clock=context.clock,
            on_event=context.on_event,
        )
        self.is_open = True
        for note in self._notes:
            self.take(replace(note, time=self.started))

    def take(self, item: Item) -> None:
        """Pass an item on; after the end nowhere."""
        if self.is_open:
            self._router.take(item)

    def log_health(self, status: RunStatus) -> None:
        """Record and publish the health of the streams, where it is time."""
        if self.is_open:
            for chunk in self._health_log.push(status.streams, status.time):
                self._router.emit(chunk)

    def drain(self) -> None:
        """Process what waits; from another thread, so that the loop takes the events of it."""
        self._processing.close()

    def end(self) -> None:
        """Say the last word on health; whatever is taken from now on goes nowhere."""
        if self.is_open:
            self.is_open = False
            for chunk in self._health_log.finish(self.status().streams, self._context.clock.now()):
                self._router.emit(chunk)

    def close(self) -> None:
        """Close the recording and the network; from another thread, a disk may take its time."""
        self._opened.close()

    def status(self) -> RunStatus:
        """Return the health of the run as it is now."""
        now, settings, outputs = self._context.clock.now(), self._context.settings, self._outputs
        for name, health in self._health.items():
            health.quality = outputs.quality(name)
        return RunStatus(
            time=now,
            elapsed=now - self.started,
            streams=tuple(health.status(now) for health in shown(self._health.values())),
            features=outputs.feature_values(),
            estimate=outputs.estimate,
            estimates=len(outputs.estimate_times),
            recording=str(self._recorder.folder) if self._recorder else "",
            recording_failed=self._recorder.failing if self._recorder else "",
            participant=settings.participant,
            model=settings.model_name if self._context.loaded else "",
            latency_ms=1000 * outputs.latency(),
            cpu_cores=self._meter.cores(now),
            rss_mb=self._meter.rss_mb(),
            run=self._context.run,
        )

    def summary(self, errors: Sequence[str]) -> RunSummary:
        """Sum up the run; `errors` are those of its sources."""
        now, outputs = self._context.clock.now(), self._outputs
        streams = [each for each in shown(self._health.values()) if each.info.name != OWN_MARKERS]
        return RunSummary(
            seconds=now - self.started,
            streams=count_streams(streams),
            estimates=len(outputs.estimate_times),
            estimate_hz=rate(outputs.estimate_times),
            latency_ms=latency_percentiles(outputs.latencies),
            cpu_cores=self._meter.cores(now),
            rss_mb=self._meter.rss_mb(),
            recording=str(self._recorder.folder) if self._recorder else None,
            errors=(*errors, *self._recording_errors()),
        )

    def _open(
        self,
        opened: ExitStack,
        infos: Sequence[StreamInfo],
        published: Sequence[StreamInfo],
        devices: Sequence[DeviceState],
    ) -> None:
        context, settings, loaded = self._context, self._context.settings, self._context.loaded
        processor = Processor(settings.processor, _estimator(loaded))
        self._notes = [note for info in infos for note in processor.add_stream(info)]
        self._publisher = Publisher(context.run)
        opened.callback(self._publisher.close)
        self._publisher.open([*published, EVENTS, MARKERS, HEALTH])
        self._recorder: Recorder | None = None
        if settings.record is not None:
            self._recorder = self._open_recorder(settings.record, infos, devices)
            opened.callback(self._recorder.close)
        self._outputs = Outputs(
            processor,
            self._publisher,
            self._recorder,
            clock=context.clock,
            loaded=loaded,
            model_name=settings.model_name,
            features=settings.features,
            on_event=lambda event: context.call(self.take, event),
        )
        self._processing = ProcessingThread(processor, self._outputs.deliver, context.stop)

    def _open_recorder(
        self, parent: Path, infos: Sequence[StreamInfo], devices: Sequence[DeviceState]
    ) -> Recorder:
        context, settings = self._context, self._context.settings
        return Recorder(
            new_folder(parent, settings.participant, datetime.now().astimezone()),
            [*infos, MARKERS, HEALTH],
            clock=context.clock,
            sidecar=sidecar(settings, context.loaded, devices),
            on_failure=self._recording_failed,
            on_event=lambda event: context.call(self.take, event),
        )

    def _recording_errors(self) -> list[str]:
        """Return what went wrong with the disk, unless nothing is missing in the end."""
        recorder = self._recorder
        return self._failures if recorder and (recorder.lost or recorder.failing) else []

    def _recording_failed(self, error: RecordingFailed) -> None:
        self._failures.append(str(error))
        event = Event(self._context.clock.now(), EventKind.ERROR, "", str(error))
        self._context.call(self.take, event)


def shown(healths: Iterable[StreamHealth]) -> list[StreamHealth]:
    """Leave out the streams that nobody needs to look at: raw packets."""
    return [health for health in healths if not is_packets(health.info)]


def _estimator(loaded: Loaded | None) -> StreamingEstimator | None:
    if loaded is None:  # then nothing needs torch, which may not be there
        return None
    from biosense.models.deployment.streaming import StreamingEstimator

    return StreamingEstimator(loaded)
