"""Track a face with a Face Landmarker model that the user brings: a `.task` file of MediaPipe."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from biosense.acquisition.camera.native.silence_stderr import quiet_start
from biosense.acquisition.camera.tracking.backend import Image, Landmarks
from biosense.core.camera_streams import BLENDSHAPE_CHANNELS
from biosense.core.errors import BadInput, MissingExtra
from biosense.core.types import Floats

_STEP_MS = 33  # its tracker wants rising stamps and uses them for smoothing alone
_ZIP = b"PK\x03\x04"  # a .task file is a zip archive of models


class Landmarker(Protocol):
    """What is used of `mediapipe.tasks.python.vision.FaceLandmarker`."""

    def detect_for_video(self, image: Any, timestamp_ms: int) -> Any:
        """Return the landmarks and blendshapes of the faces in a frame."""
        ...

    def close(self) -> None:
        """Free the model."""
        ...


@dataclass(frozen=True)
class LandmarkerFactory:
    """Make the backend of a `.task` file: the `backend_factory` of a `CameraSource`.

    Parameters
    ----------
    path
        The model, as downloaded from its makers.
    """

    path: Path

    def __call__(self) -> LandmarkerBackend:
        """Load the model. Raises as `LandmarkerBackend`."""
        return LandmarkerBackend(self.path)


class LandmarkerBackend:
    """Track one face with MediaPipe's Tasks API; its blendshapes become a stream of their own.

    It works with every MediaPipe that has the Tasks API: 0.10.14, which brings models of its own,
    and those from 0.10.30 on, which bring none. The API tells no score per face, so the confidence
    of a face is 1 and falls only with poor light.

    Parameters
    ----------
    path
        The model.
    min_confidence
        Score from which a face is found and kept.

    Raises
    ------
    BadInput
        There is no such file, or it is no Face Landmarker model.
    MissingExtra
        MediaPipe is not installed.
    """

    has_blendshapes = True

    def __init__(self, path: Path, *, min_confidence: float = 0.5) -> None:
        _check(path)
        tasks = _load_tasks()
        with quiet_start():
            self._landmarker: Landmarker = _open(tasks, path, min_confidence)
        self._image = tasks.image
        self._time_ms = 0

    def track(self, image: Image) -> Landmarks | None:
        """Return the face in an RGB frame, shape (height, width, 3), or None at once if lost."""
        self._time_ms += _STEP_MS
        found = self._landmarker.detect_for_video(self._image(image), self._time_ms)
        return landmarks_of(found, image.shape[0], image.shape[1])

    def close(self) -> None:
        """Free the model."""
        self._landmarker.close()


def landmarks_of(found: Any, height: int, width: int) -> Landmarks | None:
    """Turn a `FaceLandmarkerResult` into landmarks in pixels of a frame; None without a face.

    Blendshapes are put in the order of `BLENDSHAPE_CHANNELS` by their names; one that the model
    does not have is NaN, and so are all of them if it has none.
    """
    if not found.face_landmarks:
        return None
    points = np.array([(point.x, point.y, point.z) for point in found.face_landmarks[0]])
    return Landmarks(points * (width, height, width), 1.0, _blendshapes(found))


def _blendshapes(found: Any) -> Floats:
    said = found.face_blendshapes[0] if found.face_blendshapes else []
    scores = {each.category_name: float(each.score) for each in said}
    return np.array([scores.get(name, np.nan) for name in BLENDSHAPE_CHANNELS])


def _check(path: Path) -> None:
    try:
        with path.open("rb") as file:
            start = file.read(len(_ZIP))
    except OSError as error:
        raise BadInput(
            f"cannot read the face model {str(path)!r}: {error.strerror}; wanted a Face Landmarker "
            "file (face_landmarker.task), or none for the models inside mediapipe 0.10.14"
        ) from error
    if start != _ZIP:
        raise BadInput(
            f"{str(path)!r} is no Face Landmarker model: a .task file is a zip archive, this one "
            f"begins with {start!r}"
        )


@dataclass(frozen=True)
class _Tasks:
    base: Any
    vision: Any
    image: Any


def _load_tasks() -> _Tasks:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            import mediapipe
            from mediapipe.tasks import python as base
            from mediapipe.tasks.python import vision
    except ImportError as error:
        raise MissingExtra(
            "a face model needs mediapipe, which is not installed: pip install 'biosense[face]'. "
            f"Python said: {error}"
        ) from error

    def image(rgb: Image) -> Any:
        return mediapipe.Image(mediapipe.ImageFormat.SRGB, np.ascontiguousarray(rgb))

    return _Tasks(base, vision, image)


def _open(tasks: _Tasks, path: Path, min_confidence: float) -> Any:
    options = tasks.vision.FaceLandmarkerOptions(
        base_options=tasks.base.BaseOptions(model_asset_path=str(path)),
        running_mode=tasks.vision.RunningMode.VIDEO,
        num_faces=1,
        min_face_detection_confidence=min_confidence,
        min_face_presence_confidence=min_confidence,
        min_tracking_confidence=min_confidence,
        output_face_blendshapes=True,
    )
    try:
        return tasks.vision.FaceLandmarker.create_from_options(options)
    except (RuntimeError, ValueError) as error:
        raise BadInput(
            f"{str(path)!r} cannot be used as a Face Landmarker model: {error}; wanted "
            "face_landmarker.task as its makers give it"
        ) from error
