"""Open the sources of a run: those that are required must be there, others may be missing."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass

from biosense.core.errors import BluetoothUnavailable, DeviceLost, DeviceRefused, StreamNotFound
from biosense.core.source import Source

_MISSING = (StreamNotFound, DeviceLost, DeviceRefused, BluetoothUnavailable)


@dataclass(frozen=True)
class OpenedSources:
    """Hold the sources that are open, and why others are not."""

    sources: tuple[Source, ...]
    missing: tuple[str, ...]


async def open_sources(
    stack: AsyncExitStack, sources: Sequence[Source], optional: Collection[Source]
) -> OpenedSources:
    """Enter all sources side by side: an LSL stream alone takes half a second to open.

    Parameters
    ----------
    stack
        Closes them.
    sources
        Not yet entered.
    optional
        Those that may be missing.

    Returns
    -------
    OpenedSources
        Those that are open, and why others are not.

    Raises
    ------
    StreamNotFound, DeviceRefused, BluetoothUnavailable
        When a required source is missing; its notes name the others that are. When every one is.
    """
    entering = (stack.enter_async_context(source) for source in sources)
    results = await asyncio.gather(*entering, return_exceptions=True)
    there: list[Source] = []
    missing: list[BaseException] = []
    fatal: list[BaseException] = []
    for source, result in zip(sources, results, strict=True):
        if not isinstance(result, BaseException):
            there.append(source)
        elif source in optional and isinstance(result, _MISSING):
            missing.append(result)
        else:
            fatal.append(result)
    if not there:
        fatal = fatal or missing
    if fatal:
        first, *others = fatal
        for text in dict.fromkeys(map(str, others)):  # several sensors lack the same Bluetooth
            if text != str(first):
                first.add_note(f"and: {text}")
        raise first
    return OpenedSources(tuple(there), tuple(str(error) for error in missing))
