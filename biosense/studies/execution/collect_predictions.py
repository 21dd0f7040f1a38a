"""All that each entry of a study said, put together from its jobs and grouped once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from biosense.core.types import Floats
from biosense.models.sequences import LabelledSequence
from biosense.studies.base import Fold, Prediction
from biosense.studies.execution.jobs import JobResult
from biosense.studies.execution.plan import Entry, Plan
from biosense.studies.scoring.predictions import Predictions, SeedPredictions
from biosense.studies.scoring.series import key_of
from biosense.studies.scoring.variant_scores import series_moments


@dataclass(frozen=True, eq=False)
class EntryPredictions:
    """Hold all predictions of an entry, and the moments of its variants.

    Parameters
    ----------
    entry
        Of the plan.
    predictions
        Of all folds and seeds.
    moments
        By the name of each variant, "" for the test sequences as they are:
        (seeds, sequences, 2, 6), sequences as in `sequences`.
    """

    entry: Entry
    predictions: Predictions
    moments: Mapping[str, Floats] = field(default_factory=dict)

    @property
    def sequences(self) -> list[LabelledSequence]:
        """What was tested, fold by fold."""
        return [each.sequence for each in self.predictions.first.predictions]


def collect_predictions(
    plan: Plan, folds: Sequence[Fold], results: Sequence[JobResult]
) -> dict[str, EntryPredictions]:
    """Return what each entry said, over all folds and seeds, by its name."""
    by_entry: dict[int, list[JobResult]] = {number: [] for number in range(len(plan.entries))}
    for result in sorted(results, key=lambda each: each.job.fold):
        by_entry[result.job.entry].append(result)
    found = {}
    for number, entry in enumerate(plan.entries):
        own = by_entry[number]
        predictions = Predictions.of(each for one in own for each in _predictions(one, folds))
        found[entry.name] = EntryPredictions(entry, predictions, _moments(entry, own, predictions))
    return found


def _predictions(result: JobResult, folds: Sequence[Fold]) -> list[Prediction]:
    fold = folds[result.job.fold]
    return [
        Prediction(sequence, mean, sd, fold.name, result.job.seed)
        for sequence, mean, sd in zip(fold.test, result.mean, result.sd, strict=True)
    ]


def _moments(
    entry: Entry, results: Sequence[JobResult], predictions: Predictions
) -> dict[str, Floats]:
    """Return (seeds, sequences, 2, 6) of each variant, sequences in the order of the folds."""
    if not entry.variants:
        return {}
    names = ["", *(variant.name for variant in entry.variants)]
    by_seed = {own.seed: own for own in predictions.seeds}
    seeds: list[Floats] = []
    for seed in entry.seeds:
        changed = np.concatenate([r.moments for r in results if r.job.seed == seed], 1)
        seeds.append(np.concatenate([[_intact(by_seed[seed])], changed]))
    stack = np.stack(seeds, 1)  # (variants, seeds, sequences, 2, 6)
    return dict(zip(names, stack, strict=True))


def _intact(own: SeedPredictions) -> list[Floats]:
    series = dict(zip(sorted(key_of(p.sequence) for p in own.predictions), own.series, strict=True))
    return [series_moments(series[key_of(p.sequence)]) for p in own.predictions]
