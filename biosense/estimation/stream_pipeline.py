"""One stream's way through a run: its features, the same relative to the person, its quality."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from biosense.acquisition.stream_xml import modality_of
from biosense.core.preprocessed_streams import is_intervals
from biosense.core.stage import Pipeline
from biosense.core.types import Event, EventKind, Modality, StreamInfo
from biosense.estimation.signal_quality import ClipWatch, NumberWatch, QualityWatch
from biosense.processing.conditioning import CONDITIONINGS
from biosense.processing.pipelines import feature_pipeline
from biosense.processing.registry import ExtraStage

Wrap = Callable[[StreamInfo, Pipeline], Pipeline]
"""Gives back a pipeline that does the same and lets what passes between its stages be seen."""


class StreamPipeline:
    """Hold what is done to one stream: features, normalised features, what is to be reported.

    Parameters
    ----------
    info
        The stream, with its modality.
    modality
        What it counts as.
    mains_hz
        Mains frequency, Hz.
    conditioning
        What is done to its features, a key of `CONDITIONINGS`.
    extra
        Stages beside the usual ones, of any modality.
    wrap
        Puts taps into the pipeline; None for none.

    Attributes
    ----------
    connected
        The pipeline as others connect with it: without taps.
    extra
        The stages beside the usual ones.
    stands_in
        True for intervals between beats, which give way to a signal of the heart.

    Raises
    ------
    BadInput
        No features can be computed from such a stream.
    """

    def __init__(
        self,
        info: StreamInfo,
        modality: Modality,
        *,
        mains_hz: float,
        conditioning: str,
        extra: Sequence[ExtraStage] = (),
        wrap: Wrap | None = None,
    ) -> None:
        self.info = info
        self.modality = modality
        self.stands_in = is_intervals(info)
        self.extra = tuple(each for each in extra if each.modality is modality)
        self.connected = feature_pipeline(
            info,
            mains_hz=mains_hz,
            on_signal=[each.make() for each in self.extra if each.at == "signal"],
            on_features=[each.make() for each in self.extra if each.at == "features"],
        )
        self.pipeline = self.connected if wrap is None else wrap(info, self.connected)
        self.follows_time = self.connected.follows_time
        self.normalise = CONDITIONINGS[conditioning](modality)
        self.numbers = NumberWatch()
        self.clipping = ClipWatch()
        self.watch = QualityWatch()
        self.features = self.pipeline.start(info)
        self.normalise.start(self.features)


def text_where_numbers_are_needed(info: StreamInfo) -> list[Event]:
    """Report a stream of text whose name says that it should hold numbers; nothing for others.

    Parameters
    ----------
    info
        The stream.

    Returns
    -------
    list of Event
        One or none.
    """
    kind = modality_of(info.content_type, info.name, info.channels) if info.is_text else None
    if kind is None:
        return []
    return [note(info, f"recorded, not processed: its samples are text, {kind} needs numbers")]


def already_there(info: StreamInfo, other: str, modality: Modality) -> Event:
    """Report a stream whose modality another one has in this run.

    Parameters
    ----------
    info
        The stream that is left out.
    other
        Name of the one that is there.
    modality
        Of both.

    Returns
    -------
    Event
    """
    return note(info, f"recorded, not processed: {other!r} is already the {modality} of this run")


def not_trained_with(info: StreamInfo, extra: Sequence[ExtraStage]) -> list[Event]:
    """Report stages that the features of a model did not pass through in training.

    Parameters
    ----------
    info
        The stream.
    extra
        The stages.

    Returns
    -------
    list of Event
        One or none.
    """
    names = ", ".join(repr(each.name) for each in extra)
    return [note(info, f"passes {names}, which its model was not trained with")] if extra else []


def note(info: StreamInfo, text: str) -> Event:
    """Return what is to be said of a stream before its first sample.

    Parameters
    ----------
    info
        The stream.
    text
        For people.

    Returns
    -------
    Event
    """
    return Event(0.0, EventKind.ERROR, info.name, text)
