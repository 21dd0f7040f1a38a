"""Recordings of one person, with what they said of how they felt: what a model is fitted to."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from biosense.acquisition.xdf.reader import XdfReader
from biosense.core.affect import TARGETS, FusionInput
from biosense.core.errors import BadInput
from biosense.core.own_streams import OWN_PREFIX
from biosense.core.recording import Rating, Recording, Trial
from biosense.core.types import Chunk, Floats
from biosense.estimation.processor import Processor, ProcessorSettings
from biosense.estimation.run_processor import process
from biosense.models.deployment.card import Card
from biosense.models.deployment.checkpoint import Loaded
from biosense.models.deployment.streaming import StreamingEstimator
from biosense.models.sequences import LabelledSequence

_COLUMNS = ("start", "stop", *TARGETS)


@dataclass(frozen=True)
class RatedSpan:
    """Hold one rating of a span of time.

    Parameters
    ----------
    start, stop
        Session time, seconds.
    valence, arousal
        In [-1, 1].

    Raises
    ------
    BadInput
        The span does not last, or the rating is out of range.
    """

    start: float
    stop: float
    valence: float
    arousal: float

    def __post_init__(self) -> None:
        if not self.start < self.stop:
            raise BadInput(f"a rating is of {self.start} to {self.stop} s; it must last some time")
        if not (abs(self.valence) <= 1 and abs(self.arousal) <= 1):
            raise BadInput(
                f"valence={self.valence} and arousal={self.arousal} at {self.start} s must be in "
                "[-1, 1]; map the scale of the ratings to it first"
            )


def read_ratings(path: Path) -> list[RatedSpan]:
    """Read ratings of spans from a table (CSV) with the columns start, stop, valence, arousal.

    Parameters
    ----------
    path
        A CSV file.

    Returns
    -------
    list of RatedSpan
        In the order of the rows.

    Raises
    ------
    BadInput
        A column is missing, a value is no number or out of range; the message names the line.
    """
    with path.open(newline="", encoding="utf-8-sig") as file:
        rows = csv.DictReader(file)
        missing = [name for name in _COLUMNS if name not in (rows.fieldnames or ())]
        if missing:
            raise BadInput(f"{path} lacks the columns {missing}; wanted {list(_COLUMNS)}")
        spans = []
        for number, row in enumerate(rows, 2):
            try:
                spans.append(RatedSpan(*(float(row[name]) for name in _COLUMNS)))
            except (TypeError, ValueError) as error:
                raise BadInput(f"line {number} of {path}: {error}") from error
    return spans


def rated_sequence(
    reader: XdfReader,
    loaded: Loaded,
    settings: ProcessorSettings,
    *,
    ratings: Sequence[RatedSpan] = (),
    rated_s: float = 60.0,
    participant: str = "",
) -> LabelledSequence:
    """Compute the features of a recording as a live run does, with the person's ratings as targets.

    What the person said is, each where those before it are silent: `ratings`; a stream of the
    recording with channels `valence` and `arousal`, such as a joystick's; trials with one rating;
    single ratings, which hold for the `rated_s` seconds before them.

    Parameters
    ----------
    reader
        Of the recording.
    loaded
        The model that is to be fitted: only its modalities are computed.
    participant
        Who it is; empty: whom the recording names.

    Returns
    -------
    LabelledSequence
        Targets are NaN where nobody rated.

    Raises
    ------
    BadInput
        The recording gives no features, or nobody rated anything of it.
    """
    recording = reader.load()
    infos = [info for info in reader.infos if not info.name.startswith(OWN_PREFIX)]
    processor = Processor(settings, StreamingEstimator(loaded))
    outcomes = process(reader.items(), infos, processor)
    inputs = [outcome for outcome in outcomes if isinstance(outcome, FusionInput)]
    if not inputs:
        raise BadInput(f"{reader.path} gave no features; `biosense check` says what is wrong")
    target = targets(recording, np.array([item.time for item in inputs]), ratings, rated_s)
    if not np.isfinite(target).any():
        raise BadInput(
            f"nobody rated anything of {reader.path}: it has no stream with channels valence and "
            f"arousal; give ratings as a table with the columns {', '.join(_COLUMNS)}"
        )
    who = participant or recording.subject
    return LabelledSequence.from_inputs(who, inputs, target, hop=loaded.info.hop)


def targets(
    recording: Recording, times: Floats, ratings: Sequence[RatedSpan] = (), rated_s: float = 60.0
) -> Floats:
    """Return valence and arousal at each time, NaN where nobody rated.

    Parameters
    ----------
    recording
        With its annotations, trials and single ratings.
    times
        Session time, seconds, shape (n,).
    ratings
        What counts before all of these.
    rated_s
        Seconds before a single rating for which it holds.

    Returns
    -------
    Floats
        Shape (n, 2).
    """
    found = np.full((len(times), 2), np.nan)
    for span in ratings:
        _say(found, times, span)
    for annotation in _annotations(recording):
        inside = (times >= annotation.times[0]) & (times <= annotation.times[-1])
        inside &= np.isnan(found).any(1)
        for axis, name in enumerate(TARGETS):
            values = annotation.data[:, annotation.info.channels.index(name)].astype(np.float64)
            found[inside, axis] = np.interp(times, annotation.times, values)[inside]
    for span in (*_trial_spans(recording.trials), *_rating_spans(recording.ratings, rated_s)):
        _say(found, times, span)
    return found


def _say(found: Floats, times: Floats, span: RatedSpan) -> None:
    """Set what nobody has rated yet of a span."""
    free = (times > span.start) & (times <= span.stop) & np.isnan(found).any(1)
    found[free] = (span.valence, span.arousal)


def caution(card: Card, participant: str) -> str:
    """Say what speaks against a model for a participant: another's own, or its card's warning.

    Empty where nothing does, as for a model that was fitted to this very person.

    Parameters
    ----------
    card
        Of the model.
    participant
        Empty for an unnamed one.

    Returns
    -------
    str
        For people.
    """
    if not card.person:
        return card.warning
    if card.person == participant:
        return ""
    who = f"{participant!r}" if participant else "an unnamed participant"
    return f"this model is fitted to {card.person!r} and is used for {who}: {card.warning}"


def _annotations(recording: Recording) -> list[Chunk]:
    """Return continuous ratings, whole ones and streams that hold some."""
    rated = [
        stream
        for stream in recording.streams
        if set(TARGETS) <= set(stream.info.channels) and not stream.info.name.startswith(OWN_PREFIX)
    ]
    return [chunk for chunk in (*recording.annotations, *rated) if chunk.n]


def _trial_spans(trials: Sequence[Trial]) -> list[RatedSpan]:
    return [
        RatedSpan(trial.start, trial.stop, trial.rating.valence, trial.rating.arousal)
        for trial in trials
        if trial.rating is not None
    ]


def _rating_spans(ratings: Sequence[Rating], rated_s: float) -> list[RatedSpan]:
    return [
        RatedSpan(rating.time - rated_s, rating.time, rating.valence, rating.arousal)
        for rating in ratings
    ]
