"""Poor light lowers the confidence of a face, and so does nothing else."""

from __future__ import annotations

import numpy as np
import pytest

from biosense.acquisition.camera.native.opencv import load_opencv
from biosense.acquisition.camera.tracking.illumination import light_trust
from biosense.acquisition.camera.tracking.tracker import FaceTracker
from tests.support.camera_fakes import FixedFace, mesh, picture


def lit(gain, noise=2.0, offset=0.0):
    rng = np.random.default_rng(0)
    image = gain * picture(right=(120, 70, 50), left=(210, 140, 110)) + offset
    return np.clip(image + rng.normal(0, noise, image.shape), 0, 255).astype(np.uint8)


def trust(image, points=None):
    return light_trust(load_opencv(), image, mesh() if points is None else points)


@pytest.mark.parametrize("gain", [1.0, 0.5])
def test_good_light_is_trusted(gain):
    assert trust(lit(gain)) == 1.0


def test_trust_falls_with_the_light_to_nothing():
    found = [trust(lit(gain)) for gain in (1.0, 0.3, 0.1, 0.05, 0.02)]
    assert all(np.diff(found) <= 0)
    assert found[-2:] == [0.0, 0.0]


def test_a_dark_picture_without_noise_is_still_dark():
    assert trust(lit(0.03, noise=0.0)) == 0.0


def test_noise_as_large_as_the_face_is_no_face():
    assert trust(lit(0.3, noise=2.0)) > 0.5
    assert trust(lit(0.3, noise=20.0)) == 0.0


def test_a_face_burnt_out_is_not_trusted():
    assert trust(lit(1.0, offset=200.0)) == 0.0


@pytest.mark.parametrize("place", [(500, 0, 0), (-500, 0, 0), (0, 900, 0), (148, 0, 0)])
def test_a_face_outside_the_picture_is_not_trusted(place):
    assert trust(lit(1.0), mesh() + place) == 0.0


def test_the_confidence_of_the_stream_falls_with_the_light():
    tracker = FaceTracker(FixedFace())
    assert tracker.measure(lit(1.0))[1][-1] == pytest.approx(0.9)
    assert tracker.measure(lit(0.05))[1][-1] == 0.0
