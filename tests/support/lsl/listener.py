"""Another program that reads LSL streams while a command runs."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import numpy as np

from biosense.acquisition.lsl import LslClock, LslSource
from biosense.core.types import Chunk


class Listener:
    """Reads one stream in a thread of its own, from when it is found until told to stop."""

    def __init__(self, wanted: str) -> None:
        self._wanted = wanted
        self._enough = threading.Event()
        self.chunks: list[Chunk] = []

    @property
    def samples(self) -> np.ndarray:
        return np.concatenate([chunk.data for chunk in self.chunks])

    @property
    def times(self) -> np.ndarray:
        return np.concatenate([chunk.times for chunk in self.chunks])

    async def _listen(self) -> None:
        async with LslSource(self._wanted, clock=LslClock(), timeout=20) as source:
            reading = asyncio.create_task(self._keep(source))
            await asyncio.to_thread(self._enough.wait)
        await reading

    async def _keep(self, source: LslSource) -> None:
        async for item in source:
            if isinstance(item, Chunk):
                self.chunks.append(item)

    def listen(self) -> None:
        asyncio.run(self._listen())

    def stop(self) -> None:
        self._enough.set()


@contextmanager
def listening(wanted: str) -> Iterator[Listener]:
    """Listen while the block runs."""
    listener = Listener(wanted)
    with ThreadPoolExecutor(1) as elsewhere:
        ended = elsewhere.submit(listener.listen)
        try:
            yield listener
        finally:
            listener.stop()
            ended.result()
