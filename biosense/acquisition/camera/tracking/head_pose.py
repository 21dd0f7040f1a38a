"""Head pose from the landmarks that no expression moves, as a rotation vector."""

from __future__ import annotations

import numpy as np
from scipy.spatial.transform import Rotation

from biosense.acquisition.camera.tracking.backend import mesh_indices
from biosense.core.types import Floats

# An upright adult face in mm as the tracker sees it: usual anthropometric means (eye corners 34 and
# 89 mm apart, nose tip 23 mm before the point between the eyes), adjusted to the mean of tracked
# faces; origin between the eyes, x image-right, y down, z away from the camera. Symmetric, so that
# yaw and roll have no bias. The chin and the mouth are left out: they move with speech and would
# leak into pitch.
_FACE_MM = {
    "right_eye_1": (-44.5, 6.5, 21.0),
    "right_eye_4": (-17.2, 7.5, 16.0),
    "left_eye_1": (17.2, 7.5, 16.0),
    "left_eye_4": (44.5, 6.5, 21.0),
    "nasion": (0.0, 0.0, 0.0),
    "nose_bridge": (0.0, 8.5, -5.0),
    "nose_tip": (0.0, 44.0, -23.5),
    "nose_right": (-18.8, 48.0, -1.0),
    "nose_left": (18.8, 48.0, -1.0),
    "forehead_top": (0.0, -50.0, 7.5),
}


class HeadPose:
    """Fit a generic rigid face to the landmarks of a frame (Procrustes, Kabsch 1976).

    The fit is closed-form and keeps nothing from frame to frame: no flip between two solutions as
    with a perspective solver, no jump, no start value. Without calibration of camera and person the
    zero is biased by some degrees; changes are what to use.

    Examples
    --------
    >>> points = np.zeros((468, 3))
    >>> points[mesh_indices(tuple(_FACE_MM))] = [*_FACE_MM.values()]
    >>> bool(np.allclose(HeadPose().rotation(3 * points + (320, 180, 0)), 0))
    True
    """

    def __init__(self) -> None:
        face = np.array([*_FACE_MM.values()])
        self._indices = mesh_indices(tuple(_FACE_MM))
        self._face = face - face.mean(axis=0)

    def rotation(self, points: Floats) -> Floats:
        """Return the rotation vector of a face, radians, shape (3,).

        Positive x: looking down. Positive y: turned to the subject's right (image-left). Positive
        z: tilted to the subject's left shoulder (clockwise in the image).

        Parameters
        ----------
        points
            The face mesh, shape (468 or more, 3), pixels.
        """
        seen = points[self._indices]
        u, _, vt = np.linalg.svd(self._face.T @ (seen - seen.mean(axis=0)))
        turn = np.diag([1.0, 1.0, np.sign(np.linalg.det(u @ vt))])  # a rotation, not a mirror image
        return np.asarray(Rotation.from_matrix((u @ turn @ vt).T).as_rotvec())
