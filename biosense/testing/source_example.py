"""A source to be checked, and how a check is run: in an event loop and a thread of its own."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from biosense.core.source import Source
from biosense.core.types import Item
from biosense.testing.source_items import chunks, collect, is_enough

Samples = Mapping[str, NDArray[Any]]


async def _nothing() -> None:
    return


@dataclass(frozen=True)
class SourceExample:
    """Show a source, what makes its device send, and what it must deliver.

    Parameters
    ----------
    source
        Not yet entered; it is entered once.
    expected
        All samples by stream, asked for once the source is open; None where nobody knows them.
    feed
        Makes the device send, once the source is entered.
    seconds
        How long is listened where nobody knows what is to come.
    asked
        What the user named, for the message where it is absent.
    """

    source: Source
    expected: Callable[[], Samples] | None = None
    feed: Callable[[], Awaitable[None]] = _nothing
    seconds: float = 5.0
    asked: str = ""

    def __str__(self) -> str:
        return type(self.source).__name__

    async def everything(self) -> list[Item]:
        """Enter, feed, and collect until all that is expected has come, or the source ends."""
        async with self.source as source:
            await self.feed()
            if self.expected is None:
                return await collect(source, is_enough(source.infos), self.seconds)
            wanted = sum(len(data) for data in self.expected().values())

            def complete(items: list[Item]) -> bool:
                return sum(each.n for each in chunks(items)) >= wanted

            return await collect(source, complete, 20.0)


def in_event_loop(attempt: Callable[[SourceExample], Coroutine[Any, Any, None]]) -> Any:
    """Make a function of a coroutine function, which runs it to its end."""

    def run(example: SourceExample) -> None:
        # In a thread of its own: a notebook has an event loop already.
        with ThreadPoolExecutor(1, "asyncio_check") as pool:
            pool.submit(asyncio.run, attempt(example)).result()

    run.__name__, run.__doc__ = attempt.__name__, attempt.__doc__
    return run
