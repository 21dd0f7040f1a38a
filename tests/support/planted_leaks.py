"""Ways to leak on purpose: windows dealt at random, and a person under two names."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from biosense.studies.base import Fold, StudyData
from biosense.studies.splits.later import part_of


def random_windows(
    data: StudyData, *, n_folds: int = 3, pieces: int = 3, seed: int = 0
) -> list[Fold]:
    """Cut every trial into windows and deal these at random: what no protocol may do."""
    rng = np.random.default_rng(seed)
    windows = [
        part_of(sequence, int(steps[0]), int(steps[-1]) + 1)
        for sequence in data.sequences
        for steps in np.array_split(np.arange(sequence.n), pieces)
        if len(steps)
    ]
    fold_of = rng.integers(0, n_folds + 1, len(windows))
    made = []
    for k in range(n_folds):
        test, held = fold_of == k, fold_of == n_folds
        sides = [
            tuple(w for w, flag in zip(windows, flags, strict=True) if flag)
            for flags in (~test & ~held, held, test)
        ]
        made.append(Fold(f"windows {k + 1}/{n_folds}", *sides))
    return made


def second_name(data: StudyData, *, noise: float = 0.0, seed: int = 0) -> StudyData:
    """Return the data with its first person again under a new name, with noise in units of SD."""
    rng = np.random.default_rng(seed)
    first = data.subjects[0]
    twins = []
    for sequence in data.sequences:
        if sequence.subject == first:
            noisy = {
                m: x + noise * np.nanstd(x, axis=0) * rng.standard_normal(x.shape)
                for m, x in sequence.data.items()
            }
            twins.append(replace(sequence, subject=f"twin of {first}", data=noisy))
    together = sorted((*data.sequences, *twins), key=lambda s: (s.subject, s.position))
    folds = dict(data.stated_folds)
    if folds:
        folds[f"twin of {first}"] = (folds[first] + 1) % (max(folds.values()) + 1)
    return replace(data, sequences=tuple(together), stated_folds=folds)
