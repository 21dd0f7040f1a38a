"""What comes over one connection: stamped, copied and queued, nothing else."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import NoReturn

from biosense.acquisition.ble.link.inbox import Packet
from biosense.core.clock import Clock
from biosense.core.errors import DeviceLost


class Notifications:
    """Receive from one connection.

    Packets are held until `release`, so that none reaches a decoder of before the device's start:
    a device may send before its driver has returned.

    Parameters
    ----------
    clock
        Session time.
    deliver
        Takes each packet, in the order of their arrival.
    """

    def __init__(self, clock: Clock, deliver: Callable[[Packet], None]) -> None:
        self.started = False
        self.is_lost = False
        self.has_heard = False
        self.heard = clock.now()
        self._clock = clock
        self._deliver = deliver
        self._closed = False
        self._holding = True
        self._held: list[Packet] = []
        self._failure = asyncio.Event()
        self._error: Exception = DeviceLost("the connection broke off")

    def packet(self, uuid: str, data: bytes) -> None:
        """Take a notification."""
        if self._closed:
            return
        packet = Packet(self._clock.now(), uuid, data)
        self.heard = packet.arrived
        self.has_heard = True
        if self._holding:
            self._held.append(packet)
        else:
            self._deliver(packet)

    def lost(self) -> None:
        """Learn that the connection is gone."""
        self.is_lost = True
        self._failure.set()

    def failed(self, error: Exception) -> None:
        """Take an error of a driver's own callback."""
        self._error = error
        self._failure.set()

    def hold(self) -> None:
        """Keep what comes until `release`."""
        self._holding = True

    def release(self) -> None:
        """Deliver what was held, and what comes from now on at once."""
        self._holding = False
        self.heard, self.has_heard = self._clock.now(), bool(self._held)
        held, self._held = self._held, []
        for packet in held:
            self._deliver(packet)

    def close(self) -> None:
        """Ignore what comes from now on."""
        self._closed = True

    async def raise_failure(self) -> NoReturn:
        """Wait until the connection breaks off or a callback fails, and raise that.

        Raises
        ------
        DeviceLost
            If the connection is gone.
        """
        await self._failure.wait()
        raise self._error
