"""An LSL stream as a source."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from types import TracebackType
from typing import Self

from biosense.acquisition.lsl.discovery import Found, find_streams, resolve
from biosense.acquisition.lsl.inlet import BUFFER_S, Inlet
from biosense.acquisition.lsl.reader import StreamReader
from biosense.core.clock import Clock
from biosense.core.errors import BadInput, DeviceLost, StreamNotFound
from biosense.core.types import Event, EventKind, Item, StreamInfo

_DEPTH = 64  # items on their way to the consumer; behind them, samples wait in LSL's own buffer
_OVERRUN_S = 5.0  # a consumer that is late by less is not worth a word
_SLICE_S = 0.2  # longest wait inside LSL before looking whether to stop
_RETRY_S = 1.0  # between two looks for a sender that is gone


class LslSource:
    """Bring one LSL stream into session time.

    A thread of its own pulls every `poll` seconds, so that neither a slow consumer nor a slow
    network holds up anything else. A slow consumer loses nothing as long as it is late by less than
    the 360 s that LSL keeps. A sender that is restarted is found again, by its source_id, or
    where it gives none by its name, type and shape.

    Parameters
    ----------
    wanted
        Name, source_id or `key=value` of the stream, see `resolve`; or one that was found.
    clock
        Session time; must tell LSL's local clock.
    name
        Name of the stream within the run; empty for the name that its sender gives.
    poll
        Seconds between two pulls: every pull costs processor time, and estimates come every 0.25 s.
    timeout
        Seconds in which the stream must be found and opened.

    Examples
    --------
    >>> from biosense.core.clock import SystemClock
    >>> LslSource("type=EEG", clock=SystemClock()).infos
    Traceback (most recent call last):
    biosense.core.errors.BadInput: LSL source 'type=EEG' is not open: use it in `async with`
    """

    def __init__(
        self,
        wanted: str | Found,
        *,
        clock: Clock,
        name: str = "",
        poll: float = 0.04,
        timeout: float = 5.0,
    ) -> None:
        if not (poll > 0 and timeout > 0):
            raise BadInput(f"poll={poll} s and timeout={timeout} s must both be positive")
        self._wanted = wanted
        self._clock = clock
        self._name = name
        self._poll = poll
        self._timeout = timeout
        self._closed = f"LSL source {str(wanted)!r} is not open: use it in `async with`"
        self._infos: tuple[StreamInfo, ...] = ()
        self._stop = threading.Event()
        self._room = threading.Semaphore(_DEPTH)
        self._items: asyncio.Queue[Item | None] = asyncio.Queue()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._reading: asyncio.Future[None] | None = None
        self._executor = ThreadPoolExecutor(1, "lsl")  # its thread starts with the first work

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
        if self._loop is not None:
            raise BadInput(f"LSL source {self._wanted!r} was entered before: make a new one")
        self._loop = asyncio.get_running_loop()
        opening = self._loop.run_in_executor(self._executor, self._open)
        try:
            inlet, info = await asyncio.shield(opening)
        except BaseException:
            await self._abandon(opening)
            raise
        self._infos = (info,)
        self._reading = self._loop.run_in_executor(self._executor, self._read, inlet, info)
        self._reading.add_done_callback(lambda _: self._items.put_nowait(None))
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close the stream; iteration ends after what had arrived by now."""
        assert self._reading is not None
        self._stop.set()
        await asyncio.wait((self._reading,))
        self._executor.shutdown()
        failure = self._reading.exception()
        if failure is not None and kind is None:
            raise failure

    def __aiter__(self) -> AsyncIterator[Item]:
        """Yield items until the source is closed."""
        if self._reading is None:
            raise BadInput(self._closed)
        return self._iterate(self._reading)

    async def _iterate(self, reading: asyncio.Future[None]) -> AsyncIterator[Item]:
        while (item := await self._items.get()) is not None:
            self._room.release()
            yield item
        self._items.put_nowait(None)  # another iteration ends as well
        reading.result()  # raises what ended the thread, if anything did

    async def _abandon(self, opening: asyncio.Future[tuple[Inlet, StreamInfo]]) -> None:
        self._stop.set()
        await asyncio.wait((opening,))
        if opening.exception() is None:
            opening.result()[0].close()
        self._executor.shutdown()

    # What follows runs in the thread.

    def _open(self) -> tuple[Inlet, StreamInfo]:
        found = self._wanted
        if isinstance(found, str):
            found = resolve(found, self._timeout, give_up=self._stop.is_set)
        inlet, info = self._open_inlet(found)
        return inlet, replace(info, name=self._name or info.name)

    def _open_inlet(self, found: Found) -> tuple[Inlet, StreamInfo]:
        inlet = Inlet(found)
        deadline = time.monotonic() + self._timeout
        try:
            while time.monotonic() < deadline and not self._stop.is_set():
                info = inlet.open(_SLICE_S)
                if info is not None:
                    return inlet, info
            raise StreamNotFound(
                f"LSL stream {found} announces itself but does not answer within "
                f"{self._timeout:g} s: restart its sender, or let the firewall of "
                f"{found.hostname!r} pass TCP and UDP from 16572 on"
            )
        except BaseException:
            inlet.close()
            raise

    def _read(self, inlet: Inlet, info: StreamInfo) -> None:
        reader = StreamReader(inlet, info, self._clock)
        try:
            self._emit_all([reader.connected(inlet.found.hostname)])
            while not self._stop.wait(self._poll):
                try:
                    self._emit_all(reader.poll())
                except DeviceLost as lost:
                    self._emit_all(reader.lose(str(lost)))
                    inlet.close()
                    inlet = self._find_again(inlet)
                    reader.resume(inlet)
        finally:
            inlet.close()

    def _find_again(self, gone: Inlet) -> Inlet:
        while not self._stop.wait(_RETRY_S):
            again = [each for each in find_streams(0.1) if each.returns_as(gone.found)]
            if len(again) == 1:  # of two, neither can be told to be the one
                with suppress(StreamNotFound):  # gone again by now
                    return self._open_inlet(again[0])[0]
        return gone

    def _emit_all(self, items: Iterable[Item]) -> None:
        for item in items:
            late = self._emit(item)
            if late > _OVERRUN_S:
                text = f"{late:.0f} s behind; LSL keeps {BUFFER_S} s of samples, no more"
                self._emit(Event(self._clock.now(), EventKind.OVERRUN, self._infos[0].name, text))
            if self._stop.is_set():
                return

    def _emit(self, item: Item) -> float:
        assert self._loop is not None
        since = time.monotonic()
        while not self._room.acquire(timeout=_SLICE_S):
            if self._stop.is_set():
                return 0.0
        self._loop.call_soon_threadsafe(self._items.put_nowait, item)
        return time.monotonic() - since
