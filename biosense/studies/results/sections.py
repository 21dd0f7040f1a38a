"""Parts of a result beside its rows: people, subsets, failing modalities, intervals, chance."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from biosense.studies.base import Bounds, Fold, Predicted
from biosense.studies.candidates.corruptions import Subset
from biosense.studies.execution.collect_predictions import Said
from biosense.studies.execution.plan import Kind, Plan
from biosense.studies.results.parts import Chance, Damage, Person, Reliability, Row, SubsetScore
from biosense.studies.scoring.nulls import shift_null
from biosense.studies.scoring.scores import score
from biosense.studies.scoring.series import TARGETS, by_seed
from biosense.studies.scoring.summary import (
    LEVELS,
    bounds,
    headline,
    intervals,
    people_scores,
    plain,
)
from biosense.studies.scoring.variant_scores import interval_of, table_of_moments


def people_of(
    said: Mapping[str, Said], plan: Plan, rows: Sequence[Row], level: str
) -> list[Person]:
    """Return each person's scores of the chosen entry, the best control, the best single one."""
    shown = [plan.chosen]
    for kind in (Kind.SINGLE, Kind.CONTROL):
        rivals = [row for row in rows if row.kind == kind]
        if rivals:
            shown.append(max(rivals, key=_mean_ccc).name)
    scores = {name: people_scores(said[name].predicted, level) for name in shown}
    seeds = by_seed(said[plan.chosen].predicted)
    one_seed = next(iter(seeds.values()))
    people = sorted(scores[plan.chosen])
    return [
        Person(
            subject,
            sum(each.sequence.subject == subject for each in one_seed),
            {target: {name: scores[name][subject][target] for name in shown} for target in TARGETS},
        )
        for subject in people
    ]


def _mean_ccc(row: Row) -> float:
    values = [row.metrics[target]["ccc"] for target in TARGETS]
    return sum(-1.0 if value is None else value for value in values)


def _tested(folds: Sequence[Fold]) -> list[Predicted]:
    empty = np.empty((0, 2))
    return [Predicted(s, empty, empty, fold.name) for fold in folds for s in fold.test]


def subsets_of(
    said: Mapping[str, Said], plan: Plan, folds: Sequence[Fold], level: str, n: int
) -> list[SubsetScore]:
    """Return what every subset reaches: fitted anew where it was, otherwise with masks."""
    chosen = said[plan.chosen]
    refits = [
        each
        for each in said.values()
        if each.entry.kind in (Kind.SINGLE, Kind.SUBSET) or each is chosen
    ]
    found = [
        SubsetScore(
            tuple(each.entry.modalities),
            True,
            {t: own["ccc"] for t, own in intervals(each.predicted, level, n).items()},
        )
        for each in refits
    ]
    for variant in chosen.entry.variants:
        if isinstance(variant, Subset):
            scores = _scores(chosen, variant.name, folds, level, n)
            found.append(SubsetScore(tuple(variant.modalities), False, scores))
    return found if len(chosen.entry.modalities) > 1 else []


def damages_of(said: Mapping[str, Said], folds: Sequence[Fold], level: str, n: int) -> list[Damage]:
    """Return what each failing modality does to each family that was asked."""
    return [
        Damage(
            name,
            variant.name,
            _scores(each, variant.name, folds, level, n),
            _scores(each, variant.name, folds, level, n, minus=""),
        )
        for name, each in said.items()
        for variant in each.entry.variants
        if not isinstance(variant, Subset)
    ]


def _scores(
    said: Said,
    variant: str,
    folds: Sequence[Fold],
    level: str,
    n: int,
    minus: str | None = None,
) -> dict[str, Bounds]:
    sequences = [each.sequence for each in _tested(folds)]
    found = {}
    for column, target in enumerate(TARGETS):
        table, base = (
            table_of_moments(sequences, said.moments[name][:, :, column], headline(level))
            for name in (variant, minus or "")
        )
        found[target] = bounds(interval_of(table, None if minus is None else base, n))
    return found


def reliability_of(said: Said) -> list[Reliability]:
    """Return how often the intervals of the first seed's fits held the target."""
    first = next(iter(by_seed(said.predicted).values()))
    scores = score(first)
    return [
        Reliability(
            target,
            level,
            plain(each.pooled),
            plain(each.worst),
            plain(each.share_below),
            plain(each.width),
        )
        for target in TARGETS
        for level, each in scores.target(target).uncertainty.coverage.items()
    ]


def chance_of(said: Said, level: str) -> list[Chance]:
    """Return the headline score beside that of shifted labels."""
    found = []
    for target in TARGETS:
        null = shift_null(said.predicted, LEVELS[level][0], target)
        found.append(Chance(target, plain(null.value), plain(null.limit), plain(null.p_value)))
    return found
