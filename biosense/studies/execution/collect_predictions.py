"""All that each entry of a study said, put together from its jobs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from biosense.core.types import Floats
from biosense.studies.base import Fold, Predicted
from biosense.studies.execution.jobs import JobResult, sequence_moments
from biosense.studies.execution.plan import Entry, Plan


@dataclass(frozen=True, eq=False)
class Said:
    """Hold all predictions of an entry, and the moments of its variants.

    Parameters
    ----------
    predicted
        Of all folds and seeds.
    moments
        By the name of each variant, "" for the test sequences as they are:
        (seeds, sequences, 2, 6).
    """

    entry: Entry
    predicted: tuple[Predicted, ...]
    moments: Mapping[str, Floats] = field(default_factory=dict)


def gather(plan: Plan, folds: Sequence[Fold], results: Sequence[JobResult]) -> dict[str, Said]:
    """Return what each entry said, over all folds and seeds, by its name."""
    found = {}
    for number, entry in enumerate(plan.entries):
        own = [result for result in results if result.job.entry == number]
        predicted = tuple(each for result in own for each in _predicted(result, folds))
        found[entry.name] = Said(entry, predicted, _moments(entry, own, folds))
    return found


def _predicted(result: JobResult, folds: Sequence[Fold]) -> list[Predicted]:
    fold = folds[result.job.fold]
    return [
        Predicted(sequence, mean, sd, fold.name, result.job.seed)
        for sequence, mean, sd in zip(fold.test, result.mean, result.sd, strict=True)
    ]


def _moments(
    entry: Entry, results: Sequence[JobResult], folds: Sequence[Fold]
) -> dict[str, Floats]:
    """Return (seeds, sequences, 2, 6) of each variant, sequences in the order of the folds."""
    if not entry.variants:
        return {}
    names = ["", *(variant.name for variant in entry.variants)]
    seeds: list[Floats] = []
    for seed in entry.seeds:
        own = sorted((r for r in results if r.job.seed == seed), key=lambda r: r.job.fold)
        intact = [[sequence_moments(one) for one in _predicted(r, folds)] for r in own]
        parts = [np.concatenate([[i], r.moments]) for i, r in zip(intact, own, strict=True)]
        seeds.append(np.concatenate(parts, 1))  # (variants, sequences, 2, 6)
    stack = np.stack(seeds, 1)
    return dict(zip(names, stack, strict=True))
