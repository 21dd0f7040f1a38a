"""What happens on a link, in its order, on the way to whoever reads the source."""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass

from biosense.acquisition.ble.driver import Decoder, Report
from biosense.acquisition.ble.link.states import LinkState

CAPACITY = 20_000  # packets: a minute and a half of the busiest sensor


@dataclass(frozen=True)
class Packet:
    """Hold a notification as it arrived."""

    arrived: float
    uuid: str
    data: bytes

    @property
    def time(self) -> float:
        """When it happened, as of every message."""
        return self.arrived


@dataclass(frozen=True)
class DeviceStarted:
    """Say that the device was started: what follows is for a new decoder."""

    time: float
    decoder: Decoder


@dataclass(frozen=True)
class LinkChanged:
    """Say that the link is in another state, and why."""

    time: float
    state: LinkState
    reason: str = ""
    rssi: int | None = None


@dataclass(frozen=True)
class DeviceReport:
    """Hold what the device told of itself when it was asked."""

    time: float
    report: Report


@dataclass(frozen=True)
class Tick:
    """Say that time passes: what waits for it is due."""

    time: float


@dataclass(frozen=True)
class PacketsLost:
    """Say that packets found the inbox full."""

    time: float
    count: int


Message = Packet | DeviceStarted | LinkChanged | DeviceReport | Tick | PacketsLost


class Inbox:
    """Keep messages in order until they are read; bounded in packets, the rest is rare.

    Examples
    --------
    >>> box = Inbox(capacity=1)
    >>> for number in range(3):
    ...     box.put(Packet(float(number), "uuid", bytes([number])))
    >>> len(box), box.newest
    (2, PacketsLost(time=1.0, count=2))
    """

    def __init__(self, capacity: int = CAPACITY) -> None:
        self.capacity = capacity
        self._messages: deque[Message] = deque()
        self._packets = 0
        self._ended = False
        self._news = asyncio.Event()

    def __len__(self) -> int:
        return len(self._messages)

    @property
    def newest(self) -> Message | None:
        """The newest message, which will be read last."""
        return self._messages[-1] if self._messages else None

    def put(self, message: Message) -> None:
        """Add a message; packets that find the box full are lost, and a message says how many."""
        is_lost = isinstance(message, Packet) and self._packets >= self.capacity
        if isinstance(self.newest, Tick) and (is_lost or isinstance(message, Tick)):
            self._messages.pop()  # another follows
        if is_lost:
            self._lose(message.time)
            return
        self._packets += isinstance(message, Packet)
        self._messages.append(message)
        self._news.set()

    def _lose(self, time: float) -> None:
        last = self.newest
        if isinstance(last, PacketsLost):
            self._messages[-1] = PacketsLost(last.time, last.count + 1)
        else:
            self._messages.append(PacketsLost(time, 1))

    def clear(self) -> None:
        """Forget what is there."""
        self._messages.clear()
        self._packets = 0

    def end(self) -> None:
        """Let readers end when they have read what is there."""
        self._ended = True
        self._news.set()

    async def get(self) -> Message | None:
        """Wait for the next message; None after the end."""
        while not self._messages:
            if self._ended:
                return None
            self._news.clear()
            await self._news.wait()
        message = self._messages.popleft()
        self._packets -= isinstance(message, Packet)
        return message
