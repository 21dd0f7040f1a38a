"""A source on the simulated Bluetooth, and everything that it brings."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import numpy as np

from biosense.acquisition.ble.link.radio import Radio
from biosense.acquisition.ble.link.states import LinkState
from biosense.acquisition.ble.streams.source import BleSource
from biosense.core.device_state import DeviceState
from biosense.core.source import Source
from biosense.core.types import Chunk, Event, EventKind, Floats, Item
from tests.support.fake_bluez.clock import ScaledClock


class Heard:
    """Read a source and keep what it brings, in order."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.items: list[Item] = []
        self.link = ""
        self.ended = False
        self._counts: dict[str, int] = {}
        self._news = asyncio.Event()

    async def read(self) -> None:
        """Read until the source ends."""
        try:
            await self._read()
        finally:
            self.ended = True
            self._news.set()

    async def _read(self) -> None:
        async for item in self.source:
            self.items.append(item)
            if isinstance(item, Chunk):
                key = item.info.name.split()[-1]
                self._counts[key] = self._counts.get(key, 0) + item.n
            elif isinstance(item, DeviceState):
                self.link = item.link
            self._news.set()

    async def until(self, claim: Callable[[], bool], seconds: float = 10.0) -> None:
        """Wait until a claim about what came is true; `seconds` of real time at most."""
        async with asyncio.timeout(seconds):
            while not claim():
                assert not self.ended, "the source ended, or reading it failed"
                self._news.clear()
                await self._news.wait()

    def chunks(self, key: str) -> list[Chunk]:
        """Return the chunks of the signal whose name ends in `key`."""
        return [
            item
            for item in self.items
            if isinstance(item, Chunk) and item.info.name.endswith(f" {key}")
        ]

    def samples(self, key: str) -> tuple[Floats, Any]:
        """Return times and data of a signal, in one piece."""
        chunks = self.chunks(key)
        if not chunks:
            return np.zeros(0), np.zeros((0, 0))
        times = np.concatenate([chunk.times for chunk in chunks])
        return times, np.concatenate([chunk.data for chunk in chunks])

    def count(self, key: str) -> int:
        """Return how many samples of a signal came."""
        return self._counts.get(key, 0)

    def events(self, *kinds: EventKind, key: str = "") -> list[Event]:
        """Return events of some kinds, of the stream whose name ends in `key`."""
        return [
            item
            for item in self.items
            if isinstance(item, Event) and item.kind in kinds and item.stream.endswith(key)
        ]

    def states(self, key: str = "") -> list[DeviceState]:
        """Return what was said of the device."""
        return [
            item
            for item in self.items
            if isinstance(item, DeviceState) and item.stream.endswith(key)
        ]

    @property
    def streams(self) -> bool:
        """Whether the link says that packets come."""
        return self.link == LinkState.STREAMING


@asynccontextmanager
async def listening(wanted: str, clock: ScaledClock, **settings: Any) -> AsyncIterator[Heard]:
    """Open a sensor in simulated time and read it until the block ends; `settings` of BleSource."""
    radio = Radio(sleep=clock.sleep)
    source = BleSource(wanted, radio=radio, clock=clock, sleep=clock.sleep, **settings)
    heard = Heard(source)
    async with source:
        reading = asyncio.create_task(heard.read())
        try:
            yield heard
        finally:
            if reading.done():
                reading.result()  # what went wrong first
    await reading
