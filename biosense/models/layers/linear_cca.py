"""Linear canonical correlation of any number of views, in closed form."""

from __future__ import annotations

import torch
from torch import Tensor

from biosense.core.errors import BadInput
from biosense.models.layers.cca_loss import FLOOR, centre_groups, ridge_factor


def max_var_cca(
    views: list[Tensor], there: Tensor, groups: Tensor | None, most: int, rho: float
) -> tuple[list[Tensor], list[Tensor]]:
    """Return means and maps of each view by MAX-VAR CCA [1]_, which is CCA for two views.

    Parameters
    ----------
    views
        Each (n, features).
    there
        Rows in which a view is present, (views, n); those with all views count.
    groups
        Identity of each row, (n,), whose means are taken out; None: all rows are one group.
    most
        Components, at most; no more than the narrowest view has columns.
    rho
        Ridge on each covariance, as a share of its mean variance.

    Returns
    -------
    tuple of list of Tensor
        Mean (features,) and map (features, components) of each view.

    Raises
    ------
    BadInput
        Fewer than 2 degrees of freedom are left.

    References
    ----------
    .. [1] Kettenring (1971). Canonical analysis of several sets of variables. Biometrika 58(3).
    """
    whole = there.all(0)
    rows = [view[whole] for view in views]
    freedom, centred = centre_groups(rows, None if groups is None else groups[whole])
    if freedom < 2:
        raise BadInput(
            f"{len(rows[0])} rows with all views are too few: 2 degrees of freedom must be left "
            "after a mean for each group"
        )
    factors = [ridge_factor(view, freedom, rho) for view in centred]
    white = [
        torch.linalg.solve_triangular(factor, view.T, upper=False).T
        for factor, view in zip(factors, centred, strict=True)
    ]
    stacked, widths = torch.cat(white, 1), [view.shape[1] for view in views]
    _, vectors = torch.linalg.eigh(stacked.T @ stacked / freedom)
    parts = vectors.flip(1)[:, : min(most, *widths)].split(widths)
    # Eigenvectors have no sign of their own; this gives them one.
    sign = torch.where(parts[0].sum(0) < 0, -1.0, 1.0)
    maps = []
    for factor, part, view in zip(factors, parts, centred, strict=True):
        way = torch.linalg.solve_triangular(factor.T, part * sign, upper=True)
        spread = ((view @ way).square().sum(0) / freedom).sqrt()
        maps.append(way / spread.clamp(min=FLOOR))
    return [view.mean(0) for view in rows], maps
