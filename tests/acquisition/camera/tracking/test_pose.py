"""Head pose and the row of the face stream."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from biosense.acquisition.camera.tracking.backend import Landmarks, mesh_indices
from biosense.acquisition.camera.tracking.head_pose import HeadPose
from biosense.acquisition.camera.tracking.tracker import FaceTracker
from biosense.core.camera_streams import FACE_CHANNELS, FACE_POINTS
from biosense.core.errors import BadInput
from tests.support.camera_fakes import FixedFace, mesh, picture


def turned(degrees):
    return Rotation.from_rotvec(np.radians(degrees)).apply(mesh())


def test_a_face_that_looks_at_the_camera_has_no_rotation():
    assert HeadPose().rotation(mesh()) == pytest.approx(np.zeros(3), abs=1e-9)


@pytest.mark.parametrize("degrees", [(20, 0, 0), (0, -35, 0), (0, 0, 50), (-10, 20, -30)])
def test_a_known_rotation_is_found(degrees):
    assert np.degrees(HeadPose().rotation(turned(degrees))) == pytest.approx(degrees, abs=1e-6)


def test_size_and_place_do_not_matter():
    pose = HeadPose()
    points = turned((5, 10, -7))
    assert pose.rotation(3.7 * points + (200, -50, 9)) == pytest.approx(pose.rotation(points))


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_a_full_sweep_has_no_wrap_and_no_jump(axis):
    pose = HeadPose()
    sweep = np.linspace(-170, 170, 681)
    found = np.degrees([pose.rotation(turned(angle * np.eye(3)[axis])) for angle in sweep])
    assert found[:, axis] == pytest.approx(sweep, abs=1e-6)


def test_looking_down_is_positive_x():
    points = mesh()
    forehead, tip = mesh_indices(("forehead_top", "nose_tip"))
    down = turned((20, 0, 0))
    assert down[forehead, 2] - down[tip, 2] < points[forehead, 2] - points[tip, 2]
    assert HeadPose().rotation(down)[0] > 0


def test_noise_of_a_pixel_moves_the_pose_by_degrees_not_more():
    rng = np.random.default_rng(2)
    pose = HeadPose()
    found = [pose.rotation(mesh() + rng.normal(0, 1.0, (478, 3))) for _ in range(200)]
    assert np.degrees(np.std(found, axis=0)).max() < 2.0


def test_the_face_row_holds_points_pose_and_confidence():
    tracker = FaceTracker(FixedFace())
    points = turned((0, 15, 0))
    row = dict(zip(FACE_CHANNELS, tracker.face_row(Landmarks(points, 0.8)), strict=True))
    for name, number in (("nose_tip", 1), ("left_eye_1", 362), ("right_iris", 468), ("chin", 152)):
        assert [row[f"{name}_{axis}"] for axis in "xyz"] == points[number].tolist()
    assert np.degrees(row["pose_y"]) == pytest.approx(15)
    assert row["confidence"] == 0.8


def test_a_mesh_without_irises_has_nan_irises_and_all_else():
    row = FaceTracker(FixedFace()).face_row(Landmarks(mesh(468), 1.0))
    missing = {name for name, value in zip(FACE_CHANNELS, row, strict=True) if np.isnan(value)}
    assert missing == {f"{side}_iris_{axis}" for side in ("left", "right") for axis in "xyz"}


def test_no_face_is_all_nan_with_confidence_0():
    _, row = FaceTracker(FixedFace()).measure(np.zeros_like(picture()))
    assert np.isnan(row[:-1]).all()
    assert row[-1] == 0.0


def test_every_point_that_is_kept_has_a_number_of_its_own():
    indices = mesh_indices()
    assert len(set(indices.tolist())) == len(FACE_POINTS)
    assert indices.min() >= 0
    assert indices.max() < 478


def test_large_frames_are_shrunk_for_tracking_and_measured_as_they_are():
    backend = FixedFace()
    image = picture().repeat(2, axis=0).repeat(2, axis=1)
    rppg, face = FaceTracker(backend, max_width=320).measure(image)
    assert backend.seen[0].shape == picture().shape
    assert face[:3] == pytest.approx(2 * mesh()[33])
    assert rppg[3] == pytest.approx(4 * 60 * 30, rel=0.1)
    np.testing.assert_array_equal(backend.seen[0], picture()[..., ::-1])


def test_the_backend_gets_rgb():
    backend = FixedFace()
    FaceTracker(backend).measure(picture(background=(10, 20, 30)))
    assert backend.seen[0][0, 0].tolist() == [10, 20, 30]


def test_points_that_are_no_face_mesh_are_refused():
    with pytest.raises(BadInput, match=r"\(68, 3\), wanted \(468, 3\)"):
        Landmarks(np.zeros((68, 3)), 1.0)
    with pytest.raises(BadInput, match="max_width=10"):
        FaceTracker(FixedFace(), max_width=10)
