"""From one frame to one sample of each of a camera's two streams."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from biosense.acquisition.camera.native.opencv import load_opencv
from biosense.acquisition.camera.tracking.backend import FaceBackend, Image, Landmarks, mesh_indices
from biosense.acquisition.camera.tracking.head_pose import HeadPose
from biosense.acquisition.camera.tracking.identity import PersonTracker
from biosense.acquisition.camera.tracking.illumination import light_trust
from biosense.acquisition.camera.tracking.skin_regions import RegionColours
from biosense.core.camera_streams import BLENDSHAPE_CHANNELS, FACE_CHANNELS
from biosense.core.errors import BadInput
from biosense.core.types import Floats


class FaceTracker:
    """Track the face of one person and measure its colours, points and pose.

    The person is the first whose face is seen for a second (`PersonTracker`); other people's faces
    are not measured. The confidence of a face is the backend's, lowered where its light is too poor
    for the landmarks to be trusted (`light_trust`).

    Parameters
    ----------
    backend
        Finds the landmarks; closed with the tracker.
    max_width
        Wider frames are shrunk to this for finding the landmarks. Colours are always measured on
        the frame as it came, whose pixels have been averaged by nobody.
    """

    def __init__(self, backend: FaceBackend, *, max_width: int = 640) -> None:
        if max_width < 64:
            raise BadInput(f"max_width={max_width} pixels is too small to find a face, wanted 64..")
        self.backend = backend
        self.max_width = max_width
        self._cv2 = load_opencv()
        self._colours = RegionColours()
        self.has_blendshapes = bool(getattr(backend, "has_blendshapes", False))
        self._pose = HeadPose()
        self._person = PersonTracker(backend, self._cv2)
        self._indices = mesh_indices()

    def measure(self, frame: Image) -> tuple[Floats, Floats]:
        """Return the values of `RPPG_CHANNELS` and of `FACE_CHANNELS` in a frame.

        Parameters
        ----------
        frame
            BGR, shape (height, width, 3).

        Returns
        -------
        rppg, face
            Shapes (20,) and (130,); points in pixels of this frame.
        """
        rppg, row, *_ = self.measure_all(frame)
        return rppg, row

    def measure_all(self, frame: Image) -> tuple[Floats, ...]:
        """Return what `measure` does, and `BLENDSHAPE_CHANNELS` where the backend has them."""
        face = self.find(frame)
        points = None if face is None else face.points
        rows = self._colours.measure(frame, points), self.face_row(face)
        return (*rows, _blendshapes(face)) if self.has_blendshapes else rows

    @property
    def stranger(self) -> bool:
        """Whether a face that is not the person's was in view in the last frame."""
        return self._person.stranger

    def find(self, frame: Image) -> Landmarks | None:
        """Return the person's face in a BGR frame, in pixels of this frame."""
        height, width, _ = frame.shape
        factor = max(1.0, width / self.max_width)
        if factor > 1.0:
            size = (self.max_width, round(height / factor))
            frame = self._cv2.resize(frame, size, interpolation=self._cv2.INTER_AREA)
        face = self._person.find(frame, self._cv2.cvtColor(frame, self._cv2.COLOR_BGR2RGB))
        if face is None:
            return None
        trust = light_trust(self._cv2, frame, face.points)
        face = replace(face, confidence=face.confidence * trust)
        return face if factor == 1.0 else face.scaled(factor)

    def face_row(self, face: Landmarks | None) -> Floats:
        """Return the values of `FACE_CHANNELS`: all NaN with confidence 0 where there is no face.

        A mesh without irises has NaN irises.
        """
        row = np.full(len(FACE_CHANNELS), np.nan)
        row[-1] = 0.0
        if face is None:
            return row
        known = self._indices < len(face.points)
        kept = np.full((len(self._indices), 3), np.nan)
        kept[known] = face.points[self._indices[known]]
        return np.concatenate([kept.ravel(), self._pose.rotation(face.points), [face.confidence]])

    def close(self) -> None:
        """Free the backend."""
        self.backend.close()


def _blendshapes(face: Landmarks | None) -> Floats:
    if face is None or face.blendshapes is None:
        return np.full(len(BLENDSHAPE_CHANNELS), np.nan)
    return face.blendshapes
