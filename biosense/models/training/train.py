"""Train a fusion model on labelled sequences, with whole subjects held out for validation."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np

from biosense.core.errors import BadInput
from biosense.models.base import FusionModel
from biosense.models.batches import feature_scale
from biosense.models.deployment.card import Card
from biosense.models.evaluation.evaluate import (
    calibrate_intervals,
    calibrate_variance,
    evaluate,
)
from biosense.models.registry import MODELS, build_model
from biosense.models.sequences import (
    LabelledSequence,
    check_hop,
    feature_counts,
    split_subjects,
)
from biosense.models.training.device import Device, chosen_device, random_state
from biosense.models.training.gradient_descent import Descent, Loss, Watch, labels_loss
from biosense.models.training.settings import DEFAULTS, Progress, TrainingSettings
from biosense.models.training.state import task_digest

__all__ = ["DEFAULTS", "Progress", "Trained", "TrainingSettings", "train"]

Prepare = Callable[[FusionModel, Sequence[LabelledSequence]], None]
"""Changes an untrained model in place, given the training sequences."""


@dataclass(frozen=True, eq=False)
class Trained:
    """Hold what a training leaves.

    Parameters
    ----------
    name
        Of the model's family.
    model
        In evaluation mode, on the CPU.
    history
        One for each epoch.
    card
        For a checkpoint.
    """

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
    options: Mapping[str, Any] = MappingProxyType({}),
    prepare: Prepare | None = None,
    loss: Loss | None = None,
    resume: Path | None = None,
    device: Device = "auto",
    progress: Callable[[Progress], None] | None = None,
    clock: Callable[[], float] = time.monotonic,
) -> Trained:
    """Train a model of a family; whatever is fitted is fitted on the training subjects.

    Three things rest on the validation subjects: the epoch that is kept, the scale of the variance
    and the intervals. Their scores on the card are therefore mildly optimistic; `study` has its own
    test subjects. torch's global random state is left as it was. On a CPU, equal calls give equal
    weights, to the bit; on a GPU as far as its libraries repeat themselves.

    Parameters
    ----------
    name
        A key of `MODELS`.
    sequences
        Of at least two subjects; the modalities and features are taken from them.
    validation
        Held out of the fit; empty: a share of the subjects of `sequences` is.
    settings
        How to train, and the sizes of the model.
    data, warning
        What the card says about the data, and what the model must not be used for.
    options
        Further fields of the family's config, such as `{"electrodes": ("Fp1", "Oz")}`.
    prepare
        Called with the untrained model and the training sequences: `pretrain`, for example.
        A family that does not descend has nothing to prepare.
    loss
        What is minimised; None: `labels_loss` of the settings. What does not descend ignores it.
    resume
        File that keeps the state after every epoch. Where it exists, training goes on from it and
        ends with the weights of an uninterrupted one, on a CPU to the bit.
    device
        Where the model is trained.
    progress
        Called after every epoch.
    clock
        Seconds, for `Progress` only.

    Returns
    -------
    Trained
        The model of the best epoch, calibrated.

    Raises
    ------
    BadInput
        Fewer than two subjects, no targets on one side of the split, features or hops that
        disagree, or no GPU where one was asked for.
    CheckpointMismatch
        `resume` is damaged, or the state of another training.
    """
    counts = feature_counts(sequences)
    check_hop([*sequences, *validation], settings.hop)
    fit, held = list(sequences), list(validation)
    if not held:
        fit, held = split_subjects(sequences, settings.validation, settings.seed)
    for side, part in (("training", fit), ("validation", held)):
        if not any(np.isfinite(sequence.target).any() for sequence in part):
            raise BadInput(f"no {side} sequence has a target; training needs some on both sides")
    chosen = {**MODELS[name].settings(_model_settings(settings, counts)), **options}
    watch = Watch(progress, clock)
    run = _Run(name, chosen, fit, held, settings, prepare, loss, resume, device, watch)
    with random_state(settings.seed, chosen_device(device)):
        model = build_model(name, chosen)
        _set_scale_and_prior(model, fit, counts)
        history = model.fit(run)
    model.cpu()
    calibrate_variance(model, held)
    return Trained(
        name, model.eval(), history, _card(model, [*fit, *held], held, settings, data, warning)
    )


@dataclass(frozen=True, eq=False)
class _Run:
    """One training of one family: what `FusionModel.fit` is given; see `TrainingRun`."""

    name: str
    chosen: Mapping[str, Any]
    training: Sequence[LabelledSequence]
    validation: Sequence[LabelledSequence]
    settings: TrainingSettings
    prepare: Prepare | None
    loss: Loss | None
    resume: Path | None
    device: Device
    watch: Watch

    def descend(self, model: FusionModel) -> tuple[Progress, ...]:
        if self.prepare is not None:
            self.prepare(model, self.training)
        model.to(chosen_device(self.device))
        sides = self.training, self.validation
        task = task_digest(self.name, self.chosen, self.settings, *sides)
        loss = self.loss or labels_loss(self.settings)
        return Descent(model, *sides, self.settings, loss, self.watch, self.resume, task).run()

    def fit_member(self, name: str, member: FusionModel) -> tuple[Progress, ...]:
        file = self.resume
        trained = train(
            name,
            self.training,
            validation=self.validation,
            settings=self.settings,
            resume=file.with_name(f"{file.stem}-{name}{file.suffix}") if file else None,
            device=self.device,
            progress=self.watch.progress,
            clock=self.watch.clock,
        )
        member.load_state_dict(trained.model.state_dict())
        return trained.history

    def clock(self) -> float:
        return self.watch.clock()

    def report(self, progress: Progress) -> None:
        if self.watch.progress is not None:
            self.watch.progress(progress)


def _model_settings(
    settings: TrainingSettings, counts: tuple[tuple[str, int], ...]
) -> dict[str, Any]:
    chosen = {key: getattr(settings, key) for key in ("width", "window_s", "dropout", "hop")}
    return {"modalities": counts, **chosen}


def _set_scale_and_prior(
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
        intervals=calibrate_intervals(model, held),
    )
