"""Canonical correlation of two views in closed form: what losses and transformers are held to."""

from __future__ import annotations

import numpy as np

from biosense.core.types import Floats


def closed_form_cca(first: Floats, second: Floats) -> tuple[Floats, Floats, Floats]:
    """Return maps to variates of unit variance, and correlations (Bjorck & Golub 1973)."""
    (q1, r1), (q2, r2) = (np.linalg.qr(view - view.mean(0)) for view in (first, second))
    left, correlations, right = np.linalg.svd(q1.T @ q2, full_matrices=False)
    size = np.sqrt(len(first) - 1)
    return np.linalg.solve(r1, left) * size, np.linalg.solve(r2, right.T) * size, correlations
