"""The gate of the camera pulse: light, heads and pictures that are no pulse, told by name."""

import numpy as np
import pytest

from tests.support.signals.rppg_scenes import (
    GREEN_PURPLE,
    RED_CYAN,
    SFREQ,
    column,
    given,
    run,
    scene,
)


@pytest.mark.parametrize("colour", [GREEN_PURPLE, RED_CYAN], ids=["green-purple", "red-cyan"])
@pytest.mark.parametrize("swing", [0.005, 0.02])
@pytest.mark.parametrize("pulse", [0.0, 0.0025])
def test_a_swing_of_coloured_light_is_not_taken_for_a_pulse(colour, swing, pulse):
    epochs = run(scene(40, pulse=pulse, swing=swing, colour=colour))
    wrong = given(epochs) & (np.abs(column(epochs, "heart_rate") - 72.0) > 6)
    assert wrong.mean() <= 0.05


@pytest.mark.parametrize("colour", [GREEN_PURPLE, RED_CYAN, np.ones(3)])
def test_light_that_only_the_face_sees_is_known_by_its_colour(colour):
    data = scene(30, pulse=0.0, swing=0.01, colour=colour)
    data[:, 12:] = np.nan
    epochs = run(data)
    assert given(epochs).mean() <= 0.05
    assert epochs[-1].reason


def test_without_a_background_a_rate_is_trusted_half():
    data = scene(20)
    data[:, 12:] = np.nan
    quality = [epoch.quality for epoch in run(data)][-20:]
    assert 0.4 < min(quality) <= max(quality) <= 0.5


def test_a_pulse_beside_a_stronger_swing_of_light_is_found():
    epochs = run(scene(30, pulse=0.006, swing=0.01, colour=GREEN_PURPLE))[-40:]
    assert given(epochs).mean() > 0.8
    assert np.nanmax(np.abs(column(epochs, "heart_rate") - 72.0)) < 2


@pytest.mark.parametrize("bpm", [82.0, 92.0])
def test_a_lamp_that_swings_almost_at_the_heart_rate_hides_no_pulse(bpm):
    epochs = run(scene(30, bpm=bpm, swing=0.02, colour=np.ones(3)))[-40:]
    assert given(epochs).mean() > 0.8
    assert np.nanmax(np.abs(column(epochs, "heart_rate") - bpm)) < 2
    assert not given(run(scene(30, pulse=0.0, swing=0.02, colour=np.ones(3)))).any()


def with_head(data, moved):
    """Add a head that moves by `moved` distances of the eyes, with a tracker's jitter."""
    rng = np.random.default_rng(5)
    head = np.column_stack([320 + 100 * moved, np.full(len(data), 200.0)])
    head = np.column_stack([head, np.full(len(data), 100.0), np.zeros(len(data))])
    return np.hstack([data, head + rng.normal(0, 0.3, head.shape) * [1, 1, 1, 0.01]])


def test_what_swings_with_the_head_is_not_told():
    sway = 0.02 * np.sin(2 * np.pi * 1.2 * np.arange(900) / SFREQ)
    still, swaying = (run(with_head(scene(30), moved)) for moved in (0 * sway, sway))
    assert given(still)[-40:].all()
    assert not given(swaying)[-40:].any()
    assert swaying[-1].reason == "head moves"


def test_a_head_that_moves_at_another_rate_does_not_matter():
    sway = 0.05 * np.sin(2 * np.pi * 1.7 * np.arange(900) / SFREQ)
    assert given(run(with_head(scene(30), sway)))[-40:].all()


def test_a_stream_without_the_head_gives_the_same_as_one_whose_head_is_still():
    data = scene(20)
    one, two = run(data), run(with_head(data, np.zeros(len(data))))
    for old, new in zip(one, two, strict=True):
        assert np.array_equal(old.data, new.data, equal_nan=True)


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (lambda data: data.__setitem__((slice(None), slice(0, 12)), np.nan), "no face"),
        (lambda data: data.__setitem__((slice(None), [3, 7, 11]), 100.0), "too little skin"),
    ],
)
def test_the_reason_is_told(spoil, reason):
    data = scene(15)
    spoil(data)
    assert run(data)[-1].reason == reason


def test_a_face_that_just_came_is_not_missed():
    data = scene(30)
    data[300:450, :12] = np.nan
    data[300:450, 3:12:4] = 0.0
    reasons = {epoch.stop: epoch.reason for epoch in run(data)}
    assert reasons[5.0] == "gaps"
    assert reasons[14.0] == "no face"
    assert reasons[20.0] == "gaps"
    assert not reasons[29.0]


@pytest.mark.parametrize("value", [0.0, 1.0, np.nan, np.inf])
def test_a_picture_without_life_gives_no_rate(value):
    data = np.full((450, 16), value)
    data[:, 3::4] = 2000.0
    epochs = run(data)
    assert len(epochs) > 50
    assert not given(epochs).any()
    assert max(epoch.quality for epoch in epochs) == 0
