"""Windows end on the session grid, hold what was there, and say how much was missing."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from biosense.core import Chunk, Epoch, Pipeline, StreamInfo
from biosense.core.errors import BadInput
from biosense.core.grid import HOP
from biosense.processing.signal.grid_points import GridPoints
from biosense.processing.signal.window import Window

SFREQ = 130.0  # a window of 0.25 s is no whole number of samples
INFO = StreamInfo("strap", None, ("ecg",), SFREQ, "V")


def windows(n: np.ndarray, stage: Window, ok: np.ndarray | None = None) -> list[Epoch]:
    """Return the windows of a stream whose values are its positions."""
    chunk = Chunk.of(INFO, n / SFREQ, n[:, None].astype(float), ok)
    return Pipeline(stage).run([chunk], INFO)


def test_windows_end_at_or_just_before_the_grid_and_never_after() -> None:
    for epoch in windows(np.arange(1000, 2300), Window(1.0)):
        assert epoch.stop == epoch.index * HOP
        assert epoch.start == epoch.stop - 1.0
        last = epoch.data[-1, 0]
        assert last / SFREQ <= epoch.stop + 1e-9
        assert (last + 1) / SFREQ > epoch.stop + 1e-9
        assert epoch.data.shape == (130, 1)


def test_every_grid_point_has_its_window() -> None:
    epochs = windows(np.arange(1000, 2300), Window(1.0))
    first, last = int(np.ceil(1000 / SFREQ / HOP)), int(2299 / SFREQ / HOP)
    assert [epoch.index for epoch in epochs] == list(range(first, last + 1))


def test_a_window_is_given_out_with_the_sample_that_completes_it() -> None:
    info = StreamInfo("wrist", None, ("eda",), 4.0, "S")
    stage = Window(1.0)
    stage.start(info)
    for n in range(100, 120):
        (epoch,) = stage.push(Chunk.of(info, [n / 4.0], [[float(n)]]))
        assert epoch.stop == n / 4.0
        assert epoch.data[-1, 0] == n


def test_the_beginning_is_missing_and_quality_says_so() -> None:
    epochs = windows(np.arange(1000, 1300), Window(1.0, min_ok=0.3))
    for epoch in epochs:
        missing = np.isnan(epoch.data[:, 0])
        last = int(epoch.stop * SFREQ + 1e-6)
        assert_array_equal(epoch.data[~missing, 0], np.arange(max(1000, last - 129), last + 1))
        share = 1 - missing.mean()
        assert epoch.quality == pytest.approx(share if share >= 0.3 else 0.0)
    assert epochs[0].quality == 0.0
    assert epochs[-1].quality == 1.0


def test_a_gap_is_missing_in_its_place_and_has_no_windows_itself() -> None:
    n = np.r_[1000:1300, 1600:2000]
    epochs = windows(n, Window(2.0))
    gap = (1299 / SFREQ + HOP, 1600 / SFREQ)
    assert not [epoch for epoch in epochs if gap[0] < epoch.stop < gap[1]]
    across = next(epoch for epoch in epochs if epoch.stop > gap[1])
    last = int(np.floor(across.stop * SFREQ + 1e-6))
    wanted = np.arange(last - 259, last + 1).astype(float)
    wanted[~np.isin(wanted, n)] = np.nan
    assert_array_equal(across.data[:, 0], wanted)


def test_values_that_are_not_ok_stay_but_lower_the_quality() -> None:
    n = np.arange(1000, 1600)
    ok = np.ones(600, bool)
    ok[300:330] = False
    last = windows(n, Window(4.0), ok)[-1]
    assert np.isfinite(last.data).all()
    assert last.quality == pytest.approx(1 - 30 / 520)


def test_windows_longer_than_the_stream_and_chunks_longer_than_the_window() -> None:
    assert windows(np.arange(1000, 1200), Window(60.0, min_ok=0.0))[-1].data.shape == (7800, 1)
    long = windows(np.arange(1000, 9000), Window(0.25))
    assert all(epoch.quality == 1.0 for epoch in long[1:])


def test_wrong_settings_are_refused() -> None:
    with pytest.raises(BadInput, match=r"length=0\.0 s"):
        Window(0.0)
    with pytest.raises(BadInput, match="holds no sample of 'strap'"):
        Window(0.001).start(INFO)


def brute_force(times: list[float], sfreq: float) -> list[int]:
    reach = max(HOP, 1 / sfreq) if sfreq else HOP
    points = range(int(np.floor(times[0] / HOP)), int(np.floor(times[-1] / HOP + 1e-6)) + 1)
    return [
        k for k in points if any(k * HOP - reach + 1e-6 < time <= k * HOP + 1e-6 for time in times)
    ]


@pytest.mark.parametrize("sfreq", [0.0, 1.0, 1.3, 4.0, 30.0, 130.0])
def test_grid_cut_finds_the_points_that_a_search_finds(sfreq: float) -> None:
    rng = np.random.default_rng(2)
    n = np.cumsum(rng.choice([1, 1, 1, 1, 1, 1, 2, 3, 40], 300)) + 1000
    times = n / (sfreq or 7.0) if sfreq else np.cumsum(rng.uniform(0.05, 0.5, 300)) + 100
    whole = GridPoints(sfreq).cut(times)
    assert [k for _, k in whole] == brute_force(times.tolist(), sfreq)
    for stop, k in whole:
        assert (times[:stop] <= k * HOP + 1e-6).all()
        assert (times[stop:] > k * HOP).all()
    cut, done = GridPoints(sfreq), 0
    pieces = []
    for size in rng.integers(0, 9, 200).tolist():
        pieces += [(stop + done, k) for stop, k in cut.cut(times[done : done + size])]
        done = min(done + size, len(times))
    assert [(stop, k) for stop, k in pieces] == whole[: len(pieces)]
    assert len(pieces) > len(whole) // 2


def test_grid_cut_does_not_count_through_a_gap_of_years() -> None:
    cut = GridPoints(100.0)
    assert cut.cut(np.array([1.0, 1e9])) == [(1, 4), (2, 4_000_000_000)]
