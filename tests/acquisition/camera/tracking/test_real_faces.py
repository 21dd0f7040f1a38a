"""Real faces warped by known amounts, dimmed, and side by side: what the tracker makes of them."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from benchmarks.parts.face_warps import warp
from biosense.acquisition.camera.native.opencv import load_opencv
from biosense.acquisition.camera.tracking.mediapipe_backend import MediaPipeBackend
from biosense.acquisition.camera.tracking.tracker import FaceTracker
from biosense.core.camera_streams import FACE_CHANNELS, FACE_POINTS
from tests.conftest import REAL_DATA

UPPER = [161, 160, 159, 158, 157, 388, 387, 386, 385, 384]
LOWER = [163, 144, 145, 153, 154, 390, 373, 374, 380, 381]
IRISES = range(468, 478)


@pytest.fixture(scope="module")
def clips(public_file):
    pytest.importorskip("mediapipe")
    return [
        read(public_file(f"face/{name}"), 70)
        for name in ("single_face.mp4", "WolfgangLanger_Pexels.mp4")
    ]


def read(path, most):
    capture = load_opencv().VideoCapture(str(path))
    return [capture.read()[1] for _ in range(most)]


def track(frames):
    tracker = FaceTracker(MediaPipeBackend())
    rows = np.array([tracker.measure(frame)[1] for frame in frames])
    tracker.close()
    return rows


@pytest.fixture(scope="module")
def face(clips):
    """The first frame and its mesh."""
    cv2, backend = load_opencv(), MediaPipeBackend()
    rgb = cv2.cvtColor(clips[0][0], cv2.COLOR_BGR2RGB)
    points = [backend.track(rgb) for _ in range(3)][-1].points
    backend.close()
    return clips[0][0], points


def measured(face, moved, *, without=()):
    """The face row of a picture whose mesh was moved, piecewise affine."""
    frame, points = face
    kept = [n for n in range(len(points)) if n not in without]
    return track([warp(frame, points[kept, :2], moved[kept, :2])] * 3)[-1]


def between(row, one, two):
    a, b = (3 * FACE_POINTS.index(name) for name in (one, two))
    return float(np.linalg.norm(row[b : b + 3] - row[a : a + 3]))


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_a_turned_head_is_seen_to_turn_about_the_same_axis(face, axis):
    points = face[1]
    centre = points[[33, 263, 1, 152]].mean(axis=0)
    found = []
    for degrees in (-12, 12):
        turn = Rotation.from_rotvec(np.radians(degrees) * np.eye(3)[axis])
        found.append(measured(face, turn.apply(points - centre) + centre)[-4:-1])
    change = np.degrees(found[1] - found[0])
    assert 12 < change[axis] < 30  # of 24: a warp cannot show the side of the head
    others = np.abs(np.delete(change, axis))
    assert others.max() < 0.35 * change[axis]


def is_real(public_file) -> bool:
    return getattr(public_file, "__self__", None) == REAL_DATA


def test_closed_eyes_are_seen_to_close(face, public_file):
    points = face[1]
    openings = []
    for share in (0.0, 0.5, 0.95):
        moved = points.copy()
        moved[UPPER] += share * (points[LOWER] - points[UPPER])
        row = measured(face, moved, without=IRISES)
        openings.append(between(row, "right_eye_2", "right_eye_6"))
    half, shut = (1.2, 1.4) if is_real(public_file) else (1.15, 1.3)  # portraits are smaller
    assert openings[0] > half * openings[1] > shut * openings[2]


def test_a_smile_is_seen_to_widen_the_mouth(face):
    points = face[1]
    eyes = np.linalg.norm(points[33] - points[263])
    widths = []
    for share in (0.0, 0.05, 0.1):
        moved = points.copy()
        for corner, side in ((61, -1), (291, 1)):
            near = np.linalg.norm(points - points[corner], axis=1) / (0.2 * eyes)
            pull = share * eyes * np.exp(-0.5 * near**2)
            moved[:, :2] += pull[:, None] * (side, -0.7)
        row = measured(face, moved)
        widths.append(between(row, "mouth_right", "mouth_left") / eyes)
    assert widths[1] > widths[0] + 0.02
    assert widths[2] > widths[1] + 0.02


def test_a_still_face_stays_still(face, public_file):
    rows = track([face[0]] * 30)[10:]
    degrees, pixels = (0.2, 0.5) if is_real(public_file) else (0.5, 1.0)
    assert np.degrees(rows[:, -4:-1].std(axis=0)).max() < degrees
    assert rows[:, :-4].std(axis=0).max() < pixels


def test_a_face_in_the_dark_has_no_confidence(clips):
    rng = np.random.default_rng(0)
    dark = [
        np.clip(0.05 * frame + rng.normal(0, 2, frame.shape), 0, 255).astype(np.uint8)
        for frame in clips[0][:10]
    ]
    assert track(clips[0][:10])[:, -1].min() > 0.9
    assert track(dark)[:, -1].max() < 0.3


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_the_other_face_in_the_picture_is_never_measured(clips, order):
    cv2 = load_opencv()
    one, two = ([cv2.resize(frame, (320, 180)) for frame in clips[n]] for n in order)
    nobody = np.zeros_like(one[0])

    def scene(n):
        first = nobody if 60 <= n < 80 else one[n % 60]
        return np.hstack([first, two[n % 60] if n >= 40 else nobody])

    x = track([scene(n) for n in range(110)])[:, FACE_CHANNELS.index("nose_tip_x")]
    here = np.isfinite(x)
    assert here[:60].all()
    assert not here[60:80].any()
    assert here[85:].all()
    assert np.nanmax(x) < 320
