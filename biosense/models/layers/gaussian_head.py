"""The way out of every model: a Gaussian, blended with the prior where nothing was measured."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

LOG_VARIANCE = (2 * math.log(0.03), 0.0)  # sd from 0.03, finer than any rating, to 1, no idea
UNIFORM_VARIANCE = 1 / 3  # of a uniform value in [-1, 1]: the prior before training sets it


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
        """Return the layer whose output is squashed into the mean.

        Returns
        -------
        torch.nn.Linear or None
            None: it is no part of this head.
        """
        return None

    def blend(self, own: Tensor, log_own: Tensor, evidence: Tensor) -> tuple[Tensor, Tensor]:
        """Blend an estimate with the prior, by how far it rests on inputs.

        Parameters
        ----------
        own
            Mean of the model's own estimate, (.., 2).
        log_own
            Logarithm of its variance, (.., 2).
        evidence
            In [0, 1], shape (..).

        Returns
        -------
        tuple of Tensor
            Mean and log-variance, both (.., 2).
        """
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
        nn.init.constant_(self.spread.bias, initial_spread())

    def last_layer(self) -> nn.Linear:
        """Return the layer whose output is squashed into the mean.

        Returns
        -------
        torch.nn.Linear
            From the representation to (.., 2).
        """
        return self.mean

    def forward(self, hidden: Tensor, evidence: Tensor) -> tuple[Tensor, Tensor]:
        """Estimate from a representation, and blend with the prior.

        Parameters
        ----------
        hidden
            Representation, (.., width).
        evidence
            In [0, 1], shape (..).

        Returns
        -------
        tuple of Tensor
            Mean and log-variance, both (.., 2).
        """
        own, log_own = bounded(self.mean(hidden), self.spread(hidden))
        return self.blend(own, log_own, evidence)


def bounded(mean: Tensor, spread: Tensor) -> tuple[Tensor, Tensor]:
    """Map any numbers to a mean in [-1, 1] and a log-variance within `LOG_VARIANCE`.

    Parameters
    ----------
    mean, spread
        Any numbers, of one shape.

    Returns
    -------
    tuple of Tensor
        Mean and log-variance, of that shape.
    """
    low, high = LOG_VARIANCE
    return torch.tanh(mean), low + (high - low) * torch.sigmoid(spread)


def initial_spread() -> float:
    """Return the spread with which training starts: that of a uniform value.

    A variance that begins too small drives the first steps of the likelihood.

    Returns
    -------
    float
        What `bounded` turns into the log-variance of a uniform value in [-1, 1].
    """
    low, high = LOG_VARIANCE
    start = (math.log(UNIFORM_VARIANCE) - low) / (high - low)
    return math.log(start / (1 - start))
