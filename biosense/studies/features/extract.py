"""From a recording to one labelled sequence per trial, through the processing of a live run."""

from __future__ import annotations

import gc
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

import numpy as np

from biosense.core.affect import FusionInput
from biosense.core.errors import BadInput
from biosense.core.grid import HOP, grid_index, grid_time
from biosense.core.recording import Recording, Trial
from biosense.core.types import Chunk, Epoch, Event, Modality
from biosense.estimation.processor import Processor, ProcessorSettings
from biosense.estimation.run_processor import process_whole
from biosense.models.sequences import LabelledSequence
from biosense.processing.conditioning import CONDITIONINGS
from biosense.studies.features.annotations import annotated
from biosense.studies.features.reorder import reordered

LEAST_ANNOTATED = 0.5  # share of a trial; where less is annotated, its one rating counts

ONE_CHANNEL = (Modality.ECG, Modality.EDA, Modality.PPG, Modality.RESP)
"""Modalities whose features are computed from one channel."""


@dataclass(frozen=True)
class ExtractSettings:
    """Hold what changes the features and targets of a study: part of the keys of caches.

    Parameters
    ----------
    processor
        As of a live run.
    conditioning
        What is done to features behind the pipelines, a key of `CONDITIONINGS`.
    annotation_lag_s
        Seconds by which raters are taken to be late: the target of time t is what they said at t
        plus this. 0 claims nothing; any other value must be chosen on training subjects only.
    video
        Compute the pulse and the geometry of the face from the film of a trial, where there is one.
    shuffle
        Seed of the order control: each person's trials in random order (`reordered`); None: as they
        were shown.
    trials
        Only so many of each person, the first by the names of their stimuli, so that people share
        them; None: all.
    """

    processor: ProcessorSettings = field(default_factory=ProcessorSettings)
    conditioning: str = "person"
    annotation_lag_s: float = 0.0
    video: bool = True
    shuffle: int | None = None
    trials: int | None = None

    def __post_init__(self) -> None:
        if self.trials is not None and self.trials < 1:
            raise BadInput(f"trials={self.trials} of each person must be at least 1")
        if not 0 <= self.annotation_lag_s <= 10:
            raise BadInput(
                f"annotation_lag_s={self.annotation_lag_s} must be 0 to 10: raters are late by "
                "2 to 6 s, and never early"
            )


@dataclass(frozen=True, eq=False)
class Extracted:
    """Hold what was computed of one recording.

    Parameters
    ----------
    sequences
        One for each trial with features and a target, in the order in which they were shown.
    features
        Names of the features of each modality.
    notes
        What was left out and why.
    """

    sequences: tuple[LabelledSequence, ...]
    features: Mapping[Modality, tuple[str, ...]]
    notes: tuple[str, ...] = ()


def extract_trials(recording: Recording, settings: ExtractSettings) -> Extracted:
    """Compute the features of a recording on the session grid, and cut them by trial.

    The whole recording passes through one `Processor` in the order of time, so filters, baselines
    and the running normalisation carry over from trial to trial as they would in a live run, and
    never look ahead. A step belongs to a trial if it lies behind its start and not behind its end;
    rest and baseline prepare the state and are not part of a sequence. Targets are what was
    annotated continuously, at least over half of a trial, or else the one rating of the whole.

    A recording without trials that is annotated is one sequence as a whole.
    """
    recording = _ordered(_shortened(recording, settings.trials), settings)
    recording, notes = _with_video(recording, settings)
    recording, picked = _one_channel(recording)
    notes += picked
    processor = Processor(settings.processor, conditioning=settings.conditioning)
    events: list[Event] = []
    for stream in recording.streams:
        events += processor.add_stream(stream.info)
    inputs: dict[int, FusionInput] = {}
    names: dict[Modality, tuple[str, ...]] = {}
    with _collector_paused():
        for outcome in process_whole(recording.streams, processor):
            if isinstance(outcome, FusionInput):
                inputs[outcome.index] = outcome
            elif isinstance(outcome, Epoch) and outcome.info.modality is not None:
                modality = outcome.info.modality
                if modality not in names:
                    conditioning = CONDITIONINGS[settings.conditioning](modality)
                    names[modality] = conditioning.start(outcome.info).channels
    notes += [f"{event.stream}: {event.text}" for event in events]
    sequences = []
    for position, trial in enumerate(_trials(recording)):
        cut = _cut(recording, trial, position, inputs, settings)
        if isinstance(cut, str):
            notes.append(cut)
        else:
            sequences.append(cut)
    who = recording.subject or "a recording"
    told = dict.fromkeys((*recording.notes, *notes))
    said = tuple(note if note.startswith(who) else f"{who}: {note}" for note in told)
    return Extracted(tuple(sequences), names, said)


@contextmanager
def _collector_paused() -> Iterator[None]:
    """Spare Python's search for cycles, of which features have none.

    It goes through all that the process holds each time that many objects have been made.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _shortened(recording: Recording, trials: int | None) -> Recording:
    """Keep some trials with their baselines, and nothing of the streams but these."""
    if trials is None or len(recording.trials) <= trials:
        return recording
    kept = sorted(recording.trials, key=lambda each: (each.stimulus, each.start))[:trials]
    spans = [(t.start if t.baseline is None else t.baseline, t.stop) for t in kept]

    def cut(chunk: Chunk) -> Chunk:
        inside = np.any([(a <= chunk.times) & (chunk.times <= b) for a, b in spans], axis=0)
        return Chunk(chunk.info, chunk.times[inside], chunk.data[inside], chunk.ok[inside])

    return replace(
        recording,
        trials=tuple(sorted(kept, key=lambda each: each.start)),
        streams=tuple(cut(chunk) for chunk in recording.streams),
        notes=(*recording.notes, f"{trials} of {len(recording.trials)} trials are used"),
    )


def _ordered(recording: Recording, settings: ExtractSettings) -> Recording:
    if settings.shuffle is None:
        return recording
    mixed = zlib.crc32(f"{settings.shuffle}/{recording.subject}".encode())
    return reordered(recording, mixed)


def _with_video(recording: Recording, settings: ExtractSettings) -> tuple[Recording, list[str]]:
    if not settings.video or all(trial.video is None for trial in recording.trials):
        return recording, []
    from biosense.studies.features.video import film_streams

    streams, notes = film_streams(recording)
    return replace(recording, streams=(*recording.streams, *streams)), notes


def _one_channel(recording: Recording) -> tuple[Recording, list[str]]:
    """Keep one channel of each stream whose features are of one: the first that lacks least."""
    streams, notes = [], []
    for chunk in recording.streams:
        if chunk.info.modality not in ONE_CHANNEL or chunk.info.n_channels == 1:
            streams.append(chunk)
            continue
        lacking = (~np.isfinite(chunk.data)).sum(0) + (np.ptp(chunk.data, axis=0) == 0) * chunk.n
        kept = int(np.argmin(lacking))
        name = chunk.info.channels[kept]
        info = replace(chunk.info, channels=(name,))
        streams.append(replace(chunk, info=info, data=chunk.data[:, kept : kept + 1]))
        notes.append(f"{chunk.info.name}: of {', '.join(chunk.info.channels)} only {name} is used")
    return replace(recording, streams=tuple(streams)), notes


def _trials(recording: Recording) -> list[Trial]:
    """Return the trials as they were shown; the whole where there are none."""
    if recording.trials:
        return sorted(recording.trials, key=lambda trial: trial.start)
    times = [chunk.times for chunk in recording.annotations if chunk.n > 1]
    if not times:
        return []
    return [Trial(min(float(t[0]) for t in times) - HOP, max(float(t[-1]) for t in times), "")]


def _cut(
    recording: Recording,
    trial: Trial,
    position: int,
    inputs: Mapping[int, FusionInput],
    settings: ExtractSettings,
) -> LabelledSequence | str:
    """Return the sequence of a trial, or why there is none."""
    name = f"trial {position + 1} ({trial.stimulus or 'the whole recording'})"
    first, last = grid_index(trial.start) + 1, grid_index(trial.stop)
    if not any(index in inputs for index in range(first, last + 1)):
        return f"{name} is left out: no stream gave a feature during it"
    steps = [_at(inputs, index) for index in range(first, last + 1)]
    time = np.array([step.time for step in steps])
    target = annotated(recording.annotations, time + settings.annotation_lag_s)
    known = float(np.isfinite(target).all(1).mean())
    per_trial = known < LEAST_ANNOTATED and (trial.rating is not None or known == 0)
    if per_trial:
        if trial.rating is None:
            return f"{name} is left out: nobody rated it"
        target = np.tile([trial.rating.valence, trial.rating.arousal], (len(time), 1))
        if not np.isfinite(target).any():
            return f"{name} is left out: its rating holds no number"
    sequence = LabelledSequence.from_inputs(recording.subject, steps, target)
    return replace(
        sequence,
        stimulus=trial.stimulus,
        group=trial.group,
        position=position,
        per_trial=per_trial,
    )


def _at(inputs: Mapping[int, FusionInput], index: int) -> FusionInput:
    """Return what is known at a step; a step of which nothing is known is absent, not left out."""
    known = inputs.get(index)
    return FusionInput(index, grid_time(index), {}, {}) if known is None else known


def feature_names(parts: Sequence[Extracted]) -> dict[Modality, tuple[str, ...]]:
    """Return the names of the features of all recordings.

    Raises
    ------
    BadInput
        Two recordings disagree.
    """
    names: dict[Modality, tuple[str, ...]] = {}
    for part in parts:
        for modality, channels in part.features.items():
            if names.setdefault(modality, channels) != channels:
                raise BadInput(
                    f"{modality} has the features {list(names[modality])} in one recording and "
                    f"{list(channels)} in another; a study needs the same of everybody"
                )
    return {modality: names[modality] for modality in Modality if modality in names}
