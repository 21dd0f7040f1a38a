"""How tasks end: cancelled and waited for, their errors raised."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any


async def cancel(tasks: Iterable[asyncio.Task[Any]]) -> None:
    """Cancel tasks and wait for their end; raises nothing."""
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def raise_failures(tasks: Iterable[asyncio.Task[Any]]) -> None:
    """Raise the first error that ended a task; those that go on, or were cancelled, have none."""
    for task in tasks:
        if task.done() and not task.cancelled() and (error := task.exception()) is not None:
            raise error
