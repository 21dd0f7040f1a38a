"""A thread that reads the LSL streams of the run, as they come and go. No Qt."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass

from biosense.acquisition.lsl.discovery import FoundStream, find_streams
from biosense.acquisition.lsl.poller import Poller
from biosense.acquisition.lsl.source import LslSource
from biosense.core.clock import Clock
from biosense.core.errors import BadInput, DeviceLost, StreamNotFound
from biosense.core.types import Chunk

log = logging.getLogger(__name__)

Sink = Callable[[Chunk], None]
Find = Callable[[float], Sequence[FoundStream]]

_SEARCH_S = 0.3
_RETRY_S = 1.0  # between two searches while a stream is missing
_POLL_S = 0.04  # the window draws 25 times a second
_NUMBERED = re.compile(r" \(\d+\)$")  # how a run tells namesakes apart


@dataclass(frozen=True)
class WantedStream:
    """Name a stream that the window wants to read: its name in the run, its sender's source_id."""

    name: str
    source_id: str = ""


class LslFeed:
    """Read streams in a thread of its own.

    A stream that is not there yet is looked for every second; one that goes away is found again by
    `LslSource`. Sinks are called in the thread.

    Parameters
    ----------
    clock
        Session time.
    find
        How to look for streams.
    """

    def __init__(self, clock: Clock, find: Find = find_streams) -> None:
        self._clock = clock
        self._poller = Poller(_POLL_S)
        self._find = find
        self._wanted: dict[WantedStream, Sink] = {}
        self._reading: dict[WantedStream, asyncio.Task[None]] = {}
        self._stopping = False
        self._loop = asyncio.new_event_loop()
        self._changed = asyncio.Event()
        self._pool = ThreadPoolExecutor(1, "feed")
        self._work: Future[None] = self._pool.submit(self._run)

    def want(self, wanted: Mapping[WantedStream, Sink]) -> None:
        """Read these streams from now on, and no others; returns at once."""
        if wanted != self._wanted:
            self._wanted = dict(wanted)
            self._wake()

    @property
    def failure(self) -> str:
        """What ended the thread, in words; empty while it works."""
        if not self._work.done() or (error := self._work.exception()) is None:
            return ""
        return f"{type(error).__name__}: {error}"

    def close(self) -> None:
        """Close all streams and end the thread; raises the error that ended it, if any."""
        self._stopping = True
        self._wake()
        self._pool.shutdown()
        self._work.result()

    def _wake(self) -> None:
        if not self._loop.is_closed():
            with suppress(RuntimeError):  # closed by its own thread since the question
                self._loop.call_soon_threadsafe(self._changed.set)

    # What follows runs in the thread.

    def _run(self) -> None:
        with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
            runner.run(self._serve())

    async def _serve(self) -> None:
        try:
            while not self._stopping:
                self._changed.clear()
                await self._drop_unwanted()
                missing = [each for each in self._wanted if each not in self._reading]
                if missing:
                    self._begin(missing, await asyncio.to_thread(self._find, _SEARCH_S))
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._changed.wait(), _RETRY_S)
        finally:
            await self._end(list(self._reading))

    async def _drop_unwanted(self) -> None:
        done = [each for each, task in self._reading.items() if task.done()]
        await self._end([*done, *(set(self._reading) - set(self._wanted) - set(done))])

    async def _end(self, streams: Sequence[WantedStream]) -> None:
        tasks = [self._reading.pop(each) for each in streams]
        for task in tasks:
            task.cancel()
        for result in await asyncio.gather(*tasks, return_exceptions=True):
            if isinstance(result, Exception):
                raise result

    def _begin(self, missing: Sequence[WantedStream], found: Sequence[FoundStream]) -> None:
        for wanted in missing:
            match = matching(wanted, found)
            if match is not None and wanted in self._wanted:
                reading = self._read(wanted, match, self._wanted[wanted])
                self._reading[wanted] = asyncio.create_task(reading)

    async def _read(self, wanted: WantedStream, found: FoundStream, sink: Sink) -> None:
        source = LslSource(found, clock=self._clock, name=wanted.name, poller=self._poller)
        try:
            async with source:
                async for item in source:
                    if isinstance(item, Chunk):
                        sink(item)
        except (StreamNotFound, DeviceLost, BadInput) as error:
            log.info("stream %r cannot be shown now: %s", wanted.name, error)


def matching(wanted: WantedStream, found: Sequence[FoundStream]) -> FoundStream | None:
    """Return the stream that is meant; None where none is, or several could be.

    Parameters
    ----------
    wanted
        As the run names it.
    found
        Streams within reach.

    Returns
    -------
    FoundStream or None
        The one that is meant.

    Examples
    --------
    >>> one = FoundStream("cap", "EEG", 8, 250.0, "float32", "cap-17", "lab", "4f0c")
    >>> matching(WantedStream("cap (2)", "cap-17"), [one]) is one
    True
    >>> matching(WantedStream("cap", "x"), [one])
    """
    name = _NUMBERED.sub("", wanted.name)
    hits = [each for each in found if wanted.source_id in ("", each.source_id)]
    if not wanted.source_id or len(hits) > 1:
        hits = [each for each in hits if each.name in (name, wanted.name)]
    return hits[0] if len(hits) == 1 else None
