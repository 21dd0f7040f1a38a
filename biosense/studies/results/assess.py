"""From what candidates said to what is to be told of it."""

from __future__ import annotations

import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from importlib.metadata import version

from biosense import __version__
from biosense.processing.pipelines import fingerprints
from biosense.studies.base import Fold, StudyData
from biosense.studies.execution.collect_predictions import Said, gather
from biosense.studies.execution.jobs import STUDY_CODE, JobResult
from biosense.studies.execution.plan import Kind, Plan
from biosense.studies.features.keys import code_hash
from biosense.studies.results.calibration_score import track_of
from biosense.studies.results.curves import curves_of, plane_of
from biosense.studies.results.parts import Compared, FoldSize, Origin, Row
from biosense.studies.results.result import StudyResult
from biosense.studies.results.sections import (
    chance_of,
    damages_of,
    people_of,
    reliability_of,
    subsets_of,
)
from biosense.studies.results.verdicts import verdicts
from biosense.studies.scoring.series import TARGETS, training_threshold
from biosense.studies.scoring.statistics import RESAMPLES, compare, holm, seed_spread
from biosense.studies.scoring.summary import (
    bounds,
    headline,
    intervals,
    level_of,
    numbers,
    people_scores,
    plain,
    shared_values,
)
from biosense.studies.splits.protocols import PROTOCOLS

RIVALS = (Kind.MODEL, Kind.PLAIN, Kind.SINGLE, Kind.CONTROL)
_LIBRARIES = ("numpy", "scipy", "torch", "scikit-learn", "joblib")


@dataclass(frozen=True)
class Assessment:
    """Say how a result is told.

    Parameters
    ----------
    title
        Of the data set, in a line.
    fabricated
        Whether the data are made up: it is then said wherever a number is.
    command
        That makes the result again.
    n_resamples
        Of every bootstrap and permutation.
    level
        A key of `LEVELS` that headline and comparisons are on; empty: "sequence" for data rated
        continuously, "trial" for others.
    notes
        Besides those of the data.
    """

    title: str = ""
    fabricated: bool = False
    command: str = ""
    n_resamples: int = RESAMPLES
    level: str = ""
    notes: tuple[str, ...] = ()


def assess(
    data: StudyData,
    plan: Plan,
    folds: Sequence[Fold],
    results: Sequence[JobResult],
    assessment: Assessment,
) -> StudyResult:
    """Score what all candidates said, compare them, and put it into words."""
    said = gather(plan, folds, results)
    level = assessment.level or level_of(said[plan.chosen].predicted)
    thresholds = {fold.name: training_threshold(fold.train) for fold in folds}
    n = assessment.n_resamples
    rows = [_row(each, level, thresholds, n) for each in said.values()]
    rows = _with_controls(rows)
    comparisons = _comparisons(said, plan.chosen, level, n)
    chosen = said[plan.chosen]
    table = people_of(said, plan, rows, level)
    chance = chance_of(chosen, level_of(chosen.predicted))
    rule = PROTOCOLS[plan.split.protocol]
    calibration, refused = track_of(data, plan, folds, results, n)
    seconds = sum(result.seconds for result in results)
    result = StudyResult(
        dataset=data.name,
        title=assessment.title or data.name,
        fabricated=assessment.fabricated,
        protocol=rule.name,
        protocol_level=rule.level,
        question=rule.question,
        level=level,
        metric=headline(level),
        chosen=plan.chosen,
        people=len(data.subjects),
        sequences=len(data.sequences),
        hours=round(_seconds(data) / 3600, 3),
        features={modality.value: len(names) for modality, names in data.features.items()},
        seeds=chosen.entry.seeds,
        folds=tuple(_size(fold) for fold in folds),
        verdicts=(),
        results=tuple(rows),
        comparisons=tuple(comparisons),
        subsets=tuple(subsets_of(said, plan, folds, level, n)),
        robustness=tuple(damages_of(said, folds, level, n)),
        table=tuple(table),
        curves=tuple(curves_of(chosen.predicted, people_scores(chosen.predicted, level))),
        plane=tuple(plane_of(chosen.predicted)),
        reliability=tuple(reliability_of(chosen)),
        chance=tuple(chance),
        origin=_origin(data, plan, assessment, seconds),
        notes=(*assessment.notes, *refused, *data.notes),
        calibration=calibration,
    )
    return replace(result, verdicts=tuple(verdicts(result)))


def _row(said: Said, level: str, thresholds: Mapping[str, tuple[float, float]], n: int) -> Row:
    entry, metric = said.entry, headline(level)
    return Row(
        name=entry.name,
        kind=str(entry.kind),
        about=entry.about,
        modalities=tuple(entry.modalities),
        seeds=entry.seeds,
        metrics=numbers(said.predicted, level, thresholds),
        intervals=intervals(said.predicted, level, n),
        spread={
            target: plain(seed_spread(said.predicted, metric, target).sd) for target in TARGETS
        },
    )


def _with_controls(rows: Sequence[Row]) -> list[Row]:
    controls = {
        row.name: shared_values(row.metrics)
        for row in rows
        if row.kind in (Kind.CONTROL, Kind.MARK)
    }
    return [row if row.name in controls else replace(row, controls=controls) for row in rows]


def _comparisons(said: Mapping[str, Said], chosen: str, level: str, n: int) -> list[Compared]:
    """Compare the chosen entry with every rival, for both targets, adjusted for all of them."""
    found = {}
    for name, other in said.items():
        if name == chosen or other.entry.kind not in RIVALS:
            continue
        for target in TARGETS:
            found[name, target] = compare(
                said[chosen].predicted, other.predicted, headline(level), target, n_resamples=n
            )
    adjusted = holm({f"{name}/{target}": c.p_value for (name, target), c in found.items()})
    return [
        Compared(
            against=name,
            kind=str(said[name].entry.kind),
            target=target,
            difference=bounds(each.difference),
            p=plain(each.p_value),
            p_holm=plain(adjusted[f"{name}/{target}"]),
            beats=each.better,
        )
        for (name, target), each in found.items()
    ]


def _size(fold: Fold) -> FoldSize:
    return FoldSize(
        fold.name,
        len(fold.train),
        len(fold.validation),
        len(fold.test),
        len({sequence.subject for sequence in fold.train}),
        len({sequence.subject for sequence in fold.test}),
    )


def _seconds(data: StudyData) -> float:
    return sum(float(each.time[-1] - each.time[0]) for each in data.sequences)


def _origin(data: StudyData, plan: Plan, assessment: Assessment, seconds: float) -> Origin:
    versions = {name: version(name) for name in _LIBRARIES}
    here = {"biosense": __version__, "python": platform.python_version(), **versions}
    marks = {modality.value: mark for modality, mark in fingerprints().items()}
    used = {name: marks[name] for name in (str(m) for m in data.features) if name in marks}
    code = code_hash(STUDY_CODE)[:16]
    chosen = next(entry for entry in plan.entries if entry.name == plan.chosen)
    return Origin(
        command=assessment.command,
        versions=here,
        fingerprints={"data": data.fingerprint, "code": code, **used},
        split=repr(plan.split),
        training=repr(chosen.candidate),
        seconds=round(seconds, 1),
    )
