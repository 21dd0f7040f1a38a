"""What each feature adds to the mean estimate of a sequence: integrated gradients."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from biosense.core.affect import TARGETS
from biosense.core.errors import BadInput
from biosense.core.types import Floats, Modality
from biosense.models.base import FusionModel
from biosense.models.batches import collate
from biosense.models.sequences import LabelledSequence


@dataclass(frozen=True, eq=False)
class FeatureContributions:
    """Hold how much each feature of a sequence moved its mean estimate.

    Parameters
    ----------
    values
        Of each modality, (time, features, 2), targets in the order of `TARGETS`: what the feature
        at that time added to the estimate averaged over the sequence.
    output, baseline
        That average, (2,), and what it is with every feature at its training median.
    """

    values: Mapping[Modality, Floats]
    output: Floats
    baseline: Floats

    @property
    def by_feature(self) -> dict[Modality, Floats]:
        """Sums over time of each modality, (features, 2)."""
        return {modality: values.sum(0) for modality, values in self.values.items()}


def feature_contributions(
    model: FusionModel, sequence: LabelledSequence, *, points: int = 32
) -> FeatureContributions:
    """Attribute a sequence's mean estimate to features, by integrated gradients.

    The path leads from every feature at its training median to the sequence as it is; which
    modalities are present stays the same along it. Contributions sum to `output - baseline` but for
    the error of integration, which falls with `points` [1]_. A
    feature without a value contributes nothing.

    Parameters
    ----------
    model
        Of any family; it is left in evaluation mode.
    sequence
        Of one recording.
    points
        Of the path at which gradients are taken (midpoint rule).

    Returns
    -------
    FeatureContributions
        Of the estimate averaged over the sequence.

    Raises
    ------
    BadInput
        `points` is below 1.

    References
    ----------
    .. [1] Sundararajan, Taly, Yan (2017). Axiomatic attribution for deep networks. ICML,
           arXiv:1703.01365.
    """
    if points < 1:
        raise BadInput(f"points={points} must be at least 1")
    model.eval()
    batch = collate([sequence], model.config.modalities).to(model.head.prior_mean.device)
    start = _medians(model)
    ends = {m: torch.where(torch.isfinite(v), v, start[m]) for m, v in batch.x.items()}
    slopes = _mean_gradients(model, start, ends, batch.present, points)
    values = {m: ((ends[m] - start[m]).unsqueeze(-1) * slopes[m])[0] for m in ends}
    return FeatureContributions(
        {modality: moved.double().cpu().numpy() for modality, moved in values.items()},
        _mean_output(model, ends, batch.present),
        _mean_output(model, {m: start[m].expand_as(v) for m, v in ends.items()}, batch.present),
    )


def _mean_gradients(
    model: FusionModel,
    start: Mapping[Modality, Tensor],
    ends: Mapping[Modality, Tensor],
    present: Tensor,
    points: int,
) -> dict[Modality, Tensor]:
    """Return the gradients of the mean estimate, averaged along the path, (1, .., targets)."""
    total = {m: [torch.zeros_like(v) for _ in TARGETS] for m, v in ends.items()}
    # cuDNN's GRU has no backward pass outside training.
    with torch.backends.cudnn.flags(enabled=False):
        for k in range(points):
            share = (k + 0.5) / points
            x = {m: (start[m] + share * (v - start[m])).requires_grad_() for m, v in ends.items()}
            means = model(x, present).mean[0].mean(0)
            for column in range(len(TARGETS)):
                gradients = torch.autograd.grad(means[column], list(x.values()), retain_graph=True)
                for modality, gradient in zip(x, gradients, strict=True):
                    total[modality][column] += gradient / points
    return {modality: torch.stack(parts, -1) for modality, parts in total.items()}


def _medians(model: FusionModel) -> dict[Modality, Tensor]:
    """Return the centre of each modality's features: what counts as nothing unusual."""
    rows = enumerate(model.inputs.counts.items())
    return {modality: model.inputs.centre[row, :count].clone() for row, (modality, count) in rows}


def _mean_output(model: FusionModel, x: Mapping[Modality, Tensor], present: Tensor) -> Floats:
    with torch.inference_mode():
        mean: Floats = model(x, present).mean[0].mean(0).double().cpu().numpy()
    return mean
