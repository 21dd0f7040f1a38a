"""An LSL stream as a source."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from itertools import islice
from types import TracebackType
from typing import Self

from biosense.acquisition.lsl.discovery import FoundStream, resolve
from biosense.acquisition.lsl.inlet import BUFFER_S, Inlet, open_inlet
from biosense.acquisition.lsl.poller import Poller
from biosense.acquisition.lsl.supervisor import SupervisedStream
from biosense.core.clock import Clock
from biosense.core.errors import BadInput
from biosense.core.types import Event, EventKind, Item, StreamInfo

_DEPTH = 64  # items on their way to the consumer; behind them, samples wait in LSL's own buffer
_OVERRUN_S = 5.0  # a consumer that is late by less is not worth a word


class LslSource:
    """Bring one LSL stream into session time.

    A thread pulls, so that neither a slow consumer nor a slow network holds up anything else. A
    slow consumer loses nothing as long as it is late by less than the 360 s that LSL keeps. A
    sender that is restarted is found again, also under another name where it has a source_id; what
    it changed is said. One that comes back with other channels or another type of samples is
    reported, and waited for until it is as it was.

    Parameters
    ----------
    wanted
        Name, source_id or `key=value` of the stream, see `resolve`; or one that was found.
    clock
        Session time; must tell LSL's local clock.
    name
        Name of the stream within the run; empty for the name that its sender gives.
    poll
        Seconds between two pulls.
    timeout
        Seconds in which the stream must be found and opened.
    poller
        Who pulls: sources that share one cost far less, and search together. None makes one of its
        own, with `poll`.

    Examples
    --------
    >>> from biosense.core.clock import SystemClock
    >>> LslSource("type=EEG", clock=SystemClock()).infos
    Traceback (most recent call last):
    biosense.core.errors.BadInput: LSL source 'type=EEG' is not open: use it in `async with`
    """

    loop: asyncio.AbstractEventLoop

    def __init__(
        self,
        wanted: str | FoundStream,
        *,
        clock: Clock,
        name: str = "",
        poll: float = 0.04,
        timeout: float = 5.0,
        poller: Poller | None = None,
    ) -> None:
        if not (poll > 0 and timeout > 0):
            raise BadInput(f"poll={poll} s and timeout={timeout} s must both be positive")
        self._wanted = wanted
        self._clock = clock
        self._name = name
        self._timeout = timeout
        self._poller = poller or Poller(poll)
        self._closed = f"LSL source {str(wanted)!r} is not open: use it in `async with`"
        self._infos: tuple[StreamInfo, ...] = ()
        self._stop = threading.Event()
        self._was_entered = False
        self._items: asyncio.Queue[Item | None] = asyncio.Queue()
        self._failure: BaseException | None = None
        self._stream: SupervisedStream | None = None
        self._pending: Iterator[Item] | None = None
        self._handed, self._taken = 0, 0  # items, counted in the poller's thread and in the loop
        self._full_since: float | None = None

    @property
    def infos(self) -> tuple[StreamInfo, ...]:
        """The stream, in a tuple; known once the source is entered."""
        if not self._infos:
            raise BadInput(self._closed)
        return self._infos

    async def __aenter__(self) -> Self:
        """Find and open the stream.

        Raises
        ------
        StreamNotFound
            If it is not within reach, or does not answer.
        BadInput
            If several streams are meant, or its samples cannot be read.
        """
        if self._was_entered:
            raise BadInput(f"LSL source {self._wanted!r} was entered before: make a new one")
        self._was_entered = True
        self.loop = asyncio.get_running_loop()
        self._poller.enter()
        opening = asyncio.wrap_future(self._poller.submit(self._open))
        try:
            inlet, info = await asyncio.shield(opening)
        except BaseException:
            await self._abandon(opening)
            raise
        self._infos = (info,)
        self._stream = SupervisedStream(
            inlet,
            info,
            self._clock,
            searcher=self._poller.searcher,
            submit=self._poller.submit,
            timeout=self._timeout,
        )
        self.take([self._stream.connected()])
        self._handed += 1
        self._poller.add(self)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close the stream; iteration ends after what had arrived by now."""
        left = await asyncio.wrap_future(self._poller.submit(self._close))
        self.take(left)
        self._items.put_nowait(None)
        await self._poller.leave()
        if self._failure is not None and kind is None:
            raise self._failure

    def __aiter__(self) -> AsyncIterator[Item]:
        """Yield items until the source is closed."""
        if self._stream is None:
            raise BadInput(self._closed)
        return self._iterate()

    async def _iterate(self) -> AsyncIterator[Item]:
        while (item := await self._items.get()) is not None:
            self._taken += 1
            yield item
        self._items.put_nowait(None)  # another iteration ends as well
        if self._failure is not None:
            raise self._failure

    def take(self, items: list[Item]) -> None:
        """Queue items for the iteration; called in the event loop."""
        for item in items:
            self._items.put_nowait(item)

    async def _abandon(self, opening: asyncio.Future[tuple[Inlet, StreamInfo]]) -> None:
        self._stop.set()
        await asyncio.wait((opening,))
        if opening.exception() is None:
            opening.result()[0].close()
        await self._poller.leave()

    # What follows runs in other threads.

    def collect(self) -> list[Item]:
        """Return what is new, as far as the consumer has room for it."""
        room = _DEPTH - (self._handed - self._taken)
        if room <= 0:
            self._full_since = self._full_since or self._clock.now()
            return []
        items = self._overrun()
        if self._pending is None:
            self._pending = self._polled()
        new = list(islice(self._pending, room))
        if len(new) < room:
            self._pending = None
        self._handed += len(items) + len(new)
        return items + new

    def fail(self, error: BaseException) -> None:
        """End the iteration with an error."""
        self._failure = error
        self.loop.call_soon_threadsafe(self._items.put_nowait, None)

    def _open(self) -> tuple[Inlet, StreamInfo]:
        found, searcher = self._wanted, self._poller.searcher
        if isinstance(found, str):
            found = resolve(found, self._timeout, give_up=self._stop.is_set, searcher=searcher)
        unique = not searcher.has_twin(found)
        inlet, info = open_inlet(found, self._timeout, unique=unique, give_up=self._stop.is_set)
        return inlet, replace(info, name=self._name or info.name)

    def _polled(self) -> Iterator[Item]:
        assert self._stream is not None
        return self._stream.poll()

    def _overrun(self) -> list[Item]:
        since, self._full_since = self._full_since, None
        late = 0.0 if since is None else self._clock.now() - since
        if late <= _OVERRUN_S:
            return []
        text = f"{late:.0f} s behind; LSL keeps {BUFFER_S} s of samples, no more"
        return [Event(self._clock.now(), EventKind.OVERRUN, self._infos[0].name, text)]

    def _close(self) -> list[Item]:
        assert self._stream is not None
        self._poller.remove(self)
        try:
            return [] if self._failure else [*(self._pending or ()), *self._polled()]
        finally:
            self._stream.close()
