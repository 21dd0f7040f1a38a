"""The Bluetooth of this computer: the one place that uses bleak."""

from __future__ import annotations

import asyncio
import logging
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from biosense.acquisition.ble.driver import Advertisement
from biosense.acquisition.ble.gatt_services import uuid16
from biosense.acquisition.ble.link.bleak_errors import in_plain_words, load_bleak
from biosense.acquisition.ble.link.connection import BleakConnection
from biosense.acquisition.ble.link.states import Receiver
from biosense.acquisition.ble.link.timeouts import Sleep, first, within
from biosense.core.errors import BiosenseError, StreamNotFound

if TYPE_CHECKING:
    from bleak import BleakClient
    from bleak.backends.device import BLEDevice
    from bleak.backends.scanner import AdvertisementData

log = logging.getLogger(__name__)

_FAIR_S = 2.0  # of listening, which finds most sensors; then others who wait have their turn
_SLICE_S = 0.25
_ANSWER_S = 10.0  # longest time of what the system itself does: scan on and off, disconnect
# Bluetooth SIG; Muse, Ganglion and Polar. Some device information is on every sensor.
_SERVICES = [uuid16(each) for each in (0x1800, 0x1801, 0x180A, 0x180D, 0xFE8D, 0xFE84, 0xFEEE)]
_NEVER_HEARD = -127  # bleak's RSSI where there is none


class Radio:
    """Find and connect sensors. One object per run: it lets one sensor at a time scan or connect.

    Parameters
    ----------
    sleep
        How to wait, also for the answers of the system: really, except in a test.
    connect_timeout
        Longest time of one attempt to connect, in seconds.

    Examples
    --------
    >>> radio = Radio(connect_timeout=10.0)
    >>> radio.connect_timeout
    10.0
    """

    def __init__(self, *, sleep: Sleep = asyncio.sleep, connect_timeout: float = 20.0) -> None:
        self.connect_timeout = connect_timeout
        self._sleep = sleep
        self._lock = asyncio.Lock()
        self._waiting = 0
        self._devices: dict[str, BLEDevice] = {}
        self._ours: set[str] = set()
        self._held: set[str] = set()
        self._plain: set[str] = set()

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Wait for one's turn: one at a time scans and connects."""
        self._waiting += 1
        try:
            await self._lock.acquire()
        finally:
            self._waiting -= 1
        try:
            yield
        finally:
            self._lock.release()

    async def scan(self, seconds: float) -> list[Advertisement]:
        """Return everything that is heard within `seconds`, strongest first.

        Raises
        ------
        BluetoothUnavailable
            If this computer cannot use Bluetooth; the message says why and what to do.
        """
        async with self.turn():
            heard = await self.find(lambda _: False, seconds)
        return sorted(heard, key=lambda each: each.rssi or _NEVER_HEARD, reverse=True)

    async def find(
        self, match: Callable[[Advertisement], bool], seconds: float, *, settle: float = 0.0
    ) -> list[Advertisement]:
        """Listen until a device matches and `settle` seconds longer; return all that were heard.

        It ends after `seconds` at the latest, and sooner where others wait for their turn.
        A device that this computer still holds connected is among them, without RSSI.

        Raises
        ------
        BluetoothUnavailable
            If this computer cannot use Bluetooth; the message says why and what to do.
        """
        heard: dict[str, Advertisement] = {}
        news = asyncio.Event()

        def hear(device: BLEDevice, data: AdvertisementData) -> None:
            self._devices[device.address] = device
            self._held.discard(device.address)
            heard[device.address] = _advertisement(device, data)
            news.set()

        def is_there() -> bool:
            return any(match(each) for each in heard.values() if each.address not in self._ours)

        scanner = load_bleak().BleakScanner(hear)
        with in_plain_words("scan for sensors"):
            await within(_ANSWER_S, scanner.start(), self._sleep)
            try:
                for held in await self._held_devices():
                    heard.setdefault(held.address, held)
                await first(_until(is_there, news), self._lose_patience(seconds))
                if is_there():
                    await self._sleep(min(settle, seconds))
            finally:
                await within(_ANSWER_S, scanner.stop(), self._sleep)
        return [each for each in heard.values() if each.address not in self._ours]

    async def connect(
        self, device: Advertisement, receiver: Receiver, *, sleep: Sleep
    ) -> BleakConnection:
        """Connect a device that `find` returned; `sleep` is what its driver waits by.

        Every connection must be ended by its `disconnect`, also one that was lost.

        Raises
        ------
        DeviceLost
            If it does not accept the connection.
        StreamNotFound
            If it is not there any more.
        """
        if device.address in self._held:
            await self._release(device)
        with in_plain_words("connect", _label(device)):
            client = self._client(device, receiver.lost)
            try:
                await within(self.connect_timeout, client.connect(), self._sleep)
            except BaseException:
                await self._abandon(client, _label(device))
                raise
        self._ours.add(device.address)
        return BleakConnection(
            client,
            device,
            receiver,
            sleep=sleep,
            sockets=device.address not in self._plain,
            ended=self._forget,
        )

    def _forget(self, connection: BleakConnection) -> None:
        address = connection.device.address
        self._ours.discard(address)
        if connection.is_mute:
            # BlueZ has two ways to notify; some devices and adapters fail with one of them.
            self._plain ^= {address}

    async def _lose_patience(self, seconds: float) -> None:
        passed = 0.0
        while passed < seconds and not (self._waiting and passed >= _FAIR_S):
            part = min(_SLICE_S, seconds - passed)
            await self._sleep(part)
            passed += part

    async def _held_devices(self) -> list[Advertisement]:
        """Return what BlueZ holds connected, as after a crash: it does not advertise."""
        if sys.platform != "linux":
            return []  # elsewhere a connection ends with its program
        adapter = await within(_ANSWER_S, load_bleak().BleakAdapter.get(), self._sleep)
        held = []
        for device in await adapter.get_connected_devices(_SERVICES):
            if device.address not in self._ours:
                self._devices[device.address] = device
                self._held.add(device.address)
                services = tuple(each.lower() for each in device.details["props"].get("UUIDs", ()))
                held.append(Advertisement(device.address, device.name or "", services))
        return held

    async def _release(self, device: Advertisement) -> None:
        log.info("%s is still connected to this computer: disconnecting it", _label(device))
        with in_plain_words("be taken over", _label(device)):
            client = self._client(device, lambda: None)
            try:
                await within(self.connect_timeout, client.connect(), self._sleep)
            finally:
                await within(_ANSWER_S, client.disconnect(), self._sleep)
        self._held.discard(device.address)
        heard = await self.find(lambda each: each.address == device.address, _ANSWER_S)
        if all(each.address != device.address for each in heard):
            raise StreamNotFound(
                f"{_label(device)} was still connected to this computer, and is not heard since "
                f"it was disconnected: switch it off and on again"
            )

    def _client(self, device: Advertisement, lost: Callable[[], None]) -> BleakClient:
        known = self._devices.get(device.address)
        if known is None:
            raise StreamNotFound(f"{device.name} ({device.address}) has not been heard yet: scan")
        client: BleakClient = load_bleak().BleakClient(
            known, disconnected_callback=lambda _: lost(), timeout=2 * self.connect_timeout
        )
        return client

    async def _abandon(self, client: BleakClient, name: str) -> None:
        try:
            with in_plain_words("disconnect", name):
                await within(_ANSWER_S, client.disconnect(), self._sleep)
        except BiosenseError as error:
            log.warning("an attempt to connect %s may still be under way: %s", name, error)


def _label(device: Advertisement) -> str:
    return device.name or device.address


async def _until(claim: Callable[[], bool], news: asyncio.Event) -> None:
    while not claim():
        news.clear()
        await news.wait()


def _advertisement(device: BLEDevice, data: AdvertisementData) -> Advertisement:
    return Advertisement(
        device.address,
        data.local_name or device.name or "",
        tuple(each.lower() for each in data.service_uuids),
        None if data.rssi == _NEVER_HEARD else data.rssi,
    )
