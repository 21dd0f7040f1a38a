"""Canonical correlation as a loss: what deep CCA maximises, without a single unsafe gradient."""

from __future__ import annotations

import itertools

import torch
from torch import Tensor

from biosense.core.errors import BadInput

RHO = 1e-3  # of the mean variance: relative, so that small features are not swamped
FLOOR = 1e-12  # lets Cholesky pass on a constant view; a larger one would swamp small features


def cca_loss(
    first: Tensor,
    second: Tensor,
    *,
    mask: Tensor | None = None,
    groups: Tensor | None = None,
    rho: float = RHO,
) -> Tensor:
    """Return minus the mean squared canonical correlation of two views, in [-1, 0].

    Deep CCA [1]_ sums the singular values of the whitened cross-covariance. Their
    squares have the same maximum and need neither eigenvectors nor square roots, whose gradients
    are NaN at repeated values and at zero: with Cholesky factors L of the covariances,
    T = L1^-1 S12 L2^-T and the loss is -|T|^2 / min(d1, d2). Computed in float64 whatever autocast
    says.

    By chance alone the loss of n independent rows is about -max(d1, d2) / n: rows should outnumber
    features by fifty or more, and come from many people and trials.

    Parameters
    ----------
    first, second
        Views, shapes (n, d1) and (n, d2).
    mask
        Rows that count, shape (n,): those where both views are present. All without it.
    groups
        Identity (of person or trial) of each row, shape (n,), integer. Each group's mean is taken
        out first: else what tells the people apart is the strongest correlation there is.
    rho
        Ridge on each covariance, as a share of its mean variance.

    Returns
    -------
    Tensor
        Scalar; 0, with a gradient of zero, where fewer than 2 degrees of freedom are left.

    Raises
    ------
    BadInput
        The views are no matrices of equal length.

    References
    ----------
    .. [1] Andrew, Arora, Bilmes, Livescu (2013). Deep canonical correlation analysis. ICML.

    Examples
    --------
    >>> view = torch.randn(500, 3, generator=torch.Generator().manual_seed(1))
    >>> round(float(cca_loss(view, 2 * view + 1)), 2)
    -1.0
    """
    if first.ndim != 2 or second.ndim != 2 or len(first) != len(second):
        raise BadInput(
            f"two views of equal length (n, d1) and (n, d2) are needed, got {tuple(first.shape)} "
            f"and {tuple(second.shape)}"
        )
    rows = torch.ones(len(first), dtype=torch.bool, device=first.device) if mask is None else mask
    with torch.autocast(first.device.type, enabled=False):
        views = [view[rows].double() for view in (first, second)]
        freedom, views = centre_groups(views, None if groups is None else groups[rows])
        if freedom < 2:
            return (first.sum() + second.sum()).double() * 0.0
        factors = [ridge_factor(view, freedom, rho) for view in views]
        cross = views[0].T @ views[1] / freedom
        half = torch.linalg.solve_triangular(factors[0], cross, upper=False)
        whitened = torch.linalg.solve_triangular(factors[1], half.T, upper=False)
        loss: Tensor = -whitened.square().sum() / min(cross.shape)
        return loss


def multi_cca_loss(
    views: Tensor, present: Tensor, *, groups: Tensor | None = None, rho: float = RHO
) -> Tensor:
    """Return the mean of `cca_loss` over all pairs of views, each on the rows where both are there.

    Parameters
    ----------
    views
        Shape (n, views, d).
    present
        Shape (n, views), boolean. A pair that shares fewer than 4 d rows is left out.
    groups, rho
        As for `cca_loss`.

    Returns
    -------
    Tensor
        Scalar in [-1, 0]; 0, with a gradient of zero, where no pair is left.

    Raises
    ------
    BadInput
        `views` and `present` do not fit each other.
    """
    if views.ndim != 3 or present.shape != views.shape[:2]:
        raise BadInput(
            f"views (n, views, d) and present (n, views) are needed, got {tuple(views.shape)} and "
            f"{tuple(present.shape)}"
        )
    least = 4 * views.shape[2]
    losses = []
    for i, j in itertools.combinations(range(views.shape[1]), 2):
        both = present[:, i] & present[:, j]
        if int(both.sum()) >= least:
            pair = cca_loss(views[:, i], views[:, j], mask=both, groups=groups, rho=rho)
            losses.append(pair)
    return torch.stack(losses).mean() if losses else views.double().sum() * 0.0


def centre_groups(views: list[Tensor], groups: Tensor | None) -> tuple[int, list[Tensor]]:
    """Take out the mean of each group; return the degrees of freedom left, and the views.

    Parameters
    ----------
    views
        Each (n, features).
    groups
        Of each row, (n,), integer; None: all rows are one group.

    Returns
    -------
    tuple
        Degrees of freedom, and the centred views, each (n, features).
    """
    n = len(views[0])
    if n == 0:
        return 0, views
    if groups is None:
        return n - 1, [view - view.mean(0) for view in views]
    _, number = torch.unique(groups, return_inverse=True)
    count = torch.bincount(number)
    centred = []
    for view in views:
        total = view.new_zeros(len(count), view.shape[1]).index_add(0, number, view)
        centred.append(view - (total / count[:, None])[number])
    return n - len(count), centred


def ridge_factor(view: Tensor, freedom: int, rho: float) -> Tensor:
    """Return the Cholesky factor of a centred view's covariance, with its relative ridge.

    Parameters
    ----------
    view
        Centred, (n, features).
    freedom
        Degrees of freedom of its rows.
    rho
        Ridge, as a share of the mean variance.

    Returns
    -------
    Tensor
        Lower triangle, (features, features).
    """
    covariance = view.T @ view / freedom
    ridge = rho * covariance.diagonal().mean() + FLOOR
    factor: Tensor = torch.linalg.cholesky(covariance + ridge * torch.eye(len(view.T)).to(view))
    return factor
