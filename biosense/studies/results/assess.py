"""From what candidates said to what is to be told of it."""

from __future__ import annotations

import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from importlib.metadata import version

from biosense import __version__
from biosense.core.affect import TARGETS
from biosense.processing.pipelines import fingerprints
from biosense.studies.base import Fold, StudyData
from biosense.studies.code_hash import running_code
from biosense.studies.execution.collect_predictions import EntryPredictions, collect_predictions
from biosense.studies.execution.jobs import STUDY_CODE, JobResult
from biosense.studies.execution.plan import Kind, Plan
from biosense.studies.leak_checks.lookahead import later_edits
from biosense.studies.leak_checks.outcome import LeakCheck
from biosense.studies.results.calibration_score import track_of
from biosense.studies.results.curves import curves_of, plane_of
from biosense.studies.results.parts import Compared, FoldSize, Origin, Row
from biosense.studies.results.result import StudyResult
from biosense.studies.results.sections import (
    chance_of,
    damages_of,
    person_scores,
    reliability_of,
    subset_scores,
)
from biosense.studies.results.verdicts import verdicts
from biosense.studies.scoring.scores import Scores, score
from biosense.studies.scoring.series import training_threshold
from biosense.studies.scoring.statistics import RESAMPLES, compare, holm, seed_spread
from biosense.studies.scoring.summary import (
    control_scores,
    finite_or_none,
    headline,
    intervals,
    level_of,
    mean_scores,
    people_scores,
    to_bounds,
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
    checks: Sequence[LeakCheck] = (),
) -> StudyResult:
    """Score what all candidates said, compare them, and put it into words.

    Parameters
    ----------
    data, plan, folds
        Of the study.
    results
        Of all its jobs.
    assessment
        How it is told.
    checks
        Leak checks of the folds; that of the fits is added.
    """
    entries = collect_predictions(plan, folds, results)
    chosen = entries[plan.chosen]
    level, n = assessment.level or level_of(chosen.predictions), assessment.n_resamples
    thresholds = {fold.name: training_threshold(fold.train) for fold in folds}
    scores = {
        name: [score(own, thresholds=thresholds) for own in each.predictions.seeds]
        for name, each in entries.items()
    }
    rows = [_row(each, scores[name], level, n) for name, each in entries.items()]
    by_person = people_scores(chosen.predictions, level)
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
        results=tuple(_with_controls(rows)),
        comparisons=tuple(_comparisons(entries, plan.chosen, level, n)),
        subsets=tuple(subset_scores(entries, rows, plan.chosen, level, n)),
        robustness=tuple(damages_of(entries, level, n)),
        table=tuple(person_scores(entries, rows, plan.chosen, level)),
        curves=tuple(curves_of(chosen.predictions.first, by_person)),
        plane=tuple(plane_of(chosen.predictions.first)),
        reliability=tuple(reliability_of(scores[plan.chosen][0])),
        chance=tuple(chance_of(chosen.predictions)),
        origin=_origin(data, plan, assessment, seconds),
        notes=(*assessment.notes, *refused, *data.notes),
        leak_checks=(*checks, _later_edits(plan, results)),
        calibration=calibration,
    )
    return replace(result, verdicts=tuple(verdicts(result)))


def _later_edits(plan: Plan, results: Sequence[JobResult]) -> LeakCheck:
    worst: dict[str, float] = {}
    for result in results:
        name = plan.entries[result.job.entry].name
        worst[name] = max(worst.get(name, 0.0), result.lookahead)
    return later_edits(worst)


def _row(own: EntryPredictions, scores: Sequence[Scores], level: str, n: int) -> Row:
    entry, metric = own.entry, headline(level)
    spread = {target: seed_spread(own.predictions, metric, target).sd for target in TARGETS}
    return Row(
        name=entry.name,
        kind=str(entry.kind),
        about=entry.about,
        modalities=tuple(entry.modalities),
        seeds=entry.seeds,
        metrics=mean_scores(scores, level),
        intervals=intervals(own.predictions, level, n),
        spread={target: finite_or_none(sd) for target, sd in spread.items()},
    )


def _with_controls(rows: Sequence[Row]) -> list[Row]:
    controls = {
        row.name: control_scores(row.metrics)
        for row in rows
        if row.kind in (Kind.CONTROL, Kind.MARK)
    }
    return [row if row.name in controls else replace(row, controls=controls) for row in rows]


def _comparisons(
    entries: Mapping[str, EntryPredictions], chosen: str, level: str, n: int
) -> list[Compared]:
    """Compare the chosen entry with every rival, for both targets, adjusted for all of them."""
    own, metric = entries[chosen].predictions, headline(level)
    found = {
        (name, target): compare(own, other.predictions, metric, target, n_resamples=n)
        for name, other in entries.items()
        if name != chosen and other.entry.kind in RIVALS
        for target in TARGETS
    }
    adjusted = holm({f"{name}/{target}": c.p_value for (name, target), c in found.items()})
    return [
        Compared(
            against=name,
            kind=str(entries[name].entry.kind),
            target=target,
            difference=to_bounds(each.difference),
            p=finite_or_none(each.p_value),
            p_holm=finite_or_none(adjusted[f"{name}/{target}"]),
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
    code = running_code(STUDY_CODE)[:16]
    chosen = next(entry for entry in plan.entries if entry.name == plan.chosen)
    return Origin(
        command=assessment.command,
        versions=here,
        fingerprints={"data": data.fingerprint, "code": code, **used},
        split=repr(plan.split),
        training=repr(chosen.candidate),
        seconds=round(seconds, 1),
    )
