"""Random ratings on a study's own folds: whoever scores above chance has seen a leak.

The ratings say nothing, so only what is on both sides of a fold can tell them: parts of one trial,
or one recording under two names. Nearest neighbours know every training step by heart and are the
first to profit. They need no fit: neighbours do not depend on ratings, so many draws cost as much
as one.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from biosense.core.affect import TARGETS
from biosense.core.types import Floats
from biosense.models.sequences import LabelledSequence, feature_counts
from biosense.studies.base import Fold, StudyData
from biosense.studies.candidates.lookup import sequence_rng
from biosense.studies.leak_checks.neighbours import Blocks, block_seconds, blocks_of, nearest
from biosense.studies.leak_checks.outcome import LeakCheck
from biosense.studies.scoring.moments import ccc_of

DRAWS = 50
SURE = 0.999  # that chance stays below the limit
LEAST_CCC = 0.05  # nothing is claimed below it
PLANTED_FOLDS = 3
_RANGE = 0.8  # of the ratings, to either side


def chance_on_folds(folds: Sequence[Fold]) -> LeakCheck:
    """Demand chance of nearest neighbours where each sequence has a random rating.

    Parameters
    ----------
    folds
        Of the study, with its features.

    Returns
    -------
    LeakCheck
        The CCC by trial, a mean over draws of ratings and both targets, and what chance allows.
    """
    seconds = block_seconds(folds[0].train + folds[0].validation + folds[0].test)
    parts = []
    for fold in folds:
        known, asked = (*fold.train, *fold.validation), fold.test
        parts.append(_answers(known, asked, seconds))
    said, rated = (np.concatenate([part[k] for part in parts]) for k in range(2))
    value, limit = mean_and_limit(_scores(said, rated))
    text = "random ratings must score at chance on the folds of this study"
    return LeakCheck("random ratings", value <= limit, value, limit, text)


def planted_leak_is_seen(data: StudyData) -> LeakCheck:
    """Demand that the same is above chance where windows of each trial are dealt at random.

    It is what makes `chance_on_folds` worth something: a leak in these features would be seen.
    """
    counts, seconds = feature_counts(data.sequences), block_seconds(data.sequences)
    blocks = blocks_of(data.sequences, counts, seconds)
    fold_of = np.random.default_rng(0).integers(0, PLANTED_FOLDS, len(blocks.values))
    found = np.empty(len(fold_of), np.int64)
    for k in range(PLANTED_FOLDS):
        known = np.flatnonzero(fold_of != k)
        asked = fold_of == k
        found[asked] = blocks.owner[known[nearest(blocks.values[known], blocks.values[asked])]]
    ratings = _ratings(data.sequences)
    said = _mean_by_owner(ratings[found], blocks)
    value, limit = mean_and_limit(_scores(said, ratings))
    text = "windows of one trial on both sides, a planted leak, must be found"
    return LeakCheck("planted leak", value > limit, value, limit, text)


def mean_and_limit(values: Floats) -> tuple[float, float]:
    """Return the mean of scores, and what it would not exceed where their chance level is 0.

    The spread over draws decides, not that over people: they share the neighbours of their fold.
    """
    from scipy.special import stdtrit

    error = float(values.std(ddof=1) / np.sqrt(len(values)))
    return float(values.mean()), max(float(stdtrit(len(values) - 1, SURE)) * error, LEAST_CCC)


def _answers(
    known: Sequence[LabelledSequence], asked: Sequence[LabelledSequence], seconds: float
) -> tuple[Floats, Floats]:
    """Return what neighbours say of each sequence, and its ratings: (sequences, draws, 2) each."""
    counts = feature_counts([*known, *asked])
    side, test = (blocks_of(each, counts, seconds) for each in (known, asked))
    owner = side.owner[nearest(side.values, test.values)]
    return _mean_by_owner(_ratings(known)[owner], test), _ratings(asked)


def _ratings(sequences: Iterable[LabelledSequence]) -> Floats:
    """Return random ratings, (sequences, draws, 2): the same for a sequence in every fold."""
    size = DRAWS, len(TARGETS)
    return np.stack([sequence_rng(one, 0).uniform(-_RANGE, _RANGE, size) for one in sequences])


def _mean_by_owner(values: Floats, blocks: Blocks) -> Floats:
    total = np.add.reduceat(values, blocks.starts)
    return np.asarray(total / blocks.sizes[:, None, None], np.float64)


def _scores(said: Floats, rated: Floats) -> Floats:
    """Return the CCC over all sequences for each draw, averaged over targets."""
    count = np.full(said.shape[1:], float(len(said)))
    pairs = (said, rated, said * said, rated * rated, said * rated)
    sums = np.stack([count, *(each.sum(0) for each in pairs)], -1)
    return np.asarray(ccc_of(sums).mean(-1), np.float64)
