"""Gaps are where samples are missing, not where they are late or come in packets."""

from __future__ import annotations

import numpy as np
import pytest

from biosense.acquisition.xdf.gaps import Gap, GapFinder

RNG = np.random.default_rng(8)


def gaps(times: np.ndarray, sfreq: float, piece: int = 73) -> list[Gap]:
    """Find gaps in two cuttings of the same stream, which must agree."""
    whole, cut = GapFinder(sfreq), GapFinder(sfreq)
    whole.push(times)
    for start in range(0, len(times), piece):
        cut.push(times[start : start + piece])
    assert cut.finish() == whole.finish()
    return whole.gaps


def without(times: np.ndarray, sfreq: float, start: float, seconds: float) -> np.ndarray:
    return times[(times < start) | (times >= start + seconds)]


def packets(sfreq: float, size: int, seconds: float, jitter: float) -> np.ndarray:
    """Stamp every sample with the arrival of its packet, as many senders do."""
    last = np.arange(size, int(seconds * sfreq), size) / sfreq
    arrivals = np.maximum.accumulate(last + RNG.uniform(0, jitter, len(last)))
    return np.repeat(arrivals, size)


@pytest.mark.parametrize("sfreq", [4.0, 130.0, 2000.0])
@pytest.mark.parametrize("intervals", [3.5, 40.0, 8000.0])
def test_missing_samples_are_counted(sfreq: float, intervals: float) -> None:
    times = np.arange(int(60 * sfreq)) / sfreq + 7.0
    cut = int(30 * sfreq)
    missing = int(intervals - 0.5)
    times[cut:] += missing / sfreq
    found = gaps(times, sfreq)
    if (missing + 1) / sfreq <= 0.025:
        assert found == []
        return
    assert found == [Gap(times[cut - 1], times[cut], missing)]


def test_two_missing_intervals_are_no_gap() -> None:
    times = np.arange(1000) / 100
    assert gaps(np.delete(times, [500, 501]), 100.0) == []
    assert [gap.missing for gap in gaps(np.delete(times, [500, 501, 502]), 100.0)] == [3]


def test_jitter_is_no_gap() -> None:
    times = np.sort(np.arange(8000) / 130 + RNG.exponential(0.004, 8000))
    assert gaps(times, 130.0) == []


@pytest.mark.parametrize("jitter", [0.0, 0.02, 0.4])
def test_packets_that_bear_their_time_of_arrival_are_no_gaps(jitter: float) -> None:
    """A strap sends 73 samples each 0.56 s, and the radio delays some of them."""
    times = packets(130.0, 73, 120.0, jitter)
    assert gaps(times, 130.0) == []
    spread = times + np.tile(np.arange(73) * 1e-5, len(times) // 73)
    assert gaps(spread, 130.0) == []


def test_a_lost_packet_is_a_gap_of_its_samples() -> None:
    times = packets(130.0, 73, 60.0, 0.02)
    lost = np.delete(times, slice(73 * 20, 73 * 21))
    (gap,) = gaps(lost, 130.0)
    assert gap.missing == pytest.approx(73, abs=4)
    assert (gap.start, gap.stop) == (times[73 * 20 - 1], times[73 * 21])


def test_slow_packets_that_come_late_are_no_gaps_and_lost_ones_are() -> None:
    times = packets(4.0, 12, 600.0, 1.5)
    assert gaps(times, 4.0) == []
    lost = np.delete(times, slice(12 * 100, 12 * 104))
    (gap,) = gaps(lost, 4.0)
    assert gap.missing == pytest.approx(48, abs=7)


def test_a_sender_that_stalls_and_catches_up_has_lost_nothing() -> None:
    times = np.arange(3000) / 100
    held_back = (times > 12.0) & (times < 14.5)
    times[held_back] = 14.5 + np.arange(held_back.sum()) * 1e-5
    assert gaps(times, 100.0) == []


def test_chunks_whose_starts_wander_are_no_gaps() -> None:
    """LSL works out the stamps within a chunk from that of its first sample."""
    starts = np.arange(200) * 0.5 + RNG.uniform(0, 0.06, 200)
    times = (starts[:, None] + np.arange(64) / 128.0).ravel()
    found = gaps(np.sort(times), 128.0)
    assert [gap for gap in found if gap.stop < 95.0] == []  # at the end nothing makes up for it


def test_each_of_many_gaps_is_counted_on_its_own() -> None:
    times = np.arange(130 * 60) / 130.0
    for number, start in enumerate((10.0, 10.6, 11.0, 30.0, 45.0)):
        times = without(times, 130.0, start, 0.1 * (number + 1))
    found = gaps(times, 130.0)
    assert [gap.missing for gap in found] == pytest.approx([13, 26, 39, 52, 65], abs=1)
    assert sum(gap.missing for gap in found) == 130 * 60 - len(times)


def test_a_drifting_clock_makes_no_gap() -> None:
    assert gaps(np.arange(130 * 600) / 130.0 * (1 + 400e-6), 130.0) == []


def test_a_stream_without_samples_has_no_gaps() -> None:
    finder = GapFinder(10.0)
    finder.push(np.zeros(0))
    assert finder.finish() == []
    assert finder.missing == 0
