"""From items to estimates: the one path that live runs, `estimate` and training all take."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from typing import Protocol

from biosense.core.affect import Estimate, FusionInput
from biosense.core.connections import Connections
from biosense.core.errors import BadInput
from biosense.core.grid import HOP
from biosense.core.mains import DEFAULT_MAINS_HZ
from biosense.core.preprocessed_streams import interval_modality, is_intervals
from biosense.core.types import Chunk, ClockOffset, Epoch, Event, Modality, Record, StreamInfo
from biosense.core.units import unit_problem
from biosense.estimation.stream_pipeline import (
    StreamPipeline,
    Wrap,
    already_there,
    not_trained_with,
    note,
    text_where_numbers_are_needed,
)
from biosense.processing.join import Join
from biosense.processing.registry import ExtraStage

Outcome = Epoch | FusionInput | Estimate | Event
_Found = tuple[StreamPipeline, Sequence[Epoch]]


@dataclass(frozen=True)
class ProcessorSettings:
    """Hold what changes the numbers of a run: recorded with it, and used again by `estimate`.

    Parameters
    ----------
    mains_hz
        Mains frequency, Hz: set it, it is never guessed.
    patience
        Seconds of stream time that a late stream is waited for.
    stages
        Registered stages that pipelines have beside their own.
    """

    mains_hz: float = DEFAULT_MAINS_HZ
    patience: float = 1.0
    stages: tuple[ExtraStage, ...] = ()


class Estimator(Protocol):
    """What a processor asks of a fusion model: an estimate for each joined point, in order.

    Features are computed without one, and depend on no model.
    """

    @property
    def conditioning(self) -> str:
        """What is done to its features, a key of `CONDITIONINGS`."""
        ...

    @property
    def modalities(self) -> Collection[Modality]:
        """Those that it knows."""
        ...

    def push(self, item: FusionInput) -> Estimate:
        """Estimate at the next point."""
        ...


class Processor:
    """Turn the items of all streams, in their order of arrival, into features and estimates.

    Equal items in equal order give equal results, bit for bit: a live run and the replay of its
    recording agree because both are this.

    Parameters
    ----------
    settings
        What changes the numbers.
    estimator
        The fusion model, or None to compute features only.
    conditioning
        What is done to features before they are joined, a key of `CONDITIONINGS`; an estimator
        brings its own.
    wrap
        Puts taps into the pipeline of each stream, for those who want to look into it.

    Attributes
    ----------
    first_samples
        Session time of the first sample used of each stream.
    arrivals
        When the newest sample that it uses arrived, for each joined point of the last call in
        order; NaN where it was not a sample that completed the point.
    """

    def __init__(
        self,
        settings: ProcessorSettings,
        estimator: Estimator | None = None,
        *,
        conditioning: str = "person",
        wrap: Wrap | None = None,
    ) -> None:
        self.settings = settings
        for each in settings.stages:
            each.make()  # one that cannot be made ends the run before it begins
        self._conditioning = conditioning if estimator is None else estimator.conditioning
        self.first_samples: dict[str, float] = {}
        self.arrivals: list[float] = []
        self._estimator = estimator
        self._wrap = wrap
        self._pipelines: dict[str, StreamPipeline] = {}
        self._taken: dict[Modality, str] = {}
        self._connections = Connections()
        self._join = Join((), hop=HOP, patience=settings.patience)
        self._arrivals: dict[int, float] = {}

    def add_stream(self, info: StreamInfo) -> list[Event]:
        """Prepare a stream; the reason comes back as an event where nothing is computed from it.

        Intervals between beats stand in for a signal of the heart, and give way to one.
        """
        modality = info.modality or interval_modality(info)
        if modality is None:
            return text_where_numbers_are_needed(info)
        if info.name in self._pipelines:
            return []
        before = self._pipelines.get(self._taken.get(modality, ""))
        if before is not None and (not before.stands_in or is_intervals(info)):
            return [already_there(info, before.info.name, modality)]
        try:
            self._put(replace(info, modality=modality), modality)
        except BadInput as error:
            return [note(info, f"recorded, not processed: {error}")]
        notes = []
        if before is not None:
            del self._pipelines[before.info.name]
            notes = [already_there(before.info, info.name, modality)]
        if self._estimator is not None and self._is_fed(modality):
            notes += not_trained_with(info, self._pipelines[info.name].extra)
        problem = unit_problem(info)
        return [*notes, note(info, problem)] if problem else notes

    def _put(self, info: StreamInfo, modality: Modality) -> None:
        """Make a stream the one of its modality."""
        stream = StreamPipeline(
            info,
            modality,
            mains_hz=self.settings.mains_hz,
            conditioning=self._conditioning,
            extra=self.settings.stages,
            wrap=self._wrap,
        )
        self._pipelines[info.name] = stream
        self._taken[modality] = info.name
        self._connections.add(modality, stream.connected)
        if self._is_fed(modality):
            self._join.expect(modality)

    def push(self, item: Record) -> list[Outcome]:
        """Take one item and return what became known by it, in order."""
        self.arrivals = []
        if isinstance(item, ClockOffset | Event) or not self._is_used(item):
            return []
        stream = self._pipelines[item.info.name]
        noticed, epochs = self._take(stream, item)
        outcomes = noticed + self._through(stream, epochs, item.arrived)
        if not stream.follows_time:
            outcomes += self._advance(float(item.times[-1]), item.arrived)
        return outcomes

    def push_span(self, items: Iterable[Chunk]) -> list[Outcome]:
        """Take what streams sent over the same span of time, a chunk of each at most (`spans`).

        Features and estimates are those of `push` with the chunks in small pieces, one stream after
        the other, but for rounding; that costs many times as much. What depends on who comes first
        may differ: a point or two where a stream begins, pauses or ends, and the time from an
        R peak to the pulse wave, which here knows of the peak at once. The outcomes of each stream
        come before the joined ones.
        """
        self.arrivals = []
        self._arrivals.clear()  # what a span completes was waited for by nobody
        outcomes, found = self._features_of_span(items)
        fed: dict[int, dict[Modality, Epoch]] = {}
        for stream, epochs in found:
            outcomes += chain.from_iterable((epoch, *stream.watch.push(epoch)) for epoch in epochs)
            if self._is_fed(stream.modality):
                for epoch in stream.normalise.push_all(epochs):
                    fed.setdefault(epoch.index, {})[stream.modality] = epoch
        for index in sorted(fed):
            for fused in self._join.push_point(index, fed[index]):
                outcomes += self._estimate(fused)
        return outcomes

    def _features_of_span(self, items: Iterable[Chunk]) -> tuple[list[Outcome], list[_Found]]:
        """Return what is to be said of the samples of a span, and their features by stream."""
        outcomes: list[Outcome] = []
        found: list[_Found] = []
        end = -math.inf
        used = [(self._pipelines[item.info.name], item) for item in items if self._is_used(item)]
        for stream, item in sorted(used, key=self._comes_later):
            noticed, epochs = self._take(stream, item)
            outcomes += noticed
            found.append((stream, epochs))
            if not stream.follows_time:
                end = max(end, float(item.times[-1]))
        found += [
            (stream, stream.connected.advance(end))
            for stream in self._pipelines.values()
            if stream.follows_time
        ]
        return outcomes, found

    def _is_used(self, item: Chunk) -> bool:
        return item.n > 0 and item.info.name in self._pipelines

    def _take(self, stream: StreamPipeline, item: Chunk) -> tuple[list[Outcome], Sequence[Epoch]]:
        """Take samples; return what is to be said of them, and their features."""
        self.first_samples.setdefault(item.info.name, float(item.times[0]))
        noticed: list[Outcome] = [*stream.numbers.push(item), *stream.clipping.push(item)]
        epochs = stream.pipeline.push(item)
        self._connections.pass_on()
        return noticed, epochs

    def _comes_later(self, used: tuple[StreamPipeline, Chunk]) -> bool:
        """Tell whether no other pipeline takes from this one: those that give go first."""
        return used[0].modality not in self._connections.sources

    def _advance(self, now: float, arrived: float) -> list[Outcome]:
        """Let streams that say something once per beat keep up with the others."""
        return [
            outcome
            for stream in self._pipelines.values()
            if stream.follows_time
            for outcome in self._through(stream, stream.connected.advance(now), arrived)
        ]

    def flush(self) -> list[Outcome]:
        """Return what is left at the end of the run."""
        outcomes: list[Outcome] = []
        self.arrivals = []
        self._arrivals.clear()  # what the end completes has waited for no sample
        for stream in self._pipelines.values():
            outcomes += self._through(stream, stream.pipeline.flush(), float("nan"))
        for fused in self._join.flush():
            outcomes += self._estimate(fused)
        return outcomes

    def _through(
        self, stream: StreamPipeline, epochs: Iterable[Epoch], arrived: float
    ) -> list[Outcome]:
        outcomes: list[Outcome] = []
        found = [*epochs]
        is_fed = self._is_fed(stream.modality)
        normalised = stream.normalise.push_all(found) if is_fed else found
        watch, join, modality = stream.watch.push, self._join.push, stream.modality
        for epoch, relative in zip(found, normalised, strict=True):
            outcomes.append(epoch)
            outcomes += watch(epoch)
            if not is_fed:
                continue
            # Also where the quality is 0: that the stream is of no use is known by this sample.
            self._arrivals[epoch.index] = arrived
            for fused in join(modality, relative):
                outcomes += self._estimate(fused)
        return outcomes

    def _is_fed(self, modality: Modality) -> bool:
        """Tell whether the model knows a modality: it neither sees nor waits for others."""
        return self._estimator is None or modality in self._estimator.modalities

    def _estimate(self, fused: FusionInput) -> list[Outcome]:
        self.arrivals.append(self._arrivals.get(fused.index, float("nan")))
        while self._arrivals and (oldest := next(iter(self._arrivals))) <= fused.index:
            del self._arrivals[oldest]
        if self._estimator is None:
            return [fused]
        return [fused, self._estimator.push(fused)]


def feature_values(epoch: Epoch) -> Mapping[str, float]:
    """Return the features of an epoch by name.

    Parameters
    ----------
    epoch
        Of features.

    Returns
    -------
    mapping of str to float
    """
    return dict(zip(epoch.info.channels, epoch.data.tolist(), strict=True))
