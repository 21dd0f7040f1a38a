"""Views as canonical correlation takes them: equal rows, standardised, absent ones marked."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from biosense.core.errors import BadInput
from biosense.core.types import Floats

Scale = tuple[Floats, Floats]
"""Mean and standard deviation of each column of a view; 1 for a constant one."""


def split_views(X: Any, widths: Sequence[int] = ()) -> list[Floats]:
    """Return views as float64 arrays of equal length.

    Parameters
    ----------
    X
        Views, each (n, features); or stacked (n, columns), with `widths`.
    widths
        Number of columns of each view of a stacked X; empty: X is a list of views.

    Returns
    -------
    list of Floats
        At least two, each (n, features).

    Raises
    ------
    BadInput
        Views of different lengths, fewer than two, or columns that do not fit `widths`.
    """
    if len(widths):
        whole = np.asarray(X, np.float64)
        if whole.ndim != 2 or whole.shape[1] != sum(widths):
            raise BadInput(
                f"X has shape {whole.shape}, wanted (n, {sum(widths)}): the sum of "
                f"views={tuple(widths)}"
            )
        parts = np.split(whole, np.cumsum(widths)[:-1], axis=1)
    else:
        parts = [np.asarray(part, np.float64) for part in X]
    if len(parts) < 2 or any(part.ndim != 2 for part in parts):
        raise BadInput(
            f"got {len(parts)} views; at least 2 arrays (n, features) are needed, or a stacked "
            "X and `views`, the number of columns of each"
        )
    if len({len(part) for part in parts}) > 1:
        raise BadInput(f"views have {[len(part) for part in parts]} rows; wanted equal numbers")
    return parts


def view_scale(view: Floats) -> Scale:
    """Return the scale of a view, over rows without a missing value.

    Parameters
    ----------
    view
        Shape (n, features).

    Returns
    -------
    Scale
        Both (features,).

    Raises
    ------
    BadInput
        Every row misses a value.
    """
    rows = view[np.isfinite(view).all(1)]
    if len(rows) == 0:
        raise BadInput("a view has no row without a missing value; leave the view out")
    spread = rows.std(0)
    return rows.mean(0), np.where(spread > 0, spread, 1.0)


def standardised_views(
    views: Sequence[Floats], scales: Sequence[Scale]
) -> tuple[list[Tensor], Tensor]:
    """Return standardised views with 0 for absent rows, and which rows are there.

    Parameters
    ----------
    views
        Each (n, features); a row with a missing value is absent.
    scales
        Of each view.

    Returns
    -------
    tuple
        Views, each (n, features) in float64, and presence, (views, n).
    """
    there = np.stack([np.isfinite(view).all(1) for view in views])
    rows = [
        torch.from_numpy(np.where(t[:, None], (view - centre) / spread, 0.0))
        for view, t, (centre, spread) in zip(views, there, scales, strict=True)
    ]
    return rows, torch.from_numpy(there)


def correlation(one: Floats, two: Floats) -> Floats:
    """Return Pearson's correlation of columns over the rows where both views are there.

    Parameters
    ----------
    one, two
        Projections, (n, components); a row of zeros is absent.

    Returns
    -------
    Floats
        In [-1, 1], (components,); 0 where a column is constant.
    """
    there = np.any(one, axis=1) & np.any(two, axis=1)
    a, b = (part[there] - part[there].mean(0) for part in (one, two))
    size = np.sqrt((a * a).sum(0) * (b * b).sum(0))
    return np.where(size > 0, (a * b).sum(0) / np.where(size > 0, size, 1.0), 0.0)
