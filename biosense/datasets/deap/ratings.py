"""DEAP's table of ratings: which video was shown when, and what the participant said of it."""

from __future__ import annotations

import csv
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from biosense.core.affect import TARGETS
from biosense.core.errors import DatasetDamaged
from biosense.core.recording import Rating
from biosense.core.types import Floats
from biosense.datasets.deap.files import PEOPLE, VIDEOS
from biosense.datasets.folder_listing import check_size, on_unit_scale

LABELS = (*TARGETS, "dominance", "liking")
"""The columns of the labels in the preprocessed files, in their order."""
FAMILIARITY = "familiarity"  # 1 to 5, asked once at the end
_COLUMNS = ("Participant_id", "Trial", "Experiment_id", "Start_time", "Valence", "Arousal")
_MOST_BYTES = 2**24
_ROUNDING = 0.011  # tables are given with two decimals
_NOTHING = ("", "nan", "na", "n/a")
PAUSE_S = 60.0
"""Between trials where nobody tells when they were."""


@dataclass(frozen=True)
class Answer:
    """Hold a row of the table.

    Parameters
    ----------
    trial
        Place in the order of presentation, from 1.
    video
        `Experiment_id`.
    start
        Of the video, seconds from the start of the experiment; NaN where it is missing.
    raw
        Ratings from 1 to 9, familiarity from 1 to 5 where there is one.
    """

    trial: int
    video: int
    start: float
    raw: Mapping[str, float]


def read_answers(path: Path) -> dict[str, tuple[Answer, ...]]:
    """Return the rows of each participant in the order of presentation.

    Parameters
    ----------
    path
        `participant_ratings.csv`.

    Returns
    -------
    dict of str to tuple of Answer
        By participant.

    Raises
    ------
    DatasetDamaged
        If the table lacks a column, holds a row twice or a value that cannot be.
    """
    check_size(path, _MOST_BYTES)
    with path.open(encoding="utf-8-sig", newline="") as file:
        try:
            rows = list(csv.DictReader(file, skipinitialspace=True))
        except (csv.Error, UnicodeDecodeError) as error:
            raise DatasetDamaged(f"{path} is no table in CSV: {error}") from error
    lacking = [name for name in _COLUMNS if not rows or name not in rows[0]]
    if lacking:
        raise DatasetDamaged(f"{path} has no column {', '.join(lacking)}")
    answers: dict[str, list[Answer]] = {}
    for line, row in enumerate(rows, 2):
        try:
            person = _whole(row["Participant_id"], PEOPLE)
            answers.setdefault(f"s{person:02d}", []).append(_answer(row))
        except (ValueError, TypeError) as error:
            raise DatasetDamaged(f"{path}, line {line}: {error}") from error
    for subject, given in answers.items():
        _check_once(f"{path}: {subject}", given)
    return {one: tuple(sorted(answers[one], key=lambda a: a.trial)) for one in sorted(answers)}


def _answer(row: Mapping[str, str]) -> Answer:
    raw = {}
    for name in (*LABELS, FAMILIARITY):
        text = (row.get(name.capitalize()) or "").strip()
        if text.lower() not in _NOTHING:
            raw[name] = float(text)
    highest = {FAMILIARITY: 5.0}
    for name, value in raw.items():
        if not 1.0 <= value <= highest.get(name, 9.0):
            raise ValueError(f"{name} is {value}, wanted 1 to {highest.get(name, 9.0):g}")
    start = (row["Start_time"] or "").strip()
    seconds = math.nan if start.lower() in _NOTHING else float(start) / 1e6
    return Answer(_whole(row["Trial"], VIDEOS), _whole(row["Experiment_id"], VIDEOS), seconds, raw)


def _whole(text: str, most: int) -> int:
    value = float(text)
    if value != int(value) or not 1 <= value <= most:
        raise ValueError(f"{text!r} is no number from 1 to {most}")
    return int(value)


def _check_once(where: str, answers: Sequence[Answer]) -> None:
    for what in ("trial", "video"):
        numbers = [getattr(answer, what) for answer in answers]
        twice = sorted({number for number in numbers if numbers.count(number) > 1})
        if twice:
            raise DatasetDamaged(f"{where} has {what} {twice[0]} more than once")


def check_labels(where: str, answers: Mapping[int, Answer], labels: Mapping[int, Floats]) -> None:
    """Compare the labels of a file with the table, both by video.

    Parameters
    ----------
    where
        What to call it in messages.
    answers
        Of one participant, by video.
    labels
        As in the recording, by video, shape (4,) each.

    Raises
    ------
    DatasetDamaged
        If they differ by more than rounding: then one of them belongs to something else.
    """
    for video, values in labels.items():
        said = answers[video].raw if video in answers else {}
        for name, value in zip(LABELS, values, strict=True):
            if abs(said.get(name, value) - value) > _ROUNDING:
                raise DatasetDamaged(
                    f"{where}: {name} of video {video} is {value:g} in the file but "
                    f"{said[name]:g} in the table of ratings: one of them is of another copy"
                )


def start_times(answers: Sequence[Answer], before: float, length: float) -> tuple[list[float], str]:
    """Return when each video began, and what had to be made up.

    Parameters
    ----------
    answers
        In the order of presentation.
    before, length
        Seconds that belong to a trial before the start of its video and in all.

    Returns
    -------
    starts : list of float
        Session time, seconds, in the order of presentation.
    note : str
        Empty where nothing was made up.
    """
    starts = [answer.start for answer in answers]
    if all(math.isfinite(start) for start in starts):
        short = [later - earlier for earlier, later in pairwise(starts) if later - earlier < length]
        if not short:
            return starts, ""
        why = f"a trial begins {short[0]:.1f} s after the one before"
    else:
        why = "Start_time is missing"
    made = [before + k * (length + PAUSE_S) for k in range(len(answers))]
    return made, f"{why}: trials are laid {PAUSE_S:g} s apart"


def rating(time: float, raw: Mapping[str, float]) -> Rating | None:
    """Return valence and arousal in [-1, 1], or None where one of them is missing.

    Parameters
    ----------
    time
        Session time, seconds.
    raw
        Answers by name, 1 to 9.

    Returns
    -------
    Rating or None

    Examples
    --------
    >>> rating(60.0, {"valence": 5.0, "arousal": 9.0})
    Rating(time=60.0, valence=0.0, arousal=1.0)
    """
    if "valence" not in raw or "arousal" not in raw:
        return None
    return Rating(time, on_unit_scale(raw["valence"], 1, 9), on_unit_scale(raw["arousal"], 1, 9))
