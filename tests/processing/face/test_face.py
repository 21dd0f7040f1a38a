"""Face streams: pose and speed, blinks, what is relative to the neutral face, absent faces."""

from itertools import pairwise
from time import process_time

import numpy as np
import pytest

from biosense.core import Chunk, Modality, Pipeline, StreamInfo
from biosense.core.camera_streams import FACE_CHANNELS, FACE_POINTS
from biosense.core.errors import BadInput
from biosense.processing.face.blinks import BlinkDetector
from biosense.processing.face.features import FACE_FEATURES, FaceFeatures
from biosense.processing.face.geometry import GEOMETRY_CHANNELS, FaceGeometry
from biosense.testing.camera import face_points
from tests.support.signals.face_rows import frames

SFREQ = 30.0
INFO = StreamInfo("webcam-face", Modality.FACE, FACE_CHANNELS, SFREQ)


def geometry(data, sizes=None, indices=None):
    indices = np.arange(len(data)) if indices is None else indices
    chunk = Chunk.of(INFO, indices / SFREQ, data)
    stage = FaceGeometry()
    stage.start(INFO)
    out, at = [], 0
    for size in [len(data)] if sizes is None else sizes:
        out.extend(stage.push(chunk.slice(at, at + size)))
        at += size
    return np.concatenate([c.data for c in out]), np.concatenate([c.ok for c in out])


def test_angles_do_not_jump_over_a_full_turn():
    roll = np.linspace(0, 4 * np.pi, 300)
    wrapped = np.mod(roll + np.pi, 2 * np.pi) - np.pi
    pose = np.column_stack([np.zeros(300), np.zeros(300), wrapped])
    data, _ = geometry(frames(np.tile(face_points(), (300, 1, 1)), pose))
    assert np.allclose(data[:, GEOMETRY_CHANNELS.index("roll")], roll)


def test_head_speed_is_that_of_the_rotation():
    pose = np.outer(np.arange(60) / SFREQ * 0.5, [0.6, 0.0, 0.8])  # 0.5 rad/s about a slanted axis
    data, _ = geometry(frames(np.tile(face_points(), (60, 1, 1)), pose))
    speed = data[:, GEOMETRY_CHANNELS.index("head_speed")]
    assert np.isnan(speed[0])
    assert np.allclose(speed[1:], 0.5)


def test_frames_without_a_face_are_not_ok():
    data = frames(np.tile(face_points(), (20, 1, 1)))
    data[5:8, :-1] = np.nan
    data[5:8, -1] = 0
    found, ok = geometry(data)
    assert np.flatnonzero(~ok).tolist() == [5, 6, 7]
    assert np.isnan(found[5:8, :-1]).all()
    assert np.isnan(found[8, GEOMETRY_CHANNELS.index("head_speed")])
    assert np.isfinite(found[9]).all()


def test_speed_is_not_taken_across_a_gap():
    data = frames(np.tile(face_points(), (20, 1, 1)))
    indices = np.concatenate([np.arange(10), np.arange(15, 25)])
    speed = geometry(data, indices=indices)[0][:, GEOMETRY_CHANNELS.index("head_speed")]
    assert np.flatnonzero(np.isnan(speed)).tolist() == [0, 10]


def recording(seconds, *, blinks=(), blink_s=0.15, smile=None, hidden=(), pose=None):
    n = round(seconds * SFREQ)
    points = np.tile(face_points(), (n, 1, 1))
    eyes = [number for number, name in enumerate(FACE_POINTS) if "_eye_" in name]
    t = np.arange(n) / SFREQ
    for start in blinks:
        shut = np.flatnonzero((t >= start - 1e-9) & (t < start + blink_s - 1e-9))
        points[np.ix_(shut, eyes, [1])] *= 0.1
    if smile is not None:
        for name, side in (("mouth_right", -1), ("mouth_left", 1)):
            points[:, FACE_POINTS.index(name), 0] += side * smile(t)
    data = frames(points, (0, 0, 0) if pose is None else pose(t))
    for start, stop in hidden:
        data[(t >= start) & (t < stop), :-1] = np.nan
        data[(t >= start) & (t < stop), -1] = 0
    return data


def features(data, sizes=None, indices=None):
    indices = np.arange(len(data)) if indices is None else indices
    chunk = Chunk.of(INFO, indices / SFREQ, data)
    edges = np.cumsum([0, *([len(data)] if sizes is None else sizes)]).tolist()
    pieces = [chunk.slice(a, b) for a, b in pairwise(edges)]
    return Pipeline(FaceGeometry(), FaceFeatures()).run(pieces, INFO)


def column(epochs, name):
    return np.array([epoch.data[FACE_FEATURES.index(name)] for epoch in epochs])


def test_features_are_means_over_the_window_less_the_neutral_face():
    epochs = features(recording(16, smile=lambda t: np.where(t > 10, 5.0, 0.0)))
    stops = np.array([epoch.stop for epoch in epochs])
    smile = column(epochs, "smile_width")
    assert np.isnan(smile[stops < 5]).all()
    assert np.allclose(smile[(stops >= 6) & (stops <= 10)], 0)
    assert np.allclose(smile[stops > 12], 0.10)
    assert smile[stops == 11] == pytest.approx(0.05, abs=0.002)
    assert column(epochs, "smile_width_sd")[stops == 11] == pytest.approx(0.05, abs=0.002)
    assert column(epochs, "smile_width_sd")[stops == 14] == pytest.approx(0, abs=1e-9)


def test_blinks_are_counted_per_minute():
    epochs = features(recording(70, blinks=np.arange(1, 70, 4.0)))
    stops = np.array([epoch.stop for epoch in epochs])
    rate = column(epochs, "blink_rate")
    assert np.isnan(rate[stops < 20]).all()
    assert np.abs(rate[stops > 45] - 15).max() <= 2.0


@pytest.mark.parametrize(("length", "counted"), [(0.033, 0), (0.1, 1), (0.4, 1), (0.7, 0), (5, 0)])
def test_only_closures_of_a_blinks_length_are_blinks(length, counted):
    epochs = features(recording(40, blinks=[30.0], blink_s=length))
    watched = min(30.0, 40 - 10)
    found = column(epochs, "blink_rate")[-1] * watched / 60
    assert found == pytest.approx(counted, abs=0.05)


def test_long_closed_eyes_show_in_perclos():
    epochs = features(recording(60, blinks=[40.0], blink_s=6.0))
    assert column(epochs, "perclos")[-1] == pytest.approx(0.1, abs=0.01)


def test_a_face_lost_with_closed_eyes_is_no_blink():
    detector = BlinkDetector(SFREQ)
    ratios = np.full(900, 0.3)
    ratios[700:703] = 0.05
    ratios[703:760] = np.nan
    for start in range(0, 900, 90):
        detector.put(np.arange(start, start + 90), ratios[start : start + 90])
        rate, _ = detector.look(start + 89)
    assert rate == 0


def test_head_motion_grows_with_the_speed():
    def shake(speed):
        return lambda t: np.column_stack([speed * t, 0 * t, 0 * t])

    slow, fast = (column(features(recording(5, pose=shake(v))), "head_motion") for v in (0.1, 0.4))
    assert slow[-1] == pytest.approx(np.log(0.11))
    assert fast[-1] == pytest.approx(np.log(0.41))


def test_quality_is_the_share_of_frames_with_a_face():
    data = recording(10, hidden=[(4.0, 7.0)])
    data[:, -1] *= 0.8
    epochs = features(data)
    stops = np.array([epoch.stop for epoch in epochs])
    quality = np.array([epoch.quality for epoch in epochs])
    assert quality[stops == 4] == pytest.approx(0.8, abs=0.02)
    assert quality[stops == 5] == pytest.approx(0.4, abs=0.03)
    assert quality[stops == 6.5] == 0
    assert np.isnan(epochs[int(np.flatnonzero(stops == 6.5)[0])].data[:18]).all()


def test_no_epoch_inside_a_gap():
    data = recording(20)
    indices = np.concatenate([np.arange(300), np.arange(300, 600) + 900])
    stops = np.array([epoch.stop for epoch in features(data, indices=indices)])
    assert not ((stops > 10.25) & (stops < 40)).any()


@pytest.mark.parametrize("sizes", [[1] * 750, [7] * 107 + [1], [0, 100, 0, 650]])
def test_any_cutting_gives_the_same(sizes):
    data = recording(
        25, blinks=[3, 12, 21], smile=lambda t: np.sin(t), hidden=[(5, 6)], pose=_wobble
    )
    whole, cut = features(data), features(data, sizes)
    assert [epoch.index for epoch in whole] == [epoch.index for epoch in cut]
    for one, two in zip(whole, cut, strict=True):
        assert np.array_equal(one.data, two.data, equal_nan=True)
        assert one.quality == two.quality


def _wobble(t):
    return 0.2 * np.sin(np.outer(t, [1.0, 2.0, 3.0]))


def test_the_input_is_not_written_to():
    data = recording(3, hidden=[(1, 2)])
    before = data.copy()
    features(data)
    assert np.array_equal(data, before, equal_nan=True)


def test_wrong_streams_are_refused():
    with pytest.raises(BadInput, match="must have the channels FACE_CHANNELS"):
        FaceGeometry().start(StreamInfo("x", Modality.FACE, ("a", "b"), SFREQ))
    with pytest.raises(BadInput, match="put FaceGeometry"):
        FaceFeatures().start(INFO)
    with pytest.raises(BadInput, match="must be above 0"):
        FaceFeatures(window=0)


def test_a_frame_is_cheap():
    chunk = Chunk.of(INFO, np.arange(90) / SFREQ, recording(3))
    pipeline = Pipeline(FaceGeometry(), FaceFeatures())
    pipeline.start(INFO)
    began = process_time()
    for n in range(90):
        pipeline.push(chunk.slice(n, n + 1))
    assert (process_time() - began) / 90 < 2e-3  # 0.3 ms on two quiet cores
