"""The reader and stamps that cannot be: what is repaired, said, and left as it was sent."""

import numpy as np
import pytest

from biosense.acquisition.lsl.reader import StreamReader
from biosense.core.clock import ClockFit
from biosense.core.types import Chunk, ClockOffset, EventKind
from tests.support.lsl.fake_inlet import FakeClock, FakeInlet
from tests.support.lsl.streams import chunks, count, describe, events

INFO = describe("cap", channels=("C3",))


@pytest.fixture
def clock():
    return FakeClock()


@pytest.fixture
def inlet():
    return FakeInlet()


@pytest.fixture
def reader(inlet, clock):
    return StreamReader(inlet, INFO, clock)


def test_a_sender_that_stamps_the_end_of_each_packet_and_trembles_has_no_bad_stamps(
    reader, inlet, clock
):
    lateness = np.random.default_rng(5).uniform(0, 0.03, 100)
    items = []
    for late in lateness:
        clock.time += 0.1
        inlet.send(clock.time + late - 0.05 + np.arange(-9, 1) / 100)
        items.extend(reader.poll())
    assert events(items, EventKind.ERROR) == []
    assert count(items) == 1000


def test_bad_stamps_are_reported_but_not_again_and_again(reader, inlet, clock):
    items = []
    for _ in range(20):
        inlet.send([clock.time, np.nan, clock.time - 0.01])
        items.extend(reader.poll())
        clock.time += 1.0
    first, *later = events(items, EventKind.ERROR)
    assert "1 not finite" in first.text
    assert len(later) == 1
    assert count(items) == 60
    times = np.concatenate([chunk.times for chunk in chunks(items)])
    assert np.isfinite(times).all()
    assert (np.diff(times) >= 0).all()


def test_a_hole_in_the_stamps_that_was_no_silence_is_a_gap(reader, inlet, clock):
    inlet.send([991.0])
    list(reader.poll())
    clock.time += 0.1
    inlet.send([999.0])
    (gap,) = events(list(reader.poll()), EventKind.GAP)
    assert gap.text == "8.0 s between two time stamps"


def live(reader, inlet, clock, stamps):
    """Send a sample each 10 ms with these stamps, in a clock that is session time; return items."""
    items = []
    for stamp in stamps:
        inlet.send([stamp])
        items.extend(reader.poll())
        clock.time += 0.01
    return items


def times_of(items):
    return np.concatenate([chunk.times for chunk in chunks(items)])


def replayed(items):
    fit = ClockFit()
    times = []
    for item in items:
        if isinstance(item, ClockOffset):
            fit.add(item.time, item.offset)
        elif isinstance(item, Chunk):
            times.append(fit.to_session(item.stamps))
    return np.concatenate(times)


@pytest.mark.parametrize("wild", [1e9, 2000.0, np.inf])
def test_one_stamp_from_the_future_does_not_silence_its_stream(reader, inlet, clock, wild):
    right = clock.time + np.arange(300) / 100
    sent = right.copy()
    sent[100] = wild
    items = live(reader, inlet, clock, sent)
    np.testing.assert_allclose(times_of(items), right, atol=1e-6)
    np.testing.assert_array_equal(replayed(items), times_of(items))
    assert len(events(items, EventKind.ERROR)) == 1


def test_a_sender_whose_clock_is_set_forward_goes_on_without_a_break(reader, inlet, clock):
    right = clock.time + np.arange(1200) / 100
    jump = np.where(np.arange(1200) >= 300, 700.0, 0.0)
    items = live(reader, inlet, clock, (right + jump)[:800])
    inlet.known = -700.0  # LSL's next measurement tells
    items += live(reader, inlet, clock, (right + jump)[800:])
    assert len(events(items, EventKind.CLOCK_RESET)) == 1
    np.testing.assert_allclose(times_of(items), right, atol=1e-6)
    np.testing.assert_array_equal(replayed(items), times_of(items))


def test_a_sender_that_stamps_in_a_clock_of_its_own_is_heard_all_the_same(reader, inlet, clock):
    right = clock.time + np.arange(500) / 100
    items = live(reader, inlet, clock, right + 1.7e9)
    assert "later than their own arrival (moved, last by 1.7e+09 s)" in (
        events(items, EventKind.ERROR)[0].text
    )
    np.testing.assert_allclose(times_of(items), right, atol=1e-5)


def test_a_true_gap_is_kept(reader, inlet, clock):
    items = live(reader, inlet, clock, clock.time + np.arange(100) / 100)
    clock.time += 60.0
    items += live(reader, inlet, clock, clock.time + np.arange(100) / 100)
    assert np.diff(times_of(items)).max() == pytest.approx(60.01)
    assert events(items, EventKind.ERROR) == []
