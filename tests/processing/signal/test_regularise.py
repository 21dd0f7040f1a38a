"""Jitter, drift, loss and gaps of real streams, against signals whose truth is known."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from biosense.core import Chunk, Modality, Pipeline, StreamInfo
from biosense.core.errors import BadInput
from biosense.core.types import Floats
from biosense.processing.signal.dejitter import Dejitter
from biosense.processing.signal.regularise import Regularise

START_S = 1000.123
WAVE_HZ = 5.0


def wave(times: Floats) -> Floats:
    return np.sin(2 * np.pi * WAVE_HZ * times)


def ecg_info(sfreq: float = 130.0, *, lossy: bool = False, channels: int = 1) -> StreamInfo:
    names = tuple(f"c{n}" for n in range(channels))
    return StreamInfo("strap", Modality.ECG, names, sfreq, "V", lossy=lossy)


def regularised(stage: Regularise, chunk: Chunk) -> Chunk:
    """Return the result of a stream in pieces of 10 samples as one chunk."""
    pieces = [chunk.slice(n, min(n + 10, chunk.n)) for n in range(0, chunk.n, 10)]
    out = Pipeline(stage).run(pieces, chunk.info)
    return Chunk(
        out[0].info,
        np.concatenate([part.times for part in out]),
        np.concatenate([part.data for part in out]),
        np.concatenate([part.ok for part in out]),
    )


def positions(chunk: Chunk) -> np.ndarray:
    return np.rint(chunk.times * chunk.info.sfreq).astype(int)


def jittered(
    *, true_hz: float, jitter: float, seconds: float = 60.0, info: StreamInfo, packet: int = 1
) -> Chunk:
    rng = np.random.default_rng(3)
    times = START_S + np.arange(round(seconds * true_hz)) / true_hz
    late = np.repeat(rng.standard_normal(len(times) // packet + 1) * jitter, packet)[: len(times)]
    return Chunk.of(info, np.maximum.accumulate(times + late), wave(times)[:, None])


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


def test_jitter_and_a_wrong_rate_are_smoothed() -> None:
    chunk = jittered(true_hz=130.05, jitter=0.005, info=ecg_info())
    out = regularised(Regularise(), chunk)
    error = out.data[:, 0] - wave(out.times)
    late = out.times > START_S + 10
    # 5 ms of jitter SD become 0.7 ms: 0.022 of a 5 Hz wave's slope; raw stamps give 0.12
    assert np.sqrt(np.mean(error[late] ** 2)) < 0.022
    assert np.abs(error).max() < 0.15
    assert np.unique(np.diff(positions(out))).tolist() == [1]
    raw = regularised(Regularise(dejitter=False), chunk)
    assert np.sqrt(np.mean((raw.data[:, 0] - wave(raw.times)) ** 2)) > 0.08


def test_jitter_of_whole_packets_is_smoothed() -> None:
    chunk = jittered(true_hz=512.03, jitter=0.003, info=ecg_info(512.0), packet=16)
    out = regularised(Regularise(), chunk)
    late = out.times > START_S + 10
    assert np.sqrt(np.mean((out.data[:, 0] - wave(out.times))[late] ** 2)) < 0.015
    assert np.unique(np.diff(positions(out))).tolist() == [1]


def test_every_sample_of_a_jittered_stream_counts() -> None:
    chunk = jittered(true_hz=130.0, jitter=0.005, info=ecg_info())
    assert regularised(Regularise(), chunk).n == pytest.approx(chunk.n, abs=3)


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


def test_a_hiccup_of_a_sender_without_loss_moves_nothing() -> None:
    times = START_S + np.arange(2600) / 130.0
    stamps = times.copy()
    stamps[1300:1308] = times[1308]  # 60 ms late, then all at once
    out = regularised(Regularise(), Chunk.of(ecg_info(), stamps, wave(times)[:, None]))
    assert np.unique(np.diff(positions(out))).tolist() == [1]
    assert np.abs(out.data[:, 0] - wave(out.times))[2:-2].max() < 0.05


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


def test_a_rate_that_is_declared_wrong_by_two_per_cent_still_keeps_time() -> None:
    chunk = jittered(true_hz=128.0, jitter=0.0005, seconds=40.0, info=ecg_info(130.6))
    out = regularised(Regularise(), chunk)
    late = out.times > START_S + 25
    assert np.abs(out.data[:, 0] - wave(out.times))[late].max() < 0.1


def test_wrong_settings_are_refused() -> None:
    with pytest.raises(BadInput, match="order=2 must be 3"):
        Regularise(order=2)  # type: ignore[arg-type]
    with pytest.raises(BadInput, match=r"gap=-1.0 must be above 0"):
        Regularise(gap=-1.0)


def test_dejitter_never_strays_further_than_the_gap() -> None:
    rng = np.random.default_rng(4)
    stamps = np.cumsum(rng.uniform(0.0, 0.04, 5000))  # nothing like the 100 Hz that it claims
    smoothed, _ = Dejitter(100.0, gap=0.05, lossy=False).push(stamps)
    assert np.abs(smoothed - stamps).max() <= 0.05 + 1e-9


@pytest.mark.parametrize("sfreq", [1.0, 4.0, 130.0, 20000.0])
def test_dejitter_is_stable_at_every_rate(sfreq: float) -> None:
    n = round(60 * sfreq) if sfreq < 1000 else 200_000
    stamps = START_S + np.arange(n) / (sfreq * 1.0001)
    clock = Dejitter(sfreq, gap=1.0, lossy=False)
    smoothed = np.concatenate(
        [clock.push(stamps[a:b])[0] for a, b in pairwise([*range(0, n, 997), n])]
    )
    assert np.abs(smoothed - stamps).max() < 1e-3


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
