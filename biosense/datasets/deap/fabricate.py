"""Miniatures of DEAP: layout and quirks of the real files, made-up signals and ratings."""

from __future__ import annotations

import csv
import pickle
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from biosense.core.errors import BadInput
from biosense.core.types import Floats
from biosense.datasets.deap.files import EEG, PEOPLE, RATINGS, VIDEOS, number
from biosense.datasets.deap.preprocessed import BASELINE_S, CHANNELS, SAMPLES, SFREQ
from biosense.datasets.deap.ratings import LABELS, Answer
from biosense.datasets.fabricated_signals import (
    breath_wave,
    pulse_wave,
    skin_conductance,
    skin_temperature,
    tone,
)

NEGATIVE_SKIN = (1, 2, 3, 8, 14, 15)
NOT_ASKED = (2, 15, 23)  # for familiarity
RESAVED = 2  # the file of this participant is written by Python 3
_HEADER = ("Participant_id", "Trial", "Experiment_id", "Start_time")
_BORDERS = (4.9, 5.0)  # of the first participant: truncation or a wrong border would move them
_PLANTED_UV = 10.0


@dataclass(frozen=True)
class Plan:
    """Hold what happens to one participant.

    Parameters
    ----------
    subject
        Who.
    answers
        Rows of the table, in the order of presentation.
    """

    subject: str
    answers: tuple[Answer, ...]


def planted_frequency(channel: int) -> float:
    """Return the frequency in Hz that a channel (0 to 39, as preprocessed) is found by.

    Parameters
    ----------
    channel
        0 to 39, as preprocessed.

    Returns
    -------
    float
        Hz.

    Examples
    --------
    >>> planted_frequency(0), planted_frequency(39)
    (5.0, 24.5)
    """
    return 5.0 + 0.5 * channel


def make_plans(people: Sequence[int], seed: int, trials: Sequence[int]) -> list[Plan]:
    """Return who sees which of a few videos when.

    Parameters
    ----------
    people
        Numbers of the participants.
    seed
        Of all that is made up.
    trials
        How many each has, in turn.

    Returns
    -------
    list of Plan
    """
    rng = np.random.default_rng(seed)
    videos = sorted(int(video) for video in rng.choice(VIDEOS, max(trials), replace=False) + 1)
    plans = []
    for place, person in enumerate(people):
        shown = rng.permutation(videos[: trials[place % len(trials)]]).tolist()
        starts = 8.0 + np.cumsum([0.0, *rng.uniform(70, 80, len(shown) - 1)])
        said = [_made_up(rng, person) for _ in shown]
        if place == 0:
            for raw, value in zip(said, _BORDERS, strict=False):
                raw["valence"] = value
        rows = zip(range(1, len(shown) + 1), shown, starts.round(6).tolist(), said, strict=True)
        plans.append(Plan(f"s{person:02d}", tuple(Answer(*row) for row in rows)))
    return plans


def _made_up(rng: np.random.Generator, person: int) -> dict[str, float]:
    """Return ratings at random; their second decimal tells the dimension."""
    raw = {
        name: round(float(rng.integers(10, 89)) / 10 + place / 100, 2)
        for place, name in enumerate(LABELS, 1)
    }
    return raw if person in NOT_ASKED else {**raw, "familiarity": float(rng.integers(1, 6))}


def write_table(folder: Path, plans: Sequence[Plan]) -> None:
    """Write `participant_ratings.csv`, its rows by participant and video.

    Parameters
    ----------
    folder
        Where it goes.
    plans
        Of everybody.
    """
    with (folder / RATINGS).open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow([*_HEADER, *(name.capitalize() for name in (*LABELS, "familiarity"))])
        for plan in plans:
            for answer in sorted(plan.answers, key=lambda each: each.video):
                said = [answer.raw.get(name, "") for name in (*LABELS, "familiarity")]
                start = round(answer.start * 1e6)
                writer.writerow([number(plan.subject), answer.trial, answer.video, start, *said])


def fabricate(folder: Path, people: int, seed: int) -> None:
    """Write a miniature of the preprocessed files: 2 to 4 trials each, signals made up.

    Channel c holds a sine of `planted_frequency(c)`, half as large during the baseline.

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
    plans = make_plans(range(1, people + 1), seed, (3, 4, 2))
    place = folder / "data_preprocessed_python"
    place.mkdir(parents=True)
    write_table(folder, plans)
    for plan in plans:
        person = number(plan.subject)
        rng = np.random.default_rng([seed, person])
        shown = sorted(plan.answers, key=lambda each: each.video)
        data = np.stack([_trial(rng) for _ in shown])
        labels = np.array([[answer.raw[name] for name in LABELS] for answer in shown])
        if person in NEGATIVE_SKIN:
            data[0, 36, 1000:1200] *= -1
        arrays = {"labels": labels, "data": data}
        raw = pickle.dumps(arrays, 2) if person == RESAVED else python2_pickle(arrays)
        (place / f"{plan.subject}.dat").write_bytes(raw)


def _trial(rng: np.random.Generator) -> Floats:
    times = np.arange(SAMPLES) / SFREQ
    size = np.where(times < BASELINE_S, 0.5, 1.0)
    electric = [
        tone(times, planted_frequency(c), _PLANTED_UV * size) + rng.normal(0, 2.0, SAMPLES)
        for c in range(len(EEG) + 4)
    ]
    skin, breath, pulse, temperature = body(times, rng)
    sines = [tone(times, planted_frequency(c), size) for c in range(36, CHANNELS)]
    slow = (
        1e6 / skin * (1 + 1e-3 * sines[0]),
        2000 * breath + 20 * sines[1],
        3000 * pulse + 30 * sines[2],
        temperature + 0.01 * sines[3],
    )
    return np.stack([*electric, *slow])


def body(times: Floats, rng: np.random.Generator) -> tuple[Floats, Floats, Floats, Floats]:
    """Return the body signals of a trial, made up.

    Parameters
    ----------
    times
        Seconds, shape (n,).
    rng
        Where chance comes from.

    Returns
    -------
    tuple of Floats
        Skin conductance (microsiemens), breath, pulse (about 1), skin temperature (degrees
        Celsius), shape (n,) each.
    """
    return (
        skin_conductance(times, float(rng.uniform(2, 8)), rng),
        breath_wave(times, float(rng.uniform(12, 18)), rng),
        pulse_wave(times, float(rng.uniform(60, 85)), rng),
        skin_temperature(times, rng),
    )


def python2_pickle(arrays: dict[str, Floats]) -> bytes:
    """Return a dict of arrays as Python 2 pickled it with protocol 2.

    Python 3 cannot write the byte strings of Python 2, which its own reader takes for text and
    fails on, unless it is told the encoding: https://docs.python.org/3/library/pickle.html

    Parameters
    ----------
    arrays
        By name.

    Returns
    -------
    bytes
    """
    parts = [b"\x80\x02}q\x00("]
    for name, array in arrays.items():
        raw = np.ascontiguousarray(array, "<f8").tobytes()
        shape = b"".join(b"J" + struct.pack("<i", length) for length in array.shape)
        parts += [
            *(_string(name), b"cnumpy.core.multiarray\n_reconstruct\n", b"cnumpy\nndarray\n"),
            *(b"K\x00\x85", _string("b"), b"\x87R"),  # an empty array, then its state
            *(b"(K\x01(", shape, b"t", b"cnumpy\ndtype\n", _string("f8"), b"K\x00K\x01\x87R"),
            *(b"(K\x03", _string("<"), b"NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb"),
            *(b"\x89T", struct.pack("<i", len(raw)), raw, b"tb"),
        ]
    return b"".join([*parts, b"u."])


def _string(text: str) -> bytes:
    return b"U" + struct.pack("<B", len(text)) + text.encode("ascii")
