"""Estimates over a recording: the numbers of the live run, offline."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np

from biosense.acquisition.xdf.reader import XdfReader
from biosense.core.own_streams import AFFECT, OWN_PREFIX
from biosense.core.types import Chunk, Estimate, FusionInput, Record
from biosense.estimation.estimate_stream import EstimateHeader, estimate_header
from biosense.estimation.processor import Processor, ProcessorSettings
from biosense.estimation.run_processor import process
from biosense.models.deployment.checkpoint import Loaded
from biosense.models.deployment.streaming import StreamingEstimator
from biosense.models.evaluation.contributions import Contributions


def estimate_recording(
    reader: XdfReader, loaded: Loaded, settings: ProcessorSettings, header: EstimateHeader | None
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
    reader: XdfReader, loaded: Loaded, settings: ProcessorSettings, header: EstimateHeader | None
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


def recorded_header(reader: XdfReader) -> EstimateHeader | None:
    """Return what a recording says of the run that made its estimates; None without one."""
    for info in reader.infos:
        if info.name == AFFECT:
            return estimate_header(info)
    return None


def from_first(items: Iterable[Record], first: dict[str, float]) -> Iterator[Record]:
    """Leave out what came before the live estimates began to use a stream."""
    for item in items:
        if isinstance(item, Chunk) and item.info.name in first and item.n:
            start = int(np.searchsorted(item.times, first[item.info.name]))
            yield item if start == 0 else item.slice(start, item.n)
        else:
            yield item
