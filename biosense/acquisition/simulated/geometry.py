"""A face of 40 points in millimetres, how expressions move it, and how a camera sees it.

The origin lies between the eyes; x to the right of the image, y down, z away from the camera. The
person's right is at negative x.
"""

from __future__ import annotations

import numpy as np

from biosense.acquisition.simulated.behaviour import Expression
from biosense.core.camera_streams import FACE_POINTS
from biosense.core.types import Floats

_LID = 4.3  # half the height of an open eye
# One half of the face, the person's left (positive x); the other is its mirror image. Millimetres,
# after the adult means of Farkas, Anthropometry of the Head and Face, 1994.
_HALF: dict[str, tuple[float, float, float]] = {
    "iris": (32.0, 0.0, 0.0),
    "brow_inner": (13.0, -19.0, -8.0),
    "brow_mid": (31.0, -25.0, -5.0),
    "brow_outer": (47.0, -20.0, 5.0),
    "mouth": (26.0, 66.0, -6.0),
    "mouth_inner": (22.0, 66.0, -7.0),
    "nose": (17.0, 42.0, -12.0),
    "face": (70.0, 18.0, 55.0),
    "cheek": (40.0, 36.0, -2.0),
}
_MIDDLE: dict[str, tuple[float, float, float]] = {
    "lip_upper_outer": (0.0, 59.0, -15.0),
    "lip_upper_inner": (0.0, 65.5, -13.0),
    "lip_lower_inner": (0.0, 66.5, -13.0),
    "lip_lower_outer": (0.0, 75.0, -14.0),
    "nose_tip": (0.0, 40.0, -28.0),
    "nose_base": (0.0, 48.0, -16.0),
    "nose_bridge": (0.0, 12.0, -15.0),
    "nasion": (0.0, -6.0, -11.0),
    "chin": (0.0, 108.0, -6.0),
    "forehead_top": (0.0, -72.0, 6.0),
}
# Points 1-6 of an eye in image order: corner, lids above, corner, lids below.
_EYE = ((-15.0, 0.0), (-5.5, -1.0), (5.5, -1.0), (15.0, 0.0), (5.5, 1.0), (-5.5, 1.0))
_LIDS = {2: -1, 3: -1, 5: 1, 6: 1}
_INDEX = {name: n for n, name in enumerate(FACE_POINTS)}


def neutral_face() -> Floats:
    """Return the points of a face at rest in the order of FACE_POINTS, shape (40, 3), millimetres.

    Examples
    --------
    >>> neutral_face().shape
    (40, 3)
    """
    return np.array([_neutral(name) for name in FACE_POINTS])


def _neutral(name: str) -> tuple[float, float, float]:
    if name in _MIDDLE:
        return _MIDDLE[name]
    side = -1.0 if "right" in name else 1.0
    part = "_".join(word for word in name.split("_") if word not in ("right", "left"))
    if part.startswith("eye_"):
        x, lid = _EYE[int(part[-1]) - 1]
        return side * 32.0 + x, lid * _LID, 0.02 * (side * x) ** 2 / 3.0
    x, y, z = _HALF[part]
    return side * x, y, z


def deform(neutral: Floats, expression: Expression, lopsided: float) -> Floats:
    """Move the points of a face by an expression.

    Parameters
    ----------
    neutral
        The person's face at rest, millimetres, shape (40, 3).
    expression
        What the face does at n times.
    lopsided
        How much stronger the left half moves than the right, as a share.

    Returns
    -------
    Floats
        Shape (n, 40, 3), millimetres.
    """
    points = np.repeat(neutral[None], len(expression.smile), axis=0)
    for side, sign in (("right", -1.0), ("left", 1.0)):
        strength = 1.0 + 0.5 * sign * lopsided
        _smile(points, side, sign, strength * expression.smile)
        _brow(points, side, sign, strength, expression)
        _eye(points, neutral, side, expression)
    _jaw(points, expression)
    return points


def _smile(points: Floats, side: str, sign: float, smile: Floats) -> None:
    for name in (f"mouth_{side}", f"mouth_inner_{side}"):
        points[:, _INDEX[name]] += np.outer(smile, (sign * 7.0, -6.0, 2.0))
    points[:, _INDEX[f"cheek_{side}"]] += np.outer(smile, (sign * 1.0, -3.5, -1.0))
    points[:, _INDEX[f"nose_{side}"]] += np.outer(smile, (sign * 1.2, -1.0, 0.0))
    for lid in (5, 6):  # a felt smile lifts the lower lid (AU6)
        points[:, _INDEX[f"{side}_eye_{lid}"], 1] -= 0.9 * smile


def _brow(points: Floats, side: str, sign: float, strength: float, expression: Expression) -> None:
    lift, frown = strength * expression.brow_raise, strength * expression.frown
    for part, up, inward, down in (("inner", 6, 3.5, 4), ("mid", 7, 1.0, 2), ("outer", 6, 0, 0)):
        at = _INDEX[f"{side}_brow_{part}"]
        points[:, at, 0] -= sign * inward * frown
        points[:, at, 1] += down * frown - up * lift


def _eye(points: Floats, neutral: Floats, side: str, expression: Expression) -> None:
    opening = (1.0 + 0.45 * expression.widen) * (1.0 - expression.closure)
    for lid, sign in _LIDS.items():
        at = _INDEX[f"{side}_eye_{lid}"]
        height = neutral[at, 1] - neutral[_INDEX[f"{side}_iris"], 1]
        # The upper lid does most of the way and the two meet below the middle.
        rest = 0.5 * abs(height) if sign < 0 else 0.6 * abs(height)
        points[:, at, 1] += (opening - 1.0) * (height - rest * (1 if sign < 0 else 0.0))


def _jaw(points: Floats, expression: Expression) -> None:
    opened = expression.mouth_open
    for name, down in (("lip_lower_inner", 14), ("lip_lower_outer", 14), ("chin", 13)):
        points[:, _INDEX[name], 1] += down * opened
    points[:, _INDEX["lip_upper_inner"], 1] -= 1.0 * opened
    for side, sign in (("right", 1.0), ("left", -1.0)):
        for name in (f"mouth_{side}", f"mouth_inner_{side}"):
            points[:, _INDEX[name], 0] += sign * 2.5 * opened


def project(points: Floats, rotations: Floats, scale: Floats, centre: Floats) -> Floats:
    """Turn a head and look at it through a weak-perspective camera.

    Parameters
    ----------
    points
        Millimetres, shape (n, points, 3).
    rotations
        Rotation vectors, radians, shape (n, 3).
    scale
        Pixels a millimetre, shape (n,).
    centre
        Where the point between the eyes lies, pixels, shape (n, 2).

    Returns
    -------
    Floats
        Pixels (z: relative depth in pixels), shape (n, points, 3).
    """
    # Rotation of scipy pulls in the whole of scipy.spatial; Rodrigues' formula is four lines.
    angle = np.linalg.norm(rotations, axis=1)[:, None, None]
    axis = rotations[:, None, :] / np.maximum(angle, 1e-12)
    along = (points * axis).sum(axis=-1, keepdims=True) * axis
    turned = along + (points - along) * np.cos(angle) + np.cross(axis, points) * np.sin(angle)
    seen: Floats = turned * scale[:, None, None]
    seen[:, :, :2] += centre[:, None]
    return seen
