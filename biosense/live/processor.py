"""From items to estimates: the one path that live runs, `estimate` and training all take."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from biosense.acquisition.stream_xml import modality_of
from biosense.core.errors import BadInput
from biosense.core.grid import HOP
from biosense.core.stage import Pipeline
from biosense.core.types import (
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
from biosense.live.quality import NumberWatch, QualityWatch
from biosense.models.streaming import StreamingEstimator
from biosense.processing.join import Join
from biosense.processing.normalise import RunningNormalise
from biosense.processing.pipelines import feature_pipeline
from biosense.processing.units import unit_problem

Outcome = Epoch | FusionInput | Estimate | Event


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

    Attributes
    ----------
    first_samples
        Session time of the first sample used of each stream.
    arrivals
        When the newest sample that it uses arrived, for each joined point of the last call in
        order; NaN where it was not a sample that completed the point.
    """

    def __init__(
        self, settings: ProcessorSettings, estimator: StreamingEstimator | None = None
    ) -> None:
        self.settings = settings
        self.first_samples: dict[str, float] = {}
        self.arrivals: list[float] = []
        self._estimator = estimator
        self._lanes: dict[str, _Lane] = {}
        self._taken: dict[Modality, str] = {}
        self._join = Join((), hop=HOP, patience=settings.patience)
        self._arrivals: dict[int, float] = {}

    def add_stream(self, info: StreamInfo) -> list[Event]:
        """Prepare a stream; the reason comes back as an event where nothing is computed from it."""
        if info.modality is None:
            return _text_where_numbers_are_needed(info)
        if info.name in self._lanes:
            return []
        if info.modality in self._taken:
            return [
                _note(
                    info,
                    f"recorded, not processed: {self._taken[info.modality]!r} is already the "
                    f"{info.modality} of this run",
                )
            ]
        try:
            self._lanes[info.name] = _Lane(info, info.modality, self.settings)
        except BadInput as error:
            return [_note(info, f"recorded, not processed: {error}")]
        self._taken[info.modality] = info.name
        self._join.expect(info.modality)
        problem = unit_problem(info)
        return [_note(info, problem)] if problem else []

    def push(self, item: Record) -> list[Outcome]:
        """Take one item and return what became known by it, in order."""
        self.arrivals = []
        if isinstance(item, ClockOffset | Event) or item.n == 0:
            return []
        lane = self._lanes.get(item.info.name)
        if lane is None:
            return []
        self.first_samples.setdefault(item.info.name, float(item.times[0]))
        noticed = lane.numbers.push(item)
        return noticed + self._through(lane, lane.pipeline.push(item), item.arrived)

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
        for epoch in epochs:
            outcomes.append(epoch)
            outcomes += lane.watch.push(epoch)
            # Also where the quality is 0: that the stream is of no use is known by this sample.
            self._arrivals[epoch.index] = arrived
            for normalised in lane.normalise.push(epoch):
                for fused in self._join.push(lane.modality, normalised):
                    outcomes += self._estimate(fused)
        return outcomes

    def _estimate(self, fused: FusionInput) -> list[Outcome]:
        self.arrivals.append(self._arrivals.get(fused.index, float("nan")))
        for index in [index for index in self._arrivals if index <= fused.index]:
            del self._arrivals[index]
        if self._estimator is None:
            return [fused]
        return [fused, self._estimator.push(fused)]


class _Lane:
    """One stream's way: features, normalised features, quality."""

    def __init__(self, info: StreamInfo, modality: Modality, settings: ProcessorSettings) -> None:
        self.modality = modality
        self.pipeline: Pipeline = feature_pipeline(info, mains_hz=settings.mains_hz)
        self.normalise = RunningNormalise()
        self.numbers = NumberWatch()
        self.watch = QualityWatch()
        self.features = self.pipeline.start(info)
        self.normalise.start(self.features)


def feature_values(epoch: Epoch) -> Mapping[str, float]:
    """Return the features of an epoch by name."""
    return dict(zip(epoch.info.channels, epoch.data.tolist(), strict=True))


def _text_where_numbers_are_needed(info: StreamInfo) -> list[Event]:
    kind = modality_of(info.content_type, info.name, info.channels) if info.is_text else None
    if kind is None:
        return []
    return [_note(info, f"recorded, not processed: its samples are text, {kind} needs numbers")]


def _note(info: StreamInfo, text: str) -> Event:
    return Event(0.0, EventKind.ERROR, info.name, text)
