"""Recordings through the processor: the live numbers offline, and features for training."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from biosense.acquisition.xdf.reader import XdfReader
from biosense.core.errors import BadInput
from biosense.core.own_streams import AFFECT, OWN_PREFIX
from biosense.core.recording import Recording
from biosense.core.types import (
    Chunk,
    Estimate,
    FusionInput,
    Record,
    StreamInfo,
)
from biosense.estimation.estimate_stream import AffectHeader, affect_header
from biosense.estimation.processor import Outcome, Processor, ProcessorSettings
from biosense.estimation.spans import spans
from biosense.models.deployment.checkpoint import Loaded
from biosense.models.deployment.streaming import StreamingEstimator
from biosense.models.evaluation.contributions import Contributions
from biosense.models.sequences import LabelledSequence


def process(
    items: Iterable[Record], infos: Iterable[StreamInfo], processor: Processor
) -> Iterator[Outcome]:
    """Push items through a processor, as a live run does, and flush it."""
    for info in infos:
        processor.add_stream(info)
    for item in items:
        yield from processor.push(item)
    yield from processor.flush()


def process_whole(streams: Sequence[Chunk], processor: Processor) -> Iterator[Outcome]:
    """Push whole streams through a processor: the features of `process`, several times as fast."""
    for stream in streams:
        processor.add_stream(stream.info)
    for span in spans(streams):
        yield from processor.push_span(span)
    yield from processor.flush()


def estimate_recording(
    reader: XdfReader, loaded: Loaded, settings: ProcessorSettings, header: AffectHeader | None
) -> list[Estimate]:
    """Estimate valence and arousal over a recording, exactly as a live run would have.

    Parameters
    ----------
    reader
        Of the recording.
    loaded
        The checkpoint.
    settings
        Of the processor.
    header
        Of the live run, where the recording has one: streams begin at the samples that it names.
    """
    first = header.first_samples if header is not None else {}
    infos = [info for info in reader.infos if not info.name.startswith(OWN_PREFIX)]
    processor = Processor(settings, StreamingEstimator(loaded))
    outcomes = process(from_first(reader.items(), first), infos, processor)
    return [outcome for outcome in outcomes if isinstance(outcome, Estimate)]


def explain_recording(
    reader: XdfReader, loaded: Loaded, settings: ProcessorSettings, header: AffectHeader | None
) -> list[tuple[Estimate, Contributions]]:
    """Estimate over a recording as `estimate_recording` does, with what each modality adds."""
    first = header.first_samples if header is not None else {}
    infos = [info for info in reader.infos if not info.name.startswith(OWN_PREFIX)]
    processor = Processor(settings, StreamingEstimator(loaded))
    explainer, explained = StreamingEstimator(loaded, contributions=True), []
    for outcome in process(from_first(reader.items(), first), infos, processor):
        if isinstance(outcome, FusionInput):
            estimate = explainer.push(outcome)
            assert explainer.contributions is not None
            explained.append((estimate, explainer.contributions))
    return explained


def recorded_header(reader: XdfReader) -> AffectHeader | None:
    """Return what a recording says of the run that made its estimates; None without one."""
    for info in reader.infos:
        if info.name == AFFECT:
            return affect_header(info)
    return None


def extract(recording: Recording, settings: ProcessorSettings) -> LabelledSequence:
    """Compute the features of an annotated recording, on the session grid.

    Raises
    ------
    BadInput
        When the recording has no continuous annotation of valence and arousal, or no usable stream.
    """
    if not recording.annotations:
        raise BadInput(f"recording of {recording.subject!r} has no annotation to learn from")
    outcomes = process_whole(recording.streams, Processor(settings))
    fused = [outcome for outcome in outcomes if isinstance(outcome, FusionInput)]
    if not fused:
        raise BadInput(f"recording of {recording.subject!r} gave no features: no usable stream")
    time = np.array([item.time for item in fused])
    annotation = recording.annotations[0]
    target = np.column_stack(
        [np.interp(time, annotation.times, annotation.data[:, axis]) for axis in (0, 1)]
    )
    return LabelledSequence.from_inputs(recording.subject, fused, target)


def from_first(items: Iterable[Record], first: dict[str, float]) -> Iterator[Record]:
    """Leave out what came before the live estimates began to use a stream."""
    for item in items:
        if isinstance(item, Chunk) and item.info.name in first and item.n:
            start = int(np.searchsorted(item.times, first[item.info.name]))
            yield item if start == 0 else item.slice(start, item.n)
        else:
            yield item
