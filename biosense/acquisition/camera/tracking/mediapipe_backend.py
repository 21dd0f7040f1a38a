"""Track a face with the face mesh of MediaPipe 0.10.14, whose models come inside its wheel."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from biosense.acquisition.camera.native.silence_stderr import quiet_start
from biosense.acquisition.camera.tracking.backend import Image, Landmarks
from biosense.core.errors import MissingExtra

# The stream inside MediaPipe's graph that its own wrapper thresholds and then hides.
_PRESENCE = "facelandmarkcpu__face_presence_score"
_FACES = "multi_face_landmarks"


class MediaPipeBackend:
    """Track one face: 478 points with irises, 3 ms a frame at 640x360 on a desktop core.

    The graph is that of `FaceMesh(static_image_mode=False, max_num_faces=1,
    refine_landmarks=True)`, started through its base class so that the model's presence score comes
    out too: it is the confidence, a logistic score that stays near 1 on a clear face and falls as
    the face turns away; below `min_confidence` the face counts as lost, at once.

    Parameters
    ----------
    min_confidence
        Score from which the detector finds a face and the mesh keeps it.

    Raises
    ------
    MissingExtra
        MediaPipe is not installed.
    """

    def __init__(self, *, min_confidence: float = 0.5) -> None:
        # Asked for on every frame and harmless under the pinned protobuf 4.
        warnings.filterwarnings("ignore", message="SymbolDatabase.GetPrototype")
        with quiet_start():
            self._graph = _start_graph(min_confidence)
            # Models load with the first frame; a blank one now keeps them off the first real one.
            self.track(np.zeros((64, 64, 3), np.uint8))

    def track(self, image: Image) -> Landmarks | None:
        """Return the face in an RGB frame, shape (height, width, 3), or None at once if lost."""
        found = self._graph.process({"image": image})
        faces = getattr(found, _FACES)
        if not faces:
            return None
        points = np.array([(point.x, point.y, point.z) for point in faces[0].landmark])
        height, width, _ = image.shape
        score = getattr(found, _PRESENCE)
        return Landmarks(points * (width, height, width), float(score))

    def close(self) -> None:
        """Free the tracker."""
        self._graph.close()


def _start_graph(min_confidence: float) -> Any:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            from mediapipe.python.solution_base import SolutionBase
            from mediapipe.python.solutions import face_mesh
    except ImportError as error:
        raise MissingExtra(
            "face tracking needs mediapipe 0.10.14, which is not installed; with Python 3.11 or "
            "3.12: pip install 'biosense[camera]' 'protobuf>=4.25.3,<5' absl-py attrs flatbuffers "
            "matplotlib, then pip install --no-deps mediapipe==0.10.14 (or, larger: "
            f"pip install 'biosense[face]'). Python said: {error}"
        ) from error
    detector = "facedetectionshortrangecpu__facedetectionshortrange__facedetection__"
    return SolutionBase(
        binary_graph_path=face_mesh._BINARYPB_FILE_PATH,
        side_inputs={"num_faces": 1, "with_attention": True, "use_prev_landmarks": True},
        calculator_params={
            f"{detector}TensorsToDetectionsCalculator.min_score_thresh": min_confidence,
            "facelandmarkcpu__ThresholdingCalculator.threshold": min_confidence,
        },
        outputs=[_FACES, _PRESENCE],
    )
