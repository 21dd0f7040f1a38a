"""How a model is trained, and what is said of it while it is."""

from __future__ import annotations

from dataclasses import dataclass, field

from biosense.core.errors import BadInput
from biosense.core.grid import HOP
from biosense.models.batches import Augmentation


@dataclass(frozen=True)
class TrainingSettings:
    """Say how to train.

    Parameters
    ----------
    width, window_s, dropout, hop
        Of the model; see its config.
    epochs
        At most; each shows every recording about once, more often where there are few of them.
    batches
        In an epoch, at least about so many.
    patience
        Epochs without a better validation CCC before training stops.
    crop_s
        Shortest and longest crop of a recording, seconds.
    batch
        Crops in a batch.
    learning_rate, weight_decay, clip
        Of AdamW, with a linear warm-up and a cosine to zero; `clip` bounds the gradient's norm.
    squared, likelihood
        Weights of squared error and beta-NLL beside the CCC.
    validation
        Share of the subjects held out.
    seed
        Of everything random: equal seeds on the same machine give equal weights.
    augmentation
        How inputs are hidden.
    """

    width: int = 48
    window_s: float = 8.0
    dropout: float = 0.1
    hop: float = HOP
    epochs: int = 20
    batches: int = 10
    patience: int = 8
    crop_s: tuple[float, float] = (120.0, 240.0)
    batch: int = 8
    learning_rate: float = 2e-3
    weight_decay: float = 1e-2
    clip: float = 1.0
    squared: float = 0.3
    likelihood: float = 0.3
    validation: float = 0.2
    seed: int = 0
    augmentation: Augmentation = field(default_factory=Augmentation)

    def __post_init__(self) -> None:
        if min(self.epochs, self.patience, self.batch) < 1:
            raise BadInput(
                f"epochs={self.epochs}, patience={self.patience} and batch={self.batch} must be at "
                "least 1"
            )
        if not 0 < self.crop_s[0] <= self.crop_s[1]:
            raise BadInput(f"crop_s={self.crop_s} must be positive and rising")

    @property
    def crop_steps(self) -> tuple[int, int]:
        """Shortest and longest crop in steps."""
        shortest, longest = (max(1, round(seconds / self.hop)) for seconds in self.crop_s)
        return shortest, longest


DEFAULTS = TrainingSettings()
STUDY = TrainingSettings(
    width=32, epochs=15, batches=6, batch=32, dropout=0.3, weight_decay=0.1, patience=5
)
"""For a few dozen real people: smaller and more strictly held than what simulated people need."""


@dataclass(frozen=True)
class Progress:
    """Report one epoch.

    Parameters
    ----------
    epoch, epochs
        Which of how many at most, from 1.
    loss
        Mean over its batches.
    validation_ccc
        Of the held-out subjects; see `subject_ccc`.
    best_ccc
        The best so far, whose weights are kept.
    seconds
        Since training began.
    seconds_left
        Assuming that training does not stop early.
    """

    epoch: int
    epochs: int
    loss: float
    validation_ccc: float
    best_ccc: float
    seconds: float
    seconds_left: float
