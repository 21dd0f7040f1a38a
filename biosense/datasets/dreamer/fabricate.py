"""A miniature of DREAMER: one MATLAB file with the real nesting, shorter clips, all made up."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from biosense.core.errors import BadInput
from biosense.core.types import Floats
from biosense.datasets.dreamer.reader import ECG_HZ, EEG, EEG_HZ, PEOPLE, SCORES
from biosense.datasets.fabricated_signals import ecg_wave, tone

CLIPS = 18
REST_S = 6.0  # 61 s in the real set
EMPTY = 4
"""The clip of which the first participant has no ECG."""
_SIZE_UV, _LEVEL_UV = 10.0, 4200.0


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


def clip_seconds(clip: int) -> float:
    """Return the length of a clip (1 to 18) in a miniature: they differ.

    Parameters
    ----------
    clip
        From 0.

    Returns
    -------
    float
        Seconds.

    Examples
    --------
    >>> clip_seconds(1), clip_seconds(2)
    (12.5, 13.0)
    """
    return 12.0 + 0.5 * clip


def fabricate(folder: Path, people: int, seed: int) -> None:
    """Write a miniature: 18 clips of 12 to 21 s, signals and scores made up.

    Electrode c holds a sine of `planted_frequency(c)`, half as large during the rest; the second
    ECG is twice as large as the first.

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
    folder.mkdir(parents=True, exist_ok=True)
    everybody = [_person(number, seed) for number in range(1, people + 1)]
    write(folder / "DREAMER.mat", everybody)


def write(path: Path, everybody: Sequence[dict[str, Any]], *, packed: bool = False) -> None:
    """Write people, as the fields of their structs, into a file with the real fields around.

    Parameters
    ----------
    path
        The MATLAB file.
    everybody
        Fields of each person.
    packed
        Whether it is compressed.
    """
    from scipy.io import savemat

    content = {
        "Data": _cells(everybody, (1, -1)),
        "EEG_SamplingRate": EEG_HZ,
        "ECG_SamplingRate": ECG_HZ,
        "EEG_Electrodes": _cells(EEG, (1, -1)),
        "noOfSubjects": float(len(everybody)),
        "noOfVideoSequences": float(CLIPS),
        "Disclaimer": "made up",
        "Provider": "nobody",
        "Version": "1.0.2",
        "Acknowledgement": "none",
    }
    savemat(path, {"DREAMER": content}, do_compression=packed)


def _person(number: int, seed: int) -> dict[str, Any]:
    rng = np.random.default_rng([seed, number])
    clips = range(1, CLIPS + 1)
    rests = [_record(REST_S, 0.5, rng) for _ in clips]
    shown = [_record(clip_seconds(clip), 1.0, rng) for clip in clips]
    if number == 1:
        shown[EMPTY - 1] = (shown[EMPTY - 1][0], np.zeros((0, 0)))
    signals = {
        name: {
            "baseline": _cells([rest[place] for rest in rests], (-1, 1)),
            "stimuli": _cells([one[place] for one in shown], (-1, 1)),
        }
        for place, name in enumerate(("EEG", "ECG"))
    }
    scores = {
        f"Score{name.capitalize()}": rng.integers(1, 6, (CLIPS, 1)).astype(np.uint8)
        for name in SCORES
    }
    return {"Age": "22", "Gender": "female", **signals, **scores}


def _record(seconds: float, share: float, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """Return EEG and ECG of some seconds."""
    times = np.arange(round(seconds * EEG_HZ)) / EEG_HZ
    brain = [tone(times, planted_frequency(c), share * _SIZE_UV) for c in range(len(EEG))]
    eeg = _LEVEL_UV + np.stack(brain, 1) + rng.normal(0, 2.0, (len(times), len(EEG)))
    finer = np.arange(round(seconds * ECG_HZ)) / ECG_HZ
    heart = 2000 + 400 * ecg_wave(finer, float(rng.uniform(62, 80)), rng)
    return eeg, np.column_stack([heart, 2 * heart])


def _cells(items: Sequence[Any], shape: tuple[int, int]) -> NDArray[np.object_]:
    row = np.empty(len(items), dtype=object)
    for place, item in enumerate(items):
        row[place] = item
    return row.reshape(shape)
