"""Sums of pairs of estimate and target, and the scores that are made of them.

Sums add up over people, so ten thousand resamples of a score are one matrix product.
"""

from __future__ import annotations

import numpy as np

from biosense.core.types import Floats

_CONSTANT = 1e-12  # variance, in squares of the scale of ratings, below which nothing varies


def moments(p: Floats, y: Floats) -> Floats:
    """Return n and the sums of p, y, p*p, y*y and p*y over the pairs that are known."""
    known = np.isfinite(p) & np.isfinite(y)
    a, b = p[known], y[known]
    return np.array([len(a), a.sum(), b.sum(), a @ a, b @ b, a @ b], np.float64)


def ccc_of(sums: Floats) -> Floats:
    """Return the CCC of pooled moments, (.., 6); the conventions are those of `models.metrics`."""
    mean_p, mean_y, var_p, var_y, cov = _central(sums)
    total = var_p + var_y + (mean_p - mean_y) ** 2
    flat = (var_p < _CONSTANT) | (var_y < _CONSTANT)
    with np.errstate(invalid="ignore", divide="ignore"):
        value = np.where(flat, (total < _CONSTANT) * 1.0, 2 * cov / total)
    return np.where(sums[..., 0] > 0, value, np.nan)


def pearson_of(sums: Floats) -> Floats:
    """Return Pearson's correlation of pooled moments, (.., 6); 0 where either is constant."""
    _, _, var_p, var_y, cov = _central(sums)
    flat = (var_p < _CONSTANT) | (var_y < _CONSTANT)
    with np.errstate(invalid="ignore", divide="ignore"):
        value = np.where(flat, 0.0, np.clip(cov / np.sqrt(var_p * var_y), -1, 1))
    return np.where(sums[..., 0] > 0, value, np.nan)


def rmse_of(sums: Floats) -> Floats:
    """Return the RMSE of pooled moments, (.., 6)."""
    with np.errstate(invalid="ignore", divide="ignore"):
        square = (sums[..., 3] + sums[..., 4] - 2 * sums[..., 5]) / sums[..., 0]
    return np.sqrt(np.maximum(square, 0.0))


def mean_of(sums: Floats) -> Floats:
    """Return the mean of (sum, count), (.., 2)."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(sums[..., 0] / sums[..., 1])


def _central(sums: Floats) -> tuple[Floats, Floats, Floats, Floats, Floats]:
    with np.errstate(invalid="ignore", divide="ignore"):
        p, y, pp, yy, py = (sums[..., k] / sums[..., 0] for k in range(1, 6))
    return p, y, np.maximum(pp - p * p, 0.0), np.maximum(yy - y * y, 0.0), py - p * y


def macro_f1_of(sums: Floats) -> Floats:
    """Return macro-F1 of counts (.., 4): high said high, low said high, high said low, low."""
    hit, false, missed, low = (sums[..., k] for k in range(4))
    scores = []
    for right in (hit, low):
        total = 2 * right + false + missed
        scores.append(np.where(total > 0, 2 * right / np.maximum(total, 1), np.nan))
    known = np.isfinite(scores)
    total = np.where(known, scores, 0.0).sum(0)
    return np.asarray(np.where(known.any(0), total / np.maximum(known.sum(0), 1), np.nan))


def balanced_accuracy_of(sums: Floats) -> Floats:
    """Return the balanced accuracy of counts (.., 4); NaN where there is one class only."""
    hit, false, missed, low = (sums[..., k] for k in range(4))
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray((hit / (hit + missed) + low / (low + false)) / 2)
