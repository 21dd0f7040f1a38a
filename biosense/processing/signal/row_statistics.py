"""Statistics of many short rows at once: what numpy's own cost by the call is saved.

A row is a window of samples, NaN where one is missing. Each row's result is the same whatever other
rows are asked for with it.
"""

from __future__ import annotations

import numpy as np

from biosense.core.types import Bools, Floats, Ints


def row_medians(values: Floats) -> Floats:
    """Return the median along the last axis.

    Parameters
    ----------
    values
        Shape (..., n), without NaN.

    Returns
    -------
    Floats
        Shape (...).

    Examples
    --------
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
    """Return the median of the chosen values of each row.

    Parameters
    ----------
    values
        Shape (k, n).
    chosen
        Shape (k, n).

    Returns
    -------
    Floats
        Shape (k,); NaN where none is chosen.

    Examples
    --------
    >>> chosen_medians(np.array([[9.0, 1.0, 2.0]]), np.array([[False, True, True]])).tolist()
    [1.5]
    """
    if chosen.all():
        return row_medians(values)
    ranked = np.sort(np.where(chosen, values, np.inf), axis=-1)
    count = chosen.sum(axis=-1)
    rows = np.arange(len(ranked))
    low, high = np.maximum(count - 1, 0) // 2, np.minimum(count // 2, ranked.shape[1] - 1)
    middle = (ranked[rows, low] + ranked[rows, high]) / 2
    return np.asarray(np.where(count > 0, middle, np.nan))


def present_quantiles(values: Floats, share: float) -> Floats:
    """Return a quantile of the values of each row that are there.

    Between two values it is the straight line, as in `np.quantile`.

    Parameters
    ----------
    values
        Shape (..., n); NaN where one is missing.
    share
        Of the values that lie below, 0 to 1.

    Returns
    -------
    Floats
        Shape (...); NaN where none is there.

    Examples
    --------
    >>> present_quantiles(np.array([[4.0, np.nan, 1.0, 2.0], [np.nan] * 4]), 0.5).tolist()
    [2.0, nan]
    """
    n = values.shape[-1]
    present = np.isfinite(values)
    if present.all():  # nearly always: two of the values are all that is looked for
        at = int((n - 1) * share)
        ranked = np.partition(values, sorted({at, min(at + 1, n - 1)}), axis=-1).reshape(-1, n)
        last = np.full(len(ranked), n - 1)
    else:
        ranked = np.sort(values, axis=-1).reshape(-1, n)  # NaN come last
        last = present.reshape(-1, n).sum(axis=1) - 1
    place = np.maximum(last, 0) * share
    low = place.astype(np.int64)
    rows = np.arange(len(ranked))
    below, above = ranked[rows, low], ranked[rows, np.minimum(low + 1, np.maximum(last, 0))]
    between = _between(below, above, place - low)
    between[last < 0] = np.nan
    return np.asarray(between.reshape(values.shape[:-1]))


def overlapping_quantiles(values: Floats, starts: Ints, n: int, share: float) -> Floats:
    """Return `present_quantiles` of windows that overlap.

    The values that all windows have in common are sorted once, and of the others those that lie
    near the quantile.

    Parameters
    ----------
    values
        Shape (m,); NaN where one is missing.
    starts
        Where each window begins, rising, shape (k,).
    n
        Values of a window.
    share
        Of the values that lie below, 0 to 1.

    Returns
    -------
    Floats
        Shape (k,); NaN where none is there.

    Examples
    --------
    >>> values = np.array([4.0, 1.0, np.nan, 2.0, 9.0])
    >>> overlapping_quantiles(values, np.array([0, 1]), 4, 0.5).tolist()
    [2.0, 2.0]
    """
    if len(starts) == 1:
        return present_quantiles(values[starts[0] : starts[0] + n][None], share)
    there = np.flatnonzero(np.isfinite(values))
    values, begins = values[there], np.searchsorted(there, starts)
    stops = np.searchsorted(there, starts + n)
    count = stops - begins
    place = np.maximum(count - 1, 0) * share
    at = place.astype(np.int64)
    common = np.sort(values[begins[-1] : stops[0]])
    first, last = int((at - count).min()) + len(common), int(at.max()) + 1
    # Of what a window holds besides, all may be smaller than the common values, or all greater.
    least = common[first] if 0 <= first < len(common) else -np.inf
    most = common[last] if last < len(common) else np.inf
    smaller = np.concatenate(([0], np.cumsum(values < least)))
    near = np.flatnonzero((values >= least) & (values <= most))
    ranked = _ranked(values[near], np.searchsorted(near, begins), np.searchsorted(near, stops))
    rows, low = np.arange(len(starts)), at - (smaller[stops] - smaller[begins])
    below, above = ranked[rows, low], ranked[rows, np.minimum(low + 1, low - at + count - 1)]
    return np.where(count > 0, _between(below, above, place - at), np.nan)


def _ranked(values: Floats, begins: Ints, stops: Ints) -> Floats:
    """Return the values from each of `begins` to each of `stops` in rising order, then zeros."""
    places = begins[:, None] + np.arange(max(1, int((stops - begins).max())))
    inside = places < stops[:, None]
    padded = np.concatenate((values, [np.inf]))
    ranked = np.sort(padded[np.where(inside, places, len(values))], axis=1)
    return np.where(np.isfinite(ranked), ranked, 0.0)


def _between(below: Floats, above: Floats, part: Floats) -> Floats:
    """Return what lies on the straight line between two values; `part` of it is behind."""
    step = above - below
    return np.where(part >= 0.5, above - step * (1 - part), below + step * part)


def present_slopes(values: Floats, rate: float) -> Floats:
    """Return the least-squares slope of each row.

    Parameters
    ----------
    values
        Shape (..., n); NaN where one is missing.
    rate
        Values per second.

    Returns
    -------
    Floats
        Per second, shape (...); NaN where one value is there or none.

    Examples
    --------
    >>> present_slopes(np.array([[1.0, np.nan, 2.0]]), 2.0).tolist()
    [1.0]
    """
    present = np.isfinite(values)
    place = np.arange(values.shape[-1])
    if present.all():  # nearly always: one row of what each value counts will do for all
        present = np.ones(values.shape[-1], np.bool_)
    count = np.maximum(present.sum(axis=-1, keepdims=True), 1)
    middle = (present * place).sum(axis=-1, keepdims=True) / count
    centred = present * (place - middle) / rate
    moment = (centred * np.where(present, values, 0.0)).sum(axis=-1)
    spread = np.square(centred).sum(axis=-1)
    return np.asarray(np.where(spread > 0, moment / np.maximum(spread, 1e-300), np.nan))
