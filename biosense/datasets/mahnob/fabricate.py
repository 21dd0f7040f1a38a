"""A miniature of MAHNOB-HCI: the real layout and quirks, short clips, all made up."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import numpy as np

from biosense.core.errors import BadInput
from biosense.core.types import Floats
from biosense.datasets.fabricated_signals import (
    breath_wave,
    ecg_wave,
    skin_conductance,
    skin_temperature,
    tone,
)
from biosense.datasets.formats.bdf_write import Track, status_track, write_bdf
from biosense.datasets.mahnob.files import ABOUT, FELT, RATED
from biosense.datasets.mahnob.reader import EEG

MARGIN_S, CLIP_S = 8.0, 12.0  # 30 s and 34 to 117 s in the real set
MEDIA = ("53.avi", "69.avi", "newyork_f.avi")
UNRATED, ONE_EVENT = 8, 6
"""The session, of the four of each participant, without a self-report; that of the
first participant with one event only."""
_SIZE_UV = 10.0


def planted_frequency(electrode: int) -> float:
    """Return the frequency in Hz that an electrode (0 to 31) is found by.

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
    >>> planted_frequency(0), planted_frequency(31)
    (5.0, 20.5)
    """
    return 5.0 + 0.5 * electrode


def session_number(participant: int, number: int) -> int:
    """Return the number of a session (2, 4, 6, 8) of a participant.

    Parameters
    ----------
    participant, number
        From 0 and from 1.

    Returns
    -------
    int

    Examples
    --------
    >>> session_number(1, 2), session_number(2, 8)
    (2, 138)
    """
    return 130 * (participant - 1) + number


def rate_of(participant: int) -> int:
    """Return the rate in Hz of a participant: documents differ on it.

    Parameters
    ----------
    participant
        From 0.

    Returns
    -------
    int
        Hz.

    Examples
    --------
    >>> rate_of(1), rate_of(2)
    (256, 512)
    """
    return 256 if participant % 2 else 512


def fabricate(folder: Path, people: int, seed: int) -> None:
    """Write a miniature: three rated sessions and one that is not, signals and answers made up.

    Electrode c holds a sine of `planted_frequency(c)`, half as large outside of the clip.

    Parameters
    ----------
    folder
        An empty one, or one that is not there yet.
    people
        How many.
    seed
        Of all that is made up.
    """
    if not 1 <= people <= ABOUT.people:
        raise BadInput(f"people={people} must be between 1 and {ABOUT.people}")
    for participant in sorted(RATED)[:people]:
        rng = np.random.default_rng([seed, participant])
        for number in (2, 4, 6, 8):
            place = folder / "Sessions" / str(session_number(participant, number))
            place.mkdir(parents=True)
            _write_xml(place / "session.xml", participant, number, rng)
            kind = "N" if number == UNRATED else "S"
            name = f"Part_{participant}_{kind}_Trial{number // 2}_emotion.bdf"
            if number != UNRATED:
                write_bdf(place / name, _tracks(participant, number, rng), rate_of(participant))
            (place / "P1-Rec1-All-Data-New_Section_2.tsv").write_text("made up\n")


def _write_xml(path: Path, participant: int, number: int, rng: np.random.Generator) -> None:
    root = ElementTree.Element(
        "session",
        sessionId=str(session_number(participant, number)),
        isStim=str(int(number != UNRATED)),
        experimentType="2" if number != UNRATED else "1",
        cutLenSec=str(CLIP_S),
        mediaFile=MEDIA[(number // 2 - 1) % len(MEDIA)],
    )
    if number != UNRATED:
        for name, attribute in FELT.items():
            high = 7 if name == "emotion" else 10
            root.set(attribute, str(int(rng.integers(1, high))))
    ElementTree.SubElement(root, "subject", id=str(participant), gender="f")
    ElementTree.SubElement(root, "track", type="Video", filename="not_here.avi")
    ElementTree.ElementTree(root).write(path, encoding="utf-8", xml_declaration=True)


def _tracks(participant: int, number: int, rng: np.random.Generator) -> list[Track]:
    sfreq = rate_of(participant)
    times = np.arange(round((2 * MARGIN_S + CLIP_S) * sfreq)) / sfreq
    inside = (times >= MARGIN_S) & (times < MARGIN_S + CLIP_S)
    size = _SIZE_UV * np.where(inside, 1.0, 0.5)
    bpm = float(rng.uniform(62, 80))
    heart = ecg_wave(times, bpm, rng)
    noise = rng.normal(0, 2.0, (len(EEG), len(times)))
    tracks = [
        Track(name, 1000.0 + tone(times, planted_frequency(c), size) + noise[c])
        for c, name in enumerate(EEG)
    ]
    tracks += [Track(f"EXG{k}", 500.0 * k * heart) for k in (1, 2, 3)]
    nothing = np.zeros(len(times))
    tracks += [Track(f"EXG{k}", nothing) for k in range(4, 9)]
    tracks += [*_body(times, rng), _status(times, participant, number)]
    return tracks


def _body(times: Floats, rng: np.random.Generator) -> list[Track]:
    skin = 1e6 / skin_conductance(times, float(rng.uniform(2, 8)), rng)
    nothing = np.zeros(len(times))
    return [
        Track("GSR1", skin, "Ohm", -(2.0**21), 2.0**21 - 1),
        *(Track(name, nothing) for name in ("GSR2", "Erg1", "Erg2")),
        Track("Resp", 2000 * breath_wave(times, float(rng.uniform(12, 18)), rng)),
        Track("Temp", skin_temperature(times, rng), "C", -100.0, 100.0),
    ]


def _status(times: Floats, participant: int, number: int) -> Track:
    codes = np.zeros(len(times))
    pulses = [MARGIN_S, MARGIN_S + CLIP_S]
    if participant == 1 and number == ONE_EVENT:
        pulses = pulses[:1]
    for pulse in pulses:
        codes[(times >= pulse) & (times < pulse + 0.1)] = 16
    return status_track("Status", codes)
