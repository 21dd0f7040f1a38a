"""Learn the encoders of a model from sequences without labels: what modalities have in common."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from torch import Tensor, nn

from biosense.core.errors import BadInput
from biosense.models.base import FusionModel
from biosense.models.batches import collate, cut_sequence, feature_scale
from biosense.models.layers.cca_loss import multi_cca_loss
from biosense.models.layers.per_modality import PerModality
from biosense.models.sequences import LabelledSequence
from biosense.models.training.contrastive import Windows, contrastive_loss, found_again

Objective = Literal["contrastive", "dcca"]


@dataclass(frozen=True)
class PretrainingSettings:
    """Say how to pre-train.

    Parameters
    ----------
    steps
        Of the optimiser.
    crop_s
        Length of the crops of which a batch is made, seconds.
    crops
        In a batch; from as many different sequences as there are.
    apart_s
        Seconds between the windows that are compared, and the least between a window and its
        negatives of the same sequence: neighbours are nearly copies.
    size
        Of the projections that are compared; they are not part of the model.
    temperature
        Of InfoNCE.
    learning_rate, clip
        Of Adam; `clip` bounds the gradient's norm.
    seed
        Of everything random.
    """

    steps: int = 200
    crop_s: float = 60.0
    crops: int = 16
    apart_s: float = 4.0
    size: int = 8
    temperature: float = 0.2
    learning_rate: float = 2e-3
    clip: float = 1.0
    seed: int = 0

    def __post_init__(self) -> None:
        if min(self.steps, self.crops, self.size) < 1:
            raise BadInput(
                f"steps={self.steps}, crops={self.crops} and size={self.size} must be at least 1"
            )
        if not 0 < self.apart_s <= self.crop_s or not self.temperature > 0:
            raise BadInput(
                f"apart_s={self.apart_s} must lie between 0 and crop_s={self.crop_s}, and "
                f"temperature={self.temperature} above 0"
            )


DEFAULTS = PretrainingSettings()


@dataclass(frozen=True, eq=False)
class Pretrained:
    """Hold what is left of a pre-training beside the model.

    Parameters
    ----------
    project
        From tokens to what was compared.
    losses
        Of every step.
    settings
        How it was done.
    """

    project: PerModality
    losses: tuple[float, ...]
    settings: PretrainingSettings


def pretrain(
    model: FusionModel,
    sequences: Sequence[LabelledSequence],
    *,
    objective: Objective = "contrastive",
    settings: PretrainingSettings = DEFAULTS,
) -> Pretrained:
    """Train the encoders of a model on sequences whose targets are not looked at.

    "contrastive": in the projections of the modalities, windows find their own counterpart among
    windows of other sequences and, counted apart, among windows of the same subject: were there
    only strangers, telling people apart would do (InfoNCE [1]_). "dcca": the
    projections of all pairs of modalities correlate [2]_; means of sequences do not count.

    Give it sequences of training subjects only, as `train(..., prepare=pretrain)` does. The scale
    of features is set from them, too. torch's global random state is left as it was.

    Parameters
    ----------
    model
        Of a family that encodes each modality at each step; it is changed in place.
    sequences
        Of the training subjects; their targets are not looked at.
    objective
        What brings modalities together.
    settings
        How.

    Returns
    -------
    Pretrained
        What `retrieval` needs beside the model.

    Raises
    ------
    BadInput
        The model has no such encoders or one modality only, or no two modalities occur together.

    References
    ----------
    .. [1] Van den Oord, Li, Vinyals (2018). Representation learning with contrastive predictive
           coding. arXiv:1807.03748.
    .. [2] Andrew, Arora, Bilmes, Livescu (2013). Deep canonical correlation analysis. ICML.
    """
    if type(model).tokens is FusionModel.tokens or len(model.modalities) < 2:
        raise BadInput(
            f"{type(model).__name__} cannot be pre-trained: it needs encoders of two modalities or "
            "more that meet at each step, as gated and deep_cca have"
        )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(settings.seed)
        model.inputs.set_scale(feature_scale(sequences, model.config.modalities))
        width, n = model.config.width, len(model.modalities)
        project = PerModality((width,) * n, width, settings.size)
        learned = [p for p in [*model.parameters(), *project.parameters()] if p.requires_grad]
        optimiser = torch.optim.Adam(learned, lr=settings.learning_rate)
        rng, losses = np.random.default_rng(settings.seed), []
        model.train()
        for _ in range(settings.steps):
            windows = _draw(model, project, sequences, settings, rng)
            loss = _loss(windows, objective, settings)
            optimiser.zero_grad()
            torch.autograd.backward(loss)
            torch.nn.utils.clip_grad_norm_(learned, settings.clip)
            optimiser.step()
            losses.append(loss.item())
    if not any(losses):
        raise BadInput("no two modalities occur together in these sequences; nothing to compare")
    return Pretrained(project, tuple(losses), settings)


def retrieval(
    model: FusionModel, pretrained: Pretrained, sequences: Sequence[LabelledSequence]
) -> tuple[float, float]:
    """Say how often a window's nearest counterpart is its own, among windows of the same subject.

    It measures what "contrastive" trains; projections of "dcca" correlate without being alike.

    Parameters
    ----------
    model
        Left in evaluation mode.
    pretrained
        What `pretrain` returned for it.
    sequences
        Of people who were not trained on.

    Returns
    -------
    tuple
        Share of right answers over all windows and ordered pairs of modalities, and the share that
        guessing would reach.
    """
    model.eval()
    with torch.inference_mode():
        windows = _windows(model, pretrained.project, sequences, pretrained.settings)
    return found_again(windows, pretrained.settings.apart_s)


def _loss(windows: Windows, objective: Objective, settings: PretrainingSettings) -> Tensor:
    if objective == "contrastive":
        return contrastive_loss(windows, settings.temperature, settings.apart_s)
    if objective == "dcca":
        normed = nn.functional.layer_norm(windows.views, windows.views.shape[-1:])
        return multi_cca_loss(normed, windows.present, groups=windows.sequence).float()
    raise BadInput(f"objective={objective!r} must be 'contrastive' or 'dcca'")


def _draw(
    model: FusionModel,
    project: PerModality,
    sequences: Sequence[LabelledSequence],
    settings: PretrainingSettings,
    rng: np.random.Generator,
) -> Windows:
    """Cut random crops out of different sequences and return their windows."""
    length = max(1, round(settings.crop_s / model.config.hop))
    cut = []
    for k in rng.permutation(len(sequences))[: settings.crops]:
        start = int(rng.integers(0, max(sequences[k].n - length, 0) + 1))
        cut.append(cut_sequence(sequences[k], slice(start, start + length)))
    return _windows(model, project, cut, settings)


def _windows(
    model: FusionModel,
    project: PerModality,
    sequences: Sequence[LabelledSequence],
    settings: PretrainingSettings,
) -> Windows:
    """Return the windows of whole sequences, `apart_s` apart."""
    batch = collate(sequences, model.config.modalities)
    every = max(1, round(settings.apart_s / model.config.hop))
    x = {modality: values[:, ::every] for modality, values in batch.x.items()}
    tokens, quality = model.tokens(x, batch.present[:, ::every])
    size, time = quality.shape[:2]
    subjects = sorted({sequence.subject for sequence in sequences})
    who = torch.tensor([subjects.index(sequence.subject) for sequence in sequences])
    return Windows(
        project(tokens).flatten(0, 1),
        (quality > 0).flatten(0, 1),
        torch.arange(size).repeat_interleave(time),
        who.repeat_interleave(time),
        (torch.arange(time) * every * model.config.hop).repeat(size),
    )
