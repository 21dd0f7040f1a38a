"""Sources for the tests of a run: scripted ones, and a tap on any other."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import pairwise
from types import TracebackType
from typing import Any, Self

import numpy as np

from biosense.core.clock import ClockFit
from biosense.core.source import Source
from biosense.core.types import Chunk, ClockOffset, Event, Item, Modality, StreamInfo
from tests.support.virtual_clock import VirtualClock

Step = Item | Callable[[], None] | Exception


class Scripted:
    """Yield items when they arrive, call what is callable, raise what is an error."""

    def __init__(
        self,
        clock: VirtualClock,
        infos: Sequence[StreamInfo],
        script: Iterable[Step],
        *,
        at_exit: Exception | None = None,
    ) -> None:
        self._clock = clock
        self._infos = tuple(infos)
        self._script = script
        self._at_exit = at_exit
        self.closed = False

    @property
    def infos(self) -> tuple[StreamInfo, ...]:
        return self._infos

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.closed = True
        if self._at_exit is not None and kind is None:
            raise self._at_exit

    async def __aiter__(self) -> AsyncIterator[Item]:
        for step in self._script:
            if isinstance(step, Exception):
                raise step
            if not isinstance(step, Chunk | ClockOffset | Event):
                step()
                continue
            if isinstance(step, Chunk):
                known = step.times[-1] if np.isnan(step.arrived) else step.arrived
                await self._clock.until(float(known))
            if self.closed:
                return
            yield step


class Tap:
    """Pass a source on, keep every item that it gives, and call something `at` the nth of them."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self.at: dict[int, Callable[[], None]] = {}
        self.items: list[Item] = []

    @property
    def infos(self) -> tuple[StreamInfo, ...]:
        return self._source.infos

    async def __aenter__(self) -> Self:
        await self._source.__aenter__()
        return self

    async def __aexit__(self, *error: Any) -> None:
        await self._source.__aexit__(*error)

    async def __aiter__(self) -> AsyncIterator[Item]:
        async for item in self._source:
            self.at.get(len(self.items), lambda: None)()
            self.items.append(item)
            yield item

    def samples(self, name: str) -> np.ndarray:
        parts = [i.data for i in self.items if isinstance(i, Chunk) and i.info.name == name]
        return np.concatenate(parts)

    def times(self, name: str) -> np.ndarray:
        parts = [i.times for i in self.items if isinstance(i, Chunk) and i.info.name == name]
        return np.concatenate(parts)


def info(name: str, modality: Modality | None = Modality.ECG, **changes: Any) -> StreamInfo:
    facts = {"channels": (name,), "sfreq": 128.0, "unit": "mV", "dtype": "float32"}
    return StreamInfo(name, modality, **(facts | {"source_id": f"id-{name}"} | changes))


def chunked(whole: Chunk, seconds: float = 0.1) -> Iterator[Chunk]:
    """Cut a stream into pieces that arrive when their last sample has been taken."""
    edges = np.arange(whole.times[0], whole.times[-1] + seconds, seconds)
    cuts = [*np.searchsorted(whole.times, edges).tolist(), whole.n]
    for start, stop in pairwise(cuts):
        if stop > start:
            piece = whole.slice(start, stop)
            yield replace(piece, arrived=float(piece.times[-1]))


def foreign_clock(pieces: Iterable[Chunk], ahead: float, drift: float = 0.0) -> Iterator[Item]:
    """Stamp a stream by a clock of its own, measured each 5 s: as an LSL source yields it."""
    fit, measured = ClockFit(), -np.inf
    for piece in pieces:
        stamps = piece.times * (1 + drift) + ahead
        now = float(piece.times[-1])
        if now - measured >= 5.0:
            measured = now
            device = now * (1 + drift) + ahead
            fit.add(device, now - device)
            yield ClockOffset(piece.info, device, now - device)
        yield replace(piece, times=fit.to_session(stamps), stamps=stamps)
