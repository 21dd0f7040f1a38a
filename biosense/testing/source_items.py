"""Listening to a source for a while, and the threads that it may leave behind."""

from __future__ import annotations

import asyncio
import threading
from collections import Counter
from collections.abc import Callable, Sequence

from biosense.core.source import Source
from biosense.core.types import Chunk, Item, StreamInfo
from biosense.testing.contract import require

_LOOKS, _EVERY_S = 100, 0.02  # a thread that was told to end needs a moment


def chunks(items: Sequence[Item]) -> list[Chunk]:
    """Return the samples among items."""
    return [item for item in items if isinstance(item, Chunk)]


async def collect(
    source: Source, enough: Callable[[list[Item]], bool], seconds: float = 20.0
) -> list[Item]:
    """Listen until there is enough, the source ends, or time is up."""
    items: list[Item] = []
    try:
        async with asyncio.timeout(seconds):
            async for item in source:
                items.append(item)
                if enough(items):
                    break
    except TimeoutError:
        return items
    return items


def is_enough(infos: Sequence[StreamInfo]) -> Callable[[list[Item]], bool]:
    """Say that there is enough once each regular stream has given a second, in two chunks."""
    wanted = {info.name: info.sfreq for info in infos if info.sfreq}
    seen: Counter[str] = Counter()
    samples: Counter[str] = Counter()

    def enough(items: list[Item]) -> bool:
        for chunk in chunks(items[-1:]):
            seen[chunk.info.name] += 1
            samples[chunk.info.name] += chunk.n
        return all(seen[name] >= 2 and samples[name] >= n for name, n in wanted.items())

    return enough


def own_threads() -> set[threading.Thread]:
    """Return the threads there are; those of an event loop's executor live as long as the loop."""
    return {each for each in threading.enumerate() if not each.name.startswith("asyncio_")}


async def leaves_no_thread_behind(before: set[threading.Thread]) -> None:
    """Raise an AssertionError if threads are left that were not there before."""
    for _ in range(_LOOKS):
        if own_threads() <= before:
            return
        await asyncio.sleep(_EVERY_S)
    left = sorted(thread.name for thread in own_threads() - before)
    require(False, f"threads {left} left behind", "none")
