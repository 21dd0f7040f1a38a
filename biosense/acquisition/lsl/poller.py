"""One thread that polls the LSL inlets of many sources and hands over what they bring."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, Protocol, TypeVar

from biosense.acquisition.lsl.discovery import Searcher
from biosense.core.errors import BadInput
from biosense.core.types import Item

_OPENERS = 64  # sources opened at the same time: each waits for a query, and for its sender

T = TypeVar("T")


class PolledSource(Protocol):
    """What is polled; all but `take` is called in the poller's thread."""

    loop: asyncio.AbstractEventLoop

    def collect(self) -> list[Item]:
        """Return what is new."""
        ...

    def fail(self, error: BaseException) -> None:
        """Hear that `collect` raised, and that it will not be called again."""
        ...

    def take(self, items: list[Item]) -> None:
        """Take what was collected; called in the event loop."""
        ...


class Poller:
    """Poll the streams of many sources at once, and look for streams on behalf of all of them.

    A thread for each inlet wakes up 25 times a second for a few samples; for 64 of them that costs
    more than the samples do. One thread wakes up for all, and the event loop is woken once.

    Parameters
    ----------
    poll
        Seconds between two pulls: every pull costs processor time, and estimates come every 0.25 s.

    Attributes
    ----------
    searcher
        Who looks for streams.

    Examples
    --------
    >>> poller = Poller(0.01)
    >>> async def query():
    ...     poller.enter()
    ...     try:
    ...         return await asyncio.wrap_future(poller.submit(lambda: "found"))
    ...     finally:
    ...         await poller.leave()
    >>> asyncio.run(query())
    'found'
    """

    def __init__(self, poll: float = 0.04) -> None:
        if not poll > 0:
            raise BadInput(f"poll={poll} s must be positive")
        self.searcher = Searcher()
        self._poll = poll
        self._users = 0
        self._sources: list[PolledSource] = []
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._running: Future[None] | None = None
        self._executor: ThreadPoolExecutor | None = None

    def enter(self) -> None:
        """Start the thread for the first source; for the event loop."""
        if self._users == 0:
            self._stop = threading.Event()
            self._executor = ThreadPoolExecutor(1 + _OPENERS, "lsl")
            self._running = self._executor.submit(self._run, self._stop)
        self._users += 1

    async def leave(self) -> None:
        """End the thread behind the last source; for the event loop."""
        self._users -= 1
        if self._users == 0:
            running, executor = self._running, self._executor
            assert running is not None
            assert executor is not None
            self._stop.set()
            await asyncio.wait((asyncio.wrap_future(running),))
            executor.shutdown()

    def submit(self, work: Callable[[], T]) -> Future[T]:
        """Run what takes time in another thread."""
        assert self._executor is not None
        return self._executor.submit(work)

    def add(self, source: PolledSource) -> None:
        """Poll `source` from now on; for any thread."""
        with self._lock:
            self._sources.append(source)

    def remove(self, source: PolledSource) -> None:
        """Poll `source` no more: its `collect` is not running when this returns."""
        with self._lock:
            if source in self._sources:
                self._sources.remove(source)

    def _run(self, stop: threading.Event) -> None:
        while not stop.wait(self._poll):
            with self._lock:
                for loop, batch in self._collected().items():
                    loop.call_soon_threadsafe(_hand_over, batch)

    def _collected(self) -> dict[asyncio.AbstractEventLoop, list[tuple[PolledSource, list[Item]]]]:
        batches: dict[asyncio.AbstractEventLoop, list[tuple[PolledSource, list[Item]]]] = {}
        for source in tuple(self._sources):
            try:
                items = source.collect()
            except Exception as error:  # noqa: BLE001 - it ends that source, which raises it
                self._sources.remove(source)
                source.fail(error)
            else:
                if items:
                    batches.setdefault(source.loop, []).append((source, items))
        return batches


def _hand_over(batch: list[tuple[PolledSource, list[Any]]]) -> None:
    for source, items in batch:
        source.take(items)
