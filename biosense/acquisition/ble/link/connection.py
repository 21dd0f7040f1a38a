"""A connected device through bleak."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from biosense.acquisition.ble.driver import Advertisement
from biosense.acquisition.ble.link.bleak_errors import in_plain_words
from biosense.acquisition.ble.link.states import Receiver
from biosense.acquisition.ble.link.timeouts import Sleep

if TYPE_CHECKING:
    from bleak import BleakClient


class BleakConnection:
    """A connected device, as its driver sees it; made by `Radio.connect`.

    Parameters
    ----------
    client
        Connected.
    device
        As it was heard.
    receiver
        Gets the notifications that no driver waits for.
    sleep
        How the driver waits.
    sockets
        True to ask BlueZ for AcquireNotify, which hands each packet over a socket of its own: half
        the delay of signals over D-Bus, and no doubles of what is read. It says so for each
        characteristic where it has none.
    ended
        Called when the connection is over.
    """

    def __init__(
        self,
        client: BleakClient,
        device: Advertisement,
        receiver: Receiver,
        *,
        sleep: Sleep,
        sockets: bool,
        ended: Callable[[BleakConnection], None],
    ) -> None:
        self.device = device
        self._name = device.name or device.address
        self._client = client
        self._receiver = receiver
        self._sleep = sleep
        self._sockets = sockets
        self._ended = ended
        self._heard = False
        self._callbacks: dict[str, Callable[[bytes], None] | None] = {}

    @property
    def is_mute(self) -> bool:
        """True while nothing has come although notifications were asked for."""
        return bool(self._callbacks) and not self._heard

    def has(self, uuid: str) -> bool:
        """Tell whether the device has a characteristic."""
        with in_plain_words("list its services", self._name):
            return self._client.services.get_characteristic(uuid) is not None

    async def read(self, uuid: str) -> bytes:
        """Read a characteristic."""
        with in_plain_words(f"read {uuid}", self._name):
            return bytes(await self._client.read_gatt_char(uuid))

    async def write(self, uuid: str, data: bytes, *, response: bool) -> None:
        """Write a characteristic."""
        with in_plain_words(f"write {uuid}", self._name):
            await self._client.write_gatt_char(uuid, data, response=response)

    async def subscribe(self, uuid: str, callback: Callable[[bytes], None] | None = None) -> None:
        """Have notifications of a characteristic sent; a second call only sets the callback."""
        is_new = uuid not in self._callbacks
        self._callbacks[uuid] = callback
        if not is_new:
            return
        try:
            with in_plain_words(f"subscribe to {uuid}", self._name):
                await self._start_notify(uuid)
        except BaseException:
            del self._callbacks[uuid]
            raise

    async def sleep(self, seconds: float) -> None:
        """Wait, in the time of the run."""
        await self._sleep(seconds)

    async def disconnect(self) -> None:
        """End the connection, also one that is lost already.

        Raises
        ------
        BiosenseError
            If the computer could not end it; it counts as ended all the same.
        """
        try:
            with in_plain_words("disconnect", self._name):
                await self._client.disconnect()
        finally:
            self._ended(self)

    async def _start_notify(self, uuid: str) -> None:
        from bleak.exc import BleakDBusError, BleakGATTProtocolError

        def take(_: Any, data: bytearray) -> None:
            self._take(uuid, bytes(data))

        if self._sockets:
            # An adapter or a device that cannot do it says so in many ways.
            with suppress(BleakDBusError, BleakGATTProtocolError):
                await self._client.start_notify(uuid, take, bluez={"use_start_notify": False})
                return
        await self._client.start_notify(uuid, take, bluez={"use_start_notify": True})

    def _take(self, uuid: str, data: bytes) -> None:
        self._heard = True
        callback = self._callbacks.get(uuid)
        if callback is None:
            self._receiver.packet(uuid, data)
            return
        try:
            callback(data)
        except Exception as error:  # noqa: BLE001 - bleak would lose it: the receiver raises it
            self._receiver.failed(error)
