"""Score the calibration track: labelled videos against none, paired by person."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from biosense.core.affect import TARGETS
from biosense.core.types import Floats
from biosense.studies.base import Fold, Prediction, StudyData
from biosense.studies.execution.calibration import (
    Calibration,
    Side,
    labelled_targets,
    people_of,
    sides_of,
)
from biosense.studies.execution.jobs import JobResult
from biosense.studies.execution.plan import Plan
from biosense.studies.results.calibration_result import (
    GENERAL,
    OFFSET,
    OWN_MEAN,
    PERSONAL,
    CalibratedRow,
    CalibrationTrack,
)
from biosense.studies.scoring.predictions import Predictions
from biosense.studies.scoring.series import key_of
from biosense.studies.scoring.statistics import Comparison, bootstrap_subjects, compare, holm
from biosense.studies.scoring.summary import finite_or_none, to_bounds

METRICS = ("pooled_ccc", "pooled_rmse")
"""Of everybody's steps together: a level that is wrong for a person counts."""

Answers = dict[tuple[str, int], Predictions]
"""What was said by way and number of labelled videos."""


def track_of(
    data: StudyData,
    plan: Plan,
    folds: Sequence[Fold],
    results: Sequence[JobResult],
    n_resamples: int,
) -> tuple[CalibrationTrack | None, tuple[str, ...]]:
    """Return the calibration track of the chosen entry, and what is to be noted of it."""
    number = [entry.name for entry in plan.entries].index(plan.chosen)
    calibration = plan.entries[number].calibration
    if calibration is None:
        return None, ()
    sides = [sides_of(data, plan.split.protocol, fold, calibration) for fold in folds]
    own = [result for result in results if result.job.entry == number]
    if not any(result.calibrated.size for result in own):
        return None, (
            f"no calibration to labelled videos: {plan.chosen} has no read-out that can be fitted "
            "to a person, as ridge, late and neural families and their committees have",
        )
    said: dict[tuple[str, int], list[Prediction]] = {}
    for result in own:
        _collect(said, result, folds[result.job.fold], sides[result.job.fold], calibration)
    answers = {place: Predictions.of(each) for place, each in said.items()}
    enough = people_of(data, calibration.most)
    scored = [sequence for each in sides for side in each for sequence in side.later]
    track = CalibrationTrack(
        calibration.counts,
        calibration.strength,
        len({sequence.subject for sequence in scored}),
        len(data.subjects) - len(enough),
        len(scored),
        tuple(_rows(answers, n_resamples)),
    )
    return track, ()


def _collect(
    answers: dict[tuple[str, int], list[Prediction]],
    result: JobResult,
    fold: Fold,
    sides: Sequence[Side],
    how: Calibration,
) -> None:
    """Sort what a job said of later sequences, and add the constants that need no model."""
    later = [sequence for side in sides for sequence in side.later]
    said = {key_of(s): mean for s, mean in zip(fold.test, result.mean, strict=True)}
    means: dict[tuple[str, int], Sequence[Floats]] = {
        (GENERAL, 0): [said[key_of(sequence)] for sequence in later]
    }
    cuts = np.cumsum([sequence.n for sequence in later])[:-1]
    for column, count in enumerate(how.counts):
        for row, way in enumerate((PERSONAL, OFFSET)):
            means[way, count] = np.split(result.calibrated[row, column], cuts) if later else []
        means[OWN_MEAN, count] = [
            np.tile(np.nanmean(labelled_targets(side.labelled[:count]), 0), (sequence.n, 1))
            for side in sides
            for sequence in side.later
        ]
    for key, each in means.items():
        answers.setdefault(key, []).extend(
            Prediction(sequence, mean, np.full_like(mean, np.nan), fold.name, result.job.seed)
            for sequence, mean in zip(later, each, strict=True)
        )


def _rows(answers: Answers, n: int) -> list[CalibratedRow]:
    """Return all rows; p values are adjusted for numbers of videos and targets together."""
    rows, found = [], {}
    for target in TARGETS:
        for way, count in answers:
            row, gain = _row(answers, way, count, target, n)
            rows.append(row)
            if way == PERSONAL and gain is not None:
                found[f"{count}/{target}"] = gain.p_value
    adjusted = holm(found)
    return [
        replace(row, p_holm=finite_or_none(adjusted[f"{row.labelled}/{row.target}"]))
        if row.way == PERSONAL
        else row
        for row in rows
    ]


def _row(
    answers: Answers, way: str, count: int, target: str, n: int
) -> tuple[CalibratedRow, Comparison | None]:
    own, general = answers[way, count], answers[GENERAL, 0]
    ccc, rmse = (to_bounds(bootstrap_subjects(own, m, target, n_resamples=n)) for m in METRICS)
    row = CalibratedRow(way, count, target, ccc, rmse)
    if way == GENERAL:
        return row, None
    gain, change = (compare(own, general, m, target, n_resamples=n) for m in METRICS)
    row = replace(row, gain=to_bounds(gain.difference), rmse_change=to_bounds(change.difference))
    if way != PERSONAL:
        return row, gain
    over = {
        rival: to_bounds(
            compare(own, answers[rival, count], METRICS[0], target, n_resamples=n).difference
        )
        for rival in (OFFSET, OWN_MEAN)
    }
    return replace(row, p=finite_or_none(gain.p_value), over=over), gain
