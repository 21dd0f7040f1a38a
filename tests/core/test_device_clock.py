"""The device clock: right after seconds, and not to be led astray by stalls, resets and errors."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from biosense.core.device_clock import AHEAD_S, EARLY_S, DeviceClock
from biosense.core.envelope import Envelope
from biosense.core.errors import BadInput
from biosense.core.slew import SLEW, SLEW_WARM
from biosense.core.types import Floats

INTERVAL = 0.05


def link(seconds: float, seed: int = 0, interval: float = INTERVAL) -> tuple[Floats, Floats]:
    """Return when packets are sent, and arrive: in stalls of up to 90 ms, then all at once."""
    rng = np.random.default_rng(seed)
    sent = 100.0 + np.arange(0.0, seconds, interval)
    arrived = sent + rng.uniform(0, 0.015, len(sent))
    for start in np.arange(101.0, 100.0 + seconds, 2.0):
        stop = start + rng.uniform(0.02, 0.09)
        arrived[(arrived >= start) & (arrived < stop)] = stop
    return sent, arrived


def run(clock: DeviceClock, stamps: Floats, arrived: Floats) -> Floats:
    times = np.empty(len(stamps))
    for row in range(len(stamps)):
        clock.add(float(stamps[row]), float(arrived[row]))
        times[row] = clock.to_session(stamps[row : row + 1])[0]
    return times


def drifting(sent: Floats, ppm: float) -> Floats:
    return 5e8 + (sent - 100.0) * (1 - ppm * 1e-6)


@pytest.mark.parametrize("ppm", [-500.0, 40.0, 480.0])
def test_samples_are_placed_within_a_millisecond_at_any_drift(ppm):
    sent, arrived = link(120.0)
    clock = DeviceClock()
    error = (run(clock, drifting(sent, ppm), arrived) - sent)[sent > 130.0]
    assert error.std() < 0.4e-3
    assert np.abs(error).max() < 1.5e-3
    assert clock.resets == 0
    assert clock.state.slope_ppm == pytest.approx(ppm, abs=20)


def test_the_error_shrinks_from_the_first_packet_on():
    late = 0.08
    sent, arrived = link(20.0)
    arrived[0] += late
    error = np.abs(run(DeviceClock(), sent, arrived) - sent)
    assert error[0] < 0.1
    assert error[sent > 103.0].max() < 0.02
    assert error[sent > 110.0].max() < 0.004


def test_half_of_the_packets_may_be_lost():
    sent, arrived = link(120.0)
    kept = np.random.default_rng(1).random(len(sent)) < 0.5
    error = (run(DeviceClock(), sent[kept], arrived[kept]) - sent[kept])[sent[kept] > 130.0]
    assert np.abs(error).max() < 3e-3


def test_packets_that_overtake_each_other_do_no_harm():
    sent, arrived = link(120.0)
    late = np.random.default_rng(1).random(len(sent)) < 0.04
    order = np.argsort(arrived + 0.08 * late, kind="stable")
    clock = DeviceClock()
    for row in order:
        clock.add(float(sent[row]), float(arrived[row] + 0.08 * late[row]))
    assert clock.resets == 0
    assert clock.to_session(np.array([219.9]))[0] == pytest.approx(219.9, abs=1.5e-3)


def test_times_never_run_backwards_nor_far_behind_the_arrival():
    rng = np.random.default_rng(3)
    clock, last, newest = DeviceClock(), -np.inf, -np.inf
    for row in range(2000):
        stamp = 0.05 * row + rng.normal() * 0.05
        stamp += rng.choice([0.0, 1e4, -300.0, 0.4], p=[0.97, 0.01, 0.01, 0.01])
        newest = max(newest, 50 + 0.05 * row + rng.exponential(0.05))
        clock.add(stamp, newest)
        times = clock.to_session(stamp - np.array([0.04, 0.02, 0.0]))
        assert (np.diff(times) >= 0).all()
        assert last <= times[0]
        assert times[-1] <= newest + AHEAD_S
        last = float(times[-1])


def test_corrections_are_slewed():
    sent, arrived = link(100.0)
    arrived[0] += 0.08
    offset = run(DeviceClock(), sent, arrived) - sent
    rate = np.abs(np.diff(offset)) / INTERVAL
    assert rate.max() <= SLEW_WARM + 1e-3  # the line itself has a slope
    assert rate[sent[1:] > 112.0].max() <= SLEW + 500e-6


def test_it_is_fitted_no_more_than_once_a_second(monkeypatch):
    fits: list[float] = []
    refit = Envelope.refit

    def counted(line: Envelope) -> None:
        fits.append(clock._newest)
        refit(line)

    monkeypatch.setattr(Envelope, "refit", counted)
    clock = DeviceClock()
    sent, arrived = link(30.0)
    run(clock, sent, arrived)
    assert len(fits) >= 28
    assert all(after - before >= 1.0 - 1e-9 for before, after in pairwise(fits[1:]))


def test_a_stall_whose_backlog_comes_at_once_is_no_reset():
    sent, arrived = link(120.0)
    stalled = (sent > 160.0) & (sent < 166.0)
    arrived[stalled] = 166.0
    clock = DeviceClock()
    times = run(clock, sent, arrived)
    assert clock.resets == 0
    assert np.abs(times - sent)[sent > 130.0].max() < 2e-3


def test_a_clock_that_starts_from_zero_is_seen_at_once_and_its_drift_kept():
    sent, arrived = link(240.0)
    stamps = drifting(sent, 200.0)
    stamps[sent > 220.0] -= stamps[np.argmax(sent > 220.0)]
    clock = DeviceClock()
    error = np.abs(run(clock, stamps, arrived) - sent)
    assert clock.resets == 1
    assert error[(sent > 220.0) & (sent < 222.0)].max() < 0.1
    assert error[sent > 250.0].max() < 2e-3
    assert clock.state.slope_ppm == pytest.approx(200.0, abs=20.0)


def test_a_clock_that_jumps_ahead_is_seen_at_once():
    sent, arrived = link(100.0)
    stamps = np.where(sent > 150.0, sent + 40.0, sent)  # or this computer slept for 40 s
    clock = DeviceClock()
    error = np.abs(run(clock, stamps, arrived) - sent)
    assert clock.resets == 1
    assert error.max() < 0.1
    assert error[sent > 170.0].max() < 3e-3


def test_a_clock_that_was_set_back_in_a_silence_is_seen_within_seconds():
    sent, arrived = link(120.0)
    heard = (sent < 150.0) | (sent > 180.0)
    stamps = np.where(sent > 180.0, sent - 12.0, sent)
    clock = DeviceClock()
    error = np.abs(run(clock, stamps[heard], arrived[heard]) - sent[heard])
    assert clock.resets == 1
    assert error[sent[heard] > 182.5].max() < 0.1


@pytest.mark.parametrize("wrong", [1e6, 3.0, -3.0, -1e6])
def test_a_single_wild_stamp_changes_nothing_for_long(wrong):
    sent, arrived = link(60.0)
    stamps = sent.copy()
    stamps[800] += wrong
    wild = run(DeviceClock(), stamps, arrived)
    tame = run(DeviceClock(), sent, arrived)
    assert_array_equal(wild[:800], tame[:800])
    assert_allclose(wild[803:], tame[803:], atol=2e-4)


def test_one_early_packet_does_not_pull_the_line_down():
    sent, arrived = link(200.0)
    arrived[2400] -= 0.8 * EARLY_S
    error = (run(DeviceClock(), sent, arrived) - sent)[sent > 130.0]
    assert np.abs(error).max() < 2e-3


@pytest.mark.parametrize("change", [0.03, -0.03])
def test_a_link_whose_least_delay_changes_is_followed_within_a_minute(change):
    sent, arrived = link(240.0)
    arrived[sent > 200.0] += change
    error = run(DeviceClock(), sent, arrived) - sent
    assert np.abs(error[(sent > 140.0) & (sent < 200.0)]).max() < 2e-3
    assert_allclose(error[sent > 260.0], change, atol=3e-3)


def test_a_first_packet_after_a_long_silence_may_be_early():
    sent, arrived = link(400.0)
    heard = (sent < 250.0) | (sent > 400.0)
    sent, arrived = sent[heard], arrived[heard]
    first = int(np.argmax(sent > 400.0))
    arrived[first] = sent[first] - 0.05
    clock = DeviceClock()
    times = run(clock, sent, arrived)
    assert clock.resets == 0
    assert np.abs(times - sent)[sent > 410.0].max() < 3e-3


def test_a_known_delay_is_taken_off():
    sent, arrived = link(5.0)
    plain = run(DeviceClock(), sent, arrived + 0.2)
    assert_allclose(run(DeviceClock(delay=0.2), sent, arrived + 0.2), plain - 0.2, atol=1e-9)


def test_a_restart_begins_anew_with_what_is_known_of_the_drift():
    sent, arrived = link(120.0)
    clock = DeviceClock()
    run(clock, drifting(sent, 300.0), arrived)
    clock.restart()
    assert clock.add(7.0, 300.0) is False
    assert clock.to_session(np.array([6.5, 7.0])).tolist() == pytest.approx(
        [299.5, 300.0], abs=1e-3
    )
    assert clock.state.slope_ppm == pytest.approx(300.0, abs=20.0)
    assert clock.resets == 0


def test_the_same_calls_give_the_same_times():
    sent, arrived = link(60.0)
    assert_array_equal(run(DeviceClock(), sent, arrived), run(DeviceClock(), sent, arrived))


def test_state_tells_offset_drift_scatter_and_age():
    clock = DeviceClock()
    assert np.isnan(clock.state.updated)
    sent, arrived = link(120.0)
    times = run(clock, drifting(sent, -100.0), arrived)
    state = clock.state
    assert state.offset == pytest.approx(times[-1] - drifting(sent, -100.0)[-1], abs=1e-6)
    assert state.slope_ppm == pytest.approx(-100.0, abs=20.0)
    assert 0 < state.residual < 2e-3
    assert state.updated == arrived.max()


def test_memory_is_bounded():
    envelope = Envelope(60.0)
    for row in range(20_000):
        envelope.add(row * 0.01, 0.0)
    assert len(envelope) <= 61


def test_no_samples_give_no_times_and_wrong_values_are_refused():
    clock = DeviceClock()
    assert len(clock.to_session(np.zeros(0))) == 0
    with pytest.raises(BadInput, match="arrived=nan"):
        clock.add(1.0, float("nan"))
    with pytest.raises(BadInput, match="delay=-1"):
        DeviceClock(delay=-1.0)
    with pytest.raises(BadInput, match="window=1"):
        DeviceClock(window=1.0)
