"""What training minimises: CCC over sequences, squared error, and beta-NLL for the variance.

Every loss takes a mask of known targets; a target that is not known (NaN) gives no gradient.
"""

from __future__ import annotations

import torch
from torch import Tensor

from biosense.models.base import FusionOutput

BETA = 0.5  # 2203.09168: between likelihood (0) and squared error (1)
_MIN_SPREAD = 1e-6  # below this variance a target is constant: CCC has no gradient to give


def ccc_loss(mean: Tensor, target: Tensor, known: Tensor) -> Tensor:
    """Return 1 - CCC [1]_, averaged over sequences and targets.

    Population moments, as in `biosense.models.evaluation.metrics.ccc`. Sequences with fewer than
    two known or with constant targets are skipped: their CCC is 0 whatever the prediction.

    Parameters
    ----------
    mean, target
        Shape (batch, time, 2).
    known
        Where the target is known, shape (batch, time, 2).

    Returns
    -------
    Tensor
        Scalar in [0, 2]; 0 if no sequence can be scored.

    References
    ----------
    .. [1] Lin (1989). A concordance correlation coefficient to evaluate reproducibility. Biometrics
           45(1).

    Examples
    --------
    >>> y = torch.tensor([[[0.1, 0.5], [0.2, 0.1], [0.3, 0.3]]])
    >>> round(ccc_loss(y, y, torch.ones_like(y, dtype=torch.bool)).item(), 6)
    0.0
    """
    share = known.to(mean.dtype) / known.sum(1, keepdim=True).clamp(min=1)
    target = torch.where(known, target, 0.0)
    mean_p, mean_y = (mean * share).sum(1, keepdim=True), (target * share).sum(1, keepdim=True)
    off_p, off_y = mean - mean_p, target - mean_y
    var_p, var_y = (share * off_p.square()).sum(1), (share * off_y.square()).sum(1)
    cov = (share * off_p * off_y).sum(1)
    usable = var_y > _MIN_SPREAD  # (batch, 2)
    bias = (mean_p - mean_y).squeeze(1)
    concordance = 2 * cov / torch.where(usable, var_p + var_y + bias.square(), 1.0)
    return ((1 - concordance) * usable).sum() / usable.sum().clamp(min=1)


def pooled_ccc_loss(mean: Tensor, target: Tensor, known: Tensor) -> Tensor:
    """Return 1 - CCC of the whole batch as one sequence: the companion that sees levels.

    Parameters
    ----------
    mean, target
        Shape (batch, time, 2).
    known
        Where the target is known, (batch, time, 2), boolean.

    Returns
    -------
    Tensor
        Scalar in [0, 2].
    """
    return ccc_loss(*(x.flatten(0, 1).unsqueeze(0) for x in (mean, target, known)))


def squared_error(mean: Tensor, target: Tensor, known: Tensor) -> Tensor:
    """Return the mean squared error over known targets.

    Parameters
    ----------
    mean, target
        Shape (batch, time, 2).
    known
        Where the target is known, (batch, time, 2), boolean.

    Returns
    -------
    Tensor
        Scalar; 0 without a known target.
    """
    error = torch.where(known, mean - torch.where(known, target, 0.0), 0.0)
    return error.square().sum() / known.sum().clamp(min=1)


def beta_nll(
    mean: Tensor, log_variance: Tensor, target: Tensor, known: Tensor, beta: float = BETA
) -> Tensor:
    """Return the Gaussian negative log-likelihood, each term weighted with variance^beta.

    The weight carries no gradient. At beta 1 the gradient of the mean is that of half the squared
    error, at beta 0 this is the plain likelihood, which neglects regions that are hard to predict
    [1]_.

    Parameters
    ----------
    mean, log_variance, target
        Shape (batch, time, 2).
    known
        Where the target is known, (batch, time, 2), boolean.
    beta
        In [0, 1].

    Returns
    -------
    Tensor
        Scalar; 0 without a known target.

    References
    ----------
    .. [1] Seitzer, Tavakoli, Antic, Martius (2022). On the pitfalls of heteroscedastic uncertainty
           estimation with probabilistic neural networks. ICLR, arXiv:2203.09168.
    """
    error = torch.where(known, mean - torch.where(known, target, 0.0), 0.0)
    weight = torch.exp(beta * log_variance.detach())
    terms = 0.5 * weight * (log_variance + error.square() * torch.exp(-log_variance))
    return torch.where(known, terms, 0.0).sum() / known.sum().clamp(min=1)


def fusion_loss(
    output: FusionOutput, target: Tensor, *, squared: float = 0.3, likelihood: float = 0.3
) -> Tensor:
    """Return the training loss: CCC in both senses + squared error + beta-NLL + what comes with it.

    What comes with it are the model's penalty, and the mean of the same loss over the estimates of
    single modalities, where it has any.

    Parameters
    ----------
    output
        Of a model, over whole sequences or long crops.
    target
        Shape (batch, time, 2), NaN where unknown.
    squared, likelihood
        Weights of the two companions of the CCC. CCC alone leaves the scale to chance and RMSE
        alone shrinks the estimate; .1 to .5 of squared error keeps both in sight.

    Returns
    -------
    Tensor
        Scalar.
    """
    known = torch.isfinite(target)
    mean = output.mean
    loss = (
        0.5 * ccc_loss(mean, target, known)
        + 0.5 * pooled_ccc_loss(mean, target, known)
        + squared * squared_error(mean, target, known)
        + likelihood * beta_nll(mean, output.log_variance, target, known)
    )
    if output.unimodal:
        parts = [
            fusion_loss(part, target, squared=squared, likelihood=likelihood)
            for part in output.unimodal
        ]
        loss = loss + torch.stack(parts).mean()
    return loss if output.penalty is None else loss + output.penalty
