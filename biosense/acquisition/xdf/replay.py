"""A recording as a source: what was recorded comes again, in the same order."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Self

from biosense.acquisition.xdf.reader import XdfReader
from biosense.core.clock import Clock
from biosense.core.errors import BadInput, StreamNotFound
from biosense.core.types import Chunk, ClockOffset, Event, Record, StreamInfo


class Replay:
    """Yield a recording's items in the order of the file, at a chosen speed.

    Parameters
    ----------
    path
        A recording folder, or an .xdf file of any program.
    clock
        Tells when items are due.
    speed
        Recorded seconds per second of the clock; 0 or infinity gives items as fast as they are
        taken.
    streams
        Names of the streams wanted; None for all.
    keep_times
        True gives the recorded session times, stamps and clock measurements. False moves the
        session times so that the recording starts now; stamps and clock measurements, which belong
        to the old times, are left out.
    sleep
        What waits; for tests.

    Examples
    --------
    >>> import tempfile
    >>> from biosense.acquisition.xdf.writer import XdfWriter
    >>> from biosense.core.clock import SystemClock
    >>> info = StreamInfo("chest", None, ("ecg",), 130.0, dtype="float32")
    >>> path = Path(tempfile.mkdtemp()) / "short.xdf"
    >>> with XdfWriter(path) as writer:
    ...     _ = writer.add_stream(info)
    ...     writer.write(Chunk.of(info, [1.0, 1.5], [[3.0], [4.0]]))
    >>> async def times():
    ...     async with Replay(path, clock=SystemClock(), speed=0) as replay:
    ...         return [chunk.times.tolist() async for chunk in replay]
    >>> asyncio.run(times())
    [[1.0, 1.5]]
    """

    def __init__(
        self,
        path: Path,
        *,
        clock: Clock,
        speed: float = 1.0,
        streams: Sequence[str] | None = None,
        keep_times: bool = True,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        if not speed >= 0:
            raise BadInput(f"speed={speed} must be 0 (as fast as possible) or positive")
        self._path = path
        self._clock = clock
        self._speed = 0.0 if speed == float("inf") else speed
        self._wanted = None if streams is None else frozenset(streams)
        self._keep_times = keep_times
        self._sleep = sleep
        self._reader: XdfReader | None = None
        self._closed = False

    @property
    def infos(self) -> tuple[StreamInfo, ...]:
        """The streams that are replayed; known once the source is entered."""
        infos = self._opened().infos
        return tuple(info for info in infos if self._wanted is None or info.name in self._wanted)

    async def __aenter__(self) -> Self:
        """Look through the recording."""
        self._closed = False
        # A long recording takes seconds; other sources of the same loop go on meanwhile.
        self._reader = await asyncio.to_thread(XdfReader, self._path)
        names = {info.name for info in self._reader.infos}
        missing = sorted((self._wanted or names) - names)
        if missing:
            raise StreamNotFound(
                f"{self._path} holds no stream {', '.join(missing)}; "
                f"there are: {', '.join(sorted(names)) or 'none'}"
            )
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """End the iteration."""
        self._closed = True

    def __aiter__(self) -> AsyncIterator[Record]:
        """Yield items, each when it is due."""
        return self._play(self._opened())

    async def _play(self, reader: XdfReader) -> AsyncIterator[Record]:
        begin = self._clock.now()
        origin: float | None = None
        for item in reader.items():
            if not self._is_wanted(item):
                continue
            if not isinstance(item, ClockOffset):
                first, last = _span(item)
                origin = first if origin is None else origin
                await self._wait(begin, last - origin)
            if self._closed:
                return
            if self._keep_times:
                yield item
            elif not isinstance(item, ClockOffset):
                yield _moved(item, begin - (origin or 0.0))

    async def _wait(self, begin: float, recorded: float) -> None:
        left = 0.0
        if self._speed:
            left = begin + recorded / self._speed - self._clock.now()
        # Also without a wait the other tasks get their turn.
        await self._sleep(max(0.0, left))

    def _is_wanted(self, item: Record) -> bool:
        if isinstance(item, Event):
            return True
        if isinstance(item, Chunk) and item.n == 0:
            return False
        return self._wanted is None or item.info.name in self._wanted

    def _opened(self) -> XdfReader:
        if self._reader is None:
            raise BadInput(f"the replay of {self._path} is not open: use it in `async with`")
        return self._reader


def _span(item: Chunk | Event) -> tuple[float, float]:
    if isinstance(item, Event):
        return item.time, item.time
    return float(item.times[0]), float(item.times[-1])


def _moved(item: Chunk | Event, by: float) -> Chunk | Event:
    if isinstance(item, Event):
        return replace(item, time=item.time + by)
    return replace(item, times=item.times + by, stamps=None)
