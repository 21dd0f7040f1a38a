"""Train a fusion model on labelled sequences, with whole subjects held out for validation."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal

import numpy as np
import torch

from biosense.core.errors import BadInput
from biosense.models.base import FusionModel
from biosense.models.batches import feature_scale
from biosense.models.deployment.card import Card
from biosense.models.evaluation.evaluate import (
    calibrate_intervals,
    calibrate_variance,
    evaluate,
    predict,
    subject_ccc,
)
from biosense.models.families.closed_form import ClosedForm
from biosense.models.families.committee import Committee
from biosense.models.registry import MODELS, build_model
from biosense.models.sequences import (
    LabelledSequence,
    check_hop,
    feature_counts,
    split_subjects,
)
from biosense.models.training.gradient_descent import Descent, Loss, Watch, labels_loss
from biosense.models.training.settings import DEFAULTS, Progress, TrainingSettings

__all__ = ["DEFAULTS", "Progress", "Trained", "TrainingSettings", "train"]

Device = Literal["auto", "cpu", "cuda"]
"""Where a model is trained; "auto" is a GPU where there is one. It comes back on the CPU."""

Prepare = Callable[[FusionModel, Sequence[LabelledSequence]], None]
"""Changes an untrained model in place, given the training sequences."""


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
    data, warning
        What the card says about the data, and what the model must not be used for.
    options
        Further fields of the family's config, such as `{"electrodes": ("Fp1", "Oz")}`.
    prepare
        Called with the untrained model and the training sequences: `pretrain`, for example.
        Families in closed form have nothing to prepare.
    loss
        What is minimised; None: `labels_loss` of the settings. Families in closed form ignore it.
    resume
        File that keeps the state after every epoch. Where it exists, training goes on from it and
        ends with the weights of an uninterrupted one, on a CPU to the bit.
    device
        Where the model is trained.
    progress
        Called after every epoch.
    clock
        Seconds, for `Progress` only.

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
    place, watch = chosen_device(device), Watch(progress, clock)
    with _random_state(settings.seed, place):
        chosen = MODELS[name].settings(_model_settings(settings, counts))
        model = build_model(name, {**chosen, **options})
        _fit_outside_descent(model, fit, counts)
        if isinstance(model, Committee):
            history = _seat(model, fit, held, settings, watch, resume, device)
        elif isinstance(model, ClosedForm):
            history = _solve(model, fit, held, settings, watch)
        else:
            if prepare is not None:
                prepare(model, fit)
            model.to(place)
            task = _digest(name, {**chosen, **options}, settings, fit, held)
            terms = loss or labels_loss(settings)
            history = Descent(model, fit, held, settings, terms, watch, resume, task).run()
    model.cpu()
    calibrate_variance(model, held)
    return Trained(
        name, model.eval(), history, _card(model, [*fit, *held], held, settings, data, warning)
    )


def chosen_device(device: Device) -> torch.device:
    """Return where to train.

    >>> chosen_device("cpu")
    device(type='cpu')
    """
    there = torch.cuda.is_available()
    if device == "cuda" and not there:
        raise BadInput("device='cuda', but torch finds no GPU; use 'cpu' or 'auto'")
    return torch.device("cuda" if there and device != "cpu" else "cpu")


@contextmanager
def _random_state(seed: int, place: torch.device) -> Iterator[None]:
    devices = [torch.cuda.current_device()] if place.type == "cuda" else []
    with torch.random.fork_rng(devices=devices):
        torch.manual_seed(seed)
        yield


def _digest(
    name: str,
    chosen: Mapping[str, Any],
    settings: TrainingSettings,
    fit: Sequence[LabelledSequence],
    held: Sequence[LabelledSequence],
) -> str:
    """Return a digest of what the weights depend on."""
    said = hashlib.sha256(
        json.dumps([name, dict(chosen), asdict(settings)], sort_keys=True, default=str).encode()
    )
    for part in (fit, held):
        said.update(f"{len(part)} sequences".encode())
        for sequence in part:
            said.update(sequence.subject.encode())
            said.update(sequence.target.tobytes())
            for modality, values in sequence.data.items():
                said.update(modality.encode())
                said.update(values.tobytes())
                said.update(sequence.quality[modality].tobytes())
    return said.hexdigest()


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


def _seat(
    model: Committee,
    fit: Sequence[LabelledSequence],
    held: Sequence[LabelledSequence],
    settings: TrainingSettings,
    watch: Watch,
    resume: Path | None,
    device: Device,
) -> tuple[Progress, ...]:
    """Train every member as if it were alone, then set what they share; histories join."""
    history: tuple[Progress, ...] = ()
    for name, member in zip(model.config.members, model.members, strict=True):
        trained = train(
            name,
            fit,
            validation=held,
            settings=settings,
            resume=resume.with_name(f"{resume.stem}-{name}{resume.suffix}") if resume else None,
            device=device,
            progress=watch.progress,
            clock=watch.clock,
        )
        member.load_state_dict(trained.model.state_dict())
        history += trained.history
    said = np.concatenate([predict(model, sequence).mean for sequence in held])
    model.tune(said, np.concatenate([sequence.target for sequence in held]))
    return history


def _solve(
    model: ClosedForm,
    fit: Sequence[LabelledSequence],
    held: Sequence[LabelledSequence],
    settings: TrainingSettings,
    watch: Watch,
) -> tuple[Progress, ...]:
    """Fit what needs no descent; its history is one epoch, its loss the held-out squared error."""
    started = watch.clock()
    model.fit_closed(fit, held, augmentation=settings.augmentation, seed=settings.seed)
    loss, reached = float(model.log_variance.exp().mean()), subject_ccc(model, held)
    done = Progress(1, 1, loss, reached, reached, watch.clock() - started, 0.0)
    if watch.progress is not None:
        watch.progress(done)
    return (done,)


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
