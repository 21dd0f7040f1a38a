"""Features relative to the person's own past: a running z-score that never looks ahead."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from biosense.core.errors import BadInput
from biosense.core.grid import HOP
from biosense.core.types import Epoch, Floats, StreamInfo

_MIN_WEIGHT = 1e-9


@dataclass
class RunningNormalise:
    """Express each feature in standard deviations from the person's mean so far.

    Mean and variance are those of West [1]_, weighted and forgetting. They cover the epochs up to
    and including the present one, each counted with the `hop` seconds it stands for. A population's
    mean and SD (from training) count like `prior_seconds` of data, so that the first values are
    tame and the person takes over by and by. Without them the first minutes are shrunk instead: z
    is multiplied by sqrt(n / (n + prior)), n being the seconds seen. Features that are NaN stay NaN
    and teach nothing, nor do epochs of low quality.

    Parameters
    ----------
    prior_seconds
        Weight of what is believed before the first value, seconds.
    half_life
        Time in which the past loses half of its weight, seconds; inf remembers everything.
    clip
        Largest absolute value of the output.
    min_quality
        Epochs below this quality do not move mean and variance.
    mean, sd
        Mean and SD of each feature in the training data; empty where there are none.
    hop
        Seconds between epochs.

    References
    ----------
    .. [1] D. H. D. West, "Updating mean and variance estimates: an improved method," Communications
       of the ACM 22(9), 532-535, 1979.

    Examples
    --------
    >>> stage = RunningNormalise(prior_seconds=0.0)
    >>> info = stage.start(StreamInfo("heart", None, ("rate",), 4.0))
    >>> epochs = [Epoch(info, k, k / 4 - 1, k / 4, np.array([float(k % 2)]), 1.0) for k in range(4)]
    >>> [round(float(stage.push(epoch)[0].data[0]), 6) for epoch in epochs]
    [0.0, 1.0, -0.707107, 1.0]
    """

    prior_seconds: float = 60.0
    half_life: float = np.inf
    clip: float = 5.0
    min_quality: float = 0.3
    mean: tuple[float, ...] = ()
    sd: tuple[float, ...] = ()
    hop: float = HOP
    _weight: Floats = field(init=False, repr=False)
    _mean: Floats = field(init=False, repr=False)
    _squares: Floats = field(init=False, repr=False)
    _origin: Floats = field(init=False, repr=False)
    _total: Floats = field(init=False, repr=False)
    _index: int | None = field(init=False, repr=False)

    def __post_init__(self) -> None:
        if self.prior_seconds < 0 or not self.half_life > 0 or not self.clip > 0:
            raise BadInput(
                f"prior_seconds={self.prior_seconds} must not be negative, half_life="
                f"{self.half_life} s and clip={self.clip} must be above 0"
            )
        if len(self.mean) != len(self.sd) or any(sd <= 0 for sd in self.sd):
            raise BadInput(
                f"mean and sd must have one value per feature (got {len(self.mean)} and "
                f"{len(self.sd)}) and every sd must be above 0"
            )

    def start(self, info: StreamInfo) -> StreamInfo:
        """Forget the person."""
        if self.mean and len(self.mean) != info.n_channels:
            raise BadInput(
                f"{len(self.mean)} training means for the {info.n_channels} features of "
                f"{info.name!r}: were they fitted with another pipeline?"
            )
        count = info.n_channels
        known = bool(self.mean) and self.prior_seconds > 0
        self._weight = np.full(count, self.prior_seconds if known else 0.0)
        self._mean = np.array(self.mean) if known else np.zeros(count)
        self._squares = self._weight * np.square(self.sd) if known else np.zeros(count)
        self._origin = np.array(self.mean) if known else np.full(count, np.nan)
        self._total = np.zeros(count)
        self._index = None
        return info

    def push(self, item: Epoch) -> Sequence[Epoch]:
        """Return the epoch with its features as z-scores."""
        return self.push_all([item])

    def push_all(self, items: Sequence[Epoch]) -> Sequence[Epoch]:
        """Return the epochs with their features as z-scores; each knows nothing of later ones."""
        if not items:
            return []
        values = np.array([item.data for item in items])
        learn = self._summed if self.half_life == np.inf else self._forgetting
        scores = self._score(values, *learn(items, values))
        return [
            Epoch(each.info, each.index, each.start, each.stop, row, each.quality, each.reason)
            for each, row in zip(items, scores, strict=True)
        ]

    def flush(self) -> Sequence[Epoch]:
        """Return nothing: every epoch was answered at once."""
        return []

    def _summed(self, items: Sequence[Epoch], values: Floats) -> tuple[Floats, Floats, Floats]:
        """Return weight, mean and sum of squares once each epoch has been learnt from.

        Sums go on from where they were, one epoch after the other: their bits do not depend on how
        many come at once. Values are summed less the first one, which keeps their digits.
        """
        teaches = np.array([item.quality >= self.min_quality for item in items])
        known = np.isfinite(values) & teaches[:, None]
        new = np.isnan(self._origin) & known.any(axis=0)
        if new.any():
            first = values[known.argmax(axis=0), np.arange(values.shape[1])]
            self._origin = np.where(new, first, self._origin)
        origin = np.where(np.isnan(self._origin), 0.0, self._origin)
        gain = self.hop * known
        weight = _go_on(self._weight, gain)
        total = _go_on(self._total, gain * np.where(known, values - origin, 0.0))
        mean = np.where(weight > 0, origin + total / np.maximum(weight, _MIN_WEIGHT), 0.0)
        before = np.concatenate((self._mean[None], mean[:-1]))
        off = np.where(known, values - before, 0.0) * np.where(known, values - mean, 0.0)
        squares = _go_on(self._squares, gain * off)
        self._weight, self._total = weight[-1], total[-1]
        self._mean, self._squares = mean[-1], squares[-1]
        return weight, mean, squares

    def _forgetting(self, items: Sequence[Epoch], values: Floats) -> tuple[Floats, Floats, Floats]:
        """Do as `_summed`, while what is known fades (West 1979, weighted and forgetting)."""
        past = []
        for item, row in zip(items, values, strict=True):
            if item.quality >= self.min_quality:
                self._learn(item.index, row)
            past.append((self._weight, self._mean, self._squares))
        weight, mean, squares = (np.array(each) for each in zip(*past, strict=True))
        return weight, mean, squares

    def _learn(self, index: int, values: Floats) -> None:
        if self._index is not None:
            kept = 0.5 ** ((index - self._index) * self.hop / self.half_life)
            self._weight = self._weight * kept
            self._squares = self._squares * kept
        self._index = index
        known = np.isfinite(values)
        gain = self.hop * known
        step = np.where(known, values - self._mean, 0.0)
        self._weight = self._weight + gain
        move = step * gain / np.maximum(self._weight, _MIN_WEIGHT)
        self._mean = self._mean + move
        self._squares = self._squares + gain * step * (step - move)

    def _score(self, values: Floats, weights: Floats, means: Floats, squares: Floats) -> Floats:
        """Return z-scores of epochs, from what was known at each; (epochs, features) all."""
        weight = np.maximum(weights, _MIN_WEIGHT)
        sd = np.sqrt(squares / weight)
        shrink = 1.0 if self.mean else np.sqrt(weight / (weight + self.prior_seconds))
        # a feature that has never changed is 0 as long as it stays: rounding is no deviation
        moved = sd > 1e-9 * np.abs(means)
        score = (values - means) * np.where(moved, shrink / np.where(moved, sd, 1.0), 0.0)
        clipped: Floats = np.minimum(np.maximum(score, -self.clip), self.clip)
        return clipped


def _go_on(before: Floats, steps: Floats) -> Floats:
    """Return the sums of a row and those that come one after the other, (k, features)."""
    sums: Floats = np.cumsum(np.concatenate((before[None], steps)), axis=0)[1:]
    return sums
