"""A miniature of AMIGOS: layout and quirks of the real files, shorter videos, all made up."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from biosense.core.errors import BadInput
from biosense.core.types import Floats
from biosense.datasets.amigos.files import PEOPLE
from biosense.datasets.amigos.labels import FRAME_S, SCALES
from biosense.datasets.amigos.reader import (
    BASELINE,
    EEG,
    LONG_VIDEOS,
    SFREQ,
    SHORT_VIDEOS,
    VARIABLES,
)
from biosense.datasets.fabricated_signals import ecg_wave, skin_conductance, tone

NO_LONG_VIDEOS = 2
"""The participant of a miniature without long videos, as 8, 24 and 28 are in the real set."""
NO_REPORT, NO_DATA, NO_ANNOTATION, MISSING, BRIEF, EXACT = "13", "30", "31", "10", "58", "9"
"""Videos with a quirk; the first four are so for the first participant only.

Data without a self-report, the reverse, no external annotation, an electrode without values, less
than 20 s after the rest, and a whole multiple of 20 s.
"""
LOST = "FC5"
"""The electrode without values."""
_SECONDS = {BRIEF: 12.0, EXACT: 40.0, **dict.fromkeys(LONG_VIDEOS, 62.5)}
_USUAL_S = 23.5
_SIZE_UV = 10.0


def planted_frequency(electrode: int) -> float:
    """Return the frequency in Hz that an electrode (0 to 13) is found by.

    Parameters
    ----------
    electrode
        From 0.

    Returns
    -------
    float
        Hz.

    Examples
    --------
    >>> planted_frequency(0), planted_frequency(13)
    (5.0, 11.5)
    """
    return 5.0 + 0.5 * electrode


def fabricate(folder: Path, people: int, seed: int) -> None:
    """Write a miniature: videos of 12 to 63 s, signals, answers and annotations made up.

    Electrode c holds a sine of `planted_frequency(c)`, half as large during the rest before the
    video; the left ECG is twice as large as the right one.

    Parameters
    ----------
    folder
        An empty one, or one that is not there yet.
    people
        How many.
    seed
        Of all that is made up.
    """
    from scipy.io import savemat

    if not 1 <= people <= PEOPLE:
        raise BadInput(f"people={people} must be between 1 and {PEOPLE}")
    for person in range(1, people + 1):
        rng = np.random.default_rng([seed, person])
        videos = rng.permutation([*SHORT_VIDEOS, *LONG_VIDEOS]).tolist()
        rows = [(*_cells(video, person, rng), video) for video in videos]
        columns = zip(*rows, strict=True)
        content = {name: _row(cells) for name, cells in zip(VARIABLES, columns, strict=True)}
        place = folder / f"Data_Preprocessed_P{person:02d}"
        place.mkdir(parents=True)
        savemat(place / f"{place.name}.mat", content)


def _cells(video: str, person: int, rng: np.random.Generator) -> tuple[Any, Any, Any]:
    """Return data, self-report and external annotation of a video."""
    seconds = BASELINE / SFREQ + _SECONDS.get(video, _USUAL_S)
    data = _data(seconds, rng)
    scales = rng.integers(100, 900, SCALES) / 100
    answers = np.concatenate([scales, rng.integers(0, 2, 7)])[None]
    count = 2 + int((len(data) - BASELINE) // (FRAME_S * SFREQ))
    annotation = np.column_stack([np.arange(1, count + 1), rng.uniform(-1, 1, (count, 2))])
    if person == NO_LONG_VIDEOS and video in LONG_VIDEOS:
        return np.zeros((0, 0)), np.zeros((1, 0)), np.zeros((0, 0))
    if person == 1 and video == MISSING:
        data[:, EEG.index(LOST)] = np.nan
    if person == 1 and video == NO_REPORT:
        answers = np.zeros((1, 0))
    if person == 1 and video == NO_DATA:
        data = np.zeros((0, 0))
    if person == 1 and video == NO_ANNOTATION:
        annotation = np.zeros((0, 0))
    return data, answers, annotation


def _data(seconds: float, rng: np.random.Generator) -> Floats:
    times = np.arange(round(seconds * SFREQ)) / SFREQ
    size = _SIZE_UV * np.where(times < BASELINE / SFREQ, 0.5, 1.0)
    brain = [tone(times, planted_frequency(c), size) for c in range(len(EEG))]
    noise = rng.normal(0, 2.0, (len(times), len(EEG)))
    heart = ecg_wave(times, float(rng.uniform(62, 80)), rng)
    skin = skin_conductance(times, float(rng.uniform(2, 8)), rng)
    return np.column_stack([np.stack(brain, 1) + noise, 600 * heart, 1200 * heart, skin])


def _row(cells: tuple[Any, ...]) -> NDArray[np.object_]:
    row = np.empty((1, len(cells)), dtype=object)
    for place, cell in enumerate(cells):
        row[0, place] = cell
    return row
