"""A miniature of CASE's official release: the real order of things, in a thirtieth of the time."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from biosense.core.errors import BadInput
from biosense.core.types import Floats, Ints
from biosense.datasets.case.official import COLUMNS, JOYSTICK, JOYSTICK_HZ, PEOPLE, SFREQ
from biosense.datasets.case.tables import BLANK, END, START, TIMES, VIDEOS
from biosense.datasets.fabricated_signals import (
    breath_wave,
    ecg_wave,
    pulse_wave,
    skin_conductance,
    skin_temperature,
    tone,
)

ROWS = {
    **dict(zip(VIDEOS, (3712, 3462, 2373, 3202, 2902, 2935, 3940, 2875), strict=True)),
    **{START: 2031, BLANK: 2400, END: 2400},
}
"""Rows at 20 Hz of what is shown, in the real tables."""
SHORTER, SHORTER_BETWEEN = 20, 60
"""How much shorter videos are, and what is shown between them."""
CONSTANT = 5
"""The video during which the joystick of a miniature rests."""
_TONES = (0.1, 2.0, 0.01, 2.0, 0.01, 5.0, 5.0, 5.0)  # amplitudes, in the units of the columns


def planted_frequency(column: int) -> float:
    """Return the frequency in Hz that a column (of `COLUMNS`) is found by.

    Parameters
    ----------
    column
        From 0.

    Returns
    -------
    float
        Hz.

    Examples
    --------
    >>> planted_frequency(0), planted_frequency(7)
    (5.25, 8.75)
    """
    return 5.25 + 0.5 * column


def rows_of(video: int) -> int:
    """Return how many rows of 20 Hz a video, or what is between, has in a miniature.

    Parameters
    ----------
    video
        Its number.

    Returns
    -------
    int
        Rows of the joystick's table.

    Examples
    --------
    >>> rows_of(1), rows_of(11)
    (185, 40)
    """
    return ROWS[video] // (SHORTER if video in VIDEOS else SHORTER_BETWEEN)


def fabricate(folder: Path, people: int, seed: int) -> None:
    """Write a miniature: 80 s a person, signals and ratings made up.

    Column c holds a small sine of `planted_frequency(c)`. Ratings reach both ends of their scale,
    and rest in the middle during one video.

    Parameters
    ----------
    folder
        An empty one, or one that is not there yet.
    people
        How many.
    seed
        Of all that is made up.
    """
    if not 1 <= people <= PEOPLE:
        raise BadInput(f"people={people} must be between 1 and {PEOPLE}")
    places = {kind: folder / "data" / "interpolated" / kind for kind in TIMES}
    for place in places.values():
        place.mkdir(parents=True)
    for person in range(1, people + 1):
        rng = np.random.default_rng([seed, person])
        order = rng.permutation(VIDEOS).tolist()
        shown = [START, *(one for video in order for one in (BLANK, video)), END]
        video = np.repeat(shown, [rows_of(one) for one in shown])
        _write_ratings(places["annotations"] / f"sub_{person}.csv", video, rng)
        finer = np.repeat(video, round(SFREQ / JOYSTICK_HZ))
        _write_signals(places["physiological"] / f"sub_{person}.csv", finer, rng)


def _write_ratings(path: Path, video: Ints, rng: np.random.Generator) -> None:
    times = np.arange(len(video)) / JOYSTICK_HZ
    phases = rng.uniform(0, 6.28, 2)
    ratings = 5 + 4.6 * np.sin(0.7 * times[:, None] + phases)
    ratings = np.clip(ratings, 0.5, 9.5)
    ratings[(video > max(VIDEOS)) | (video == CONSTANT)] = 5.0
    table = np.column_stack([np.rint(times * 1000), ratings, video])
    _write(path, (TIMES["annotations"], *JOYSTICK.channels, "video"), "%d,%.3f,%.3f,%d", table)


def _write_signals(path: Path, video: Ints, rng: np.random.Generator) -> None:
    times = np.arange(len(video)) / SFREQ
    sines = [tone(times, planted_frequency(c), size) for c, size in enumerate(_TONES)]
    signals = [sine + part for sine, part in zip(sines, _body(times, rng), strict=True)]
    table = np.column_stack([np.rint(times * 1000), *signals, video])
    form = ",".join(["%d", *["%.4f"] * len(signals), "%d"])
    _write(path, (TIMES["physiological"], *COLUMNS, "video"), form, table)


def _body(times: Floats, rng: np.random.Generator) -> list[Floats]:
    bpm = float(rng.uniform(62, 80))
    muscles = rng.normal(0, 8.0, (3, len(times))) * (1 + (np.sin(0.6 * times) > 0.8))
    return [
        ecg_wave(times, bpm, rng),
        40 * pulse_wave(times, bpm, rng),
        skin_conductance(times, float(rng.uniform(4, 12)), rng),
        30 * breath_wave(times, float(rng.uniform(12, 18)), rng),
        skin_temperature(times, rng),
        *muscles,
    ]


def _write(path: Path, names: tuple[str, ...], form: str, table: Floats) -> None:
    # One format for the whole table: ten times as fast as a row at a time.
    rows = (form + "\n") * len(table) % tuple(table.ravel().tolist())
    path.write_text(",".join(names) + "\n" + rows, encoding="utf-8", newline="\n")
