"""The thread that processes: it takes items in their order of arrival, and holds up no recorder."""

from __future__ import annotations

import queue
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress

from biosense.core.types import Record
from biosense.estimation.processor import Outcome, Processor

Sink = Callable[[list[Outcome], list[float]], None]

QUEUED_ITEMS = 20_000  # about a minute of ten streams at 30 chunks a second
_RETRY_S = 0.1


class ProcessingThread:
    """Run a processor in a thread of its own.

    Parameters
    ----------
    processor
        Owned by the thread from here on.
    sink
        Called in the thread with the outcomes of each item, and for each joined point among them
        the arrival time of the newest sample that it uses.
    on_failure
        Called in the thread when an error ended it; `close` raises that error.
    """

    def __init__(self, processor: Processor, sink: Sink, on_failure: Callable[[], None]) -> None:
        self.overruns = 0
        self._processor = processor
        self._sink = sink
        self._on_failure = on_failure
        self._items: queue.Queue[Record | None] = queue.Queue(QUEUED_ITEMS)
        self._pool = ThreadPoolExecutor(1, "processing")
        self._work: Future[None] = self._pool.submit(self._process)
        self._work.add_done_callback(self._ended)

    def put(self, item: Record) -> bool:
        """Queue an item; False, and counted, where processing is so late that the queue is full."""
        try:
            self._items.put_nowait(item)
        except queue.Full:
            self.overruns += 1
            return False
        return True

    @property
    def waiting(self) -> int:
        """Items that wait."""
        return self._items.qsize()

    def close(self) -> None:
        """Process what waits, flush, end the thread; raises the error that ended it, if any."""
        while not self._work.done():
            with suppress(queue.Full):  # and nobody empties it once processing has failed
                self._items.put(None, timeout=_RETRY_S)
                break
        self._pool.shutdown(wait=True)
        self._work.result()

    def _process(self) -> None:
        while (item := self._items.get()) is not None:
            self._deliver(self._processor.push(item))
        self._deliver(self._processor.flush())

    def _deliver(self, outcomes: list[Outcome]) -> None:
        if outcomes:
            self._sink(outcomes, self._processor.arrivals)

    def _ended(self, work: Future[None]) -> None:
        if work.exception() is not None:
            self._on_failure()
