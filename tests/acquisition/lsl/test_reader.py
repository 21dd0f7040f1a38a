"""The reader against a link whose every answer, and whose time, is the test's own."""

import numpy as np
import pytest

from biosense.acquisition.lsl.inlet import MAX_SAMPLES
from biosense.acquisition.lsl.reader import StreamReader
from biosense.core.clock import ClockFit
from biosense.core.types import Chunk, ClockOffset, EventKind
from tests.support.lsl.fake_inlet import FakeClock, FakeInlet
from tests.support.lsl.streams import chunks, count, describe, events, offsets

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


def test_samples_wait_for_the_first_measurement_of_the_clock(reader, inlet):
    inlet.known = None
    inlet.send([990.0, 990.01])
    assert list(reader.poll()) == []
    inlet.known = 10.0
    first, second = reader.poll()
    assert first == ClockOffset(INFO, 990.0, 10.0)
    assert isinstance(second, Chunk)
    np.testing.assert_allclose(second.times, [1000.0, 1000.01])
    np.testing.assert_array_equal(second.stamps, [990.0, 990.01])
    assert second.arrived == 1000.0
    assert second.ok.all()


def test_the_clock_is_measured_every_five_seconds(reader, inlet, clock):
    measured = 0
    for _ in range(600):
        inlet.send([clock.time])
        measured += len(offsets(list(reader.poll())))
        clock.time += 0.02
    assert measured == 3


def test_items_in_their_order_give_the_same_times_again(reader, inlet, clock):
    rng = np.random.default_rng(1)
    items = []
    for second in range(60):
        inlet.known = 10.0 + 1e-4 * second + 1e-4 * rng.standard_normal()
        inlet.send(clock.time - inlet.known - 0.5 + np.arange(100) / 100)
        items.extend(reader.poll())
        clock.time += 1.0
    fit = ClockFit()
    for item in items:
        if isinstance(item, ClockOffset):
            fit.add(item.time, item.offset)
        elif isinstance(item, Chunk):
            np.testing.assert_array_equal(fit.to_session(item.stamps), item.times)
    assert count(items) == 6000
    assert len(offsets(items)) == 12


def test_a_full_pull_is_followed_by_another(reader, inlet):
    for start in range(0, 3 * MAX_SAMPLES, MAX_SAMPLES):
        inlet.send(900 + np.arange(start, start + MAX_SAMPLES) / 100)
    inlet.send([995.0])
    assert [chunk.n for chunk in chunks(list(reader.poll()))] == [MAX_SAMPLES] * 3 + [1]


def test_silence_is_lost_and_its_end_recovered_with_its_length(reader, inlet, clock):
    inlet.send([999.99])
    list(reader.poll())
    clock.time += 1.5
    (lost,) = reader.poll()
    assert (lost.kind, lost.stream, lost.text) == (EventKind.LOST, "cap", "no sample for 1.5 s")
    clock.time += 1.0
    assert list(reader.poll()) == []
    inlet.send([1002.5])
    recovered, chunk = reader.poll()
    assert recovered.text == "back after 2.5 s without samples"
    assert isinstance(chunk, Chunk)


def test_no_clock_is_measured_while_the_sender_is_silent(reader, inlet, clock):
    inlet.send([999.99])
    list(reader.poll())
    clock.time += 8.0
    list(reader.poll())
    clock.time += 8.0
    assert offsets(list(reader.poll())) == []


def test_a_reconnection_waits_for_a_new_measurement(reader, inlet, clock):
    inlet.send([999.99])
    list(reader.poll())
    clock.time += 3.0
    list(reader.poll())
    inlet.back, inlet.known = True, None
    inlet.send([50.0, 50.01])
    assert list(reader.poll()) == []
    inlet.known = 953.0
    items = list(reader.poll())
    assert [type(item).__name__ for item in items] == [
        "ClockOffset",
        "Event",
        "Event",
        "Chunk",
    ]
    assert events(items, EventKind.CLOCK_RESET)[0].text == "its clock jumped by -953.000 s"
    recovered = events(items, EventKind.RECOVERED)[0]
    assert recovered.text == "reconnected after 3.0 s without samples"
    assert reader.returns == 1
    np.testing.assert_allclose(items[-1].times, [1003.0, 1003.01])


def test_an_irregular_stream_is_back_as_soon_as_its_clock_is_known(inlet, clock):
    reader = StreamReader(inlet, describe("keys", sfreq=0.0, channels=("key",)), clock)
    list(reader.poll())
    assert [event.kind for event in reader.lose("gone")] == [EventKind.LOST]
    inlet.back, inlet.known = True, None
    assert list(reader.poll()) == []
    inlet.known = 3.0
    items = list(reader.poll())
    assert events(items, EventKind.RECOVERED)[0].text == "reconnected"
    assert not reader.lost
    inlet.send([clock.time])
    assert events(list(reader.poll()), EventKind.RECOVERED) == []


def test_samples_that_come_with_the_reconnection_are_held_back(reader, inlet):
    list(reader.poll())
    inlet.send([50.0])
    pull = inlet.pull

    def reconnect_during_the_pull():
        pulled = pull()
        inlet.back = len(pulled[0]) > 0
        return pulled

    inlet.pull, inlet.known = reconnect_during_the_pull, 0.0
    assert chunks(list(reader.poll())) == []
    inlet.known = 950.0
    (chunk,) = chunks(list(reader.poll()))
    np.testing.assert_allclose(chunk.times, [1000.0])


def test_without_measurement_the_arrival_stands_in_and_is_called_so(reader, inlet, clock):
    inlet.known = None
    for start in (0, MAX_SAMPLES):
        inlet.send(np.arange(start, start + MAX_SAMPLES) / 100)
    list(reader.poll())
    clock.time += 6.0
    items = list(reader.poll())
    assert "UDP" in events(items, EventKind.ERROR)[0].text
    assert [chunk.n for chunk in chunks(items)] == [MAX_SAMPLES] * 2
    assert chunks(items)[-1].times[-1] == pytest.approx(clock.time)
    assert items.index(offsets(items)[0]) < items.index(chunks(items)[0])


def test_a_lost_sender_is_reported_once(reader):
    list(reader.poll())
    assert [event.kind for event in reader.lose("gone")] == [EventKind.LOST]
    assert list(reader.lose("gone")) == []
