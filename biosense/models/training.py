"""Train a fusion model on labelled sequences, with whole subjects held out for validation."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
import torch

from biosense.core.errors import BadInput
from biosense.core.grid import HOP
from biosense.models.base import FusionModel
from biosense.models.batches import Augmentation, crops, feature_scale
from biosense.models.card import Card
from biosense.models.evaluation import calibrate_variance, evaluate, subject_ccc
from biosense.models.losses import fusion_loss
from biosense.models.registry import build_model
from biosense.models.sequences import (
    LabelledSequence,
    check_hop,
    feature_counts,
    split_subjects,
)

WARM_UP = 0.1  # of all optimiser steps


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


@dataclass(frozen=True)
class Progress:
    """Report one epoch.

    `validation_ccc` is the CCC of the held-out subjects, `best_ccc` the best so far, whose weights
    are kept; `seconds_left` assumes that training does not stop early.
    """

    epoch: int
    epochs: int
    loss: float
    validation_ccc: float
    best_ccc: float
    seconds: float
    seconds_left: float


@dataclass(frozen=True, eq=False)
class Trained:
    """Hold a trained model, the name of its family, its history, and its card for a checkpoint."""

    name: str
    model: FusionModel
    history: tuple[Progress, ...]
    card: Card


def train(
    name: str,
    sequences: Sequence[LabelledSequence],
    *,
    validation: Sequence[LabelledSequence] = (),
    settings: TrainingSettings = DEFAULTS,
    data: str = "",
    warning: str = "",
    progress: Callable[[Progress], None] | None = None,
    clock: Callable[[], float] = time.monotonic,
) -> Trained:
    """Train a model of a family; whatever is fitted is fitted on the training subjects.

    Two things rest on the validation subjects: the epoch that is kept, and the scale of the
    variance. Their scores on the card are therefore mildly optimistic; `study` has its own test
    subjects. torch's global random state is left as it was.

    Parameters
    ----------
    name
        A key of `MODELS`.
    sequences
        Of at least two subjects; the modalities and features are taken from them.
    validation
        Held out of the fit; empty: a share of the subjects of `sequences` is.
    data, warning
        What the card says about the data, and what the model must not be used for.
    progress
        Called after every epoch.
    clock
        Seconds, for `Progress` only.

    Raises
    ------
    BadInput
        Fewer than two subjects, no targets on one side of the split, or features or hops that
        disagree.
    """
    counts = feature_counts(sequences)
    check_hop([*sequences, *validation], settings.hop)
    fit, held = list(sequences), list(validation)
    if not held:
        fit, held = split_subjects(sequences, settings.validation, settings.seed)
    for side, part in (("training", fit), ("validation", held)):
        if not any(np.isfinite(sequence.target).any() for sequence in part):
            raise BadInput(f"no {side} sequence has a target; training needs some on both sides")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(settings.seed)
        model = build_model(name, _model_settings(settings, counts))
        _fit_outside_descent(model, fit, counts)
        history = _descend(model, fit, held, settings, progress, clock)
    calibrate_variance(model, held)
    return Trained(
        name, model.eval(), history, _card(model, [*fit, *held], held, settings, data, warning)
    )


def _model_settings(
    settings: TrainingSettings, counts: tuple[tuple[str, int], ...]
) -> dict[str, Any]:
    chosen = {key: getattr(settings, key) for key in ("width", "window_s", "dropout", "hop")}
    return {"modalities": counts, **chosen}


def _fit_outside_descent(
    model: FusionModel, fit: Sequence[LabelledSequence], counts: tuple[tuple[str, int], ...]
) -> None:
    """Set the scale of features and the prior from the training subjects."""
    model.inputs.set_scale(feature_scale(fit, counts))
    target = np.concatenate([sequence.target for sequence in fit])
    for column in range(2):
        known = target[np.isfinite(target[:, column]), column]
        if len(known):
            model.head.prior_mean[column] = float(known.mean())
            model.head.prior_variance[column] = max(float(known.var()), 1e-4)


def _descend(
    model: FusionModel,
    fit: Sequence[LabelledSequence],
    held: Sequence[LabelledSequence],
    settings: TrainingSettings,
    progress: Callable[[Progress], None] | None,
    clock: Callable[[], float],
) -> tuple[Progress, ...]:
    """Run epochs until none is better for `patience`; leave the best one's weights in the model."""
    optimiser = torch.optim.AdamW(
        model.parameters(), lr=settings.learning_rate, weight_decay=settings.weight_decay
    )
    rng = np.random.default_rng(settings.seed)
    started, best, kept, waited = clock(), -math.inf, model.state_dict(), 0
    history: list[Progress] = []
    for epoch in range(1, settings.epochs + 1):
        loss = _epoch(model, optimiser, fit, settings, epoch, rng)
        reached = subject_ccc(model, held)
        waited += 1
        if reached > best:
            best, waited = reached, 0
            kept = {key: tensor.clone() for key, tensor in model.state_dict().items()}
        seconds = clock() - started
        left = seconds / epoch * (settings.epochs - epoch)
        history.append(Progress(epoch, settings.epochs, loss, reached, best, seconds, left))
        if progress is not None:
            progress(history[-1])
        if waited >= settings.patience:
            break
    model.load_state_dict(kept)
    return tuple(history)


def _epoch(
    model: FusionModel,
    optimiser: torch.optim.Optimizer,
    fit: Sequence[LabelledSequence],
    settings: TrainingSettings,
    epoch: int,
    rng: np.random.Generator,
) -> float:
    """Take one pass over the training sequences and return the mean loss."""
    model.train()
    batches = list(
        crops(
            fit,
            model.config.modalities,
            steps=settings.crop_steps,
            size=settings.batch,
            least=settings.batches,
            hop=settings.hop,
            augmentation=settings.augmentation,
            rng=rng,
        )
    )
    losses = []
    for number, batch in enumerate(batches):
        done = (epoch - 1 + number / len(batches)) / settings.epochs
        for group in optimiser.param_groups:
            group["lr"] = settings.learning_rate * schedule(done)
        output = model(batch.x, batch.present)
        loss = fusion_loss(
            output, batch.target, squared=settings.squared, likelihood=settings.likelihood
        )
        optimiser.zero_grad()
        torch.autograd.backward(loss)
        torch.nn.utils.clip_grad_norm_(model.parameters(), settings.clip)
        optimiser.step()
        losses.append(loss.item())
    return float(np.mean(losses))


def schedule(done: float) -> float:
    """Return the share of the learning rate when `done` of all steps, in [0, 1], are taken.

    >>> schedule(0.05), schedule(0.1), round(schedule(1.0), 6)
    (0.5, 1.0, 0.0)
    """
    if done < WARM_UP:
        return max(done / WARM_UP, 0.02)
    return 0.5 * (1 + math.cos(math.pi * (done - WARM_UP) / (1 - WARM_UP)))


def _card(
    model: FusionModel,
    sequences: Sequence[LabelledSequence],
    held: Sequence[LabelledSequence],
    settings: TrainingSettings,
    data: str,
    warning: str,
) -> Card:
    return Card(
        data=data,
        warning=warning,
        subjects=len({sequence.subject for sequence in sequences}),
        sequences=len(sequences),
        hours=round(sum(sequence.n for sequence in sequences) * settings.hop / 3600, 3),
        validation_subjects=tuple(sorted({sequence.subject for sequence in held})),
        metrics={target: result.as_dict() for target, result in evaluate(model, held).items()},
        settings=asdict(settings),
    )
