"""How well each half of a face is seen: landmarks of the half turned away are a guess."""

from __future__ import annotations

import numpy as np

from biosense.core.types import Floats

_OUTWARDS = np.radians(20.0)  # an eye and its brow look this far to their own side
# Between these angles to the camera the weight falls from 1 to 0; at 35 degrees of yaw the far eye
# has 0.14, beyond 45 degrees nothing, while the near one keeps its full weight.
_CLEAR, _HIDDEN = np.cos(np.radians(35.0)), np.cos(np.radians(65.0))


def visibility(rotations: Floats) -> tuple[Floats, Floats]:
    """Return how well the right and the left half of a face are seen.

    Parameters
    ----------
    rotations
        Of the head, shape (n, 3, 3), see `landmarks.rotation_matrices`.

    Returns
    -------
    right, left : Floats
        0 to 1, shape (n,).

    Examples
    --------
    >>> [value.tolist() for value in visibility(np.eye(3)[None])]
    [[1.0], [1.0]]
    """
    sideways = np.sin(_OUTWARDS) * rotations[:, 2, 0]
    forwards = np.cos(_OUTWARDS) * rotations[:, 2, 2]
    return _weight(forwards + sideways), _weight(forwards - sideways)


def weighted(values: tuple[Floats, Floats], weights: tuple[Floats, Floats]) -> Floats:
    """Return the mean of the right and the left value; NaN where neither side is seen.

    Parameters
    ----------
    values
        Of the right and of the left side, shape (n,).
    weights
        Of either, shape (n,).

    Returns
    -------
    Floats
        Shape (n,).

    Examples
    --------
    >>> one, two, unseen = (np.array([value]) for value in (1.0, 2.0, 0.0))
    >>> weighted((one, two), (one, unseen)).tolist()
    [1.0]
    """
    (right, left), (of_right, of_left) = values, weights
    total = of_right + of_left
    mean = (of_right * right + of_left * left) / np.where(total > 0, total, np.nan)
    return np.asarray(mean)


def _weight(cosine: Floats) -> Floats:
    seen = np.minimum(np.maximum((cosine - _HIDDEN) / (_CLEAR - _HIDDEN), 0.0), 1.0)
    return np.asarray(seen * seen)
