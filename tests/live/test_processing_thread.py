"""The processing thread: order, the end, and what happens when processing fails."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from biosense.core.types import Chunk, Event, EventKind, Item
from biosense.estimation.processor import Outcome, Processor, ProcessorSettings
from biosense.live import processing_thread as worker_module
from biosense.live.processing_thread import ProcessingThread
from tests.support.scripted import info

ECG = info("ecg")


def item(number: int) -> Chunk:
    return Chunk.of(ECG, [float(number)], [[float(number)]], arrived=100.0 + number)


class Echo(Processor):
    """Answers each chunk by an event; holds on until it may go, fails at a number."""

    def __init__(self, fails_at: float = -1.0) -> None:
        super().__init__(ProcessorSettings())
        self.may_go = threading.Event()
        self.may_go.set()
        self.fails_at = fails_at

    def push(self, item: Item) -> list[Outcome]:
        assert self.may_go.wait(10)
        assert isinstance(item, Chunk)
        if item.times[0] == self.fails_at:
            raise ZeroDivisionError("a bug")
        self.arrivals = [item.arrived]
        return [Event(float(item.times[0]), EventKind.INFO, "", "")]

    def flush(self) -> list[Outcome]:
        return [Event(1e9, EventKind.INFO, "", "end")]


def collect(
    processor: Processor,
) -> tuple[ProcessingThread, list[tuple[float, float]], threading.Event]:
    got: list[tuple[float, float]] = []
    failed = threading.Event()

    def sink(outcomes: list[Outcome], arrivals: list[float]) -> None:
        got.extend((o.time, arrivals[0]) for o in outcomes if isinstance(o, Event))

    return ProcessingThread(processor, sink, failed.set), got, failed


def test_items_are_processed_in_order_and_closing_waits_for_all() -> None:
    processor = Echo()
    processor.may_go.clear()
    worker, got, failed = collect(processor)
    assert all(worker.put(item(number)) for number in range(100))
    assert worker.waiting >= 99
    processor.may_go.set()
    worker.close()
    assert got == [*((float(n), 100.0 + n) for n in range(100)), (1e9, 199.0)]
    assert not failed.is_set()


def test_a_full_queue_refuses_and_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker_module, "QUEUED_ITEMS", 3)
    processor = Echo()
    processor.may_go.clear()
    worker, got, _ = collect(processor)
    taken = [worker.put(item(number)) for number in range(10)]
    assert taken.count(False) == worker.overruns >= 6
    processor.may_go.set()
    worker.close()
    assert len(got) == taken.count(True) + 1


def test_a_failure_is_told_at_once_and_raised_in_the_end() -> None:
    worker, got, failed = collect(Echo(fails_at=2.0))
    for number in range(5):
        worker.put(item(number))
    assert failed.wait(5)
    with pytest.raises(ZeroDivisionError, match="a bug"):
        worker.close()
    assert [time for time, _ in got] == [0.0, 1.0]


def test_closing_ends_even_when_processing_fails_behind_a_full_queue(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(worker_module, "QUEUED_ITEMS", 3)
    processor = Echo(fails_at=0.0)
    processor.may_go.clear()
    worker, _, _ = collect(processor)
    for number in range(10):
        worker.put(item(number))
    with ThreadPoolExecutor(1) as elsewhere:
        closing = elsewhere.submit(worker.close)
        processor.may_go.set()
        with pytest.raises(ZeroDivisionError):
            closing.result(timeout=5)
