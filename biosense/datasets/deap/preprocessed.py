"""DEAP, preprocessed: 32 people, 40 music videos of a minute each, rated once per video."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path

import numpy as np

from biosense.core.errors import DatasetDamaged
from biosense.core.recording import Recording, Trial
from biosense.core.types import Chunk, Floats
from biosense.datasets.deap.files import VIDEOS, DeapCopy, about, find
from biosense.datasets.deap.ratings import (
    FAMILIARITY,
    LABELS,
    Answer,
    check_labels,
    rating,
    read_answers,
    start_times,
)
from biosense.datasets.deap.signals import (
    STREAMS,
    body_stream,
)
from biosense.datasets.formats.safe_pickle import load_arrays

SFREQ = 128.0
CHANNELS, SAMPLES, BASELINE = 40, 8064, 384
"""Of each trial: 3 s of baseline and 60 s of video."""
LENGTH_S, BASELINE_S = SAMPLES / SFREQ, BASELINE / SFREQ
LIMIT = VIDEOS * (CHANNELS * SAMPLES + len(LABELS)) * 8 + 2**16
"""Bytes of a complete file as Python 2 wrote it; old ways of Python 3 take up to twice as many."""
ABOUT = about(
    "deap",
    "DEAP, preprocessed: EEG and body signals of 32 people who watched 40 music videos",
    "data_preprocessed_python/s01.dat to s32.dat, participant_ratings.csv; face_video if wanted",
)
_DONE = "eeg: 4 to 45 Hz, EOG removed, common average (rank 31 at most), by the makers of the set"
_UNASKED = "familiarity was not asked"
_UNORDERED = (
    "participant_ratings.csv has nothing of this participant: trials are in the order of the "
    "videos instead of presentation, familiarity is not known, and no film is joined"
)


class Deap(DeapCopy):
    """DEAP as its makers preprocessed it, one `.dat` for each person.

    - A file is a pickle, which runs what it likes if it is opened as usual: `load_arrays`.
    - Rows are in the order of the videos (Experiment_id), joined by it to the table of ratings,
      which tells the order of presentation and the times. Without the table, trials keep the order
      of the videos and lie 60 s apart; with it, the labels of both must agree.
    - The first 3 s of the 63 are rest and are kept: `Trial.baseline`.
    - Labels are valence, arousal, dominance, liking from 1 to 9, floats; here (r - 5) / 4, not
      truncated. Familiarity is missing for 2, 15, 23.
    - Skin: ohm become siemens; negative values (1, 2, 3, 8, 14, 15) are not trusted, values out
      of range (26) are told. So is the median of each person, for comparing the sites: which unit
      the files have is known from hearsay only. 31 has jumps, which the pipeline looks for.
    - There is no ECG, the pulse is in `ppg`. The EEG has no delta band, and rank 31 at most.
    - Faces were filmed of 1 to 22; 3, 5, 14 lack a film and 11 lacks three. Films are numbered in
      the order of presentation.
    - A file with fewer rows than 40 is taken, with a note, if the table has as many.

    Parameters
    ----------
    root
        The folder with `data_preprocessed_python`, or that folder.
    resaved
        Take files that Python 3 saved again.

    Raises
    ------
    DatasetIncomplete
        If there is no recording in it.
    DatasetDamaged
        If there are files that are no part of it.
    """

    _about = ABOUT

    def __init__(self, root: Path, *, resaved: bool = True) -> None:
        self._folder = find(root, ABOUT, "data_preprocessed_python", "dat")
        self._resaved = resaved

    def load(self, subject: str) -> Recording:
        """Read a participant: 128 Hz streams in SI units, 63 s for each trial, gaps between."""
        path = self._folder.path(subject)
        arrays = load_arrays(path, limit=LIMIT * (1 + self._resaved), resaved=self._resaved)
        data, labels = _checked(path, arrays)
        answers, notes = self._answers(path, subject, labels)
        starts, made_up = start_times(answers, BASELINE_S, LENGTH_S)
        if len(data) < VIDEOS:
            notes.append(f"{path.name} has {len(data)} trials, the complete one {VIDEOS}")
        videos = sorted(answer.video for answer in answers)
        rows = [videos.index(answer.video) for answer in answers]
        streams, said = _streams(subject, data[rows], starts)
        trials = tuple(
            self._trial(subject, answer, start)
            for answer, start in zip(answers, starts, strict=True)
        )
        notes += [made_up] * bool(made_up) + said
        return Recording(streams, subject=subject, trials=trials, notes=(*notes, _DONE))

    @cached_property
    def _table(self) -> Mapping[str, tuple[Answer, ...]]:
        return {} if self._folder.ratings is None else read_answers(self._folder.ratings)

    def _answers(self, path: Path, subject: str, labels: Floats) -> tuple[list[Answer], list[str]]:
        """Return what was shown and said, in the order of presentation where it is known."""
        known = {answer.video: answer for answer in self._table.get(subject, ())}
        videos = sorted(known) or list(range(1, len(labels) + 1))
        if len(videos) != len(labels):
            raise DatasetDamaged(
                f"{path} has {len(labels)} trials but the table of ratings {len(videos)} of "
                f"{subject}: nobody knows which is which"
            )
        said = dict(zip(videos, labels, strict=True))
        check_labels(str(path), known, said)
        answers = []
        for video, values in said.items():
            answer = known.get(video, Answer(video, video, math.nan, {}))
            raw = {**answer.raw, **dict(zip(LABELS, values.tolist(), strict=True))}
            answers.append(replace(answer, raw=raw))
        if known:
            notes = [] if any(FAMILIARITY in each.raw for each in answers) else [_UNASKED]
            notes += self._folder.film_notes(subject, [answer.trial for answer in answers])
        else:
            notes = [_UNORDERED]
        return sorted(answers, key=lambda answer: answer.trial), notes

    def _trial(self, subject: str, answer: Answer, start: float) -> Trial:
        stop = start + LENGTH_S - BASELINE_S
        return Trial(
            start,
            stop,
            stimulus=str(answer.video),
            baseline=start - BASELINE_S,
            rating=rating(stop, answer.raw),
            raw=answer.raw,
            video=self._folder.film(subject, answer.trial) if subject in self._table else None,
            video_start=start,
        )


def _checked(path: Path, arrays: Mapping[str, Floats]) -> tuple[Floats, Floats]:
    """Return samples and labels if they have the shapes and ranges that they must have."""
    if set(arrays) != {"data", "labels"}:
        raise DatasetDamaged(f"{path} holds {sorted(arrays)}, wanted 'data' and 'labels'")
    data, labels = arrays["data"], arrays["labels"]
    trials = len(labels)
    if data.shape != (trials, CHANNELS, SAMPLES) or labels.shape != (trials, len(LABELS)):
        raise DatasetDamaged(
            f"{path} holds data of shape {data.shape} and labels of shape {labels.shape}, wanted "
            f"(trials, {CHANNELS}, {SAMPLES}) and (trials, {len(LABELS)})"
        )
    if not 1 <= trials <= VIDEOS:
        raise DatasetDamaged(f"{path} holds {trials} trials, 1 to {VIDEOS} are possible")
    if not ((labels >= 1) & (labels <= 9)).all():
        raise DatasetDamaged(
            f"{path} holds labels from {labels.min():g} to {labels.max():g}, wanted 1 to 9"
        )
    return data, labels


def _streams(
    subject: str, data: Floats, starts: Sequence[float]
) -> tuple[tuple[Chunk, ...], list[str]]:
    """Return all streams of a participant from (trials, channels, samples), as presented."""
    times = np.concatenate([start - BASELINE_S + np.arange(SAMPLES) / SFREQ for start in starts])
    chunks, notes, first = [], [], 0
    for info in STREAMS:
        block = data[:, first : first + info.n_channels]
        first += info.n_channels
        values = block.swapaxes(1, 2).reshape(len(times), -1)
        values = values * 1e-6 if info.unit == "V" else values  # the files have microvolts
        chunk, said = body_stream(subject, info, times, values, "ohm")
        chunks.append(chunk)
        notes += said
    return tuple(chunks), notes
