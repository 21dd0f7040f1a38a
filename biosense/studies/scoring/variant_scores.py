"""Scores from moments of sequences: for the many variants that are not kept step by step."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from biosense.core.types import Floats
from biosense.models.sequences import LabelledSequence
from biosense.studies.scoring.pooled_metrics import METRICS, Table, ccc_of
from biosense.studies.scoring.series import key_of
from biosense.studies.scoring.statistics import LEAST_PEOPLE, LEVEL, RESAMPLES, Interval, bca_bounds


def table_of_moments(sequences: Sequence[LabelledSequence], moments: Floats, metric: str) -> Table:
    """Return the sums of each person, as `table_of` does for "ccc" and "pooled_ccc".

    Parameters
    ----------
    sequences
        All test sequences.
    moments
        Of one target, (seeds, sequences, 6).
    metric
        "ccc" (means over sequences, those with one rating left out) or "pooled_ccc".
    """
    subjects = tuple(sorted({sequence.subject for sequence in sequences}))
    who = np.array([sequence.subject for sequence in sequences])
    timed = np.array([not sequence.per_trial for sequence in sequences])
    scores = ccc_of(moments)
    counts = np.isfinite(scores) & timed
    sums = []
    for subject in subjects:
        mine = who == subject
        if metric == "pooled_ccc":
            sums.append(moments[:, mine].sum(1))
            continue
        n = counts[:, mine].sum(1)
        total = np.where(counts[:, mine], scores[:, mine], 0.0).sum(1)
        sums.append(np.stack([total / np.maximum(n, 1), (n > 0) * 1.0], -1))
    keys = tuple(sorted(key_of(sequence) for sequence in sequences))
    return Table(METRICS[metric], subjects, keys, np.stack(sums, 1))


def interval_of(table: Table, minus: Table | None = None, n: int = RESAMPLES) -> Interval:
    """Return a score, or a paired difference of two, with its BCa interval over people."""
    people = len(table.subjects)

    def scores(weights: Floats) -> Floats:
        own = table.scores(weights)
        return own if minus is None else own - minus.scores(weights)

    value = float(scores(np.ones((1, people)))[0])
    if people < LEAST_PEOPLE or not np.isfinite(value):
        return Interval(value, np.nan, np.nan, LEVEL, people, 0)
    draws = np.random.default_rng(0).multinomial(people, np.full(people, 1 / people), n)
    low, high = bca_bounds(
        value, scores(draws.astype(np.float64)), scores(1.0 - np.eye(people)), LEVEL
    )
    return Interval(value, low, high, LEVEL, people, n)
