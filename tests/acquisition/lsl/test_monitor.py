import numpy as np
import pytest

from biosense.acquisition.lsl.monitor import Silence, StampCheck


def test_a_silence_is_reported_once_and_measured_when_it_ends():
    silence = Silence(250.0, since=10.0)
    silence.arrived(10.1, 25)
    assert not silence.overdue(11.0)
    assert silence.overdue(11.2)
    assert not silence.overdue(12.0)
    assert silence.arrived(13.1, 25) == pytest.approx(3.0)
    assert silence.arrived(13.2, 25) is None


def test_a_device_with_rare_packets_is_not_taken_for_lost():
    silence = Silence(130.0, since=0.0)
    for second in range(2, 20, 2):
        assert silence.arrived(float(second), 260) is None
    assert not silence.overdue(18 + 5.9)
    assert silence.overdue(18 + 6.1)


def test_one_late_backlog_does_not_blind_the_watchdog():
    silence = Silence(100.0, since=0.0)
    silence.arrived(0.7, 1024)
    for tick in range(20):
        silence.arrived(0.72 + tick * 0.02, 2)
    assert silence.limit == 1.0


def test_an_irregular_stream_is_never_late():
    assert not Silence(0.0, since=0.0).overdue(1e6)


def test_a_stream_that_never_sends_is_lost_after_a_while():
    silence = Silence(100.0, since=0.0)
    assert not silence.overdue(5.9)
    assert silence.overdue(6.1)


@pytest.mark.parametrize(
    ("stamps", "wanted"),
    [
        ([np.nan, 1.0, 1.1], [0.9, 1.0, 1.1]),
        ([1.0, np.inf, -np.inf, 1.3], [1.0, 1.1, 1.2, 1.3]),
        ([1.0, 1.0, 0.9, 1.2], [1.0, 1.0, 0.9, 1.2]),
    ],
)
def test_stamps_that_are_no_numbers_are_replaced_and_others_kept(stamps, wanted):
    given = np.array(stamps)
    before = given.copy()
    np.testing.assert_allclose(StampCheck(10.0).take(given), wanted)
    np.testing.assert_array_equal(given, before)


def test_a_chunk_without_any_stamp_follows_the_one_before():
    check = StampCheck(10.0)
    check.take(np.array([5.0]))
    np.testing.assert_allclose(check.take(np.full(2, np.nan)), [5.1, 5.2])
    assert (check.invalid, check.backwards) == (2, 0)


def test_steps_are_measured_across_chunks_and_forgotten_with_the_clock():
    check = StampCheck(10.0)
    check.take(np.array([5.0, 5.1]))
    check.take(np.array([8.1]))
    assert check.step == pytest.approx(3.0)
    check.forget()
    check.take(np.array([1.0]))
    assert (check.step, check.backwards) == (0.0, 0)


def test_one_stamp_from_the_future_is_moved_and_nothing_else():
    check = StampCheck(10.0)
    check.take(np.array([1.0, 1.1]), latest=1.1)
    taken = check.take(np.array([1.2, 1e9, 1.4]), latest=1.4)
    np.testing.assert_allclose(taken, [1.2, 1.3, 1.4])
    np.testing.assert_allclose(check.take(np.array([1.5]), latest=1.5), [1.5])
    assert (check.ahead, check.backwards) == (1, 0)
    assert check.lead == pytest.approx(1e9 - 1.3)


def test_a_chunk_from_the_future_keeps_the_distances_of_its_samples():
    check = StampCheck(10.0)
    check.take(np.array([1.0]), latest=1.0)
    np.testing.assert_allclose(check.take(50.0 + np.arange(3) / 8, latest=1.4), [1.1, 1.225, 1.35])
    np.testing.assert_allclose(check.take(50.375 + np.arange(2) / 8, latest=1.6), [1.475, 1.6])
    np.testing.assert_allclose(check.take(np.array([1.7]), latest=1.7), [1.7])
    assert check.ahead == 5


@pytest.mark.parametrize(
    ("first", "wanted"),
    [([1e6, 5.1, 5.2], [5.0, 5.1, 5.2]), ([1e6, 1e6 + 0.1, 1e6 + 0.2], [5.0, 5.1, 5.2])],
)
def test_the_first_stamps_of_a_stream_may_be_the_ones_that_are_ahead(first, wanted):
    np.testing.assert_allclose(StampCheck(10.0).take(np.array(first), latest=5.2), wanted)


def test_wild_stamps_of_all_kinds_leave_a_stream_in_order():
    check = StampCheck(10.0)
    rng = np.random.default_rng(0)
    for number in range(500):
        stamps = (number * 4 + np.arange(4)) / 10
        wild = rng.random(4) < 0.1
        sent = np.where(wild, stamps + rng.choice([100.0, 1e9, 5000.0], 4), stamps)
        taken = check.take(sent, latest=float(stamps[-1]))
        np.testing.assert_array_equal(taken[~wild], stamps[~wild])
        assert np.abs(taken - stamps).max() < 1.0


def test_a_gap_and_a_stamp_slightly_ahead_are_taken_as_they_are():
    check = StampCheck(10.0)
    check.take(np.array([1.0]), latest=1.0)
    assert check.take(np.array([900.0]), latest=900.2).tolist() == [900.0]
    assert check.take(np.array([900.9]), latest=900.2).tolist() == [900.9]
    assert check.ahead == 0


def test_a_marker_from_the_future_is_given_its_arrival():
    check = StampCheck(0.0)
    check.take(np.array([100.0]), latest=100.0)
    assert check.take(np.array([165.0]), latest=160.0).tolist() == [165.0]  # it announces
    assert check.take(np.array([1e9]), latest=170.0).tolist() == [170.0]
    assert check.take(np.array([180.0]), latest=180.0).tolist() == [180.0]
    assert (check.ahead, check.backwards) == (1, 0)


def test_a_sender_that_plays_too_fast_is_taken_at_its_word():
    check, stamps = StampCheck(10.0), np.arange(1, 101) / 10
    taken = [check.take(part, latest=1.0) for part in np.split(stamps, [1, 50])]
    np.testing.assert_array_equal(np.concatenate(taken), stamps)
    assert check.ahead == 0
