"""What was said of AMIGOS' videos: by the people who watched them, and by others who saw both."""

from __future__ import annotations

import numpy as np

from biosense.core.affect import TARGETS
from biosense.core.errors import DatasetDamaged
from biosense.core.recording import Rating
from biosense.core.types import Floats, StreamInfo
from biosense.datasets.folder_listing import on_unit_scale

ANSWERS = (
    *("arousal", "valence", "dominance", "liking", "familiarity"),
    *("neutral", "disgust", "happiness", "surprise", "anger", "fear", "sadness"),
)
"""The columns of a self-report, five from 1 to 9 and seven of yes (1) and no (0): arousal first."""
PERCEIVED = StreamInfo("perceived", None, TARGETS, 0.0)
"""The stream of external annotations: affect as others perceived it."""
SCALES = 5
FRAME_S = 20.0
_SURPLUS = 1.5  # of the scale of -1 to 1: beyond this it must be another scale


def check_answers(said: Floats, where: str) -> Floats:
    """Return the answers of one self-report, where all are on their scales.

    Parameters
    ----------
    said
        As they are in the file, shape (reports, 12).
    where
        What to call it in messages.

    Returns
    -------
    Floats
        Shape (12,).

    Raises
    ------
    DatasetDamaged
        If there are several self-reports, or an answer is not on its scale.
    """
    if len(said) != 1:
        raise DatasetDamaged(f"{where} has {len(said)} self-reports, wanted 1")
    scales, choices = said[0, :SCALES], said[0, SCALES:]
    if not (((scales >= 1) & (scales <= 9)).all() and np.isin(choices, (0, 1)).all()):
        raise DatasetDamaged(
            f"{where}: self-report {said[0].tolist()}, wanted 5 of 1 to 9, then 7 of 0 or 1"
        )
    return np.asarray(said[0], dtype=np.float64)


def mapped(answers: Floats, time: float) -> Rating:
    """Return the rating that 12 answers hold, on the scale of -1 to 1.

    Parameters
    ----------
    answers
        In the order of `ANSWERS`, shape (12,).
    time
        Session time, seconds.

    Returns
    -------
    Rating

    Examples
    --------
    >>> mapped(np.array([9.0, 3.0, *[0.0] * 10]), 60.0)
    Rating(time=60.0, valence=-0.5, arousal=1.0)
    """
    arousal, valence = (on_unit_scale(float(answers[place]), 1, 9) for place in (0, 1))
    return Rating(time, valence, arousal)


def frames(
    table: Floats | None, start: float, stop: float, where: str
) -> tuple[Floats, Floats, list[str]]:
    """Return end times and values of the 20 s frames of a video, and what was wrong with them.

    Row 0 covers 5 s of rest and 15 s of video, the last row the last 20 s, which overlap the one
    before: both are left out. The others follow each other from the start of the video on.

    Parameters
    ----------
    table
        Index, valence, arousal of each row, shape (rows, 3); None where nobody annotated.
    start, stop
        Session time of the video, seconds.
    where
        The video, for messages.

    Returns
    -------
    times, values, notes
        Shapes (n,) and (n, 2): valence, arousal.

    Examples
    --------
    >>> rows = np.array([[0, 0.1, 0.2], [1, 0.3, 0.4], [2, 0.5, 0.6]])
    >>> frames(rows, 5.0, 30.0, "video 4")
    (array([25.]), array([[0.3, 0.4]]), [])
    """
    nothing = np.empty(0), np.empty((0, 2))
    if table is None:
        return (*nothing, [])
    name = where.rsplit("/", 1)[-1]
    values = table[1:-1, 1:]
    times = start + FRAME_S * np.arange(1.0, len(values) + 1)
    most = int((stop - start + 1e-6) // FRAME_S)
    # At whole multiples of 20 s the makers may have counted the last frame as the last row.
    exact = most * FRAME_S > stop - start - 0.1
    if not most - exact <= len(values) <= most:
        said = f"{name}: external annotation left out, {len(table)} rows for {stop - start:.1f} s"
        return (*nothing, [said])
    clipped, notes = _on_scale(table, values, where)
    return np.asarray(times, dtype=np.float64), clipped, notes


def _on_scale(table: Floats, values: Floats, where: str) -> tuple[Floats, list[str]]:
    if (np.diff(table[:, 0]) <= 0).any():
        raise DatasetDamaged(f"{where}: rows of the external annotation are not in order")
    if not (np.abs(values) <= _SURPLUS).all():
        raise DatasetDamaged(
            f"{where}: external annotation reaches {np.abs(values).max():g}, wanted -1 to 1"
        )
    beyond = int((np.abs(values) > 1).sum())
    notes = (
        [f"{where.rsplit('/', 1)[-1]}: {beyond} annotations beyond 1 set to 1"] if beyond else []
    )
    return np.clip(values, -1.0, 1.0), notes
