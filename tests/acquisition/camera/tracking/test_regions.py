"""Colours of skin and background: linear, in RGB order, and steady."""

from __future__ import annotations

import numpy as np
import pytest

from biosense.acquisition.camera.tracking.backend import mesh_indices
from biosense.acquisition.camera.tracking.skin_regions import (
    RegionColours,
    linear_table,
    trust_table,
)
from biosense.core.camera_streams import HEAD_CHANNELS, RPPG_CHANNELS
from tests.support.camera_fakes import FACE, FOREHEAD, LEFT_CHEEK, RIGHT_CHEEK, SIZE, mesh, picture


def measure(image, points):
    return dict(zip(RPPG_CHANNELS, RegionColours().measure(image, points).tolist(), strict=True))


def colour(values, region):
    return [values[f"{region}_{channel}"] for channel in "rgb"]


def test_each_region_is_the_mean_of_linear_light_in_rgb_order():
    colours = {
        "forehead": (200, 120, 80),
        "right_cheek": (180, 100, 70),
        "left_cheek": (150, 90, 60),
        "background": (30, 60, 90),
    }
    values = measure(
        picture(
            background=colours["background"],
            forehead=colours["forehead"],
            right=colours["right_cheek"],
            left=colours["left_cheek"],
        ),
        mesh(),
    )
    for region, codes in colours.items():
        assert colour(values, region) == pytest.approx(linear_table()[list(codes)], rel=1e-12)


def test_linear_light_is_averaged_not_code_values():
    image = picture(forehead=(20, 20, 20))
    image[:, 160:] = 220
    mean = colour(measure(image, mesh()), "forehead")[0]
    assert mean == pytest.approx(linear_table()[[20, 220]].mean(), rel=0.05)
    assert mean > 1.8 * linear_table()[120]


def test_pixel_counts_are_the_areas():
    values = measure(picture(), mesh())
    for region, (left, top, right, bottom) in (
        ("forehead", FOREHEAD),
        ("right_cheek", RIGHT_CHEEK),
        ("left_cheek", LEFT_CHEEK),
    ):
        assert values[f"{region}_pixels"] == pytest.approx((right - left) * (bottom - top), rel=0.1)


def test_the_linear_table_is_srgb():
    table = linear_table()
    assert table[[0, 255]].tolist() == [0.0, 1.0]
    assert table[188] == pytest.approx(0.5029, abs=1e-4)
    assert (np.diff(table) > 0).all()


def test_no_pixel_is_switched_by_one_step_of_its_value():
    trust = trust_table().astype(int)
    assert trust[0] == trust[255] == 0
    assert trust[20] == trust[230] == 255
    assert np.abs(np.diff(trust)).max() <= 0.07 * 255


def test_clipped_pixels_do_not_count():
    image = picture(forehead=(200, 120, 80))
    image[:, 160:] = 255
    values = measure(image, mesh())
    assert colour(values, "forehead") == pytest.approx(linear_table()[[200, 120, 80]])
    assert values["forehead_pixels"] == pytest.approx(0.5 * 60 * 30, rel=0.1)


def test_skin_that_is_dark_in_blue_keeps_its_weight():
    values = measure(picture(forehead=(60, 25, 3)), mesh())
    assert values["forehead_pixels"] == pytest.approx(60 * 30, rel=0.1)


def test_a_region_of_black_or_clipped_pixels_is_nan():
    for code in (0, 255):
        values = measure(picture(forehead=(code,) * 3), mesh())
        assert np.isnan(colour(values, "forehead")).all()
        assert values["forehead_pixels"] == 0.0
        assert np.isfinite(colour(values, "right_cheek")).all()


def test_without_a_face_only_the_background_is_measured():
    values = RegionColours().measure(picture(background=(30, 60, 90)), None)
    assert np.isnan(values[[0, 1, 2, 4, 5, 6, 8, 9, 10]]).all()
    assert values[[3, 7, 11]].tolist() == [0, 0, 0]
    assert values[12:15] == pytest.approx(linear_table()[[30, 60, 90]])
    assert values[15] > 1000


def test_a_region_outside_the_frame_is_nan():
    values = measure(picture(), mesh() - (0, 80, 0))
    assert np.isnan(colour(values, "forehead")).all()
    assert values["forehead_pixels"] == 0.0


def test_a_region_turned_away_from_the_camera_is_nan():
    points = mesh()
    points[:, 0] = 320 - points[:, 0]
    values = measure(picture(), points)
    assert all(values[f"{region}_pixels"] == 0 for region in ("forehead", "right_cheek"))


def test_the_place_of_the_head_is_told_in_pixels_of_the_frame():
    points = mesh()
    nose, right, left = mesh_indices(("nose_tip", "right_eye_1", "left_eye_4"))
    points[[nose, right, left], :2] = (160, 110), (130, 90), (190, 98)
    values = measure(picture(), points)
    assert (values["head_x"], values["head_y"]) == (160, 110)
    assert values["head_size"] == pytest.approx(np.hypot(60, 8))
    assert values["head_roll"] == pytest.approx(np.arctan2(8, 60))
    assert np.isnan([measure(picture(), None)[name] for name in HEAD_CHANNELS]).all()


def test_the_background_stays_clear_of_the_face_and_of_the_shoulders():
    left, _, right, bottom = FACE
    image = np.full((*SIZE, 3), 200, np.uint8)
    image[bottom:] = 100
    image[:, left - 20 : right + 20] = 50
    values = measure(image, mesh())
    assert colour(values, "background") == pytest.approx(linear_table()[[200] * 3])


def test_the_background_does_not_follow_the_head():
    image = np.zeros((*SIZE, 3), np.uint8)
    image[:] = np.linspace(30, 220, SIZE[1])[None, :, None]
    colours = RegionColours()
    seen = [
        colours.measure(image, mesh() + np.array([shift, 0, 0]))[12] for shift in (0, 5, -8, 10, 3)
    ]
    assert len(set(seen)) == 1


def test_a_face_that_comes_near_pushes_the_background_away():
    image = np.full((*SIZE, 3), 90, np.uint8)
    colours = RegionColours()
    before = colours.measure(image, mesh())[15]
    points = mesh() - (60, 0, 0)
    image[:, : int(points[:, 0].max()) + 10] = 220
    after = colours.measure(image, points)
    assert after[12:15] == pytest.approx(linear_table()[[90] * 3])
    assert after[15] != before


def test_a_face_that_fills_the_frame_leaves_no_background():
    points = mesh()
    points[:, 0] = 160 + 3.4 * (points[:, 0] - 160)
    values = measure(picture(), points)
    assert np.isnan(colour(values, "background")).all()
    assert values["background_pixels"] == 0.0


def test_the_background_survives_the_face_and_a_change_of_size():
    colours = RegionColours()
    image = picture(background=(30, 60, 90))
    with_face = colours.measure(image, mesh())[12:16]
    np.testing.assert_array_equal(colours.measure(image, None)[12:16], with_face)
    assert np.isfinite(colours.measure(image[::2, ::2].copy(), None)[12:16]).all()


def test_a_weak_pulse_survives_eight_bits():
    rng = np.random.default_rng(1)
    light = 0.3 * (1 + 0.005 * np.sin(2 * np.pi * 1.2 * np.arange(60) / 30))
    colours = RegionColours()
    means = []
    for level in light:
        code = np.interp(level, linear_table(), np.arange(256))
        image = np.clip(np.rint(code + rng.normal(0, 1.5, (*SIZE, 3))), 0, 255).astype(np.uint8)
        means.append(colours.measure(image, mesh())[1])
    assert np.corrcoef(means, light)[0, 1] > 0.97
    assert np.std(means) == pytest.approx(np.std(light), rel=0.1)
