"""Statistics of many short rows at once: what numpy's own cost by the call is saved.

A row is a window of samples, NaN where one is missing. Each row's result is the same whatever other
rows are asked for with it.
"""

from __future__ import annotations

import numpy as np

from biosense.core.types import Bools, Floats


def row_medians(values: Floats) -> Floats:
    """Return the median along the last axis, which holds no NaN.

    >>> row_medians(np.array([[3.0, 1.0, 2.0], [5.0, 9.0, 1.0]])).tolist()
    [2.0, 5.0]
    >>> row_medians(np.array([4.0, 1.0, 2.0, 3.0])).tolist()
    2.5
    """
    n = values.shape[-1]
    half = n // 2
    if n % 2:
        return np.asarray(np.partition(values, half, axis=-1)[..., half])
    parted = np.partition(values, half, axis=-1)
    return np.asarray((parted[..., :half].max(axis=-1) + parted[..., half]) / 2)


def chosen_medians(values: Floats, chosen: Bools) -> Floats:
    """Return the median of the chosen values of each row, shapes (k, n); NaN where none is.

    >>> chosen_medians(np.array([[9.0, 1.0, 2.0]]), np.array([[False, True, True]])).tolist()
    [1.5]
    """
    ranked = np.sort(np.where(chosen, values, np.inf), axis=-1)
    count = chosen.sum(axis=-1)
    rows = np.arange(len(ranked))
    low, high = np.maximum(count - 1, 0) // 2, np.minimum(count // 2, ranked.shape[1] - 1)
    middle = (ranked[rows, low] + ranked[rows, high]) / 2
    return np.asarray(np.where(count > 0, middle, np.nan))


def present_quantiles(values: Floats, share: float) -> Floats:
    """Return a quantile of the values of each row that are there, shape (..., n); NaN without any.

    Between two values it is the straight line, as in `np.quantile`.

    >>> present_quantiles(np.array([[4.0, np.nan, 1.0, 2.0], [np.nan] * 4]), 0.5).tolist()
    [2.0, nan]
    """
    n = values.shape[-1]
    if np.isfinite(values).all():  # nearly always: two of the values are all that is looked for
        at = int((n - 1) * share)
        ranked = np.partition(values, sorted({at, min(at + 1, n - 1)}), axis=-1)
    else:
        ranked = np.sort(values, axis=-1)  # NaN come last
    ranked = ranked.reshape(-1, n)
    last = np.isfinite(ranked).sum(axis=1) - 1
    place = np.maximum(last, 0) * share
    low = place.astype(np.int64)
    rows = np.arange(len(ranked))
    below, above = ranked[rows, low], ranked[rows, np.minimum(low + 1, np.maximum(last, 0))]
    part, step = place - low, above - below
    between = np.where(part >= 0.5, above - step * (1 - part), below + step * part)
    between[last < 0] = np.nan
    return np.asarray(between.reshape(values.shape[:-1]))


def present_slopes(values: Floats, rate: float) -> Floats:
    """Return the least-squares slope of each row, per second; NaN where one value is there or none.

    >>> present_slopes(np.array([[1.0, np.nan, 2.0]]), 2.0).tolist()
    [1.0]
    """
    present = np.isfinite(values)
    place = np.arange(values.shape[-1])
    count = np.maximum(present.sum(axis=-1, keepdims=True), 1)
    middle = (present * place).sum(axis=-1, keepdims=True) / count
    centred = present * (place - middle) / rate
    moment = (centred * np.where(present, values, 0.0)).sum(axis=-1)
    spread = np.square(centred).sum(axis=-1)
    return np.asarray(np.where(spread > 0, moment / np.maximum(spread, 1e-300), np.nan))
