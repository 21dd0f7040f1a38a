"""From items to estimates: the one path that live runs, `estimate` and training all take."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain

from biosense.acquisition.stream_xml import modality_of
from biosense.core.errors import BadInput
from biosense.core.grid import HOP
from biosense.core.stage import Pipeline
from biosense.core.types import (
    Chunk,
    ClockOffset,
    Epoch,
    Estimate,
    Event,
    EventKind,
    FusionInput,
    Modality,
    Record,
    StreamInfo,
)
from biosense.estimation.signal_quality import ClipWatch, NumberWatch, QualityWatch
from biosense.models.deployment.streaming import StreamingEstimator
from biosense.processing.cardiac.features import HeartFeatures
from biosense.processing.cardiac.rr_features import RrFeatures, interval_modality, is_intervals
from biosense.processing.conditioning import CONDITIONINGS
from biosense.processing.join import Join
from biosense.processing.pipelines import feature_pipeline
from biosense.processing.signal.units import unit_problem

Outcome = Epoch | FusionInput | Estimate | Event

Wrap = Callable[[StreamInfo, Pipeline], Pipeline]
"""Gives back a pipeline that does the same and lets what passes between its stages be seen."""


@dataclass(frozen=True)
class ProcessorSettings:
    """Hold what changes the numbers of a run: recorded with it, and used again by `estimate`.

    Parameters
    ----------
    mains_hz
        Mains frequency, Hz: set it, it is never guessed.
    patience
        Seconds of stream time that a late stream is waited for.
    """

    mains_hz: float = 50.0
    patience: float = 1.0


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
        estimator: StreamingEstimator | None = None,
        *,
        conditioning: str = "person",
        wrap: Wrap | None = None,
    ) -> None:
        self.settings = settings
        self._conditioning = conditioning if estimator is None else estimator.conditioning
        self.first_samples: dict[str, float] = {}
        self.arrivals: list[float] = []
        self._estimator = estimator
        self._wrap = wrap
        self._lanes: dict[str, _Lane] = {}
        self._taken: dict[Modality, str] = {}
        self._join = Join((), hop=HOP, patience=settings.patience)
        self._arrivals: dict[int, float] = {}

    def add_stream(self, info: StreamInfo) -> list[Event]:
        """Prepare a stream; the reason comes back as an event where nothing is computed from it.

        Intervals between beats stand in for a signal of the heart, and give way to one.
        """
        modality = info.modality or interval_modality(info)
        if modality is None:
            return _text_where_numbers_are_needed(info)
        if info.name in self._lanes:
            return []
        stand_in = self._lanes.get(self._taken.get(modality, ""))
        if stand_in is not None and (stand_in.clocked is None or is_intervals(info)):
            return [_already(info, self._taken[modality], modality)]
        try:
            lane = self._lane(replace(info, modality=modality), modality)
        except BadInput as error:
            return [_note(info, f"recorded, not processed: {error}")]
        notes = []
        if stand_in is not None:
            del self._lanes[stand_in.info.name]
            notes = [_already(stand_in.info, info.name, modality)]
        self._lanes[info.name] = lane
        self._taken[modality] = info.name
        if self._is_fed(modality):
            self._join.expect(modality)
        problem = unit_problem(info)
        return [*notes, _note(info, problem)] if problem else notes

    def _lane(self, info: StreamInfo, modality: Modality) -> _Lane:
        return _Lane(info, modality, self.settings, self._conditioning, self._wrap)

    def push(self, item: Record) -> list[Outcome]:
        """Take one item and return what became known by it, in order."""
        self.arrivals = []
        if isinstance(item, ClockOffset | Event) or not self._is_used(item):
            return []
        lane = self._lanes[item.info.name]
        noticed, epochs = self._take(lane, item)
        outcomes = noticed + self._through(lane, epochs, item.arrived)
        if lane.clocked is None:
            outcomes += self._tell_time(float(item.times[-1]), item.arrived)
        return outcomes

    def push_span(self, items: Iterable[Chunk]) -> list[Outcome]:
        """Take what streams sent over the same span of time, a chunk of each at most (`spans`).

        Features and estimates are those of `push` with the chunks in small pieces, one stream after
        the other, but for rounding; that costs many times as much. What depends on who comes first
        may differ: a point or two where a stream begins, pauses or ends, and the time from an
        R peak to the pulse wave, which here hears of the peak at once. The outcomes of each stream
        come before the joined ones.
        """
        self.arrivals = []
        self._arrivals.clear()  # what a span completes was waited for by nobody
        outcomes: list[Outcome] = []
        found: list[tuple[_Lane, Sequence[Epoch]]] = []
        end = -math.inf
        used = [(self._lanes[item.info.name], item) for item in items if self._is_used(item)]
        for lane, item in sorted(used, key=lambda pair: pair[0].modality is not Modality.ECG):
            noticed, epochs = self._take(lane, item)
            outcomes += noticed
            found.append((lane, epochs))
            if lane.clocked is None:
                end = max(end, float(item.times[-1]))
        found += [
            (lane, lane.clocked.advance(end)) for lane in self._lanes.values() if lane.clocked
        ]
        fed: dict[int, dict[Modality, Epoch]] = {}
        for lane, epochs in found:
            outcomes += chain.from_iterable((epoch, *lane.watch.push(epoch)) for epoch in epochs)
            if self._is_fed(lane.modality):
                for epoch in lane.normalise.push_all(epochs):
                    fed.setdefault(epoch.index, {})[lane.modality] = epoch
        for index in sorted(fed):
            for fused in self._join.push_point(index, fed[index]):
                outcomes += self._estimate(fused)
        return outcomes

    def _is_used(self, item: Chunk) -> bool:
        return item.n > 0 and item.info.name in self._lanes

    def _take(self, lane: _Lane, item: Chunk) -> tuple[list[Outcome], Sequence[Epoch]]:
        """Take samples; return what is to be said of them, and their features."""
        self.first_samples.setdefault(item.info.name, float(item.times[0]))
        noticed: list[Outcome] = [*lane.numbers.push(item), *lane.clipping.push(item)]
        epochs = lane.pipeline.push(item)
        self._share_beats()
        return noticed, epochs

    def _share_beats(self) -> None:
        """Let the pulse wave hear of R peaks, for the time that it takes from there."""
        ecg, ppg = (
            self._lanes.get(self._taken.get(modality, ""))
            for modality in (Modality.ECG, Modality.PPG)
        )
        if ecg is not None and ecg.heart is not None and ppg is not None and ppg.heart is not None:
            ppg.heart.hear(ecg.heart.tell())

    def _tell_time(self, now: float, arrived: float) -> list[Outcome]:
        """Let streams that say something once per beat keep up with the others."""
        return [
            outcome
            for lane in self._lanes.values()
            if lane.clocked is not None
            for outcome in self._through(lane, lane.clocked.advance(now), arrived)
        ]

    def flush(self) -> list[Outcome]:
        """Return what is left at the end of the run."""
        outcomes: list[Outcome] = []
        self.arrivals = []
        self._arrivals.clear()  # what the end completes has waited for no sample
        for lane in self._lanes.values():
            outcomes += self._through(lane, lane.pipeline.flush(), float("nan"))
        for fused in self._join.flush():
            outcomes += self._estimate(fused)
        return outcomes

    def _through(self, lane: _Lane, epochs: Iterable[Epoch], arrived: float) -> list[Outcome]:
        outcomes: list[Outcome] = []
        found = [*epochs]
        is_fed = self._is_fed(lane.modality)
        normalised = lane.normalise.push_all(found) if is_fed else found
        watch, join, modality = lane.watch.push, self._join.push, lane.modality
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


class _Lane:
    """One stream's way: features, normalised features, quality."""

    def __init__(
        self,
        info: StreamInfo,
        modality: Modality,
        settings: ProcessorSettings,
        conditioning: str,
        wrap: Wrap | None,
    ) -> None:
        self.info = info
        self.modality = modality
        pipeline = feature_pipeline(info, mains_hz=settings.mains_hz)
        last = pipeline.stages[-1]
        self.pipeline = pipeline if wrap is None else wrap(info, pipeline)
        self.normalise = CONDITIONINGS[conditioning](modality)
        self.numbers = NumberWatch()
        self.clipping = ClipWatch()
        self.watch = QualityWatch()
        self.features = self.pipeline.start(info)
        self.normalise.start(self.features)
        self.heart = last if isinstance(last, HeartFeatures) else None
        self.clocked = last if isinstance(last, RrFeatures) else None


def feature_values(epoch: Epoch) -> Mapping[str, float]:
    """Return the features of an epoch by name."""
    return dict(zip(epoch.info.channels, epoch.data.tolist(), strict=True))


def _text_where_numbers_are_needed(info: StreamInfo) -> list[Event]:
    kind = modality_of(info.content_type, info.name, info.channels) if info.is_text else None
    if kind is None:
        return []
    return [_note(info, f"recorded, not processed: its samples are text, {kind} needs numbers")]


def _already(info: StreamInfo, other: str, modality: Modality) -> Event:
    return _note(info, f"recorded, not processed: {other!r} is already the {modality} of this run")


def _note(info: StreamInfo, text: str) -> Event:
    return Event(0.0, EventKind.ERROR, info.name, text)
