"""Waiting for the first of several things, in whatever time the run passes."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, NoReturn, TypeVar

T = TypeVar("T")

Sleep = Callable[[float], Awaitable[None]]


async def first(*contestants: Coroutine[Any, Any, T]) -> T:
    """Run coroutines side by side; return the result of the first to end, cancel the others.

    Of several that end together the one named first counts. Errors are results too.
    """
    tasks = [asyncio.ensure_future(each) for each in contestants]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        endings = await asyncio.gather(*tasks, return_exceptions=True)
    winner = next(task for task in tasks if task in done)
    for task, ending in zip(tasks, endings, strict=True):
        if task is not winner and isinstance(ending, Exception) and task not in done:
            raise ending  # what goes wrong while being cancelled is a bug: it must be seen
    return winner.result()


async def expire(seconds: float, sleep: Sleep) -> NoReturn:
    """Wait, then raise `TimeoutError`."""
    await sleep(seconds)
    raise TimeoutError(f"no answer within {seconds:g} s")


async def within(seconds: float, awaited: Coroutine[Any, Any, T], sleep: Sleep) -> T:
    """Return what a coroutine returns.

    Raises
    ------
    TimeoutError
        If it takes longer than `seconds`, as `sleep` counts them; it is cancelled then.
    """
    return await first(awaited, expire(seconds, sleep))


async def finish(last: Coroutine[Any, Any, None]) -> None:
    """Run to the end, however often the caller is cancelled meanwhile; that comes through then."""
    task = asyncio.ensure_future(last)
    cancelled: asyncio.CancelledError | None = None
    while not task.done():
        try:
            await asyncio.wait((task,))
        except asyncio.CancelledError as error:
            cancelled = error
    task.result()
    if cancelled is not None:
        raise cancelled
