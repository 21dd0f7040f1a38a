"""Parts of a result beside its rows: people, subsets, failing modalities, intervals, chance."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from biosense.core.affect import TARGETS
from biosense.studies.candidates.corruptions import Subset
from biosense.studies.execution.collect_predictions import EntryPredictions
from biosense.studies.execution.plan import Kind
from biosense.studies.results.parts import Chance, Damage, Person, Reliability, Row, SubsetScore
from biosense.studies.scoring.nulls import shift_null
from biosense.studies.scoring.predictions import PersonSums, Predictions
from biosense.studies.scoring.scores import Scores
from biosense.studies.scoring.statistics import interval_of
from biosense.studies.scoring.summary import (
    LEVELS,
    finite_or_none,
    headline,
    level_of,
    people_scores,
    to_bounds,
)
from biosense.studies.scoring.variant_scores import sums_of_moments

Entries = Mapping[str, EntryPredictions]


def person_scores(entries: Entries, rows: Sequence[Row], chosen: str, level: str) -> list[Person]:
    """Return each person's scores of the chosen entry, the best control, the best single one."""
    shown = [chosen]
    for kind in (Kind.SINGLE, Kind.CONTROL):
        rivals = [row for row in rows if row.kind == kind]
        if rivals:
            shown.append(max(rivals, key=_mean_ccc).name)
    scores = {name: people_scores(entries[name].predictions, level) for name in shown}
    return [
        Person(
            subject,
            len(series),
            {target: {name: scores[name][subject][target] for name in shown} for target in TARGETS},
        )
        for subject, series in entries[chosen].predictions.first.people.items()
    ]


def _mean_ccc(row: Row) -> float:
    values = [row.metrics[target]["ccc"] for target in TARGETS]
    return sum(-1.0 if value is None else value for value in values)


def subset_scores(
    entries: Entries, rows: Sequence[Row], chosen: str, level: str, n: int
) -> list[SubsetScore]:
    """Return what every subset reaches: fitted anew where it was, otherwise with masks."""
    own = entries[chosen]
    found = [
        SubsetScore(row.modalities, True, {t: row.intervals[t]["ccc"] for t in TARGETS})
        for row in rows
        if row.kind in (Kind.SINGLE, Kind.SUBSET) or row.name == chosen
    ]
    for variant in own.entry.variants:
        if isinstance(variant, Subset):
            sums = _variant_sums(own, variant.name, level)
            scores = {target: to_bounds(interval_of(sums[target], None, n)) for target in TARGETS}
            found.append(SubsetScore(tuple(variant.modalities), False, scores))
    return found if len(own.entry.modalities) > 1 else []


def damages_of(entries: Entries, level: str, n: int) -> list[Damage]:
    """Return what each failing modality does to each family that was asked."""
    found = []
    for name, own in entries.items():
        failing = [each for each in own.entry.variants if not isinstance(each, Subset)]
        intact = _variant_sums(own, "", level) if failing else {}
        for variant in failing:
            sums = _variant_sums(own, variant.name, level)
            scores, changes = (
                {t: to_bounds(interval_of(sums[t], minus.get(t), n)) for t in TARGETS}
                for minus in ({}, intact)
            )
            found.append(Damage(name, variant.name, scores, changes))
    return found


def _variant_sums(own: EntryPredictions, variant: str, level: str) -> dict[str, PersonSums]:
    moments, sequences = own.moments[variant], own.sequences
    return {
        target: sums_of_moments(sequences, moments[:, :, column], headline(level))
        for column, target in enumerate(TARGETS)
    }


def reliability_of(scores: Scores) -> list[Reliability]:
    """Return how often the intervals of a seed's fits held the target."""
    return [
        Reliability(
            target,
            level,
            finite_or_none(each.pooled),
            finite_or_none(each.worst),
            finite_or_none(each.share_below),
            finite_or_none(each.width),
        )
        for target in TARGETS
        for level, each in scores.target(target).uncertainty.coverage.items()
    ]


def chance_of(predictions: Predictions) -> list[Chance]:
    """Return the headline score beside that of shifted labels."""
    metric = LEVELS[level_of(predictions)][0]
    found = []
    for target in TARGETS:
        null = shift_null(predictions, metric, target)
        value, limit, p = (finite_or_none(each) for each in (null.value, null.limit, null.p_value))
        found.append(Chance(target, value, limit, p))
    return found
