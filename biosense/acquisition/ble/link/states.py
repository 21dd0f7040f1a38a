"""What the link layer is made of: where a link stands, its times, and what it needs of a radio."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from biosense.acquisition.ble.driver import Advertisement, Gatt
from biosense.acquisition.ble.link.timeouts import Sleep
from biosense.core.errors import BadInput


class LinkState(StrEnum):
    """Name where the link to a device stands."""

    IDLE = "idle"
    SCANNING = "scanning"
    CONNECTING = "connecting"
    SUBSCRIBING = "subscribing"
    STARTING = "starting"
    STREAMING = "streaming"
    STALLED = "stalled"
    BACKING_OFF = "backing-off"
    STOPPED = "stopped"


@dataclass(frozen=True)
class LinkTimes:
    """How long a link waits for what, in seconds.

    Parameters
    ----------
    scan, command, stop, disconnect
        Longest time of one look for a device that is gone, of one procedure with it (to prepare,
        start or keep it), of stopping it and of disconnecting it.
    intervals, silence
        A device is stalled that sent nothing for `intervals` packet intervals, at least `silence`.
    patience
        What one silent signal gets, of a device that sends others, before the device is started
        again.
    first_packet
        What a device that was just started gets at least before it counts as stalled.
    least_pause, most_pause
        Pause before the first attempt to come back; it doubles up to the second. A device that is
        stalled, and may go on by itself, stays connected during the first pause.
    stable_for
        A device that streamed for so long begins with the shortest pause again.
    battery
        Between two looks at the battery.
    """

    scan: float = 10.0
    command: float = 20.0
    stop: float = 2.0
    disconnect: float = 5.0
    intervals: float = 3.0
    silence: float = 0.2
    patience: float = 1.0
    first_packet: float = 5.0
    least_pause: float = 0.5
    most_pause: float = 30.0
    stable_for: float = 5.0
    battery: float = 60.0

    def __post_init__(self) -> None:
        wrong = {name: value for name, value in vars(self).items() if not value > 0}
        if wrong:
            raise BadInput(f"times of a link must be positive, got {wrong}")
        if self.least_pause > self.most_pause:
            raise BadInput(
                f"least_pause={self.least_pause} s must not exceed most_pause={self.most_pause} s"
            )

    def limit(self, packet_interval: float) -> float:
        """Return the longest silence that is none yet, for packets that come so often."""
        return max(self.intervals * packet_interval, self.silence)


class Receiver(Protocol):
    """Take what comes from a connection; called in the event loop, must be quick, never raises.

    Nothing that comes after `disconnect` was called means anything.
    """

    def packet(self, uuid: str, data: bytes) -> None:
        """Take a notification that no driver waits for."""
        ...

    def lost(self) -> None:
        """Learn that the connection is gone."""
        ...

    def failed(self, error: Exception) -> None:
        """Take an error of a driver's own callback."""
        ...


class Connection(Gatt, Protocol):
    """A connected device."""

    async def disconnect(self) -> None:
        """End the connection, also one that is lost already.

        Raises
        ------
        BiosenseError
            If the computer could not end it; it counts as ended all the same.
        """
        ...


class Adapter(Protocol):
    """What a link needs of the Bluetooth of this computer; one object serves all sensors."""

    def turn(self) -> AbstractAsyncContextManager[None]:
        """Wait for one's turn: one at a time scans and connects."""
        ...

    async def find(
        self, match: Callable[[Advertisement], bool], seconds: float, *, settle: float = 0.0
    ) -> list[Advertisement]:
        """Listen until a device matches and `settle` seconds longer; return all that were heard.

        It ends after `seconds` at the latest, and sooner where others wait for their turn.
        """
        ...

    async def connect(
        self, device: Advertisement, receiver: Receiver, *, sleep: Sleep
    ) -> Connection:
        """Connect a device that `find` returned; `sleep` is what its driver waits by."""
        ...
