"""From a recording to one labelled sequence per trial, through the processing of a live run."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from biosense.core.errors import BadInput
from biosense.core.grid import HOP, grid_index, grid_time
from biosense.core.recording import Recording, Trial
from biosense.core.types import Chunk, Epoch, Event, Floats, FusionInput, Modality
from biosense.live.offline import interleave
from biosense.live.processor import Processor, ProcessorSettings
from biosense.models.sequences import LabelledSequence
from biosense.study.reorder import reordered

MAX_APART_S = 1.0  # an annotation that is further from a step says nothing about it


@dataclass(frozen=True)
class ExtractSettings:
    """Hold what changes the features and targets of a study: part of the keys of caches.

    Parameters
    ----------
    processor
        As of a live run.
    annotation_lag_s
        Seconds by which raters are taken to be late: the target of time t is what they said at t
        plus this. 0 claims nothing; any other value must be chosen on training subjects only.
    video
        Compute the pulse and the geometry of the face from the film of a trial, where there is one.
    shuffle
        Seed of the order control: each person's trials in random order (`reordered`); None: as they
        were shown.
    """

    processor: ProcessorSettings = field(default_factory=ProcessorSettings)
    annotation_lag_s: float = 0.0
    video: bool = True
    shuffle: int | None = None

    def __post_init__(self) -> None:
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
    rest and baseline prepare the state and are not part of a sequence.

    A recording without trials that is annotated is one sequence as a whole.
    """
    recording = _ordered(recording, settings)
    recording, notes = _with_video(recording, settings)
    processor = Processor(settings.processor)
    events: list[Event] = []
    for stream in recording.streams:
        events += processor.add_stream(stream.info)
    inputs: dict[int, FusionInput] = {}
    names: dict[Modality, tuple[str, ...]] = {}
    outcomes = [out for piece in interleave(recording.streams) for out in processor.push(piece)]
    for outcome in [*outcomes, *processor.flush()]:
        if isinstance(outcome, FusionInput):
            inputs[outcome.index] = outcome
        elif isinstance(outcome, Epoch) and outcome.info.modality is not None:
            names[outcome.info.modality] = outcome.info.channels
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


def _ordered(recording: Recording, settings: ExtractSettings) -> Recording:
    if settings.shuffle is None:
        return recording
    mixed = zlib.crc32(f"{settings.shuffle}/{recording.subject}".encode())
    return reordered(recording, mixed)


def _with_video(recording: Recording, settings: ExtractSettings) -> tuple[Recording, list[str]]:
    if not settings.video or all(trial.video is None for trial in recording.trials):
        return recording, []
    from biosense.study.video import film_streams

    streams, notes = film_streams(recording)
    return replace(recording, streams=(*recording.streams, *streams)), notes


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
    per_trial = not np.isfinite(target).any()
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


def annotated(annotations: Iterable[Chunk], time: Floats) -> Floats:
    """Return valence and arousal at times, (n, 2), on straight lines between annotations.

    NaN where the next annotation is further than `MAX_APART_S`. Several raters are averaged.
    """
    raters = [_of_rater(chunk, time) for chunk in annotations]
    if not raters:
        return np.full((len(time), 2), np.nan)
    stack = np.stack(raters)
    known = np.isfinite(stack)
    total = np.where(known, stack, 0.0).sum(0)
    count = known.sum(0)
    mean = np.full(total.shape, np.nan)
    np.divide(total, count, out=mean, where=count > 0)
    return mean


def _of_rater(chunk: Chunk, time: Floats) -> Floats:
    columns = [chunk.info.channels.index(name) for name in ("valence", "arousal")]
    values = np.full((len(time), 2), np.nan)
    for axis, column in enumerate(columns):
        said = np.asarray(chunk.data[:, column], np.float64)
        known = chunk.ok & np.isfinite(said)
        if known.any():
            at = chunk.times[known]
            near = _distance(at, time) <= MAX_APART_S
            values[near, axis] = np.interp(time[near], at, said[known])
    return values


def _distance(at: Floats, time: Floats) -> Floats:
    """Return how far the nearest of rising times `at` is from each of `time`."""
    right = np.searchsorted(at, time).clip(0, len(at) - 1)
    left = (right - 1).clip(0)
    distance: Floats = np.minimum(np.abs(time - at[left]), np.abs(time - at[right]))
    return distance


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
