"""Made-up labelled data with a known answer: noise to be found empty, features that follow."""

from __future__ import annotations

import numpy as np

from biosense.core.grid import HOP
from biosense.core.types import Floats, Modality
from biosense.models.sequences import LabelledSequence
from biosense.studies.base import StudyData

REST_S = 20.0  # between trials
_WIDTHS = {Modality.ECG: 3, Modality.EDA: 2}


def trial_offset_noise(
    n_subjects: int, n_trials: int, *, n_steps: int = 40, seed: int = 0
) -> StudyData:
    """Return noise that carries a trace of person and trial, with a random rating of each trial.

    Whole trials left out, nothing can be learnt from it: any score above chance is a leak.

    Parameters
    ----------
    n_subjects, n_trials
        People, and trials of each.
    n_steps
        Of each trial, a hop apart.
    seed
        Of everything.

    Returns
    -------
    StudyData
        With features of ECG and EDA.
    """
    rng = np.random.default_rng(seed)
    made = []
    for subject in range(n_subjects):
        person = rng.normal(size=sum(_WIDTHS.values()))
        for trial, clip in enumerate(rng.permutation(n_trials)):
            x = (
                0.2 * rng.normal(size=(n_steps, len(person)))
                + person
                + rng.normal(size=len(person))
            )
            y = np.full((n_steps, 2), rng.uniform(-0.8, 0.8, 2))
            made.append(_sequence(subject, trial, f"clip{clip + 1}", x, y, per_trial=True))
    return _study("trial-offset noise", made)


def followed_labels(
    n_subjects: int, n_trials: int, *, n_steps: int = 120, seed: int = 0
) -> StudyData:
    """Return features that follow slow continuous labels, different for each trial and person.

    Parameters
    ----------
    n_subjects, n_trials
        People, and trials of each.
    n_steps
        Of each trial, a hop apart.
    seed
        Of everything.

    Returns
    -------
    StudyData
        With features of ECG and EDA.
    """
    rng = np.random.default_rng(seed)
    mixing = rng.normal(size=(2, sum(_WIDTHS.values())))
    made = []
    for subject in range(n_subjects):
        levels = rng.uniform(-0.6, 0.6, (n_trials, 2))
        levels -= levels.mean(0)  # people differ in nothing that permuted labels would keep
        for trial, clip in enumerate(rng.permutation(n_trials)):
            drift = np.cumsum(rng.normal(0, 0.02, (n_steps, 2)), 0)
            y = np.clip(levels[trial] + drift, -1, 1)
            x = y @ mixing + 0.3 * rng.normal(size=(n_steps, mixing.shape[1]))
            made.append(_sequence(subject, trial, f"clip{clip + 1}", x, y, per_trial=False))
    return _study("followed labels", made)


def _sequence(
    subject: int, trial: int, clip: str, x: Floats, y: Floats, *, per_trial: bool
) -> LabelledSequence:
    n = len(x)
    start = trial * (n * HOP + REST_S)
    cuts = np.cumsum(list(_WIDTHS.values()))[:-1]
    return LabelledSequence(
        f"p{subject + 1:02d}",
        np.asarray(start + np.arange(n) * HOP, np.float64),
        dict(zip(_WIDTHS, np.split(x, cuts, axis=1), strict=True)),
        {modality: np.ones(n) for modality in _WIDTHS},
        y,
        clip,
        position=trial,
        per_trial=per_trial,
    )


def _study(name: str, made: list[LabelledSequence]) -> StudyData:
    names = {m: tuple(f"{m}{k}" for k in range(width)) for m, width in _WIDTHS.items()}
    return StudyData(name, tuple(made), names, name)
