"""Estimates over a recording: the numbers of the live run, offline."""

from __future__ import annotations

from dataclasses import dataclass

from biosense.acquisition.xdf.reader import XdfReader
from biosense.core.affect import Estimate, FusionInput
from biosense.core.recording import Recording
from biosense.estimation.estimate_stream import EstimateHeader
from biosense.estimation.load_model import load_model
from biosense.estimation.processor import Processor, ProcessorSettings
from biosense.estimation.rated_spans import caution
from biosense.estimation.recorded_run import (
    process_recording,
    recorded_header,
    recorded_settings,
)
from biosense.estimation.run_processor import process_whole
from biosense.models.deployment.checkpoint import Loaded
from biosense.models.deployment.streaming import StreamingEstimator
from biosense.models.evaluation.contributions import Contributions

USUAL_MODEL = "default"


@dataclass(frozen=True, eq=False)
class Estimated:
    """Hold the estimates over a recording, and what must be known to read them.

    Parameters
    ----------
    model
        Name of the model.
    loaded
        The model.
    estimates
        In order of time.
    contributions
        Of each estimate, what each modality adds; empty where they were not asked for.
    cautions
        What speaks against the model for this recording, in words.
    """

    model: str
    loaded: Loaded
    estimates: tuple[Estimate, ...]
    contributions: tuple[Contributions, ...] = ()
    cautions: tuple[str, ...] = ()


def estimate_as_live(
    reader: XdfReader,
    model: str | Loaded | None = None,
    *,
    mains_hz: float | None = None,
    contributions: bool = False,
) -> Estimated:
    """Estimate over a recording with the model and the settings of its live run.

    Parameters
    ----------
    reader
        Of the recording.
    model
        Another model: a checkpoint by name or file, or one that is loaded. None: that of the live
        run; "default" where there was none.
    mains_hz
        Mains frequency, Hz, in place of the recorded one.
    contributions
        Whether to compute what each modality adds, which takes several times as long.

    Returns
    -------
    Estimated

    Raises
    ------
    BadInput
        There is no such checkpoint.
    CheckpointMismatch
        It was trained on other features than this version computes.
    """
    header = recorded_header(reader)
    if isinstance(model, Loaded):
        name, loaded = model.info.model, model
    else:
        name = model or (header.model if header else USUAL_MODEL)
        loaded = load_model(name)
    settings = recorded_settings(header, mains_hz)
    cautions = []
    if header and model is None and header.model_digest != loaded.digest:
        cautions.append(f"the model {name!r} has changed since the recording was made")
    if problem := caution(loaded.info.card, reader.sidecar.participant):
        cautions.append(problem)
    if not contributions:
        found = tuple(estimate_recording(reader, loaded, settings, header))
        return Estimated(name, loaded, found, cautions=tuple(cautions))
    pairs = explain_recording(reader, loaded, settings, header)
    estimates, added = (tuple(pair[side] for pair in pairs) for side in (0, 1))
    return Estimated(name, loaded, estimates, added, tuple(cautions))  # type: ignore[arg-type]


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
        Of the live run, where the recording has one.

    Returns
    -------
    list of Estimate
        In order of time.
    """
    processor = Processor(settings, StreamingEstimator(loaded))
    outcomes = process_recording(reader, processor, header)
    return [outcome for outcome in outcomes if isinstance(outcome, Estimate)]


def explain_recording(
    reader: XdfReader, loaded: Loaded, settings: ProcessorSettings, header: EstimateHeader | None
) -> list[tuple[Estimate, Contributions]]:
    """Estimate over a recording as `estimate_recording` does, with what each modality adds.

    Parameters
    ----------
    reader
        Of the recording.
    loaded
        The model.
    settings
        Of the processor.
    header
        Of the live run, where the recording has one: streams begin at the samples that it names.

    Returns
    -------
    list of (Estimate, Contributions)
        In order of time.
    """
    processor = Processor(settings, StreamingEstimator(loaded))
    explainer, explained = StreamingEstimator(loaded, contributions=True), []
    for outcome in process_recording(reader, processor, header):
        if isinstance(outcome, FusionInput):
            estimate = explainer.push(outcome)
            assert explainer.contributions is not None
            explained.append((estimate, explainer.contributions))
    return explained


def estimate_whole(
    recording: Recording, loaded: Loaded, settings: ProcessorSettings
) -> list[Estimate]:
    """Estimate over a recording in memory, which has no order of arrival: streams side by side.

    Parameters
    ----------
    recording
        Whole streams.
    loaded
        The model.
    settings
        Of the processor.

    Returns
    -------
    list of Estimate
        In order of time.
    """
    processor = Processor(settings, StreamingEstimator(loaded))
    outcomes = process_whole(recording.streams, processor)
    return [outcome for outcome in outcomes if isinstance(outcome, Estimate)]
