"""What the landmarks of a face say about its expression, frame by frame: distances over face size.

Everything but the pose is measured within the face: in units of the distance between the outer eye
corners, with the head's roll taken out, so that neither size nor tilt in the picture matters.
"""

from __future__ import annotations

import numpy as np

from biosense.core.camera_streams import FACE_CHANNELS, FACE_POINTS, POSE_CHANNELS
from biosense.core.types import Floats
from biosense.processing.face.visibility import visibility, weighted

EXPRESSION_CHANNELS = (
    "ear_right",
    "ear_left",
    "ear",
    "mar",
    "smile_width",
    "lip_corner_lift",
    "brow_inner",
    "brow_outer",
    "brow_gap",
    "nose_wrinkle",
    "jaw_drop",
    "gaze_x",
    "gaze_y",
    "smile_asymmetry",
)
"""Results of `expression`, see there."""

ANGLE_CHANNELS = ("pitch", "yaw", "roll")
"""Results of `euler_angles`, radians."""

Sides = tuple[Floats, Floats]  # of the right and of the left half of the face

_AT = {name: number for number, name in enumerate(FACE_POINTS)}
_POSE_AT = FACE_CHANNELS.index(POSE_CHANNELS[0])
_BOTH_SIDES = 0.1  # visibility of each: with less the two cannot be compared
_LEAST_OPENING = 0.1  # of the eye's width: below it the lids say nothing about where the eye looks


def expression(data: Floats) -> Floats:
    """Compute the shape of eyes, brows, mouth and nose.

    - ear_right, ear_left: eye aspect ratio (d(p2, p6) + d(p3, p5)) / (2 d(p1, p4)) [1]_; ear:
      their mean, weighted by the width that is seen of each eye and by the visibility of its side,
      since the far eye of a turned head says little.
    - mar: mouth aspect ratio, inner lips. smile_width: between the mouth corners (AU12, AU20).
      lip_corner_lift: corners above the middle of the lips (AU12 up, AU15 down).
    - brow_inner, brow_outer: brows above the eye corners (AU1, AU4; AU2). brow_gap: between the
      brows (AU4). nose_wrinkle: eye corner to nostril (AU9, AU10; falls). jaw_drop: nose to chin.
    - gaze_x, gaze_y: iris between the eye corners (lids), -0.5 to 0.5; + image-right, + down.
    - smile_asymmetry: (R - L) / (R + L) of the distances from mouth corner to outer eye corner; +
      when the subject's left corner is higher. NaN when the head is turned by more than about 40
      degrees. All pairs are means weighted by the visibility of their side.

    Distances are 3-D and in units of the distance between the outer eye corners. AU: action unit of
    Ekman & Friesen's FACS.

    Parameters
    ----------
    data
        Frames of a face stream, shape (n, len(FACE_CHANNELS)).

    Returns
    -------
    Floats
        Shape (n, len(EXPRESSION_CHANNELS)); NaN where there is no face.

    References
    ----------
    .. [1] T. Soukupova and J. Cech, "Real-time eye blink detection using facial landmarks," 21st
       Computer Vision Winter Workshop, 2016.

    Examples
    --------
    >>> expression(np.full((2, len(FACE_CHANNELS)), np.nan)).shape
    (2, 14)
    """
    points = data[:, : 3 * len(FACE_POINTS)].reshape(len(data), len(FACE_POINTS), 3)
    size = _distance(points, "right_eye_1", "left_eye_4")
    upright = _without_roll(points)
    seen = visibility(rotation_matrices(data))
    both = np.where(np.minimum(*seen) >= _BOTH_SIDES, 1.0, np.nan)
    columns = [
        *_eye_openings(points, seen),
        _distance(points, "lip_upper_inner", "lip_lower_inner")
        / _distance(points, "mouth_inner_right", "mouth_inner_left"),
        _distance(points, "mouth_right", "mouth_left") / size,
        _corner_lift(upright) / size,
        *(column / size for column in _brows_and_nose(points, seen)),
        _distance(points, "nose_base", "chin") / size,
        *_gaze(upright, seen),
        both * _smile_asymmetry(points),
    ]
    return np.column_stack(columns)


def euler_angles(data: Floats) -> Floats:
    """Return pitch, yaw and roll of the head.

    The rotation of the pose channels taken apart as roll about z, after yaw about y, after pitch
    about x (image axes: x right, y down, z away). + pitch looks down, + yaw turns to the subject's
    right, + roll tilts to the subject's left shoulder.

    Parameters
    ----------
    data
        Frames of a face stream, shape (n, len(FACE_CHANNELS)).

    Returns
    -------
    Floats
        Radians in (-pi, pi], shape (n, 3).

    Examples
    --------
    >>> data = np.zeros((1, len(FACE_CHANNELS)))
    >>> data[0, -3] = 0.2
    >>> euler_angles(data).round(3).tolist()
    [[0.0, 0.2, 0.0]]
    """
    matrix = rotation_matrices(data)
    return np.column_stack(
        [
            np.arctan2(matrix[:, 2, 1], matrix[:, 2, 2]),
            np.arcsin(np.clip(-matrix[:, 2, 0], -1.0, 1.0)),
            np.arctan2(matrix[:, 1, 0], matrix[:, 0, 0]),
        ]
    )


def rotation_matrices(data: Floats) -> Floats:
    """Turn the pose channels of frames into rotation matrices, by the formula of Rodrigues.

    Parameters
    ----------
    data
        Frames of a face stream, shape (n, len(FACE_CHANNELS)).

    Returns
    -------
    Floats
        Shape (n, 3, 3).
    """
    x, y, z = (data[:, _POSE_AT + axis] for axis in range(3))
    angle = np.sqrt(x * x + y * y + z * z)
    along = np.sinc(angle / np.pi)  # sin(a) / a, defined at 0
    across = 0.5 * np.sinc(angle / (2 * np.pi)) ** 2  # (1 - cos(a)) / a^2
    cosine = np.cos(angle)
    columns = [
        cosine + across * x * x,
        across * x * y - along * z,
        across * x * z + along * y,
        across * x * y + along * z,
        cosine + across * y * y,
        across * y * z - along * x,
        across * x * z - along * y,
        across * y * z + along * x,
        cosine + across * z * z,
    ]
    return np.column_stack(columns).reshape(len(data), 3, 3)


def angle_between(before: Floats, after: Floats) -> Floats:
    """Return the angle from one rotation to another.

    Taken from |A - B| = 2 sqrt(2) sin(angle / 2), which keeps its precision at small angles.

    Parameters
    ----------
    before, after
        Rotation matrices, shape (n, 3, 3).

    Returns
    -------
    Floats
        Radians, shape (n,).
    """
    squares = ((after - before) ** 2).reshape(len(after), 9).T
    # Column by column: the rounding of a sum over rows may depend on how many rows there are.
    chord = np.sqrt(sum(squares[1:], start=squares[0]))
    angle: Floats = 2 * np.arcsin(np.minimum(chord / np.sqrt(8.0), 1.0))
    return angle


def _vector(points: Floats, start: str, stop: str) -> Floats:
    vector: Floats = points[:, _AT[stop]] - points[:, _AT[start]]
    return vector


def _distance(points: Floats, start: str, stop: str) -> Floats:
    x, y, z = _vector(points, start, stop).T
    distance: Floats = np.sqrt(x * x + y * y + z * z)
    return distance


def _without_roll(points: Floats) -> Floats:
    """Turn the picture until the outer eye corners are level: x and y of all points."""
    x, y, _ = _vector(points, "right_eye_1", "left_eye_4").T
    length = np.sqrt(x * x + y * y)
    cosine, sine = (x / length)[:, None], (y / length)[:, None]
    turned_x = cosine * points[:, :, 0] + sine * points[:, :, 1]
    turned_y = cosine * points[:, :, 1] - sine * points[:, :, 0]
    return np.stack([turned_x, turned_y], axis=2)


def _eye_openings(points: Floats, seen: Sides) -> tuple[Floats, Floats, Floats]:
    ratios, widths = [], []
    for side in ("right", "left"):
        lids = _distance(points, f"{side}_eye_2", f"{side}_eye_6")
        lids = lids + _distance(points, f"{side}_eye_3", f"{side}_eye_5")
        ratios.append(lids / (2 * _distance(points, f"{side}_eye_1", f"{side}_eye_4")))
        x, y, _ = _vector(points, f"{side}_eye_1", f"{side}_eye_4").T
        widths.append(x * x + y * y)
    right, left = ratios
    weights = widths[0] * seen[0], widths[1] * seen[1]
    return right, left, weighted((right, left), weights)


def _corner_lift(upright: Floats) -> Floats:
    height = upright[:, :, 1]  # down
    middle = height[:, _AT["lip_upper_outer"]] + height[:, _AT["lip_lower_outer"]]
    corners = height[:, _AT["mouth_right"]] + height[:, _AT["mouth_left"]]
    lift: Floats = 0.5 * (middle - corners)
    return lift


def _brows_and_nose(points: Floats, seen: Sides) -> tuple[Floats, Floats, Floats, Floats]:
    def pair(right: tuple[str, str], left: tuple[str, str]) -> Floats:
        return weighted((_distance(points, *right), _distance(points, *left)), seen)

    return (
        pair(("right_brow_inner", "right_eye_4"), ("left_brow_inner", "left_eye_1")),
        pair(("right_brow_outer", "right_eye_1"), ("left_brow_outer", "left_eye_4")),
        _distance(points, "right_brow_inner", "left_brow_inner"),
        pair(("right_eye_4", "nose_right"), ("left_eye_1", "nose_left")),
    )


def _gaze(upright: Floats, seen: Sides) -> tuple[Floats, Floats]:
    across, down = [], []
    for side in ("right", "left"):
        corners = [upright[:, _AT[f"{side}_eye_{number}"]] for number in (1, 4)]
        lids = [upright[:, _AT[f"{side}_eye_{number}"], 1] for number in (2, 3, 5, 6)]
        iris = upright[:, _AT[f"{side}_iris"]]
        width = corners[1][:, 0] - corners[0][:, 0]
        upper, lower = 0.5 * (lids[0] + lids[1]), 0.5 * (lids[2] + lids[3])
        opening = np.maximum(lower - upper, _LEAST_OPENING * np.abs(width))
        across.append((iris[:, 0] - corners[0][:, 0]) / width - 0.5)
        down.append((iris[:, 1] - 0.5 * (upper + lower)) / opening)
    return weighted((across[0], across[1]), seen), weighted((down[0], down[1]), seen)


def _smile_asymmetry(points: Floats) -> Floats:
    right = _distance(points, "mouth_right", "right_eye_1")
    left = _distance(points, "mouth_left", "left_eye_4")
    asymmetry: Floats = (right - left) / (right + left)
    return asymmetry
