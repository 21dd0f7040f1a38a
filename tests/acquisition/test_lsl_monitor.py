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
