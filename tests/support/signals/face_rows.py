"""Rows of a face stream, as the camera sends them."""

import numpy as np


def frames(points, pose=(0.0, 0.0, 0.0), confidence=1.0):
    """Rows of a face stream from points, shape (points, 3) or (n, points, 3)."""
    points = points[None] if points.ndim == 2 else points
    n = len(points)
    pose = np.broadcast_to(np.asarray(pose, float), (n, 3))
    return np.column_stack([points.reshape(n, -1), pose, np.full(n, confidence)])
