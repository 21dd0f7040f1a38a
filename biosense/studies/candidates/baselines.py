"""Ridge and random forest on causal summaries of the features.

On small data sets handcrafted summaries beat networks more often than not, so no result of a
network counts without these beside it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from biosense.core.errors import BadInput, MissingExtra
from biosense.core.types import Floats
from biosense.models.sequences import LabelledSequence, feature_counts
from biosense.studies.base import Predictor

Sequences = Sequence[LabelledSequence]
WINDOWS_S = (3.0, 10.0, 30.0)
MOST_ROWS = 20_000  # of training, evenly spread: neighbouring steps say nearly the same


@dataclass(frozen=True)
class RidgeCandidate:
    """Ridge regression on running means.

    Parameters
    ----------
    alpha
        Of the ridge, on features of unit variance.
    windows_s
        Lengths of the causal running means, seconds.
    """

    alpha: float = 100.0
    windows_s: tuple[float, ...] = WINDOWS_S
    name: str = "plain ridge"

    def fit(self, train: Sequences, validation: Sequences, seed: int) -> Predictor:
        """Fit; the error on the validation side gives the standard deviation."""
        ridge = _sklearn("linear_model").Ridge(alpha=self.alpha)
        return _fit(self.windows_s, ridge, train, validation)


@dataclass(frozen=True)
class ForestCandidate:
    """A random forest on running means."""

    n_trees: int = 100
    least_leaf: int = 20
    windows_s: tuple[float, ...] = WINDOWS_S
    name: str = "plain random forest"

    def fit(self, train: Sequences, validation: Sequences, seed: int) -> Predictor:
        """Fit; the error on the validation side gives the standard deviation."""
        forest = _sklearn("ensemble").RandomForestRegressor(
            n_estimators=self.n_trees, min_samples_leaf=self.least_leaf, max_features=1 / 3,
            random_state=seed,
        )  # fmt: skip
        return _fit(self.windows_s, forest, train, validation)


@dataclass(frozen=True, eq=False)
class Fitted:
    """Hold a fitted regressor with the scale of its inputs and its error on the validation side."""

    regressor: Any
    windows_s: tuple[float, ...]
    counts: tuple[tuple[str, int], ...]
    centre: Floats
    spread: Floats
    sd: Floats

    def predict(self, sequence: LabelledSequence) -> tuple[Floats, Floats]:
        """Return mean and standard deviation at each step, both (time, 2)."""
        x = summaries(sequence, self.counts, self.windows_s)
        said = np.clip(self.regressor.predict(_scaled(x, self.centre, self.spread)), -1, 1)
        return np.asarray(said, np.float64), np.tile(self.sd, (sequence.n, 1))


def summaries(
    sequence: LabelledSequence, counts: Sequence[tuple[str, int]], windows_s: Sequence[float]
) -> Floats:
    """Return running means of every feature over the past, (time, windows x features).

    NaN where a feature had no trusted value in a window; the mean at t never sees what follows t.
    """
    hop = float(np.median(np.diff(sequence.time))) if sequence.n > 1 else 1.0
    columns = []
    by_name = {str(modality): modality for modality in sequence.data}
    for name, width in counts:
        values = np.full((sequence.n, width), np.nan)
        if name in by_name:
            trusted = sequence.quality[by_name[name]] > 0
            values[trusted] = sequence.data[by_name[name]][trusted]
        columns.append(values)
    joined = np.concatenate(columns, 1)
    means = [_running_mean(joined, max(1, round(window / hop))) for window in windows_s]
    return np.concatenate(means, 1)


def _running_mean(values: Floats, n: int) -> Floats:
    known = np.isfinite(values)
    total, count = (
        _running_sum(part, n) for part in (np.where(known, values, 0.0), known.astype(np.float64))
    )
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def _running_sum(values: Floats, n: int) -> Floats:
    """Sum the last `n` rows themselves: differences of cumulated sums would never forget 1e9."""
    padded = np.concatenate([np.zeros((n - 1, values.shape[1])), values])
    windows = np.lib.stride_tricks.sliding_window_view(padded, n, axis=0)
    return np.asarray(windows.sum(-1), np.float64)


def _fit(
    windows_s: tuple[float, ...], regressor: Any, train: Sequences, validation: Sequences
) -> Fitted:
    counts = feature_counts([*train, *validation])
    x, y = _rows(train, counts, windows_s)
    centre, spread = _scale(x)
    regressor.fit(_scaled(x, centre, spread), y)
    fitted = Fitted(regressor, windows_s, counts, centre, spread, np.ones(2))
    return Fitted(regressor, windows_s, counts, centre, spread, _error(fitted, validation))


def _rows(
    train: Sequences, counts: Sequence[tuple[str, int]], windows_s: tuple[float, ...]
) -> tuple[Floats, Floats]:
    """Return summaries and targets of the steps where both targets are known."""
    stride = max(1, sum(s.n for s in train) // MOST_ROWS)
    xs, ys = [], []
    for sequence in train:
        x = summaries(sequence, counts, windows_s)
        known = np.asarray(np.isfinite(sequence.target).all(1))
        xs.append(x[known][::stride])
        ys.append(sequence.target[known][::stride])
    x, y = np.concatenate(xs), np.concatenate(ys)
    if len(y) == 0:
        raise BadInput("no step of the training sequences has both valence and arousal")
    return x, y


def _scale(x: Floats) -> tuple[Floats, Floats]:
    known = np.isfinite(x)
    count = np.maximum(known.sum(0), 1)
    centre = np.where(known, x, 0.0).sum(0) / count
    spread = np.sqrt(np.where(known, (x - centre) ** 2, 0.0).sum(0) / count)
    return centre, np.where(spread > 0, spread, 1.0)


def _scaled(x: Floats, centre: Floats, spread: Floats) -> Floats:
    """Scale, put the average in place of what is missing, and hold artefacts to five deviations."""
    return np.clip(np.nan_to_num((x - centre) / spread, posinf=0.0, neginf=0.0), -5, 5)


def _error(fitted: Fitted, validation: Sequences) -> Floats:
    squares = [(fitted.predict(s)[0] - s.target) ** 2 for s in validation]
    joined = np.concatenate(squares) if squares else np.empty((0, 2))
    known = np.isfinite(joined)
    mean = np.where(known, joined, 0.0).sum(0) / np.maximum(known.sum(0), 1)
    return np.where(known.any(0), np.sqrt(np.maximum(mean, 1e-6)), np.nan)


def _sklearn(part: str) -> Any:
    import importlib

    try:
        return importlib.import_module(f"sklearn.{part}")
    except ImportError as error:
        raise MissingExtra(
            "ridge and forest need scikit-learn: pip install 'biosense[ml]'"
        ) from error
