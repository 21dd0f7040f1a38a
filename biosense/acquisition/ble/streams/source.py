"""A Bluetooth sensor as a source: its signals, and its raw packets, over all reconnections."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection, Mapping
from contextlib import suppress
from types import MappingProxyType, TracebackType
from typing import Any, NoReturn, Self

from biosense.acquisition.ble.driver import Advertisement, Driver
from biosense.acquisition.ble.drivers.registry import recognise
from biosense.acquisition.ble.link.discovery import Recognise
from biosense.acquisition.ble.link.inbox import Inbox, Tick
from biosense.acquisition.ble.link.search import Search, describe_streams, source_id_prefix
from biosense.acquisition.ble.link.states import Adapter, LinkState, LinkTimes
from biosense.acquisition.ble.link.supervisor import Supervisor
from biosense.acquisition.ble.link.timeouts import Sleep, finish, first
from biosense.acquisition.ble.streams.decoding import LinkDecoder
from biosense.acquisition.ble.streams.raw_packets import KEY, PacketLog, packets_info
from biosense.acquisition.ble.streams.signal_stream import SignalStream
from biosense.core.clock import Clock
from biosense.core.errors import BadInput, DeviceLost, StreamNotFound
from biosense.core.types import Item, StreamInfo

_TICK_S = 0.25  # raw packets are handed on so often
_HOLD_TICKS = 0.5  # of the time for which a decoder holds packets back: how late it may let go
_ATTEMPTS = 3  # a first connection often fails on a busy radio, a second seldom
_NO_OPTIONS: Mapping[str, Any] = MappingProxyType({})


class BleSource:
    """Bring the signals of one Bluetooth sensor into session time.

    Streams are named "<device> <signal>" and keep their identity over reconnections and runs. A
    sensor that is lost is brought back for as long as the run lasts; its samples jump in time over
    the gap, and events say when and why. Raw packets are a stream of text beside the signals, so
    that a recording can be decoded again.

    Parameters
    ----------
    wanted
        Name, start of the name, or address of the sensor, or its family ("polar"), in any case.
    radio
        The Bluetooth of this computer, one for all sensors of a run.
    clock, sleep
        Session time, and how to wait in it.
    name
        What the names of the streams begin with; empty for the name of the device.
    signals
        Keys of the signals to take, None for all that the device sends.
    delay
        Seconds that sensor and firmware need from the skin to the radio: taken off the times.
    keep_packets
        Whether raw packets become a stream.
    timeout
        Seconds of listening in which the sensor must be heard.
    driver_options
        Settings of its driver.
    times
        How long to wait for what.
    recognise
        Finds the driver of a device.

    Examples
    --------
    >>> from biosense.acquisition.ble.link.radio import Radio
    >>> from biosense.core.clock import SystemClock
    >>> BleSource("Polar H10", radio=Radio(), clock=SystemClock()).infos
    Traceback (most recent call last):
    biosense.core.errors.BadInput: Bluetooth sensor 'Polar H10' is not open: use it in `async with`
    """

    def __init__(
        self,
        wanted: str,
        *,
        radio: Adapter,
        clock: Clock,
        sleep: Sleep = asyncio.sleep,
        name: str = "",
        signals: Collection[str] | None = None,
        delay: float = 0.0,
        keep_packets: bool = True,
        timeout: float = 20.0,
        driver_options: Mapping[str, Any] = _NO_OPTIONS,
        times: LinkTimes | None = None,
        recognise: Recognise = recognise,
    ) -> None:
        if not wanted.strip() or not timeout > 0:
            raise BadInput(
                f"name a sensor, got {wanted!r}, and a positive timeout, got {timeout} s"
            )
        self._wanted = wanted.strip()
        self._radio = radio
        self._clock = clock
        self._sleep = sleep
        self._name = name
        self._signals = signals
        self._delay = delay
        self._keep_packets = keep_packets
        self._timeout = timeout
        self._options = driver_options
        self._times = times or LinkTimes()
        self._recognise = recognise
        self._inbox = Inbox()
        self._supervisor: Supervisor | None = None
        self._decoder: LinkDecoder | None = None
        self._task: asyncio.Task[NoReturn] | None = None

    @property
    def infos(self) -> tuple[StreamInfo, ...]:
        """The signals, then the raw packets; known once the source is entered."""
        return self._opened().infos

    @property
    def state(self) -> LinkState:
        """Where the link stands."""
        return LinkState.IDLE if self._supervisor is None else self._supervisor.state

    async def __aenter__(self) -> Self:
        """Find, connect and start the sensor.

        Raises
        ------
        StreamNotFound
            If it is not within reach, or does not let itself be connected.
        BadInput
            If several sensors are meant, or it has not the signals asked for.
        DeviceRefused
            If it cannot be used.
        BluetoothUnavailable
            If this computer cannot use Bluetooth.
        """
        if self._supervisor is not None:
            raise BadInput(f"sensor {self._wanted!r} was entered before: make a new source")
        try:
            self._decoder = await self._open()
        except BaseException:
            await finish(self._abandon())
            raise
        self._task = asyncio.create_task(self._run())
        self._task.add_done_callback(lambda _: self._inbox.end())
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Stop and disconnect the sensor; iteration ends after what had arrived by now."""
        assert self._task is not None
        self._task.cancel()
        await finish(self._ended(self._task))  # a sensor that is not stopped drains its battery
        if kind is None:
            self._raise_failure()

    def __aiter__(self) -> AsyncIterator[Item]:
        """Yield items until the source is closed."""
        return self._iterate(self._opened())

    async def _iterate(self, decoder: LinkDecoder) -> AsyncIterator[Item]:
        while (message := await self._inbox.get()) is not None:
            for item in decoder.take(message):
                yield item
        for item in decoder.finish(self._clock.now()):
            yield item
        self._raise_failure()

    async def _run(self) -> NoReturn:
        assert self._supervisor is not None
        await first(self._supervisor.run(), self._tick())
        raise AssertionError("neither ends by itself")

    async def _tick(self) -> NoReturn:
        assert self._supervisor is not None
        holds = [each.hold for each in self._supervisor.driver.signals if each.hold > 0]
        every = min([_TICK_S, *(_HOLD_TICKS * hold for hold in holds)])
        while True:
            await self._sleep(every)
            self._inbox.put(Tick(self._clock.now()))

    async def _ended(self, task: asyncio.Task[NoReturn]) -> None:
        await asyncio.wait((task,))

    def _raise_failure(self) -> None:
        if self._task is not None and self._task.done():
            with suppress(asyncio.CancelledError):
                self._task.result()

    async def _open(self) -> LinkDecoder:
        search = Search(self._wanted, self._timeout, self._recognise)
        for attempts_left in reversed(range(_ATTEMPTS)):
            try:
                await search.connect(self._radio, self._clock, self._connect)
                return await self._begin()
            except DeviceLost as error:
                await self._abandon()
                if not attempts_left:
                    raise StreamNotFound(
                        f"Bluetooth sensor {self._wanted!r} is within reach but cannot be used: "
                        f"{error}. Bring it nearer, charge it, and end its connection to a phone "
                        f"or another program"
                    ) from error
        raise AssertionError("the last attempt returns or raises")

    async def _connect(self, device: Advertisement) -> None:
        make = self._recognise(device)
        assert make is not None, "a search ends with a device that has a driver"
        try:
            driver: Driver = make(**self._options)
        except TypeError as error:
            raise BadInput(
                f"options {dict(self._options)} do not suit a {make.family} sensor: {error}"
            ) from error
        self._supervisor = Supervisor(
            driver,
            device,
            self._radio,
            self._inbox,
            clock=self._clock,
            sleep=self._sleep,
            times=self._times,
        )
        await self._supervisor.connect(device)

    async def _begin(self) -> LinkDecoder:
        assert self._supervisor is not None
        await self._supervisor.begin()
        driver, device = self._supervisor.driver, self._supervisor.device
        name = self._name or device.name or device.address
        identity = source_id_prefix(driver, device, self._supervisor.serial)
        streams = {
            key: SignalStream(info, signal, self._delay, self._times)
            for key, (info, signal) in describe_streams(
                driver, name, identity, self._signals
            ).items()
        }
        log = PacketLog(packets_info(name, f"{identity}-{KEY}")) if self._keep_packets else None
        return LinkDecoder(streams, log, self._supervisor.ask_restart)

    async def _abandon(self) -> None:
        if self._supervisor is not None:
            await self._supervisor.close()
        self._inbox.clear()

    def _opened(self) -> LinkDecoder:
        if self._decoder is None:
            raise BadInput(f"Bluetooth sensor {self._wanted!r} is not open: use it in `async with`")
        return self._decoder
