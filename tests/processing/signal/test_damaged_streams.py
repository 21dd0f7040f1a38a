"""Loss, gaps, repeats and stamps that are wrong: what becomes of them on the grid."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from biosense.core import Chunk, Pipeline
from biosense.processing.signal.regularise import Regularise
from tests.support.signals.wave_streams import (
    START_S,
    ecg_info,
    positions,
    regularised,
    wave,
)


def hostile_stream(seed: int) -> Chunk:
    """Return a stream that jumps, repeats, stands still, runs backwards and has holes."""
    rng = np.random.default_rng(seed)
    sfreq = float(rng.choice([1, 4, 8, 30, 130, 256]))
    n, channels = int(rng.integers(50, 400)), int(rng.integers(1, 4))
    times = rng.uniform(0, 1e5) + np.cumsum(np.full(n, rng.uniform(0.9, 1.1) / sfreq))
    times += rng.standard_normal(n) * rng.choice([0.0, 0.01, 0.3, 1.0]) / sfreq
    for _ in range(rng.integers(0, 4)):
        times[rng.integers(0, n) :] += rng.choice([-0.5, 0.3, 2.0, 100.0]) / rng.choice([1, sfreq])
    if seed % 2:
        times = np.maximum.accumulate(times)
    times[rng.random(n) < 0.01] = np.nan
    data = rng.standard_normal((n, channels))
    data[rng.random((n, channels)) < 0.05] = np.nan
    hole = int(rng.integers(0, n))
    data[hole : hole + int(rng.integers(1, 60))] = np.nan
    info = ecg_info(sfreq, lossy=bool(rng.random() < 0.5), channels=channels)
    return Chunk(info, times, data, rng.random(n) > 0.05)


def test_a_gap_is_a_jump_and_nothing_is_interpolated_across() -> None:
    times = START_S + np.arange(1300) / 130.0
    data = np.where(np.arange(1300) < 500, -1.0, 1.0)[:, None]
    keep = (np.arange(1300) < 500) | (np.arange(1300) >= 890)  # 3 s
    out = regularised(Regularise(), Chunk.of(ecg_info(), times[keep], data[keep]))
    steps = np.diff(positions(out))
    assert np.count_nonzero(steps != 1) == 1
    assert steps.max() == pytest.approx(391, abs=1)
    assert_allclose(np.abs(out.data), 1.0, atol=1e-9)


def test_a_burst_of_missing_rows_is_a_jump() -> None:
    times = START_S + np.arange(1300) / 130.0
    data = wave(times)[:, None].copy()
    data[400:500] = np.nan
    out = regularised(Regularise(), Chunk.of(ecg_info(), times, data))
    assert np.isfinite(out.data).all()
    assert np.diff(positions(out)).max() == pytest.approx(101, abs=1)
    assert_allclose(out.data[:, 0], wave(out.times), atol=0.01)


@pytest.mark.parametrize("lossy", [True, False])
def test_two_lost_samples_are_bridged(lossy: bool) -> None:
    times = START_S + np.arange(2600) / 130.0
    keep = (np.arange(2600) != 1300) & (np.arange(2600) != 1301)
    info = ecg_info(lossy=lossy)
    out = regularised(Regularise(), Chunk.of(info, times[keep], wave(times[keep])[:, None]))
    assert np.unique(np.diff(positions(out))).tolist() == [1]
    error = np.abs(out.data[:, 0] - wave(out.times))
    assert error[out.times < times[1299]].max() < 0.005
    if lossy:  # its stamps are believed: nothing shifts
        assert error.max() < 0.02
    else:  # taken for a hiccup: 15 ms late at first, and found again within seconds
        assert error[out.times > times[1301] + 8].max() < 0.1


@pytest.mark.parametrize("lossy", [True, False])
def test_a_repeated_packet_is_dropped(lossy: bool) -> None:
    times = START_S + np.arange(1300) / 130.0
    again = np.r_[0:730, 700:1300]  # the 30 samples before a reconnect once more
    chunk = Chunk.of(ecg_info(lossy=lossy), times[again], wave(times[again])[:, None])
    out = regularised(Regularise(), chunk)
    assert (np.diff(out.times) > 0).all()
    assert np.abs(out.data[:, 0] - wave(out.times))[2:-2].max() < 0.02


def test_stamps_that_stand_still_do_not_bring_time_to_a_halt() -> None:
    """A clock that was set back: session times stay where they are until it has caught up."""
    times = START_S + np.arange(2600) / 130.0
    stamps = np.maximum.accumulate(np.where(np.arange(2600) < 1300, times, times - 2.0))
    out = regularised(Regularise(), Chunk.of(ecg_info(), stamps, wave(times)[:, None]))
    assert (np.diff(out.times) > 0).all()
    assert out.times[-1] == pytest.approx(times[-1] - 2.0, abs=0.1)


def test_stamps_that_are_not_finite_are_dropped() -> None:
    times = START_S + np.arange(260) / 130.0
    stamps = times.copy()
    stamps[[0, 100, 259]] = np.nan, np.inf, np.nan
    info = ecg_info(lossy=True)
    out = regularised(Regularise(), Chunk.of(info, stamps, wave(times)[:, None]))
    assert np.abs(out.data[:, 0] - wave(out.times))[2:-2].max() < 0.01


def test_a_missing_channel_holds_its_last_value_and_the_others_live() -> None:
    times = np.arange(1280, 1408) / 128.0
    data = np.column_stack([np.arange(128.0), np.arange(128.0), np.arange(128.0)])
    data[:10, 2] = np.nan  # nothing known yet
    data[50:60, 1] = np.nan
    info = ecg_info(128.0, channels=3)
    chunk = Chunk.of(info, times, data)
    out = regularised(Regularise(), chunk)
    assert out.n == 128
    assert_allclose(out.data[:, 0], np.arange(128.0), atol=1e-6)
    assert_allclose(out.data[:9, 2], 0.0, atol=1e-6)
    assert_allclose(out.data[51:59, 1], 49.0, atol=1e-6)
    kept = regularised(Regularise(fill=False), chunk)
    assert np.isnan(kept.data[51:59, 1]).all()
    assert_allclose(kept.data[:, 0], np.arange(128.0), atol=1e-6)


def test_samples_that_are_not_ok_stay_not_ok() -> None:
    times = START_S + np.arange(128) / 128.0
    ok = np.ones(128, bool)
    ok[60] = False
    chunk = Chunk(ecg_info(128.0), times, wave(times)[:, None], ok)
    out = regularised(Regularise(), chunk)
    near = np.abs(out.times - times[60]) < 1 / 128.0
    assert not out.ok[near].any()
    assert np.count_nonzero(~out.ok) <= 4


@pytest.mark.parametrize("seed", range(40))
def test_hostile_streams_come_out_the_same_in_every_cutting(seed: int) -> None:
    chunk = hostile_stream(seed)
    stage = Regularise(order=3 if seed % 3 else 1)
    cuts = np.sort(np.random.default_rng(seed).integers(0, chunk.n + 1, 25)).tolist()
    pieces = [chunk.slice(a, b) for a, b in pairwise([0, *cuts, chunk.n])]
    whole = Pipeline(stage).run([chunk], chunk.info)
    cut = Pipeline(stage).run(pieces, chunk.info)
    for name in ("times", "data", "ok"):
        wanted = np.concatenate([getattr(part, name) for part in whole])
        assert_array_equal(np.concatenate([getattr(part, name) for part in cut]), wanted)
    assert (np.diff(np.concatenate([part.times for part in whole])) > 0).all()
    assert all(np.isfinite(part.data).all() for part in whole)
