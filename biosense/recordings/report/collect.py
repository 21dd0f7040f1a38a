"""Listen to the pipelines while they run: every stream before and after cleaning, and its marks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from biosense.core.stage import ManyAtOnce, Pipeline, Stage
from biosense.core.types import Bools, Chunk, Epoch, Event, Floats, Record, StreamInfo
from biosense.estimation.processor import Outcome
from biosense.processing.eeg.band_powers import BandPowers
from biosense.processing.signal.units import ToSI
from biosense.processing.signal.window import Window
from biosense.recordings.report.pipeline_steps import Step, steps_of
from biosense.recordings.report.signal_summary import SignalSummary
from biosense.recordings.report.views import View, detector_of, inside_of, marks_of, view_of

_EVERY = 4  # windows of EEG from one look at its channels to the next: one a second


class Tap:
    """Run a stage, and show what it is started with, what goes in and what comes out."""

    def __init__(self, stage: Stage[Any, Any], listener: Listener) -> None:
        self.stage, self._listener = stage, listener

    def __repr__(self) -> str:
        return repr(self.stage)

    def start(self, info: StreamInfo) -> StreamInfo:
        """Start the stage."""
        out = self.stage.start(info)
        self._listener.started(info, out)
        return out

    def push(self, item: Any) -> Sequence[Any]:
        """Push into the stage."""
        return self.push_all([item])

    def push_all(self, items: Sequence[Any]) -> Sequence[Any]:
        """Push into the stage, all at once where it can."""
        for item in items:
            self._listener.came(item)
        if isinstance(self.stage, ManyAtOnce):
            results = list(self.stage.push_all(items))
        else:
            results = [result for item in items for result in self.stage.push(item)]
        for result in results:
            self._listener.went(result)
        return results

    def flush(self) -> Sequence[Any]:
        """Flush the stage."""
        results = self.stage.flush()
        for result in results:
            self._listener.went(result)
        return results


@dataclass
class Listener:
    """Say what is done with what passes a stage; by default nothing."""

    started: Callable[[StreamInfo, StreamInfo], None] = lambda came, went: None
    came: Callable[[Any], None] = lambda item: None
    went: Callable[[Any], None] = lambda item: None


@dataclass
class CollectedStream:
    """Hold what was collected of one stream.

    `marks` are the beats or responses: their times, then the columns `mark_names`.
    """

    info: StreamInfo
    view: View
    before: SignalSummary
    after: SignalSummary | None = None
    late: float = 0.0
    steps: tuple[Step, ...] = ()
    mark_names: tuple[str, ...] = ()
    marks: list[Floats] = field(default_factory=list)
    epochs: list[Epoch] = field(default_factory=list)
    usable: list[Bools] = field(default_factory=list)
    windows: int = 0

    @property
    def mark_table(self) -> Floats:
        """All marks, shape (n, 1 + columns): time first."""
        return np.concatenate(self.marks) if self.marks else np.empty((0, 1))

    def mark_column(self, name: str) -> Floats:
        """Return what is known of each mark by name; empty where nothing is."""
        if name not in self.mark_names:
            return np.empty(0)
        return self.mark_table[:, 1 + self.mark_names.index(name)]

    @property
    def left_out(self) -> Floats:
        """Share of looks at which a channel was left out, shape (channels,); empty if unknown."""
        return 1 - np.mean(self.usable, axis=0) if self.usable else np.empty(0)


class Collector:
    """Collect what is shown of every stream while `inspect` reads a recording."""

    def __init__(self) -> None:
        self.collected: dict[str, CollectedStream] = {}
        self.events: list[Event] = []
        self.texts: list[tuple[float, str, str]] = []
        self.others: dict[str, list[Chunk]] = {}
        self._raw: set[str] = set()

    def wrap(self, info: StreamInfo, pipeline: Pipeline) -> Pipeline:
        """Put taps into the pipeline of a stream."""
        view = view_of(info)
        is_si = bool(pipeline.stages) and isinstance(pipeline.stages[0], ToSI)
        stream = CollectedStream(info, view, _summary(info, view.before, 1.0))
        self.collected[info.name] = stream
        if not is_si:
            self._raw.add(info.name)
        stages = pipeline.stages
        stream.steps = steps_of(info, stages, view.typical_hz)
        stream.late = sum(step.delay_s or 0.0 for step in stream.steps)
        return Pipeline(*(self._tap(stream, stages, number) for number in range(len(stages))))

    def take(self, item: Record) -> None:
        """See an item of the recording."""
        if isinstance(item, Event):
            self.events.append(item)
        elif not isinstance(item, Chunk) or item.n == 0:
            return
        elif item.info.is_text:
            self.texts += [
                (float(time), item.info.name, ", ".join(map(str, row)))
                for time, row in zip(item.times, item.data, strict=True)
            ]
        elif item.info.name in self._raw:
            self.collected[item.info.name].before.push(item)
        elif item.info.name not in self.collected:
            self.others.setdefault(item.info.name, []).append(item)

    def note(self, outcome: Outcome) -> None:
        """See what came of it."""
        if isinstance(outcome, Epoch):
            self.collected[outcome.info.name].epochs.append(outcome)

    def _tap(
        self, stream: CollectedStream, stages: tuple[Stage[Any, Any], ...], number: int
    ) -> Tap:
        stage, listener = stages[number], Listener()
        if isinstance(stage, ToSI):
            listener = _first(stream)
        elif isinstance(stage, BandPowers):
            listener = _look_at_channels(stream, stage)
        elif number == _cleaned_before(stages):
            listener = _cleaned(stream, stage)
            inner = detector_of(stage)
            if inner is not None:
                name, detector = inner
                # In place: others may hold on to the stage already.
                setattr(stage, name, Tap(detector, Listener(went=_mark(stream))))
        return Tap(stage, listener)


def _cleaned_before(stages: tuple[Stage[Any, Any], ...]) -> int:
    """Return which stage takes the cleaned signal: one that is known to, or else the last."""
    for number, stage in enumerate(stages):
        if inside_of(stage) is not None or isinstance(stage, Window):
            return number
    return len(stages) - 1


def _summary(
    info: StreamInfo, channels: tuple[str, ...], scale: float, keep: bool = False
) -> SignalSummary:
    wanted = [info.channels.index(name) for name in channels if name in info.channels]
    return SignalSummary(info, tuple(wanted) or tuple(range(info.n_channels)), scale, keep)


def _first(stream: CollectedStream) -> Listener:
    """Take what comes out of the conversion to SI for the signal before cleaning."""

    def started(_: StreamInfo, out: StreamInfo) -> None:
        stream.before = _summary(out, stream.view.before, stream.view.scale)

    return Listener(started, went=lambda chunk: stream.before.push(chunk))


def _cleaned(stream: CollectedStream, stage: Stage[Any, Any]) -> Listener:
    """Take what goes into the features, and what they make of it inside, for the cleaned signal."""
    shown, moments = inside_of(stage), marks_of(stage)
    mark = _mark(stream)

    def started(info: StreamInfo, _: StreamInfo) -> None:
        out = info if shown is None else shown.start(info)
        if moments is not None:
            moments.start(info)
        if out.sfreq == 0:  # intervals between beats: there is no signal to clean
            return
        stream.after = _summary(out, stream.view.after, stream.view.scale, keep=True)

    def came(chunk: Any) -> None:
        if stream.after is None or not isinstance(chunk, Chunk):
            return
        for each in [chunk] if shown is None else shown.push(chunk):
            stream.after.push(each)
        for found in [] if moments is None else moments.push(chunk):
            mark(found)

    return Listener(started, came)


def _mark(stream: CollectedStream) -> Callable[[Chunk], None]:
    def mark(found: Chunk) -> None:
        if found.n:
            stream.mark_names = found.info.channels
            stream.marks.append(np.column_stack([found.times, found.data]))

    return mark


def _look_at_channels(stream: CollectedStream, stage: BandPowers) -> Listener:
    def came(epoch: Epoch) -> None:
        stream.windows += 1
        if stream.windows % _EVERY == 0:
            _, usable = stage.channel_powers(epoch.data.T[None])
            stream.usable.append(usable[0].any(axis=0))

    return Listener(came=came)
