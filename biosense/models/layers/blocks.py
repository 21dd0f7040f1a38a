"""Layers that fusion models share: the way in for ragged features, the way out to a Gaussian."""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch
from torch import Tensor, nn

from biosense.core.errors import BadInput
from biosense.core.types import Modality

CLIP_SD = 6.0  # standardised features beyond this are artefacts, not physiology
LOG_VARIANCE = (2 * math.log(0.03), 0.0)  # sd from 0.03, finer than any rating, to 1, no idea
UNIFORM_VARIANCE = 1 / 3  # of a uniform value in [-1, 1]: the prior before training sets it


class Standardised(dict[Modality, Tensor]):
    """Features that one `FeatureInputs` has gone over: others of the same scale let them pass."""

    def __init__(self, x: Mapping[Modality, Tensor], known: tuple[Tensor, Tensor, Tensor]) -> None:
        super().__init__(x)
        self.known = known


class FeatureInputs(nn.Module):
    """Standardise the features of all modalities and stack them into one padded tensor.

    One tensor lets all modalities pass through the same few operations, which is what makes a
    streaming step fast. Missing values (NaN or infinite features, absent modalities, padding)
    become 0, the average of a standardised feature. A modality with no finite feature is absent.

    Parameters
    ----------
    modalities
        (name, number of features) of each modality.

    Examples
    --------
    >>> layer = FeatureInputs((("eda", 1), ("ecg", 2)))
    >>> x = {Modality.EDA: torch.tensor([[2.0]]), Modality.ECG: torch.tensor([[1e9, 1.0]])}
    >>> layer(x, torch.tensor([[1.0, 0.0]]))
    (tensor([[[2., 0.],
             [0., 0.]]]), tensor([[1., 0.]]))
    """

    centre: Tensor
    inverse: Tensor
    _real: Tensor
    _index: Tensor

    def __init__(self, modalities: tuple[tuple[str, int], ...]) -> None:
        super().__init__()
        if not modalities or any(count < 1 for _, count in modalities):
            raise BadInput(
                f"a model needs modalities with at least 1 feature each, got {modalities}"
            )
        self.counts = {Modality(name): count for name, count in modalities}
        if len(self.counts) != len(modalities):
            raise BadInput(f"each modality may be named once, got {modalities}")
        self.widest = max(self.counts.values())
        shape = (len(modalities), self.widest)
        real = torch.arange(self.widest) < torch.tensor([[n] for n in self.counts.values()])
        self.register_buffer("centre", torch.zeros(shape))
        self.register_buffer("inverse", torch.ones(shape))
        self.register_buffer("_real", real, persistent=False)
        index = (real.flatten().cumsum(0) - 1).reshape(shape)  # padding repeats a feature, unused
        self.register_buffer("_index", index, persistent=False)

    def set_scale(self, scale: Mapping[Modality, tuple[Tensor, Tensor]]) -> None:
        """Set centre and spread of each modality's features, both (features,)."""
        for row, (modality, count) in enumerate(self.counts.items()):
            centre, spread = scale[modality]
            self.centre[row, :count] = centre
            self.inverse[row, :count] = 1 / spread

    def forward(self, x: Mapping[Modality, Tensor], present: Tensor) -> tuple[Tensor, Tensor]:
        """Return features (.., modalities, widest) and quality (.., modalities), both clean."""
        values, quality, _ = self.known(x, present)
        return values, quality

    def known(self, x: Mapping[Modality, Tensor], present: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return what `forward` does, and which features had a value, (.., modalities, widest)."""
        if isinstance(x, Standardised):
            return x.known
        parts = [self._part(x, modality, present) for modality in self.counts]
        padded = torch.cat(parts, -1)[..., self._index]  # (.., modalities, widest)
        values = (padded - self.centre) * self.inverse
        quality = torch.nan_to_num(present).clamp(0, 1)
        usable = torch.isfinite(values) & self._real & (quality > 0).unsqueeze(-1)
        values = torch.where(usable, values, 0.0).clamp(-CLIP_SD, CLIP_SD)
        return values, quality * usable.any(-1), usable

    def _part(self, x: Mapping[Modality, Tensor], modality: Modality, present: Tensor) -> Tensor:
        wanted = (*present.shape[:-1], self.counts[modality])
        if modality not in x:
            return present.new_full(wanted, torch.nan)
        if x[modality].shape != wanted:
            raise BadInput(
                f"features of {modality} have shape {tuple(x[modality].shape)}, wanted {wanted}"
            )
        return x[modality]


class PerModality(nn.Module):
    """Apply a linear map of its own to each modality, all of them in one operation.

    Parameters
    ----------
    sizes
        Inputs of each modality that are not padding: they set the scale of its initial weights.
    widest
        Inputs, padding included.
    out
        Outputs.
    bias
        Whether to add a learned constant.
    """

    def __init__(self, sizes: tuple[int, ...], widest: int, out: int, *, bias: bool = True) -> None:
        super().__init__()
        bound = torch.tensor(sizes).rsqrt()[:, None, None]
        self.weight = nn.Parameter((2 * torch.rand(len(sizes), widest, out) - 1) * bound)
        self.bias = nn.Parameter(torch.zeros(len(sizes), out)) if bias else None

    def forward(self, x: Tensor) -> Tensor:
        """Map (.., modalities, widest) to (.., modalities, out)."""
        rows = x.flatten(0, -3).transpose(0, 1)  # (modalities, n, widest)
        mapped = torch.bmm(rows, self.weight).transpose(0, 1).reshape(*x.shape[:-1], -1)
        return mapped if self.bias is None else mapped + self.bias


class PriorBlend(nn.Module):
    """Blend an estimate with the prior: what a model says when it has seen nothing.

    The blend is the Gaussian with the moments of a mixture of the model's own estimate, weighted
    with the evidence, and the prior, weighted with the rest. A model without evidence thus says the
    prior with its large variance, and says it by construction, not by training.
    """

    prior_mean: Tensor
    prior_variance: Tensor
    log_temperature: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("prior_mean", torch.zeros(2))
        self.register_buffer("prior_variance", torch.full((2,), UNIFORM_VARIANCE))
        self.register_buffer("log_temperature", torch.zeros(2))

    def last_layer(self) -> nn.Linear | None:
        """Return the layer whose output is squashed into the mean; None: it is not of the head."""
        return None

    def blend(self, own: Tensor, log_own: Tensor, evidence: Tensor) -> tuple[Tensor, Tensor]:
        """Blend mean and log-variance (.., 2) by evidence (..) in [0, 1]."""
        share = evidence.unsqueeze(-1)
        apart = own - self.prior_mean
        variance = share * torch.exp(log_own + self.log_temperature) + (1 - share) * (
            self.prior_variance + share * apart.square()
        )
        return self.prior_mean + share * apart, torch.log(variance)


class GaussianHead(PriorBlend):
    """Turn a representation into mean and log-variance, falling back to a prior without evidence.

    Parameters
    ----------
    width
        Size of the representation.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.mean = nn.Linear(width, 2)
        self.spread = nn.Linear(width, 2)
        nn.init.constant_(self.spread.bias, unsure())

    def last_layer(self) -> nn.Linear:
        """Return the layer whose output is squashed into the mean."""
        return self.mean

    def forward(self, hidden: Tensor, evidence: Tensor) -> tuple[Tensor, Tensor]:
        """Map (.., width) and evidence (..) to mean and log-variance, both (.., 2)."""
        own, log_own = bounded(self.mean(hidden), self.spread(hidden))
        return self.blend(own, log_own, evidence)


def bounded(mean: Tensor, spread: Tensor) -> tuple[Tensor, Tensor]:
    """Map any numbers to a mean in [-1, 1] and a log-variance within `LOG_VARIANCE`."""
    low, high = LOG_VARIANCE
    return torch.tanh(mean), low + (high - low) * torch.sigmoid(spread)


def unsure() -> float:
    """Return the spread with which training starts: that of a uniform value.

    A variance that begins too small drives the first steps of the likelihood.
    """
    low, high = LOG_VARIANCE
    start = (math.log(UNIFORM_VARIANCE) - low) / (high - low)
    return math.log(start / (1 - start))
