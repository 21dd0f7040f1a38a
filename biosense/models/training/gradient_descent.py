"""Gradient descent, epoch by epoch: the best epoch is kept, and an interrupted one goes on."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from biosense.models.base import FusionModel, FusionOutput
from biosense.models.batches import Batch, crops
from biosense.models.evaluation.evaluate import subject_ccc
from biosense.models.sequences import LabelledSequence
from biosense.models.training.losses import fusion_loss
from biosense.models.training.settings import Progress, TrainingSettings
from biosense.models.training.state import TrainingState, read_state, write_state

WARM_UP = 0.1  # of all optimiser steps

Loss = Callable[[FusionOutput, Batch], Tensor]
"""What an output is worth in training, a scalar, given the batch that it is of."""


@dataclass(frozen=True, eq=False)
class Watch:
    """Hold who is told of each epoch, and what time it is.

    Parameters
    ----------
    progress
        Called after every epoch; None: nobody.
    clock
        Seconds since any fixed moment.
    """

    progress: Callable[[Progress], None] | None = None
    clock: Callable[[], float] = time.monotonic


@dataclass(eq=False)
class Descent:
    """Train one model; after `run` it holds the weights of its best epoch.

    Parameters
    ----------
    model
        Its weights are changed in place.
    fit, held
        What is learnt from, and what chooses the epoch.
    settings
        How.
    loss
        What is minimised.
    watch
        Who is told.
    state_file
        Where the state is kept after every epoch, and where it goes on from if it exists.
    task
        Digest of everything that the result depends on; a state of another task is refused.
    """

    model: FusionModel
    fit: Sequence[LabelledSequence]
    held: Sequence[LabelledSequence]
    settings: TrainingSettings
    loss: Loss
    watch: Watch = field(default_factory=Watch)
    state_file: Path | None = None
    task: str = ""

    def __post_init__(self) -> None:
        self._optimiser = torch.optim.AdamW(
            self.model.parameters(),
            lr=self.settings.learning_rate,
            weight_decay=self.settings.weight_decay,
        )
        self._rng = np.random.default_rng(self.settings.seed)
        self._best, self._waited, self._elapsed = -math.inf, 0, 0.0
        self._kept = _copy(self.model)
        self._history: list[Progress] = []

    def run(self) -> tuple[Progress, ...]:
        """Run epochs until none is better for `patience`.

        Returns
        -------
        tuple of Progress
            One for each epoch, those before an interruption included.

        Raises
        ------
        CheckpointMismatch
            The state file is damaged, or of another task.
        """
        if self.state_file is not None and self.state_file.exists():
            self._go_on_from(read_state(self.state_file, self.task))
        started = self.watch.clock() - self._elapsed
        while len(self._history) < self.settings.epochs and self._waited < self.settings.patience:
            epoch = len(self._history) + 1
            loss = self._epoch(epoch)
            self._judge(epoch, loss, self.watch.clock, started)
            if self.state_file is not None:
                write_state(self.state_file, self._state())
            if self.watch.progress is not None:
                self.watch.progress(self._history[-1])
        self.model.load_state_dict(self._kept)
        return tuple(self._history)

    def _judge(self, epoch: int, loss: float, clock: Callable[[], float], started: float) -> None:
        reached = subject_ccc(self.model, self.held)
        self._waited += 1
        if reached > self._best:
            self._best, self._waited, self._kept = reached, 0, _copy(self.model)
        epochs = self.settings.epochs
        self._elapsed = clock() - started
        left = self._elapsed / epoch * (epochs - epoch)
        self._history.append(
            Progress(epoch, epochs, loss, reached, self._best, self._elapsed, left)
        )

    def _epoch(self, epoch: int) -> float:
        """Take one pass over the training sequences and return the mean loss."""
        self.model.train()
        settings = self.settings
        batches = list(
            crops(
                self.fit,
                self.model.config.modalities,
                steps=settings.crop_steps,
                size=settings.batch,
                least=settings.batches,
                hop=settings.hop,
                augmentation=settings.augmentation,
                rng=self._rng,
            )
        )
        losses = []
        for number, batch in enumerate(batches):
            done = (epoch - 1 + number / len(batches)) / settings.epochs
            losses.append(self._descend(batch.to(self.model.head.prior_mean.device), done))
        return float(np.mean(losses))

    def _descend(self, batch: Batch, done: float) -> float:
        """Take one step when `done` of all are taken."""
        for group in self._optimiser.param_groups:
            group["lr"] = self.settings.learning_rate * schedule(done)
        loss = self.loss(self.model(batch.x, batch.present), batch)
        self._optimiser.zero_grad()
        torch.autograd.backward(loss)
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), self.settings.clip)
        self._optimiser.step()
        return loss.item()

    def _state(self) -> TrainingState:
        names = [name for name, _ in self.model.named_parameters()]
        return TrainingState(
            self.task,
            _copy(self.model),
            self._kept,
            {
                f"{names[k]}.{key}": value
                for k, values in self._optimiser.state_dict()["state"].items()
                for key, value in values.items()
            },
            _random_states(self.model.head.prior_mean.device),
            self._rng.bit_generator.state,
            tuple(self._history),
            self._waited,
        )

    def _go_on_from(self, state: TrainingState) -> None:
        self.model.load_state_dict(state.weights)
        self._kept = dict(state.best)
        described = self._optimiser.state_dict()
        for k, (name, _) in enumerate(self.model.named_parameters()):
            prefix = f"{name}."
            # A parameter's name may begin another's: what is left must be a key of the optimiser.
            own = {
                key.removeprefix(prefix): value
                for key, value in state.optimiser.items()
                if key.startswith(prefix) and "." not in key.removeprefix(prefix)
            }
            if own:
                described["state"][k] = own
        self._optimiser.load_state_dict(described)
        _set_random_states(state.random, self.model.head.prior_mean.device)
        self._rng.bit_generator.state = dict(state.order)
        self._history, self._waited = list(state.history), state.waited
        if self._history:
            self._best, self._elapsed = self._history[-1].best_ccc, self._history[-1].seconds


def labels_loss(settings: TrainingSettings) -> Loss:
    """Return the loss of what people said: CCC, squared error and beta-NLL.

    Parameters
    ----------
    settings
        Weights of its terms.

    Returns
    -------
    Loss
        See `fusion_loss`.
    """

    def loss(output: FusionOutput, batch: Batch) -> Tensor:
        return fusion_loss(
            output, batch.target, squared=settings.squared, likelihood=settings.likelihood
        )

    return loss


def schedule(done: float) -> float:
    """Return the share of the learning rate: a linear warm-up, then a cosine to zero.

    Parameters
    ----------
    done
        Share of all steps that are taken, in [0, 1].

    Returns
    -------
    float
        In [0, 1].

    Examples
    --------
    >>> schedule(0.05), schedule(0.1), round(schedule(1.0), 6)
    (0.5, 1.0, 0.0)
    """
    if done < WARM_UP:
        return max(done / WARM_UP, 0.02)
    return 0.5 * (1 + math.cos(math.pi * (done - WARM_UP) / (1 - WARM_UP)))


def _copy(model: FusionModel) -> dict[str, Tensor]:
    return {key: tensor.clone() for key, tensor in model.state_dict().items()}


def _random_states(device: torch.device) -> dict[str, Tensor]:
    states = {"cpu": torch.get_rng_state()}
    if device.type == "cuda":
        states["cuda"] = torch.cuda.get_rng_state(device)
    return states


def _set_random_states(states: dict[str, Tensor], device: torch.device) -> None:
    torch.set_rng_state(states["cpu"])
    if device.type == "cuda" and "cuda" in states:
        torch.cuda.set_rng_state(states["cuda"], device)
