"""What becomes of a stream that falls silent, against a sender and a time of the test's own."""

from collections import deque
from concurrent.futures import Future
from dataclasses import replace

import numpy as np
import pytest

from biosense.acquisition.lsl import supervisor
from biosense.acquisition.lsl.discovery import FoundStream, Searcher
from biosense.acquisition.lsl.supervisor import SupervisedStream
from biosense.core.errors import BadInput, DeviceLost, StreamNotFound
from biosense.core.types import Event, EventKind
from tests.support.lsl.streams import count, describe, events

CAP = FoundStream("cap", "EEG", 1, 100.0, "float32", "cap-17", "lab", "1")
AGAIN = replace(CAP, uid="2")


class FakeInlet:
    """An inlet: `break_off` for one that LSL gives up, `reconnect` for one that it brings back."""

    def __init__(self, found, recovers=True):
        self.found = found
        self.recovers = recovers
        self.closed = False
        self._gone = False
        self._back = False
        self._packets = deque()

    def send(self, stamps):
        self._packets.append((np.asarray(stamps, float), np.ones((len(stamps), 1), np.float32)))

    def break_off(self):
        self._gone = True

    def reconnect(self):
        self._back = True

    def pull(self):
        if self._gone:
            raise DeviceLost("the sender is gone")
        if self._packets:
            return self._packets.popleft()
        return np.zeros(0), np.zeros((0, 1), np.float32)

    def offset(self):
        return 0.0

    def reconnected(self):
        back, self._back = self._back, False
        return back

    def close(self):
        self.closed = True


class Bench:
    """A stream under supervision, 25 polls a second, with what answers to a look in `answers`."""

    def __init__(self, monkeypatch, found=CAP, **options):
        self.time = 1000.0
        self.info = describe("cap", channels=("C3",), sfreq=found.sfreq, dtype="float32")
        self.answers = [found]
        self.queries = 0
        self.inlet = FakeInlet(found, **options)
        self.opened = []
        self.answer = self.info  # to who asks for the description, or opens
        self.stream = SupervisedStream(
            self.inlet,
            self.info,
            self,
            searcher=Searcher(self.query),
            submit=self.submit,
            timeout=1.0,
        )
        monkeypatch.setattr(supervisor, "open_inlet", self.open)
        monkeypatch.setattr(supervisor, "read_stream_info", lambda found, timeout: self.described())

    def now(self):
        return self.time

    def query(self):
        self.queries += 1
        return tuple(self.answers)

    def submit(self, work):
        future = Future()
        try:
            future.set_result(work())
        except (StreamNotFound, BadInput) as error:
            future.set_exception(error)
        return future

    def open(self, found, timeout, *, unique):
        info = self.described()
        self.opened.append(FakeInlet(found, recovers=unique))
        return self.opened[-1], info

    def described(self):
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer

    def run(self, seconds, sending=None):
        """Poll; an inlet that is `sending` brings a sample at each poll."""
        items = []
        for _ in range(round(seconds * 25)):
            self.time += 0.04
            if sending is not None:
                sending.send([self.time])
            items += self.stream.poll()
        return items


@pytest.fixture
def bench(monkeypatch):
    return Bench(monkeypatch)


def said(items):
    return [f"{item.kind}: {item.text}" for item in items if isinstance(item, Event)]


def test_a_stream_that_sends_costs_no_look(bench):
    assert count(bench.run(60, bench.inlet)) == 1500
    assert bench.queries == 0


def test_a_sender_that_is_only_silent_is_looked_for_but_left_alone(bench):
    bench.run(2, bench.inlet)
    items = bench.run(8)
    assert said(items) == ["lost: no sample for 1.0 s"]
    assert 5 <= bench.queries <= 8
    assert said(bench.run(1, bench.inlet)) == ["recovered: back after 8.0 s without samples"]
    assert bench.opened == []


def test_a_sender_that_is_gone_for_long_is_looked_for_less_often(bench):
    bench.run(2, bench.inlet)
    bench.answers = []
    bench.run(60)
    before = bench.queries
    bench.run(60)
    assert before > 50
    assert bench.queries - before <= 13


def test_one_that_lsl_brings_back_is_left_to_lsl_and_what_it_changed_is_told(bench):
    bench.run(2, bench.inlet)
    bench.answers = [AGAIN]
    bench.answer = replace(bench.info, sfreq=50.0)
    assert said(bench.run(2.5)) == ["lost: no sample for 1.0 s"]
    bench.inlet.reconnect()
    items = bench.run(3, bench.inlet)
    texts = said(items)
    assert texts[0].startswith("recovered: reconnected after 2.5 s")
    assert "a nominal rate of 50 Hz instead of 100 Hz" in texts[1]
    assert len(texts) == 2
    assert count(items) == 75
    assert bench.opened == []


def test_one_that_lsl_does_not_bring_back_in_time_is_opened_here(bench):
    bench.run(2, bench.inlet)
    bench.answers = [AGAIN]
    bench.run(4)
    assert bench.opened == []
    bench.run(4)
    (inlet,) = bench.opened
    assert bench.inlet.closed
    assert inlet.recovers
    assert said(bench.run(1, inlet))[0].startswith("recovered: reconnected after")


def test_samples_that_come_while_another_inlet_is_opened_win(bench, monkeypatch):
    bench.run(2, bench.inlet)
    bench.answers = [AGAIN]

    def open_slowly(found, timeout, *, unique):
        bench.inlet.send([bench.time])
        return bench.open(found, timeout, unique=unique)

    monkeypatch.setattr(supervisor, "open_inlet", open_slowly)
    items = bench.run(8)
    assert count(items) == 1
    assert bench.opened[0].closed
    assert not bench.inlet.closed


@pytest.mark.parametrize("found", [CAP, replace(CAP, source_id="")], ids=["id", "no id"])
def test_one_that_lsl_gives_up_is_opened_here_at_once(monkeypatch, found):
    bench = Bench(monkeypatch, found, recovers=False)
    bench.run(2, bench.inlet)
    bench.inlet.break_off()
    bench.answers = []
    assert said(bench.run(3)) == ["lost: the sender is gone"]
    bench.answers = [replace(found, uid="2")]
    bench.run(1.2)
    assert len(bench.opened) == 1
    assert said(bench.run(1, bench.opened[0])) == [
        "recovered: reconnected after 4.2 s without samples"
    ]


def test_a_broken_connection_to_a_sender_that_lives_is_made_again(monkeypatch):
    bench = Bench(monkeypatch, recovers=False)
    bench.run(2, bench.inlet)
    bench.inlet.break_off()
    bench.run(0.2)
    assert [inlet.found for inlet in bench.opened] == [CAP]


def test_a_renamed_sender_goes_on_under_the_old_name_once_it_is_sure(bench):
    bench.run(2, bench.inlet)
    bench.answers = [replace(AGAIN, name="helmet")]
    items = bench.run(1.2)
    assert bench.opened == []
    items += bench.run(1.2)
    items += bench.run(1, bench.opened[0])
    assert said(items)[1] == "info: its sender calls it 'helmet' now: it goes on as 'cap'"
    assert count(items) == 25
    assert {item.stream for item in items if isinstance(item, Event)} == {"cap"}


def test_other_channels_are_an_error_once_and_the_right_ones_recover(bench):
    bench.run(2, bench.inlet)
    bench.answers = [replace(AGAIN, n_channels=9)]
    items = bench.run(10)
    (error,) = events(items, EventKind.ERROR)
    assert "9 channels of float32 instead of 1 of float32" in error.text
    assert bench.opened == []
    bench.answers = [replace(AGAIN, uid="3")]
    bench.run(6)
    assert said(bench.run(1, bench.opened[0]))[0].startswith("recovered")


def test_of_two_that_could_be_it_none_is_taken(bench):
    bench.run(2, bench.inlet)
    bench.answers = [AGAIN, replace(AGAIN, uid="3")]
    items = bench.run(10)
    (error,) = events(items, EventKind.ERROR)
    assert error.text.startswith("2 streams could be it: close all but one of 'cap'")
    assert bench.opened == []


def test_one_that_cannot_be_read_is_said_once_and_tried_again(monkeypatch):
    bench = Bench(monkeypatch, recovers=False)
    bench.run(2, bench.inlet)
    bench.inlet.break_off()
    bench.answers, bench.answer = [AGAIN], BadInput("no XML")
    assert len(events(bench.run(5), EventKind.ERROR)) == 1
    bench.answer = StreamNotFound("gone again")
    assert said(bench.run(5)) == []
    bench.answer = bench.info
    bench.run(2)
    assert len(bench.opened) == 1


def test_a_quiet_marker_stream_is_no_fault_while_its_sender_answers(monkeypatch):
    bench = Bench(monkeypatch, replace(CAP, sfreq=0.0))
    assert said(bench.run(60)) == []
    assert 9 <= bench.queries <= 12


def test_a_marker_stream_whose_sender_died_is_lost_and_back_with_it(monkeypatch):
    found = replace(CAP, sfreq=0.0)
    bench = Bench(monkeypatch, found)
    bench.run(20)
    bench.answers = []
    assert said(bench.run(12)) == ["lost: its sender does not answer any more"]
    bench.answers = [found]
    assert said(bench.run(6)) == ["recovered: its sender answers again"]


def test_one_answer_that_got_lost_is_no_lost_sender(monkeypatch):
    found = replace(CAP, sfreq=0.0)
    bench = Bench(monkeypatch, found)
    items = []
    for answers in ([found], [], [found], [], [found]):
        bench.answers = answers
        items += bench.run(5.04)
    assert said(items) == []


def test_closing_closes_what_is_being_opened(monkeypatch):
    bench = Bench(monkeypatch, recovers=False)
    bench.run(2, bench.inlet)
    bench.inlet.break_off()
    slow = Future()
    bench.submit = lambda work: slow if bench.queries else Bench.submit(bench, work)
    bench.stream._submit = lambda work: bench.submit(work)
    bench.answers = [AGAIN]
    bench.run(1)
    bench.stream.close()
    late = FakeInlet(AGAIN)
    slow.set_result((late, bench.info))
    assert late.closed
    assert bench.inlet.closed
