"""Baseline, movement, turned and badly seen faces, tired eyes: what a session does to features."""

from __future__ import annotations

import numpy as np
import pytest

from biosense.core import Chunk, Modality, Pipeline, StreamInfo
from biosense.core.camera_streams import FACE_CHANNELS, FACE_POINTS
from biosense.core.errors import BadInput
from biosense.processing.face.blinks import BlinkDetector
from biosense.processing.face.features import FACE_FEATURES, FaceFeatures
from biosense.processing.face.geometry import GEOMETRY_CHANNELS, FaceGeometry
from biosense.processing.face.landmarks import EXPRESSION_CHANNELS, expression
from biosense.processing.face.motion import means, movement, slopes
from biosense.processing.face.neutral import Neutral
from biosense.processing.face.visibility import visibility, weighted
from biosense.processing.pipelines import feature_pipeline
from biosense.testing.camera import face_points

SFREQ = 30.0
INFO = StreamInfo("webcam-face", Modality.FACE, FACE_CHANNELS, SFREQ)


def rows(n, *, points=None, pose=(0.0, 0.0, 0.0), confidence=1.0):
    points = np.tile(face_points() if points is None else points, (n, 1, 1))
    pose = np.broadcast_to(np.asarray(pose, float), (n, 3))
    return np.column_stack([points.reshape(n, -1), pose, np.full(n, confidence)])


def run(data):
    chunk = Chunk.of(INFO, np.arange(len(data)) / SFREQ, data)
    return Pipeline(FaceGeometry(), FaceFeatures()).run([chunk], INFO)


def value(epoch, name):
    return float(epoch.data[FACE_FEATURES.index(name)])


def at(epochs, second):
    return next(epoch for epoch in epochs if epoch.stop == second)


def geometry(data):
    stage = FaceGeometry()
    stage.start(INFO)
    return stage.push(Chunk.of(INFO, np.arange(len(data)) / SFREQ, data))[0]


def shape(data):
    return dict(zip(EXPRESSION_CHANNELS, expression(data)[0].tolist(), strict=True))


def yawed(degrees, *, shut=""):
    """A face turned to the subject's right by an angle, one eye shut."""
    points = face_points()
    for number, name in enumerate(FACE_POINTS):
        if shut and name.startswith(f"{shut}_eye_"):
            points[number, 1] *= 0.1
    return rows(1, points=points, pose=(0, np.radians(degrees), 0))


def rotation(degrees):
    return np.array([[[np.cos(a), 0, np.sin(a)], [0, 1, 0], [-np.sin(a), 0, np.cos(a)]]
                     for a in np.radians(np.atleast_1d(degrees))])  # fmt: skip


def test_both_halves_count_fully_up_to_15_degrees_of_yaw():
    right, left = visibility(rotation([-15, -5, 0, 5, 15]))
    assert np.allclose(right, 1)
    assert np.allclose(left, 1)


def test_the_far_half_fades_out_without_a_step_and_the_near_one_stays():
    right, left = visibility(rotation(np.linspace(0, 60, 601)))
    assert (np.diff(right) <= 0).all()
    assert np.abs(np.diff(right)).max() < 0.01
    assert right[350] == pytest.approx(0.14, abs=0.01)
    assert right[450] == pytest.approx(0.0, abs=1e-6)
    assert np.allclose(left[:550], 1)


def test_a_mirrored_turn_swaps_the_halves():
    one, two = visibility(rotation([-40, 40])), visibility(rotation([40, -40]))
    assert np.allclose(one[0], two[1])
    assert np.allclose(one[1], two[0])


@pytest.mark.parametrize(("shut", "expected"), [("right", 1.0), ("left", 0.15)])
def test_beyond_45_degrees_the_near_eye_alone_decides(shut, expected):
    """Turned to the subject's right, it is the left eye that is seen."""
    found = shape(yawed(46, shut=shut))["ear"] / shape(yawed(0))["ear"]
    assert found == pytest.approx(expected, abs=0.06)


def test_a_profile_from_behind_has_no_eyes_but_a_mouth():
    found = shape(yawed(120))
    assert np.isnan([found["ear"], found["gaze_x"], found["brow_inner"]]).all()
    assert found["smile_width"] == pytest.approx(0.56)


def test_asymmetry_is_not_told_of_a_turned_head():
    assert np.isfinite(shape(yawed(30))["smile_asymmetry"])
    assert np.isnan(shape(yawed(45))["smile_asymmetry"])


def test_weighted_means_take_no_nan_from_nowhere():
    one, zero = np.array([1.0]), np.array([0.0])
    assert np.isnan(weighted((one, one), (zero, zero))[0])
    assert weighted((one, 3 * one), (one, one))[0] == 2.0


def test_a_face_hardly_seen_is_no_number_but_low_quality_and_says_why():
    data = rows(600)
    data[:300, :120] += 0.001 * np.random.default_rng(1).standard_normal((300, 120))
    data[300:, -1] = 0.2
    data[300:, :120] += 3.0 * np.random.default_rng(0).standard_normal((300, 120))
    epochs = run(data)
    assert at(epochs, 9.0).quality == pytest.approx(1.0, abs=0.02)
    late = at(epochs, 15.0)
    assert late.quality == 0.0
    assert late.reason == "face hardly seen"
    assert np.isnan(late.data[: FACE_FEATURES.index("blink_rate")]).all()
    data[300:, :-1], data[300:, -1] = np.nan, 0.0
    assert at(run(data), 15.0).reason == "no face"


def test_the_confidence_asked_for_can_be_set_and_is_part_of_the_fingerprint():
    assert "least_confidence=0.3" in repr(FaceGeometry())
    assert geometry(rows(3, confidence=0.3)).ok.all()
    assert not geometry(rows(3, confidence=0.29)).ok.any()
    with pytest.raises(BadInput, match="least_confidence=2"):
        FaceGeometry(least_confidence=2)


def test_a_mesh_without_irises_is_a_face_without_gaze():
    data = rows(30)
    data[:, [n for n, name in enumerate(FACE_CHANNELS) if "_iris_" in name]] = np.nan
    chunk = geometry(data)
    assert chunk.ok.all()
    missing = np.isnan(chunk.data[5])
    assert [GEOMETRY_CHANNELS[n] for n in np.flatnonzero(missing)] == ["gaze_x", "gaze_y"]


def test_the_neutral_face_survives_an_absence():
    data = rows(1800)
    data[450:1350, :-1], data[450:1350, -1] = np.nan, 0.0
    data[1350:, FACE_CHANNELS.index("mouth_left_x")] += 5.0
    epochs = run(data)
    assert np.isnan(value(at(epochs, 30.0), "smile_width"))
    assert value(at(epochs, 15.0), "smile_width") == pytest.approx(0.0)
    assert value(at(epochs, 48.0), "smile_width") == pytest.approx(0.05)


def test_a_smile_of_a_minute_is_still_one_at_its_end():
    data = rows(30 * 150)
    data[30 * 80 :, FACE_CHANNELS.index("mouth_left_x")] += 5.0
    assert value(at(run(data), 140.0), "smile_width") == pytest.approx(0.05)


def test_another_persons_neutral_face_changes_nothing():
    """Offsets of shape and pose leave no trace behind the baseline."""
    smile = 4.0 * np.sin(np.arange(900) / SFREQ)
    one, two = rows(900), rows(900, pose=(0.2, -0.1, 0.05))
    two[:, FACE_CHANNELS.index("chin_y")] += 9.0
    for data in (one, two):
        data[:, FACE_CHANNELS.index("mouth_left_x")] += smile
    ends = [at(run(data), 25.0) for data in (one, two)]
    for name in ("smile_width", "jaw_drop", "pitch", "yaw", "roll"):
        assert value(ends[0], name) == pytest.approx(value(ends[1], name), abs=1e-9)


def test_a_median_is_of_the_newest_looks():
    neutral = Neutral(memory=4, least=2, channels=2)
    neutral.put(np.array([1.0, 1.0]))
    assert np.isnan(neutral.median).all()
    for number in range(10):
        neutral.put(np.array([number, np.nan if number % 2 else number], float))
    assert neutral.median.tolist() == [5.0, 5.0]


def test_slopes_see_past_missing_frames_and_refuse_too_few():
    ramp = 0.5 * np.arange(60.0)[:, None] / SFREQ
    ramp[10:20] = np.nan
    assert slopes(ramp, SFREQ)[0] == pytest.approx(0.5)
    ramp[4:] = np.nan
    assert np.isnan(slopes(ramp, SFREQ)[0])


def test_slope_features_have_the_sign_and_size_of_the_movement():
    data = rows(600)
    data[:, FACE_CHANNELS.index("mouth_left_x")] += np.arange(600) / SFREQ  # 1 % of the eyes a s
    data[:, FACE_CHANNELS.index("pose_y")] = -0.02 * np.arange(600) / SFREQ
    last = at(run(data), 10.0)
    assert value(last, "smile_width_slope") == pytest.approx(0.01)
    assert value(last, "yaw_slope") == pytest.approx(-0.02)
    assert value(last, "brow_inner_slope") == pytest.approx(0.0, abs=1e-9)


def test_movement_is_that_of_its_own_part_of_the_face():
    data = rows(600)
    wave = 5.0 * np.sin(2 * np.pi * np.arange(600) / SFREQ)
    data[:, FACE_CHANNELS.index("chin_y")] += wave
    last = at(run(data), 10.0)
    # The rms velocity of 0.05 sin(2 pi t) is 0.222: less over 0.1 s than at once.
    assert np.exp(value(last, "mouth_motion")) - 0.02 == pytest.approx(0.222, rel=0.07)
    assert np.exp(value(last, "brow_motion")) == pytest.approx(0.02)


def test_movement_and_means_of_nothing_are_nan():
    nothing = np.full((10, 2), np.nan)
    assert np.isnan(movement(nothing, SFREQ))
    assert np.isnan(means(nothing)).all()


def test_perclos_does_not_take_shut_eyes_for_the_open_ones():
    """Two minutes shut after one open: a running median would call them open by then."""
    ratios = np.concatenate([np.full(1800, 0.3), np.full(3600, 0.05)])
    detector = BlinkDetector(SFREQ)
    for start in range(0, len(ratios), 15):
        detector.put(np.arange(start, start + 15), ratios[start : start + 15])
        _, closed = detector.look(start + 14)
    assert closed == 1.0


@pytest.mark.parametrize(("share", "counted"), [(0.7, False), (0.85, True)])
def test_closed_means_four_fifths_of_the_way_to_shut_lids(share, counted):
    shut = 0.2 * 0.3
    ratios = np.full(1800, 0.3)
    ratios[900:1350] = 0.3 - share * (0.3 - shut)
    detector = BlinkDetector(SFREQ)
    detector.put(np.arange(1800), ratios)
    assert detector.look(1799)[1] == pytest.approx(0.25 if counted else 0.0, abs=0.001)


def test_perclos_is_unknown_when_the_eyes_were_hardly_seen():
    ratios = np.full(3000, 0.3)
    ratios[700:] = np.nan
    detector = BlinkDetector(SFREQ)
    detector.put(np.arange(3000), ratios)
    assert np.isnan(detector.look(2999)).all()


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_frames_full_of_nonsense_are_no_face(bad):
    data = rows(120)
    data[30:90, :-1] = bad
    data[30:90, -1] = 1.0
    chunk = geometry(data)
    assert not chunk.ok[30:90].any()
    lasting = [n for n, name in enumerate(GEOMETRY_CHANNELS) if name != "head_speed"]
    assert np.isfinite(chunk.data[chunk.ok][:, lasting]).all()


def test_a_face_of_no_size_is_no_number():
    """All points in one place: a tracker gone wrong, not a person."""
    data = rows(240, points=np.ones_like(face_points()))
    last = run(data)[-1]
    assert np.isnan(value(last, "smile_width"))


def test_an_empty_chunk_is_taken():
    stage = FaceGeometry()
    stage.start(INFO)
    assert list(stage.push(Chunk.of(INFO, [], []))) == []


def test_a_second_of_video_costs_little():
    from time import process_time

    pipeline = feature_pipeline(INFO)
    pipeline.start(INFO)
    data = rows(900)
    chunk = Chunk.of(INFO, np.arange(900) / SFREQ, data)
    began = process_time()
    for n in range(900):
        pipeline.push(chunk.slice(n, n + 1))
    assert (process_time() - began) / 30 < 0.1
