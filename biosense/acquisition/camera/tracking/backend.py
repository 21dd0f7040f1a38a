"""What a face tracker is, and which of its points biosense keeps."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from biosense.core.camera_streams import FACE_POINTS
from biosense.core.errors import BadInput
from biosense.core.types import Floats, Ints

Image = NDArray[np.uint8]

MESH_POINTS = 468  # a model with irises has 10 more

# Verified on the models of the mediapipe 0.10.14 wheel. "right" is the subject's right.
_MESH_INDEX = {
    **{f"right_eye_{n}": i for n, i in enumerate((33, 160, 158, 133, 153, 144), 1)},
    **{f"left_eye_{n}": i for n, i in enumerate((362, 385, 387, 263, 373, 380), 1)},
    "right_iris": 468,
    "left_iris": 473,
    "right_brow_inner": 55,
    "right_brow_mid": 105,
    "right_brow_outer": 70,
    "left_brow_inner": 285,
    "left_brow_mid": 334,
    "left_brow_outer": 300,
    "mouth_right": 61,
    "mouth_left": 291,
    "mouth_inner_right": 78,
    "mouth_inner_left": 308,
    "lip_upper_outer": 0,
    "lip_upper_inner": 13,
    "lip_lower_inner": 14,
    "lip_lower_outer": 17,
    "nose_tip": 1,
    "nose_base": 2,
    "nose_bridge": 6,
    "nasion": 168,
    "nose_right": 98,
    "nose_left": 327,
    "chin": 152,
    "forehead_top": 10,
    "face_right": 234,
    "face_left": 454,
    "cheek_right": 50,
    "cheek_left": 280,
}


def mesh_indices(names: tuple[str, ...] = FACE_POINTS) -> Ints:
    """Return the numbers of the named points in the face mesh, shape (len(names),).

    >>> mesh_indices(("nose_tip", "right_eye_1")).tolist()
    [1, 33]
    """
    return np.array([_MESH_INDEX[name] for name in names], dtype=np.int64)


@dataclass(frozen=True, eq=False)
class Landmarks:
    """Hold the face found in one frame.

    Parameters
    ----------
    points
        x right and y down in pixels of the frame, z relative depth in pixels (smaller is nearer),
        shape (468, 3), or (478, 3) with irises; numbered as in the MediaPipe face mesh.
    confidence
        How sure the tracker is that this is a face, 0 to 1.
    blendshapes
        Scores of `BLENDSHAPE_CHANNELS`, 0 to 1; None from a backend without them.
    """

    points: Floats
    confidence: float
    blendshapes: Floats | None = None

    def __post_init__(self) -> None:
        n, *rest = self.points.shape
        if n < MESH_POINTS or rest != [3]:
            raise BadInput(
                f"landmarks have shape {self.points.shape}, wanted (468, 3) or (478, 3): "
                "the points of the MediaPipe face mesh"
            )

    def scaled(self, factor: float) -> Landmarks:
        """Return the same face in a frame `factor` times as large."""
        return replace(self, points=self.points * factor)


class FaceBackend(Protocol):
    """Find a face in the frames of one camera, given in the order in which they were taken.

    One that also has a true attribute `has_blendshapes` gives these with every face.
    """

    def track(self, image: Image) -> Landmarks | None:
        """Return the face in an RGB frame, shape (height, width, 3), or None at once if lost."""
        ...

    def close(self) -> None:
        """Free the tracker."""
        ...
