"""Pictures of a real face whose parts are moved by known amounts."""

from __future__ import annotations

import numpy as np
from scipy.spatial import Delaunay
from scipy.spatial.transform import Rotation

from biosense.acquisition.camera.native.opencv import load_opencv

UPPER = [246, 161, 160, 159, 158, 157, 173], [466, 388, 387, 386, 385, 384, 398]
LOWER = [7, 163, 144, 145, 153, 154, 155], [249, 390, 373, 374, 380, 381, 382]
IRISES = list(range(468, 478))
BROWS = [70, 63, 105, 66, 107, 46, 53, 52, 65, 55, 300, 293, 334, 296, 336, 276, 283, 282, 295, 285]
OVAL = [10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377]
OVAL += [152, 148, 176, 149, 150, 136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109]


def places_before(to, source, shape):
    """Where each pixel was before points, shape (n, 2), moved: (height, width, 2), float32."""
    cv2 = load_opencv()
    height, width = shape
    places = np.stack(np.meshgrid(np.arange(width), np.arange(height)), axis=-1).astype(np.float32)
    grid = places.astype(np.float64)
    for three in Delaunay(to).simplices:
        corners = to[three].astype(np.float32)
        if abs(cv2.contourArea(corners)) < 0.05:
            continue
        affine = cv2.getAffineTransform(corners, source[three].astype(np.float32))
        low = np.maximum(np.floor(corners.min(axis=0)).astype(int), 0)
        high = np.ceil(corners.max(axis=0)).astype(int) + 1
        part = np.s_[low[1] : high[1], low[0] : high[0]]
        mask = np.zeros(places[part].shape[:2], np.uint8)
        cv2.fillConvexPoly(mask, np.rint((corners - low) * 16).astype(np.int32), 1, shift=4)
        moved = grid[part] @ affine[:, :2].T + affine[:, 2]
        places[part][mask > 0] = moved[mask > 0]
    return places


def warp(frame, points, moved):
    """Move the pixels of a frame so that points, shape (n, 2), come to lie at others."""
    cv2 = load_opencv()
    height, width, _ = frame.shape
    edge = [(x, y) for x in np.linspace(0, width - 1, 9) for y in np.linspace(0, height - 1, 7)]
    low, high = moved.min(axis=0) - 25, moved.max(axis=0) + 25
    edge = np.array([p for p in edge if not (low < p).all() or not (p < high).all()])
    to, source = np.vstack([moved, edge]), np.vstack([points, edge])
    places = places_before(to, source, (height, width))
    return cv2.remap(frame, places[..., 0], places[..., 1], cv2.INTER_LINEAR)


def moves(points):
    """What is done to the face: name, feature that shows it, amounts, and the moved mesh."""
    eyes = np.linalg.norm(points[33] - points[263])
    centre = points[[33, 263, 1, 152]].mean(axis=0) + np.array([0, 0, 0.5 * eyes])

    def turn(axis):
        return lambda a: (
            Rotation.from_rotvec(np.radians(a) * np.eye(3)[axis]).apply(points - centre) + centre
        )

    def blink(share):
        moved = points.copy()
        for upper, lower in zip(UPPER, LOWER, strict=True):
            moved[upper] += 0.95 * share * (points[lower] - points[upper])
        return moved

    def smile(share):
        moved = points.copy()
        for corner, side in ((61, -1), (291, 1)):
            near = np.exp(
                -0.5 * (np.linalg.norm(points - points[corner], axis=1) / 0.2 / eyes) ** 2
            )
            moved[:, :2] += share * eyes * near[:, None] * np.array([side, -0.7])
        return moved

    def lift(indices, direction):
        def move(share):
            moved = points.copy()
            moved[indices, :2] += share * eyes * np.array(direction)
            return moved

        return move

    angles = np.linspace(-25, 25, 11)
    return (
        ("pitch (deg)", "pitch", np.linspace(-15, 15, 7), turn(0)),
        ("yaw (deg)", "yaw", angles, turn(1)),
        ("roll (deg)", "roll", angles, turn(2)),
        ("eye closed (share)", "ear", np.linspace(0, 1, 6), blink),
        ("smile (eye distances)", "smile_width", np.linspace(0, 0.1, 6), smile),
        ("smile: corners", "lip_corner_lift", np.linspace(0, 0.1, 6), smile),
        ("brows up (eye dist.)", "brow_inner", np.linspace(0, 0.12, 6), lift(BROWS, (0, -1))),
        ("gaze right in picture", "gaze_x", np.linspace(-0.05, 0.05, 5), lift(IRISES, (1, 0))),
    )


def with_hair(points):
    """Add a ring around the face, further back: hair and ears turn with the head."""
    eyes = np.linalg.norm(points[33] - points[263])
    ring = 1.3 * points[OVAL] - 0.3 * points[OVAL].mean(axis=0)
    ring[:, 2] = points[OVAL, 2] + 0.3 * eyes
    return np.vstack([points, ring])
