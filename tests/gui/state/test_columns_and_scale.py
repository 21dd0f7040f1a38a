"""Columns keep every peak and never wiggle; scales are calm."""

import numpy as np

from biosense.gui.state.pixel_columns import to_columns
from biosense.gui.state.scale import Scale


def test_every_peak_survives_and_no_sample_is_invented() -> None:
    rng = np.random.default_rng(2)
    values = rng.standard_normal((2000, 3))
    columns = to_columns(np.arange(2000) / 512, values, 70.0, 0.1)
    assert columns.high.max() == values.max()
    assert columns.low.min() == values.min()
    assert np.isin(columns.first, values).all()


def test_column_of_a_sample_does_not_depend_on_what_is_drawn_with_it() -> None:
    times = 5000.0 + np.arange(1000) / 128
    values = np.sin(times)[:, None]
    whole = to_columns(times, values, 64.3, 0.1)
    part = to_columns(times[317:], values[317:], 64.3, 0.1)
    same = np.isin(whole.at, part.at[1:])  # the first one may be cut
    np.testing.assert_array_equal(whole.at[same], part.at[1:])
    np.testing.assert_array_equal(whole.high[same], part.high[1:])


def test_gap_is_not_joined_and_missing_values_are_not_drawn() -> None:
    times = np.array([0.0, 0.1, 1.5, 1.6])
    columns = to_columns(times, np.array([[1.0], [np.nan], [2.0], [3.0]]), 10.0, 0.3)
    assert columns.joined.tolist() == [False, True, False, True]
    assert np.isnan(columns.low[1, 0])


def test_scale_widens_at_once_and_shrinks_only_after_a_while() -> None:
    scale = Scale(centred=True, least=1.0)
    quiet, loud = np.full((50, 1), 3.0), np.full((50, 1), 90.0)
    scale.follow(quiet, 0.0)
    before = scale.high
    assert scale.follow(loud, 1.0)
    assert scale.high >= 90.0
    assert not scale.follow(quiet, 2.0)
    assert not scale.follow(quiet, 5.5)
    assert scale.follow(quiet, 6.0)
    assert scale.high == before


def test_small_changes_leave_the_scale_alone() -> None:
    scale = Scale(centred=False, least=0.1)
    rng = np.random.default_rng(3)
    scale.follow(5.0 + rng.uniform(-1, 1, (200, 1)), 0.0)
    changes = [scale.follow(5.0 + rng.uniform(-1, 1, (200, 1)), float(n)) for n in range(60)]
    assert sum(changes) <= 1


def test_loose_electrode_does_not_flatten_the_others() -> None:
    values = np.tile(np.sin(np.arange(500.0))[:, None], (1, 8))
    values[:, 2] *= 1000.0
    scale = Scale(centred=True, least=0.1)
    scale.follow(values, 0.0)
    assert scale.high < 3.0


def test_lane_without_any_value_has_no_scale() -> None:
    scale = Scale(centred=False, least=1.0)
    assert not scale.follow(np.full((10, 1), np.nan), 0.0)
    assert not scale.known
