"""Train a small model to say what a large one says, and how sure that one is."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from copy import deepcopy

import torch
from torch import Tensor

from biosense.core.errors import BadInput
from biosense.models.base import FusionModel, FusionOutput
from biosense.models.batches import Batch
from biosense.models.sequences import LabelledSequence, feature_counts
from biosense.models.training.device import Device
from biosense.models.training.gradient_descent import Loss, labels_loss
from biosense.models.training.losses import BETA
from biosense.models.training.settings import DEFAULTS, Progress, TrainingSettings
from biosense.models.training.train import Trained, train

SHARE = 0.5
"""Of the loss that is the teacher's; the rest is the labels'."""


def distil(
    teacher: FusionModel,
    name: str,
    sequences: Sequence[LabelledSequence],
    *,
    validation: Sequence[LabelledSequence] = (),
    settings: TrainingSettings = DEFAULTS,
    share: float = SHARE,
    data: str = "",
    warning: str = "",
    device: Device = "auto",
    progress: Callable[[Progress], None] | None = None,
    clock: Callable[[], float] = time.monotonic,
) -> Trained:
    """Train a student of a family on labels and on a teacher's means and variances.

    The teacher sees every input of a crop, the student what training leaves of it: so the student
    also learns what is to be said without some modalities. The teacher must have been trained on
    the same side of the split: what it knows of test subjects, the student learns.

    That a student learns from what a teacher says, not only from labels, is due to [1]_; that it is
    a divergence of Gaussians, weighted as `beta_nll` is, is ours.

    Parameters
    ----------
    teacher
        Left as it is.
    name
        Of the student's family in `MODELS`; one without descent has no use for a teacher.
    sequences, validation, settings, data, warning, device, progress, clock
        As for `train`; `settings.width` is the student's.
    share
        Of the loss that is the teacher's, in (0, 1]. At 1 labels only choose the epoch.

    Returns
    -------
    Trained
        The student; its card names the teacher's family.

    Raises
    ------
    BadInput
        The teacher has other modalities or features than the sequences, or `share` is out of range.

    References
    ----------
    .. [1] Hinton, Vinyals, Dean (2015). Distilling the knowledge in a neural network.
           arXiv:1503.02531.
    """
    if not 0 < share <= 1:
        raise BadInput(f"share={share} must be above 0 and at most 1")
    counts = feature_counts(sequences)
    known = tuple((modality.value, n) for modality, n in teacher.inputs.counts.items())
    if known != counts:
        raise BadInput(f"the teacher has the features {known}, the sequences {counts}")
    return train(
        name,
        sequences,
        validation=validation,
        settings=settings,
        data=f"{data}; taught by a {type(teacher).__name__}".removeprefix("; "),
        warning=warning,
        loss=teacher_loss(teacher, settings, share),
        device=device,
        progress=progress,
        clock=clock,
    )


def teacher_loss(teacher: FusionModel, settings: TrainingSettings, share: float = SHARE) -> Loss:
    """Return the loss of a student: labels, and the divergence from what the teacher says.

    Parameters
    ----------
    teacher
        Copied: later changes of it do not matter.
    settings
        Weights of the labels' loss.
    share
        Of the loss that is the teacher's, in (0, 1].

    Returns
    -------
    Loss
        What `train` takes.
    """
    teacher, labels = deepcopy(teacher).eval().requires_grad_(False), labels_loss(settings)

    def loss(output: FusionOutput, batch: Batch) -> Tensor:
        seen = batch.present if batch.recorded is None else batch.recorded
        with torch.no_grad():
            told: FusionOutput = teacher.to(seen.device)(batch.x, seen)
        apart = divergence(output, told, (seen > 0).any(-1))
        return (1 - share) * labels(output, batch) + share * apart

    return loss


def divergence(said: FusionOutput, told: FusionOutput, where: Tensor) -> Tensor:
    """Return the mean divergence KL(told || said), each term weighted with said variance^beta.

    The weight carries no gradient and does what it does in `beta_nll`: without it steps of small
    variance own the loss.

    Parameters
    ----------
    said, told
        Of the student and of the teacher, (batch, time, 2).
    where
        Steps that count, (batch, time).

    Returns
    -------
    Tensor
        Scalar, not negative.

    Examples
    --------
    >>> one = FusionOutput(torch.zeros(1, 3, 2), torch.zeros(1, 3, 2), torch.ones(1, 3, 1))
    >>> divergence(one, one, torch.ones(1, 3, dtype=torch.bool)).item()
    0.0
    """
    log_ratio = told.log_variance - said.log_variance
    squared = (said.mean - told.mean).square() * torch.exp(-said.log_variance)
    terms = 0.5 * (torch.exp(log_ratio) + squared - 1 - log_ratio)
    terms = terms * torch.exp(BETA * said.log_variance.detach()) * where.unsqueeze(-1)
    return terms.sum() / (said.mean.shape[-1] * where.sum().clamp(min=1))
