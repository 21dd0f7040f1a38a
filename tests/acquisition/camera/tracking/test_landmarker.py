"""The Face Landmarker backend, up to the model itself: there is none here to try it with."""

from __future__ import annotations

import zipfile
from dataclasses import dataclass, field, replace

import numpy as np
import pytest

from biosense.acquisition.camera import CameraSource, Landmarks
from biosense.acquisition.camera.tracking import landmarker_backend
from biosense.acquisition.camera.tracking.landmarker_backend import (
    LandmarkerBackend,
    LandmarkerFactory,
    landmarks_of,
)
from biosense.core.camera_streams import BLENDSHAPE_CHANNELS
from biosense.core.errors import BadInput
from biosense.core.types import Chunk
from tests.support.camera_fakes import FakeClock, FixedFace, mesh, picture, write_video


@dataclass
class Point:
    x: float
    y: float
    z: float


@dataclass
class Category:
    category_name: str
    score: float


@dataclass
class Result:
    """What mediapipe's FaceLandmarkerResult has, by its documentation."""

    face_landmarks: list = field(default_factory=list)
    face_blendshapes: list = field(default_factory=list)


def result(blendshapes=True):
    points = [Point(*row) for row in np.full((478, 3), 0.5)]
    scores = [Category(name, n / 100) for n, name in enumerate(BLENDSHAPE_CHANNELS)]
    return Result([points], [scores[::-1]] if blendshapes else [])


class FakeLandmarker:
    def __init__(self):
        self.stamps, self.closed = [], False

    def detect_for_video(self, image, timestamp_ms):
        self.stamps.append(timestamp_ms)
        return result() if image.any() else Result()

    def close(self):
        self.closed = True


def test_points_are_scaled_to_pixels_and_blendshapes_sorted_by_name():
    face = landmarks_of(result(), 360, 640)
    assert face.points[0].tolist() == [320.0, 180.0, 320.0]
    assert face.confidence == 1.0
    assert face.blendshapes == pytest.approx(np.arange(52) / 100)


def test_no_face_and_no_blendshapes():
    assert landmarks_of(Result(), 360, 640) is None
    assert np.isnan(landmarks_of(result(blendshapes=False), 360, 640).blendshapes).all()


def test_a_backend_gives_rising_stamps_and_is_closed(monkeypatch, tmp_path):
    model = FakeLandmarker()
    monkeypatch.setattr(landmarker_backend, "_check", lambda path: None)
    monkeypatch.setattr(
        landmarker_backend, "_load_tasks", lambda: landmarker_backend._Tasks(None, None, np.asarray)
    )
    monkeypatch.setattr(landmarker_backend, "_open", lambda *_: model)
    backend = LandmarkerFactory(tmp_path / "x.task")()
    assert backend.track(np.ones((36, 64, 3), np.uint8)).points[0, 0] == 32.0
    assert backend.track(np.zeros((36, 64, 3), np.uint8)) is None
    backend.close()
    assert model.stamps == [33, 66]
    assert model.closed


def test_files_that_are_no_models_are_refused_by_name(tmp_path):
    pytest.importorskip("mediapipe")
    with pytest.raises(BadInput, match=r"missing\.task.*No such file"):
        LandmarkerBackend(tmp_path / "missing.task")
    (tmp_path / "text.task").write_text("hello")
    with pytest.raises(BadInput, match=r"text\.task.*zip archive"):
        LandmarkerBackend(tmp_path / "text.task")
    with zipfile.ZipFile(tmp_path / "other.task", "w") as archive:
        archive.writestr("a.txt", "x")
    with pytest.raises(BadInput, match=r"other\.task.*face_detector\.tflite"):
        LandmarkerBackend(tmp_path / "other.task")


class WithBlendshapes(FixedFace):
    has_blendshapes = True

    def track(self, image):
        face = super().track(image)
        return face if face is None else replace(face, blendshapes=np.arange(52) / 100)


async def test_blendshapes_become_a_third_stream(tmp_path):
    video = write_video(tmp_path / "face.avi", [picture()] * 3 + [np.zeros_like(picture())] * 2)
    clock = FakeClock()
    source = CameraSource(video, clock=clock, wait=clock.wait, backend_factory=WithBlendshapes)
    async with source:
        items = [item async for item in source]
    info = source.infos[2]
    assert (info.name, info.modality) == ("camera-blendshapes", None)
    rows = [i.data[0] for i in items if isinstance(i, Chunk) and i.info == info]
    assert len(rows) == 5
    assert rows[0] == pytest.approx(np.arange(52) / 100)
    assert np.isnan(rows[-1]).all()


def test_landmarks_keep_their_blendshapes_when_scaled():
    face = Landmarks(mesh(), 0.5, np.ones(52))
    assert face.scaled(2.0).blendshapes is face.blendshapes
