"""Recordings through the processor: item by item as they arrived, or whole, for features."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from biosense.core.affect import FusionInput
from biosense.core.errors import BadInput
from biosense.core.recording import Recording
from biosense.core.types import Chunk, Record, StreamInfo
from biosense.estimation.processor import Outcome, Processor, ProcessorSettings
from biosense.estimation.spans import spans
from biosense.models.sequences import LabelledSequence


def process(
    items: Iterable[Record], infos: Iterable[StreamInfo], processor: Processor
) -> Iterator[Outcome]:
    """Push items through a processor, as a live run does, and flush it.

    Parameters
    ----------
    items
        In order of arrival.
    infos
        The streams.
    processor
        A fresh one.

    Yields
    ------
    Outcome
        As `Processor.push` gives them.
    """
    for info in infos:
        processor.add_stream(info)
    for item in items:
        yield from processor.push(item)
    yield from processor.flush()


def process_whole(streams: Sequence[Chunk], processor: Processor) -> Iterator[Outcome]:
    """Push whole streams through a processor: the features of `process`, several times as fast.

    Parameters
    ----------
    streams
        Whole ones, a chunk each.
    processor
        A fresh one.

    Yields
    ------
    Outcome
        As `Processor.push_span` gives them.
    """
    for stream in streams:
        processor.add_stream(stream.info)
    for span in spans(streams):
        yield from processor.push_span(span)
    yield from processor.flush()


def extract(recording: Recording, settings: ProcessorSettings) -> LabelledSequence:
    """Compute the features of an annotated recording, on the session grid.

    Parameters
    ----------
    recording
        With a continuous annotation.
    settings
        Of the processor.

    Returns
    -------
    LabelledSequence
        The first annotation is the target.

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
