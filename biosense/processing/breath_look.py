"""Whether the last seconds of a respiration signal look like one: flat, noisy, clipped."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from biosense.core.types import Bools, Floats

MOST_NOISE = 1.2  # SD of steps over that of values: 1.4 is white noise, 0.4 fast breathing


class Look(NamedTuple):
    """Hold what a window shows: samples that are there, and what is wrong with them."""

    present: int
    is_flat: bool
    is_noise: bool
    clipped: float


def looks(smooth: Floats, raw: Floats, there: Bools) -> Iterator[Look]:
    """Look at windows of a signal, before and after smoothing, shape (k, n) each.

    Samples that are missing are left out, so the others move together.

    >>> raw = np.array([[0.0, 1, 2, 2, 2, 1, 0, 1, 2]])
    >>> next(looks(raw, raw, np.isfinite(raw)))
    Look(present=9, is_flat=False, is_noise=False, clipped=0.25)
    """
    whole = np.asarray(there.all(axis=1))
    at_once = iter(_looks(smooth[whole], raw[whole]) if whole.any() else ())
    for row, is_whole in enumerate(whole.tolist()):
        if is_whole:
            yield next(at_once)
        elif there[row].any():
            known = there[row]
            yield _looks(smooth[row, known][None], raw[row, known][None])[0]
        else:
            yield Look(0, False, False, 0.0)


def _looks(smooth: Floats, raw: Floats) -> list[Look]:
    """Look at windows without holes."""
    count = raw.shape[1]
    top = np.abs(smooth).max(axis=1)
    flat = np.ptp(smooth, axis=1) <= 1e-9 * np.maximum(1.0, top) + 1e-12
    noise = _spread(np.diff(raw, axis=1)) > MOST_NOISE * _spread(raw)
    clipped = np.zeros(len(raw))
    for end in (raw.max(axis=1), raw.min(axis=1)):
        there = raw == end[:, None]
        clipped += (there[:, 1:] & there[:, :-1]).sum(axis=1) / max(count - 1, 1)
    columns = (flat.tolist(), noise.tolist(), clipped.tolist())
    return [Look(count, *row) for row in zip(*columns, strict=True)]


def _spread(values: Floats) -> Floats:
    """Return the standard deviation of each row; 0 where it is empty."""
    count = max(values.shape[1], 1)
    centred = values - values.sum(axis=1, keepdims=True) / count
    return np.asarray(np.sqrt(np.square(centred).sum(axis=1) / count))
