"""What a driver is: something that is opened, yields what its streams send, and is closed."""

from __future__ import annotations

from collections.abc import AsyncIterator
from types import TracebackType
from typing import Protocol, Self

from biosense.core.types import Item, StreamInfo


class Source(Protocol):
    """Bring the streams of one device (or program, or file) into session time.

    Iteration yields chunks, clock measurements and events of its streams in the order in which they
    became known, and ends when the source has nothing more to give. A chunk is preceded by the
    clock measurements that its times were computed from. A source that can be brought back brings
    itself back and says so by events; it raises `DeviceLost` only when it has given up.
    """

    @property
    def infos(self) -> tuple[StreamInfo, ...]:
        """The streams; known once the source is entered."""
        ...

    async def __aenter__(self) -> Self:
        """Open the device, or raise `StreamNotFound` with what to do."""
        ...

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close the device; iteration ends."""
        ...

    def __aiter__(self) -> AsyncIterator[Item]:
        """Yield items until the source ends or is closed."""
        ...
