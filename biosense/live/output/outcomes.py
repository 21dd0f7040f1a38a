"""What a run gives out: estimates, features and their timing, to the network and the recording."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING

from biosense.acquisition.xdf.recorder import Recorder
from biosense.core.affect import Estimate
from biosense.core.clock import Clock
from biosense.core.types import Epoch, Event, StreamInfo
from biosense.estimation.estimate_stream import EstimateHeader, estimate_chunk, estimate_info
from biosense.estimation.processor import Outcome, Processor, feature_values
from biosense.estimation.stream_health import STALE_S
from biosense.live.output.publisher import Publisher, feature_chunk

if TYPE_CHECKING:
    from biosense.models.deployment.checkpoint import Loaded


class Outputs:
    """Take the outcomes of processing, in its thread, and give them out.

    Parameters
    ----------
    processor
        Asked which samples the first estimate used.
    publisher, recorder
        Where outcomes go; no recorder, no recording.
    clock
        Session time.
    loaded, model_name
        The checkpoint and what it was called, for the header of the estimates.
    features
        Publish and record the plain features as well.
    on_event
        Called with the events that processing found.
    """

    def __init__(
        self,
        processor: Processor,
        publisher: Publisher,
        recorder: Recorder | None,
        *,
        clock: Clock,
        loaded: Loaded | None,
        model_name: str,
        features: bool,
        on_event: Callable[[Event], None],
    ) -> None:
        self.estimate_times: list[float] = []
        self.latencies: list[float] = []
        self.newest: dict[str, Epoch] = {}
        self.estimate: dict[str, float] | None = None
        self._processor = processor
        self._publisher = publisher
        self._recorder = recorder
        self._clock = clock
        self._loaded = loaded
        self._model_name = model_name
        self._features = features
        self._on_event = on_event
        self._affect: StreamInfo | None = None
        if loaded is not None:
            publisher.open([estimate_info(loaded.model.modalities)])

    def deliver(self, outcomes: list[Outcome], arrivals: list[float]) -> None:
        """Give out what one item brought; `arrivals` are those of the newest sample of each."""
        waiting = iter(arrivals)
        for outcome in outcomes:
            if isinstance(outcome, Estimate):
                self._deliver_estimate(outcome, next(waiting))
            elif isinstance(outcome, Epoch):
                self._deliver_features(outcome)
            elif isinstance(outcome, Event):
                self._on_event(outcome)

    def quality(self, stream: str) -> float:
        """Return the newest quality of what was computed from a stream; NaN where nothing was.

        A stream without features for some seconds, while others have some, has quality 0.
        """
        epochs = dict(self.newest)
        if stream not in epochs:
            return math.nan
        newest = max(epoch.stop for epoch in epochs.values())
        return epochs[stream].quality if newest - epochs[stream].stop < STALE_S else 0.0

    def feature_values(self) -> dict[str, dict[str, float]]:
        """Return the newest plain features by modality and name."""
        return {
            str(epoch.info.modality): {**feature_values(epoch), "quality": epoch.quality}
            for epoch in tuple(self.newest.values())
        }

    def latency(self) -> float:
        """Return the median latency of the last ten seconds, seconds; NaN before the first."""
        recent = sorted(self.latencies[-40:])
        return recent[len(recent) // 2] if recent else math.nan

    def _deliver_estimate(self, estimate: Estimate, arrived: float) -> None:
        if self._affect is None:
            self._affect = self._describe_estimates()
        chunk = estimate_chunk(self._affect, estimate)
        self._publisher.push(chunk)
        self.estimate = dict(zip(chunk.info.channels, chunk.data[0].tolist(), strict=True))
        if not math.isnan(arrived):  # NaN for what only the flush at the end completed
            self.latencies.append(self._clock.now() - arrived)
        self.estimate_times.append(estimate.time)
        if self._recorder is not None:
            self._recorder.put(chunk)

    def _deliver_features(self, epoch: Epoch) -> None:
        self.newest[epoch.info.name] = epoch
        if not self._features:
            return
        chunk = feature_chunk(epoch)
        self._publisher.push(chunk)
        if self._recorder is not None:
            self._recorder.put(chunk)

    def _describe_estimates(self) -> StreamInfo:
        assert self._loaded is not None  # there are no estimates without a model
        header = EstimateHeader(
            self._processor.settings,
            self._model_name,
            self._loaded.digest,
            dict(self._processor.first_samples),
        )
        return estimate_info(self._loaded.model.modalities, header)
