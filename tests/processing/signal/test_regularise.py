"""A stream on the sample grid: values between samples, delay, rates, settings."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from biosense.core import Chunk, Pipeline, StreamInfo
from biosense.core.errors import BadInput
from biosense.processing.signal.regularise import Regularise
from tests.support.signals.wave_streams import (
    START_S,
    ecg_info,
    jittered,
    positions,
    regularised,
    wave,
)


def test_samples_on_the_grid_come_out_as_they_are() -> None:
    info = ecg_info(128.0)
    times = np.arange(12800, 12800 + 640) / 128.0
    data = np.random.default_rng(0).standard_normal((640, 1))
    out = regularised(Regularise(), Chunk.of(info, times, data))
    assert_array_equal(out.times, times)
    assert_allclose(out.data, data, atol=1e-9)
    assert out.ok.all()


def test_without_dejitter_samples_on_the_grid_come_out_bit_for_bit() -> None:
    times = np.arange(12800, 12800 + 640) / 128.0
    data = np.random.default_rng(0).standard_normal((640, 1))
    out = regularised(Regularise(dejitter=False), Chunk.of(ecg_info(128.0), times, data))
    assert_array_equal(out.data, data)


def test_cubic_is_far_better_than_a_line_between_samples() -> None:
    times = START_S + np.arange(1300) / 130.0
    chunk = Chunk.of(ecg_info(), times, wave(times)[:, None])
    cubic, line = (regularised(Regularise(order=order), chunk) for order in (3, 1))
    inner = slice(2, -2)  # the first and the last interval of a run are straight lines
    error_cubic = np.abs(cubic.data[:, 0] - wave(cubic.times))[inner].max()
    error_line = np.abs(line.data[:, 0] - wave(line.times))[inner].max()
    assert error_cubic < 1e-4
    assert error_line > 20 * error_cubic


def test_an_irregular_stream_needs_a_rate_and_gets_a_grid() -> None:
    info = StreamInfo("events", None, ("rate",), 0.0)
    with pytest.raises(BadInput, match=r"'events' is irregular: say Regularise\(sfreq=..\)"):
        Regularise().start(info)
    times = START_S + np.cumsum(np.random.default_rng(1).uniform(0.6, 1.1, 60))
    chunk = Chunk.of(info, times, (2 * times)[:, None])
    out = regularised(Regularise(sfreq=4.0, order=1, gap=2.0), chunk)
    assert out.info.sfreq == 4.0
    assert_allclose(out.data[:, 0], 2 * out.times, atol=1e-9)
    assert np.unique(np.diff(positions(out))).tolist() == [1]


@pytest.mark.parametrize(("order", "intervals"), [(3, 2.0), (1, 1.0)])
def test_the_output_is_late_by_no_more_than_stated(order: int, intervals: float) -> None:
    info = ecg_info()
    stage = Regularise(order=order)  # type: ignore[arg-type]
    stage.start(info)
    chunk = Chunk.of(info, START_S + np.arange(500) / 130.0, np.zeros((500, 1)))
    newest = -np.inf
    for n in range(chunk.n):
        for part in stage.push(chunk.slice(n, n + 1)):
            newest = part.times[-1]
        if n > 3:  # the next point of the grid is one interval further on
            assert chunk.times[n] - newest < (intervals + 1e-6) / 130.0


def test_a_long_stream_in_one_piece_equals_pieces_beyond_the_block() -> None:
    chunk = jittered(true_hz=2000.3, jitter=0.001, seconds=8.0, info=ecg_info(2000.0))
    whole = Pipeline(Regularise()).run([chunk], chunk.info)
    pieces = regularised(Regularise(), chunk)
    assert len(whole) > 3
    assert_array_equal(np.concatenate([part.data for part in whole]), pieces.data)


def test_wrong_settings_are_refused() -> None:
    with pytest.raises(BadInput, match="order=2 must be 3"):
        Regularise(order=2)  # type: ignore[arg-type]
    with pytest.raises(BadInput, match=r"gap=-1.0 must be above 0"):
        Regularise(gap=-1.0)
