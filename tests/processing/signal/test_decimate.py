"""Which samples stay, and that no alias is among them."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

from biosense.core import Chunk, StreamInfo
from biosense.core.errors import BadInput
from biosense.core.types import Floats
from biosense.processing.signal.decimate import Decimate

INFO = StreamInfo("cap", None, ("Cz",), 512.0, "V")


def decimated(stage: Decimate, n: np.ndarray, values: Floats) -> Chunk:
    stage.start(INFO)
    (out,) = stage.push(Chunk.of(INFO, n / 512.0, values[:, None]))
    return out


def test_samples_lie_on_the_grid_of_the_session_wherever_the_stream_begins() -> None:
    for first in range(1001, 1006):
        n = np.arange(first, first + 400)
        out = decimated(Decimate(128.0, filtered=True), n, n.astype(float))
        assert out.info.sfreq == 128.0
        assert (out.data[:, 0] % 4 == 0).all()
        assert_allclose(out.times, out.data[:, 0] / 512.0, rtol=0, atol=1e-12)


def test_frequencies_above_the_new_nyquist_do_not_come_back() -> None:
    n = np.arange(10_000, 16_000)
    for frequency in (77.0, 120.0, 128.0, 200.0):  # would be seen at 51, 8, 0, 56 Hz
        out = decimated(Decimate(128.0), n, np.sin(2 * np.pi * frequency * n / 512.0))
        assert np.abs(out.data[out.n // 2 :]).max() < 0.006, frequency  # 44 dB
        assert np.abs(out.data[out.ok]).max() < 0.02, frequency  # the sine's own beginning


def test_frequencies_below_are_kept_and_late_by_the_stated_delay() -> None:
    n = np.arange(10_000, 16_000)
    stage = Decimate(128.0)
    out = decimated(stage, n, 2.0 + np.sin(2 * np.pi * 3.0 * n / 512.0))
    delayed = 2.0 + np.sin(2 * np.pi * 3.0 * (out.times - stage.delay(3.0, INFO)))
    assert_allclose(out.data[out.ok, 0], delayed[out.ok], atol=0.01)
    assert 0.005 < stage.delay(3.0, INFO) < 0.03


def test_an_offset_makes_no_transient_and_keeps_its_size() -> None:
    out = decimated(Decimate(128.0), np.arange(4000, 4400), np.full(400, 7.0))
    assert_allclose(out.data, 7.0, atol=1e-9)
    assert not out.ok[0]


def test_the_same_rate_changes_nothing() -> None:
    values = np.random.default_rng(0).standard_normal(50)
    stage = Decimate(512.0)
    out = decimated(stage, np.arange(50), values)
    assert_allclose(out.data[:, 0], values, rtol=0, atol=0)
    assert out.ok.all()
    assert stage.delay(3.0, INFO) == 0.0


@pytest.mark.parametrize("rate", [100.0, 1024.0, 300.0])
def test_rates_without_a_whole_ratio_are_refused(rate: float) -> None:
    with pytest.raises(BadInput, match=f"512.0 Hz of 'cap' is not a multiple of to_sfreq={rate}"):
        Decimate(rate).start(INFO)
