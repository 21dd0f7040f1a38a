"""The face mesh of MediaPipe on real video."""

from __future__ import annotations

import builtins
import subprocess
import sys
from dataclasses import dataclass

import numpy as np
import pytest

from biosense.acquisition.camera import CameraSource
from biosense.acquisition.camera.frames import FileFrames, Frame
from biosense.acquisition.camera.tracking.backend import mesh_indices
from biosense.acquisition.camera.tracking.mediapipe_backend import MediaPipeBackend
from biosense.acquisition.camera.tracking.tracker import FaceTracker
from biosense.core.camera_streams import FACE_CHANNELS, FACE_POINTS, RPPG_CHANNELS
from biosense.core.errors import MissingExtra
from biosense.core.types import Chunk, Event, Modality
from tests.support.camera_fakes import FakeClock

CLIPS = ("single_face", "WolfgangLanger_Pexels", "no_face")


@dataclass(frozen=True)
class Tracked:
    """Rows of both streams over a whole clip."""

    rppg: np.ndarray
    face: np.ndarray

    def points(self):
        return self.face[:, : 3 * len(FACE_POINTS)].reshape(len(self.face), -1, 3)

    @property
    def pose(self):
        return np.degrees(self.face[:, -4:-1])

    @property
    def found(self):
        return self.face[:, -1] > 0


def track(path):
    clock = FakeClock()
    reader = FileFrames(path, clock=clock, wait=clock.wait)
    tracker = FaceTracker(MediaPipeBackend())
    rows = [tracker.measure(got.image) for got in reader if isinstance(got, Frame)]
    reader.close()
    tracker.close()
    rppg, face = zip(*rows, strict=True)
    return Tracked(np.array(rppg), np.array(face))


@pytest.fixture(scope="module")
def clips(public_file):
    pytest.importorskip("mediapipe")
    return {name: track(public_file(f"face/{name}.mp4")) for name in CLIPS}


@pytest.mark.parametrize("name", CLIPS[:2])
def test_a_face_is_found_in_nearly_every_frame(clips, name):
    assert clips[name].found.mean() >= 0.95
    assert np.isfinite(clips[name].face[clips[name].found]).all()


def test_no_face_is_found_where_there_is_none(clips):
    clip = clips["no_face"]
    assert len(clip.face) == 95
    assert not clip.found.any()
    assert np.isnan(clip.face[:, :-1]).all()
    assert np.isnan(clip.rppg[:, 0]).all()
    assert np.isfinite(clip.rppg[:, 12:16]).all()


@pytest.mark.parametrize("name", CLIPS[:2])
def test_the_pose_neither_wraps_nor_jumps(clips, name):
    pose = clips[name].pose[clips[name].found]
    assert np.linalg.norm(np.diff(pose, axis=0), axis=1).max() < 15
    assert np.abs(pose).max() < 45


def test_a_man_who_faces_the_camera_has_a_pose_near_zero(clips):
    assert np.abs(np.median(clips["single_face"].pose, axis=0)).max() < 10


@pytest.mark.parametrize("name", CLIPS[:2])
def test_the_points_are_where_their_names_say(clips, name):
    points = dict(zip(FACE_POINTS, np.nanmean(clips[name].points(), axis=0), strict=True))
    down = ("forehead_top", "nasion", "nose_bridge", "nose_tip", "lip_upper_inner", "chin")
    assert np.all(np.diff([points[point][1] for point in down]) > 0)
    for part in ("eye_2", "iris", "brow_mid", "cheek"):
        right, left = (
            points.get(f"{side}_{part}", points.get(f"{part}_{side}")) for side in ("right", "left")
        )
        assert right[0] < points["nasion"][0] < left[0]
    for side in ("right", "left"):
        iris = points[f"{side}_iris"]
        corners = points[f"{side}_eye_1"][0], points[f"{side}_eye_4"][0]
        assert corners[0] < iris[0] < corners[1]
        assert points[f"{side}_eye_2"][1] < points[f"{side}_eye_6"][1]
    assert points["nose_tip"][2] < points["face_right"][2]  # nearer than the side of the face


@pytest.mark.parametrize("name", CLIPS[:2])
def test_skin_is_the_colour_of_skin(clips, name):
    rppg = dict(zip(RPPG_CHANNELS, np.median(clips[name].rppg, axis=0), strict=True))
    for region in ("forehead", "right_cheek", "left_cheek"):
        assert rppg[f"{region}_r"] > rppg[f"{region}_g"] > rppg[f"{region}_b"]
        assert rppg[f"{region}_pixels"] > 500


async def test_a_video_becomes_two_streams(public_file, capfd):
    pytest.importorskip("mediapipe")
    clock = FakeClock()
    source = CameraSource(public_file("face/single_face.mp4"), clock=clock, wait=clock.wait)
    async with source:
        items = [item async for item in source]
    chunks = [item for item in items if isinstance(item, Chunk)]
    face = [chunk for chunk in chunks if chunk.info.modality is Modality.FACE]
    assert len(chunks) == 2 * len(face) == 144
    assert [item.text for item in items if isinstance(item, Event)] == [
        "face found",
        "file ended: single_face.mp4",
    ]
    assert capfd.readouterr().err == ""


def test_a_missing_mediapipe_is_told_with_how_to_install_it(monkeypatch):
    real = builtins.__import__

    def without(name, *args, **kwargs):
        if name.startswith("mediapipe"):
            raise ModuleNotFoundError("No module named 'mediapipe'")
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(MissingExtra, match=r"pip install --no-deps mediapipe==0\.10\.14"):
        MediaPipeBackend()


def test_a_lost_face_is_none_at_once():
    pytest.importorskip("mediapipe")
    backend = MediaPipeBackend()
    assert backend.track(np.full((120, 160, 3), 128, np.uint8)) is None
    backend.close()


def test_neither_opencv_nor_mediapipe_is_loaded_before_a_camera_is_used():
    code = (
        "import sys, biosense.acquisition.camera;"
        "sys.exit(' '.join({'cv2', 'mediapipe', 'matplotlib'} & set(sys.modules)) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False)
    assert done.returncode == 0, done.stderr


def test_the_kept_points_fit_the_channels():
    assert 3 * len(mesh_indices()) + 4 == len(FACE_CHANNELS)
