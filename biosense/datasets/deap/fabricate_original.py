"""Miniature of DEAP's original files: BDF with all the ways in which they differ."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from biosense.core.errors import BadInput
from biosense.core.types import Floats
from biosense.datasets.deap.fabricate import (
    Plan,
    body,
    make_plans,
    planted_frequency,
    write_table,
)
from biosense.datasets.deap.files import EEG, PEOPLE, number, site
from biosense.datasets.deap.original import AFTER, FIXATION, FIXATION_S, VIDEO, VIDEO_S
from biosense.datasets.fabricated_signals import tone
from biosense.datasets.formats.bdf_write import Track, status_track, write_bdf

SFREQ = 512
LATE_S = 4.25
"""From the start of the file to that of the experiment, from which the table of ratings counts."""
TWENTE = (
    *("Fp1", "AF3", "F7", "F3", "FC1", "FC5", "T7", "C3", "CP1", "CP5", "P7", "P3", "Pz", "PO3"),
    *("O1", "Oz", "O2", "PO4", "P4", "P8", "CP6", "CP2", "C4", "T8", "FC6", "FC2", "F4", "F8"),
    *("AF4", "Fp2", "Fz", "Cz"),
)
_FIRST = (1, 29, 24, 2)  # both orders, 48 and 49 channels, all names and states of Status
_PLAIN, _IN_RANGE, _BATTERY, _SHIFTED = 0, 0x18FF00, 0x58FF00, 0x19FF00


def fabricate(folder: Path, people: int, seed: int) -> None:
    """Write a miniature of the original files: 2 trials each, signals made up.

    The electrode that becomes channel c of the preprocessed files holds a sine of
    `planted_frequency(c)`, half as large outside of the videos.

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
    others = [person for person in range(1, PEOPLE + 1) if person not in _FIRST]
    plans = make_plans(sorted([*_FIRST, *others][:people]), seed, (2,))
    place = folder / "data_original"
    place.mkdir(parents=True)
    write_table(folder, plans)
    for plan in plans:
        rng = np.random.default_rng([seed, number(plan.subject)])
        write_bdf(place / f"{plan.subject}.bdf", _tracks(plan, rng), SFREQ)


def _tracks(plan: Plan, rng: np.random.Generator) -> list[Track]:
    starts = [answer.start + LATE_S for answer in plan.answers]
    times = np.arange(int((starts[-1] + VIDEO_S + 6) * SFREQ)) / SFREQ
    size = np.full(len(times), 5.0)
    for start in starts:
        size[(times >= start) & (times < start + VIDEO_S)] = 10.0
    names = TWENTE if site(plan.subject) == "Twente" else EEG
    tracks = [_electrode(name, times, size, EEG.index(name), rng) for name in names]
    for pair in range(4):
        one = f"EXG{2 * pair + 1}"
        tracks.append(_electrode(one, times, size, len(EEG) + pair, rng))
        tracks.append(Track(f"EXG{2 * pair + 2}", np.full(len(times), 100.0)))
    return [*tracks, *_slow(plan.subject, times, size, rng), *_status(plan, starts, len(times))]


def _electrode(
    name: str, times: Floats, size: Floats, channel: int, rng: np.random.Generator
) -> Track:
    waves = tone(times, planted_frequency(channel), size) + rng.normal(0, 2.0, len(times))
    return Track(name, waves + rng.uniform(-2000, 2000))


def _slow(subject: str, times: Floats, size: Floats, rng: np.random.Generator) -> list[Track]:
    skin, breath, pulse, temperature = body(times, rng)
    sines = [tone(times, planted_frequency(channel), size) for channel in range(36, 40)]
    skin = skin * (1 + 1e-4 * sines[0])
    # Ohm from Geneva; nanosiemens from Twente, whatever the header calls it.
    skin_raw = 1e6 / skin if site(subject) == "Geneva" else 1e3 * skin
    nothing = np.zeros(len(times))
    return [
        Track("GSR1", skin_raw, "Ohm", -(2.0**21), 2.0**21 - 1),
        *(Track(name, nothing) for name in ("GSR2", "Erg1", "Erg2")),
        Track("Resp", 2000 * breath + 2 * sines[1]),
        Track("Plet", 3000 * pulse + 3 * sines[2]),
        Track("Temp", temperature + 0.01 * sines[3], "C", -100.0, 100.0),
    ]


def _status(plan: Plan, starts: list[float], n: int) -> list[Track]:
    person = number(plan.subject)
    idle = _PLAIN if person == 1 else _IN_RANGE if person < 24 else _SHIFTED
    codes = np.full(n, float(idle))
    codes[: SFREQ // 10] += 1
    for trial, start in enumerate(starts):
        # Some files change the state of the amplifier with an event.
        state = _BATTERY if person == 24 and trial else idle
        for at, code in ((-FIXATION_S, FIXATION), (0.0, VIDEO), (VIDEO_S, AFTER)):
            first = round((start + at) * SFREQ)
            codes[first : first + SFREQ // 10] = state + code
    codes[-SFREQ:] = idle + 7
    if person < 24:
        return [status_track("Status", codes)]
    if person < 29:
        return [status_track("", codes)]
    return [status_track("", np.full(n, float(idle))), status_track("", codes)]
