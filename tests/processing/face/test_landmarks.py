"""Geometry of one face: invariances, and which movement moves what."""

import numpy as np
import pytest

from biosense.core.camera_streams import FACE_POINTS
from biosense.processing.face.landmarks import (
    EXPRESSION_CHANNELS,
    angle_between,
    euler_angles,
    expression,
    rotation_matrices,
)
from biosense.testing.camera import face_points
from tests.support.signals.face_rows import frames


def shape_of(points):
    values = expression(frames(points))[0]
    return dict(zip(EXPRESSION_CHANNELS, values.tolist(), strict=True))


def moved(shift, *names):
    """Rest face with points shifted by (x, y, z); x is outwards, away from the middle."""
    points = face_points()
    for name in names:
        at = FACE_POINTS.index(name)
        side = np.sign(points[at, 0]) or 1.0
        points[at] += np.array([side, 1.0, 1.0]) * shift
    return points


def changes(points):
    """Names of the expression values that differ from those of the rest face."""
    rest, found = shape_of(face_points()), shape_of(points)
    return {name for name in rest if abs(rest[name] - found[name]) > 1e-9}


def turned(points, angle):
    cosine, sine = np.cos(angle), np.sin(angle)
    return points @ np.array([[cosine, sine, 0.0], [-sine, cosine, 0.0], [0.0, 0.0, 1.0]])


def lively_face(seed=0):
    return face_points() + np.random.default_rng(seed).normal(0, 1.0, (len(FACE_POINTS), 3))


@pytest.mark.parametrize("angle", [0.1, -0.7, 1.5, 3.0])
def test_rotation_about_the_camera_axis_changes_nothing(angle):
    face = lively_face()
    other = turned(face, angle) + np.array([320.0, 180.0, 0.0])
    one, two = expression(frames(face)), expression(frames(other))
    assert np.allclose(one, two, atol=1e-10)


@pytest.mark.parametrize("scale", [0.3, 4.0])
def test_size_and_place_change_nothing(scale):
    face = lively_face()
    one, two = expression(frames(face)), expression(frames(scale * face + [100, 50, 7]))
    assert np.allclose(one, two, atol=1e-10)


def test_a_mirrored_face_has_the_same_shape_and_opposite_sides():
    found = shape_of(moved((0, -6, 0), "mouth_left"))
    mirrored = shape_of(moved((0, -6, 0), "mouth_right"))
    assert found["smile_asymmetry"] > 0.02
    assert mirrored["smile_asymmetry"] == pytest.approx(-found["smile_asymmetry"])
    assert mirrored["smile_width"] == pytest.approx(found["smile_width"])


def test_rest_face_has_the_values_of_the_formulas():
    rest = shape_of(face_points())
    assert rest["ear"] == pytest.approx((2 * np.hypot(10, 1) / 2 + 2 * 10 / 2) / 60, rel=0.02)
    assert rest["mar"] == pytest.approx(3 / 50)
    assert rest["smile_width"] == pytest.approx(0.56)
    assert rest["lip_corner_lift"] == pytest.approx(((65 + 82) / 2 - 72) / 100)
    assert rest["brow_gap"] == pytest.approx(0.28)
    assert rest["gaze_x"] == pytest.approx(0)
    assert rest["smile_asymmetry"] == pytest.approx(0)


def test_a_smile_widens_and_lifts_the_corners_and_nothing_else():
    smile = moved((6, -5, 0), "mouth_right", "mouth_left")
    rest, found = shape_of(face_points()), shape_of(smile)
    assert changes(smile) == {"smile_width", "lip_corner_lift"}
    assert found["smile_width"] == pytest.approx(rest["smile_width"] + 0.12)
    assert found["lip_corner_lift"] == pytest.approx(rest["lip_corner_lift"] + 0.05)


def test_raised_inner_brows_move_the_inner_brow_and_knitted_ones_the_gap():
    inner = ("right_brow_inner", "left_brow_inner")
    raised, knitted = moved((0, -5, 0), *inner), moved((-4, 0, 0), *inner)
    assert changes(raised) == {"brow_inner"}
    assert shape_of(raised)["brow_inner"] > shape_of(face_points())["brow_inner"]
    assert shape_of(knitted)["brow_gap"] == pytest.approx(0.20)
    outer = moved((0, -5, 0), "right_brow_outer", "left_brow_outer")
    assert changes(outer) == {"brow_outer"}


def test_closing_the_eyes_lowers_only_their_aspect_ratio():
    points = face_points()
    for number, name in enumerate(FACE_POINTS):
        if "_eye_" in name:
            points[number, 1] *= 0.1
    assert {"ear", "ear_right", "ear_left"} <= changes(points)
    assert changes(points) <= {"ear", "ear_right", "ear_left", "gaze_y"}
    assert shape_of(points)["ear"] < 0.3 * shape_of(face_points())["ear"]


def test_jaw_mouth_and_nose_move_their_own_features():
    assert changes(moved((0, 8, 0), "chin")) == {"jaw_drop"}
    assert changes(moved((0, 8, 0), "lip_lower_inner")) == {"mar"}
    wrinkled = moved((0, -4, 0), "nose_right", "nose_left")
    assert changes(wrinkled) == {"nose_wrinkle"}
    assert shape_of(wrinkled)["nose_wrinkle"] < shape_of(face_points())["nose_wrinkle"]


def test_gaze_follows_the_iris():
    points = face_points()
    for name in ("right_iris", "left_iris"):
        points[FACE_POINTS.index(name)] += (6, 2, 0)
    found = shape_of(points)
    assert changes(points) == {"gaze_x", "gaze_y"}
    assert found["gaze_x"] == pytest.approx(0.2)
    assert found["gaze_y"] == pytest.approx(0.2)


def test_the_eye_that_is_seen_better_decides():
    points = face_points()
    left = [number for number, name in enumerate(FACE_POINTS) if name.startswith("left_eye")]
    points[left, 0] = 20 + 0.2 * (points[left, 0] - 20)  # the far eye of a turned head
    found = shape_of(points)
    assert abs(found["ear"] - found["ear_right"]) < 0.1 * abs(found["ear"] - found["ear_left"])


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_a_turn_about_one_axis_is_one_angle(axis):
    pose = np.zeros(3)
    pose[axis] = 0.4
    expected = np.zeros(3)
    expected[axis] = 0.4
    assert np.allclose(euler_angles(frames(face_points(), pose)), expected)


def test_rotation_matrices_are_those_of_scipy():
    from scipy.spatial.transform import Rotation

    vectors = np.random.default_rng(0).normal(0, 1.0, (50, 3))
    vectors[0] = 0
    data = frames(np.tile(face_points(), (50, 1, 1)), vectors)
    found = rotation_matrices(data)
    rotations = Rotation.from_rotvec(vectors)
    assert np.allclose(found, rotations.as_matrix(), atol=1e-12)
    assert np.allclose(euler_angles(data)[:, ::-1], rotations.as_euler("ZYX"))
    steps = (rotations[:-1].inv() * rotations[1:]).magnitude()
    assert np.allclose(angle_between(found[:-1], found[1:]), steps)
