"""Scores from moments of sequences: for the many variants that are not kept step by step."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from biosense.core.types import Floats
from biosense.models.sequences import LabelledSequence
from biosense.studies.scoring.moments import ccc_of, moments
from biosense.studies.scoring.pooled_metrics import METRICS
from biosense.studies.scoring.predictions import PersonSums
from biosense.studies.scoring.series import Series, key_of


def series_moments(series: Series) -> Floats:
    """Return the moments of valence and of arousal, (2, 6); of a rated trial as one value."""
    return np.stack([moments(series.mean[:, k], series.target[:, k]) for k in range(2)])


def sums_of_moments(
    sequences: Sequence[LabelledSequence], moments: Floats, metric: str
) -> PersonSums:
    """Return the sums of each person, as `Predictions.sums` does for "ccc" and "pooled_ccc".

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
    return PersonSums(METRICS[metric], subjects, keys, np.stack(sums, 1))
