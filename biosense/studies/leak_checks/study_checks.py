"""The leak checks that every study runs before anything is fitted."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from biosense.core.types import Floats
from biosense.studies.base import Fold, StudyData
from biosense.studies.leak_checks.outcome import LeakCheck
from biosense.studies.leak_checks.random_ratings import chance_on_folds, planted_leak_is_seen
from biosense.studies.splits.disjoint import near_duplicates

_COPY_NOISE = 0.01  # standard deviations on a planted copy of a person


def check_folds(
    data: StudyData, folds: Sequence[Fold], log: Callable[[str], None] = lambda _: None
) -> tuple[LeakCheck, ...]:
    """Check a study's own folds and features.

    Nothing is raised: what failed is the first that a result says, and a person decides.

    Parameters
    ----------
    data, folds
        Of the study.
    log
        Told a line about each check that failed.

    Returns
    -------
    tuple of LeakCheck
        Random ratings on these folds, the same with a planted leak, and a person under two names.
    """
    found = (chance_on_folds(folds), planted_leak_is_seen(data), second_name_is_refused(data))
    for check in found:
        if not check.passed:
            log(f"leak check failed: {check.text} (got {check.value}, limit {check.limit})")
    return found


def second_name_is_refused(data: StudyData) -> LeakCheck:
    """Demand that a person who is there twice is found by the features.

    `folds` refuses data in which anything is found twice: this says whether it would.
    """
    rng, first = np.random.default_rng(0), data.subjects[0]
    own = [one for one in data.sequences if one.subject == first]
    twin = f"twin of {first}"
    twins = [
        replace(one, subject=twin, data={m: _noisy(x, rng) for m, x in one.data.items()})
        for one in own
    ]
    pairs = near_duplicates([*data.sequences, *twins])
    passed = any(repr(twin) in pair.first + pair.second for pair in pairs)
    text = "a person who occurs a second time, under another name, must be refused"
    return LeakCheck("second name", passed, None, None, text)


def _noisy(values: Floats, rng: np.random.Generator) -> Floats:
    """Return features with a little noise, to the scale of each within its sequence."""
    known = np.isfinite(values)
    count = np.maximum(known.sum(0), 1)
    centre = np.where(known, values, 0.0).sum(0) / count
    spread = np.sqrt(np.where(known, (values - centre) ** 2, 0.0).sum(0) / count)
    return np.asarray(values + _COPY_NOISE * spread * rng.standard_normal(values.shape), np.float64)
