"""DEAP as it was recorded: 512 Hz BioSemi files of 32 people."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path

import numpy as np

from biosense.core.errors import DatasetDamaged, DatasetIncomplete
from biosense.core.recording import Recording, Trial
from biosense.core.types import Chunk, StreamInfo
from biosense.core.units import read_unit
from biosense.datasets.deap.files import EEG, RATINGS, DeapCopy, about, find, site
from biosense.datasets.deap.ratings import Answer, rating, read_answers
from biosense.datasets.deap.signals import (
    STREAMS,
    body_stream,
)
from biosense.datasets.formats.bdf import Bdf

FIXATION, VIDEO, AFTER = 3, 4, 5
"""Codes of the Status channel: cross before a video, the video, cross after it."""
VIDEO_S, FIXATION_S = 60.0, 5.0
_AGREE_S = 1.0  # events and Start_time, two clocks
_PAIRS = {
    "eog": (("EXG1", "EXG2"), ("EXG3", "EXG4")),
    "emg": (("EXG5", "EXG6"), ("EXG7", "EXG8")),
}
_SINGLE = {"eda": "GSR1", "resp": "Resp", "ppg": "Plet", "temp": "Temp"}
ABOUT = about(
    "deap_original",
    "DEAP, as recorded: EEG and body signals of 32 people who watched 40 music videos",
    "data_original/s01.bdf to s32.bdf, participant_ratings.csv; face_video if wanted",
)
_DONE = "eeg: as the amplifier gave it, without a reference"


class DeapOriginal(DeapCopy):
    """DEAP as it was recorded, one BDF file for each person: the whole of it, trials and pauses.

    - 48 channels for 1 to 28, 49 from 29 on, in one order for Twente (1 to 22) and another for
      Geneva: channels are found by name. Status is the last, whatever it is called.
    - The code of an event is the low byte of Status; the bits above are states of the amplifier.
    - Videos were shown in another order to each person, which the table of ratings tells. Where a
      file has fewer events than the table has rows, they are matched by their times.
    - Skin: conductance in nanosiemens from Twente, resistance in ohm from Geneva.
    - Eyes and muscles are differences of two electrodes.
    - Streams are float32: 32 bits for samples of 24, and half the memory. Time 0 is the first
      sample of the file.

    Parameters
    ----------
    root
        The folder with `data_original`, or that folder.

    Raises
    ------
    DatasetIncomplete
        If there is no recording in it, or no table of ratings.
    DatasetDamaged
        If there are files that are no part of it.
    """

    _about = ABOUT

    def __init__(self, root: Path) -> None:
        self._folder = find(root, ABOUT, "data_original", "bdf")
        if self._folder.ratings is None:
            raise DatasetIncomplete(
                f"{root} holds no {RATINGS}, which tells the videos of {ABOUT.title}: "
                f"{ABOUT.access}"
            )

    def load(self, subject: str) -> Recording:
        """Read a participant: streams of 512 Hz in SI units, from begin to end."""
        file = Bdf(self._folder.path(subject))
        events = file.events()
        placed, notes = _place(
            file, [at for at, code in events if code == VIDEO], self._of(subject)
        )
        streams, said = _streams(subject, file)
        trials = tuple(
            self._trial(subject, answer, start, events, file.seconds) for answer, start in placed
        )
        films = self._folder.film_notes(subject, [answer.trial for answer, _ in placed])
        notes += [*said, *films, _DONE]
        return Recording(streams, subject=subject, trials=trials, notes=tuple(notes))

    @cached_property
    def _table(self) -> Mapping[str, tuple[Answer, ...]]:
        return {} if self._folder.ratings is None else read_answers(self._folder.ratings)

    def _of(self, subject: str) -> tuple[Answer, ...]:
        if subject not in self._table:
            raise DatasetDamaged(f"{self._folder.ratings} has no rows of {subject}")
        return self._table[subject]

    def _trial(
        self,
        subject: str,
        answer: Answer,
        start: float,
        events: Sequence[tuple[float, int]],
        end: float,
    ) -> Trial:
        before = [at for at, code in events if code == FIXATION and start - 10 < at < start]
        after = [at for at, code in events if code == AFTER and 50 < at - start < 70]
        stop = min(after[0] if after else start + VIDEO_S, end)
        return Trial(
            start,
            stop,
            stimulus=str(answer.video),
            baseline=before[-1] if before else max(start - FIXATION_S, 0.0),
            rating=rating(stop, answer.raw),
            raw=answer.raw,
            video=self._folder.film(subject, answer.trial),
            video_start=start,
        )


def _place(
    file: Bdf, videos: Sequence[float], answers: Sequence[Answer]
) -> tuple[list[tuple[Answer, float]], list[str]]:
    """Return each answer with the time of its video, in the order of presentation."""
    if len(videos) == len(answers):
        placed = list(zip(answers, videos, strict=True))
        shift = _shift(file, placed)
        off = [a.trial for a, at in placed if abs(at - a.start - shift) > _AGREE_S]
        return placed, [f"Start_time is off by more than 1 s in trial {off}"] if off else []
    placed = _matched(videos, answers)
    if 2 * len(placed) < len(answers) or len(placed) < len(videos):
        raise DatasetDamaged(
            f"{file.path} has {len(videos)} events of a video (code {VIDEO}) for {len(answers)} "
            "rows of the table of ratings, and their times do not tell which is which"
        )
    there = {answer.trial for answer, _ in placed}
    gone = [answer.trial for answer in answers if answer.trial not in there]
    return placed, [f"trial {trial} is left out: its event is not in the file" for trial in gone]


def _matched(videos: Sequence[float], answers: Sequence[Answer]) -> list[tuple[Answer, float]]:
    """Return the pairs that one shift between both clocks explains, if only one explains most."""
    best: set[tuple[tuple[int, int], ...]] = {()}
    for shift in {at - answer.start for at in videos for answer in answers}:
        pairs = tuple(
            (row, event)
            for row, answer in enumerate(answers)
            for event, at in enumerate(videos)
            if abs(at - answer.start - shift) <= _AGREE_S
        )
        longest = len(next(iter(best)))
        if len(pairs) >= longest:
            best = {pairs} | (best if len(pairs) == longest else set())
    only = best.pop() if len(best) == 1 else ()
    return [(answers[row], videos[event]) for row, event in only]


def _shift(file: Bdf, placed: Sequence[tuple[Answer, float]]) -> float:
    differences = [at - answer.start for answer, at in placed if math.isfinite(answer.start)]
    if not placed:
        raise DatasetDamaged(f"{file.path} has no event of a video (code {VIDEO})")
    return float(np.median(differences)) if differences else math.nan


def _streams(subject: str, file: Bdf) -> tuple[tuple[Chunk, ...], list[str]]:
    chunks, notes = [], []
    times = np.empty(0)
    for info in STREAMS:
        indices = _indices(file, info)
        info = replace(info, sfreq=file.sfreq(indices[0]), dtype="float32")
        factor = 1.0
        if info.unit == "V":
            unit = file.signals[indices[0]].unit
            base, factor = read_unit(unit, info.modality) or ("", 1.0)
            if base != "V":
                notes.append(f"{info.name}: unit {unit!r} taken as uV")
                factor = 1e-6
        data = file.read(indices, factor)
        if info.name in _PAIRS:
            data = data[:, 0::2] - data[:, 1::2]
        if len(times) != len(data):
            times = np.arange(len(data)) / info.sfreq
        skin_unit = "ohm" if site(subject) == "Geneva" else "nanosiemens"
        chunk, said = body_stream(subject, info, times, data, skin_unit)
        chunks.append(chunk)
        notes += said
    return tuple(chunks), notes


def _indices(file: Bdf, info: StreamInfo) -> list[int]:
    if info.name in _PAIRS:
        names = [name for pair in _PAIRS[info.name] for name in pair]
    else:
        names = [_SINGLE[info.name]] if info.name in _SINGLE else list(EEG)
    return [file.index(name) for name in names]
