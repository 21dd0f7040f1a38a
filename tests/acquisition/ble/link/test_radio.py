"""The manners of the radio: turns, scans, connections, subscriptions; on a bleak of wood."""

import asyncio
import sys
from types import SimpleNamespace

import pytest
from bleak.exc import BleakDBusError, BleakError

from biosense.acquisition.ble.driver import Advertisement
from biosense.acquisition.ble.link import radio as radio_module
from biosense.acquisition.ble.link.notifications import Notifications
from biosense.acquisition.ble.link.radio import Radio
from biosense.core.errors import DeviceLost, StreamNotFound
from tests.support.ble.fakes import BATTERY, DATA
from tests.support.virtual_time import CLOCK, run_virtual

linux = pytest.mark.skipif(sys.platform != "linux", reason="only BlueZ works like that")


def dbus(name, *details):
    return BleakDBusError(f"org.{name}", list(details))


class FakeScanner:
    heard: tuple[tuple[str, str, int], ...] = (("AA", "Strap", -60), ("BB", "Muse-1", -127))
    running = 0

    def __init__(self, hear):
        self._hear = hear

    async def start(self):
        assert FakeScanner.running == 0, "one scan at a time"
        FakeScanner.running += 1
        asyncio.get_running_loop().call_later(0.3, self._advertise)

    async def stop(self):
        FakeScanner.running -= 1

    def _advertise(self):
        for address, name, rssi in self.heard:
            data = SimpleNamespace(local_name=name, service_uuids=["FE8D"], rssi=rssi)
            self._hear(SimpleNamespace(address=address, name=None), data)


class FakeClient:
    """A BleakClient of one device; what it is to do wrong is set on the class."""

    connecting_takes = 0.1
    sockets_fail = False
    made: tuple["FakeClient", ...] = ()

    def __init__(self, device, disconnected_callback, timeout):
        self.device, self.drop, self.calls = device, disconnected_callback, []
        self.callbacks = {}
        self.services = SimpleNamespace(get_characteristic=lambda uuid: {DATA: 1}.get(uuid))
        FakeClient.made = (*FakeClient.made, self)

    async def connect(self):
        self.calls.append("connect")
        await asyncio.sleep(self.connecting_takes)

    async def disconnect(self):
        self.calls.append("disconnect")
        self.drop(self)

    async def start_notify(self, uuid, callback, *, bluez):
        self.calls.append(("notify", uuid[4:8], bluez["use_start_notify"]))
        if self.sockets_fail and not bluez["use_start_notify"]:
            raise dbus("bluez.Error.NotSupported", "no AcquireNotify")
        self.callbacks[uuid] = callback

    async def read_gatt_char(self, uuid):
        raise BleakError("Not connected")


@pytest.fixture
def bleak(monkeypatch):
    """Put a bleak of wood under the radio."""

    async def adapter():
        return SimpleNamespace(get_connected_devices=connected)

    async def connected(services):
        return list(held)

    held = []
    fake = SimpleNamespace(
        BleakScanner=FakeScanner, BleakClient=FakeClient, BleakAdapter=SimpleNamespace(get=adapter)
    )
    monkeypatch.setattr(radio_module, "load_bleak", lambda: fake)
    monkeypatch.setattr(FakeScanner, "running", 0)
    monkeypatch.setattr(FakeClient, "made", ())
    return held


def strap(each):
    return each.name == "Strap"


def test_a_scan_hears_everything_strongest_first(bleak):
    heard = run_virtual(Radio().scan(3.0))
    assert heard == [
        Advertisement("AA", "Strap", ("fe8d",), -60),
        Advertisement("BB", "Muse-1", ("fe8d",), None),
    ]


def test_finding_ends_with_the_device_or_with_the_time(bleak):
    async def main():
        radio = Radio()
        times = []
        for match, settle in ((strap, 0.0), (strap, 2.0), (lambda _: False, 0.0)):
            since = CLOCK.now()
            await radio.find(match, 5.0, settle=settle)
            times.append(CLOCK.now() - since)
        return times

    assert run_virtual(main()) == pytest.approx([0.3, 2.3, 5.0], abs=0.01)


def test_one_at_a_time_scans_and_who_searches_in_vain_lets_others_have_their_turn(bleak):
    async def search(radio, match):
        since = CLOCK.now()
        async with radio.turn():
            await radio.find(match, 60.0)
        return CLOCK.now() - since

    async def main():
        radio = Radio()
        return await asyncio.gather(search(radio, lambda _: False), search(radio, strap))

    vain, quick = run_virtual(main())
    assert vain == pytest.approx(2.0, abs=0.3)
    assert quick == pytest.approx(2.3, abs=0.3)


class Receiver(Notifications):
    def __init__(self):
        self.packets = []
        super().__init__(CLOCK, self.packets.append)
        self.release()


async def connected(radio, receiver=None):
    heard = await radio.find(strap, 5.0)
    device = next(each for each in heard if strap(each))
    return await radio.connect(device, receiver or Receiver(), sleep=asyncio.sleep)


def test_a_connection_that_takes_too_long_is_given_up_and_cleaned_up(bleak, monkeypatch):
    monkeypatch.setattr(FakeClient, "connecting_takes", 1e6)
    with pytest.raises(DeviceLost, match="Strap: cannot connect: no answer within 20 s"):
        run_virtual(connected(Radio()))
    assert FakeClient.made[0].calls == ["connect", "disconnect"]


def test_a_connection_that_is_cancelled_is_cleaned_up(bleak, monkeypatch):
    monkeypatch.setattr(FakeClient, "connecting_takes", 1e6)

    async def main():
        task = asyncio.create_task(connected(Radio()))
        await asyncio.sleep(5.0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    run_virtual(main())
    assert FakeClient.made[0].calls == ["connect", "disconnect"]


def test_a_device_of_ours_is_not_found_again_until_it_is_let_go(bleak):
    async def main():
        radio = Radio()
        connection = await connected(radio)
        during = await radio.find(strap, 1.0)
        await connection.disconnect()
        return during, await radio.find(strap, 1.0)

    during, after = run_virtual(main())
    assert not any(map(strap, during))
    assert any(map(strap, after))


@linux
def test_a_device_that_was_left_connected_is_disconnected_first(bleak):
    props = {"UUIDs": ["FE8D"]}
    bleak.append(SimpleNamespace(address="CC", name="Left", details={"props": props}))

    async def main():
        radio = Radio()
        heard = await radio.find(lambda each: each.name == "Left", 5.0)
        left = next(each for each in heard if each.name == "Left")
        assert left == Advertisement("CC", "Left", ("fe8d",))
        bleak.clear()
        FakeScanner.heard = (*FakeScanner.heard, ("CC", "Left", -50))
        return await radio.connect(left, Receiver(), sleep=asyncio.sleep)

    before = FakeScanner.heard
    try:
        run_virtual(main())
    finally:
        FakeScanner.heard = before
    first, second = FakeClient.made
    assert first.calls == ["connect", "disconnect"]
    assert second.calls == ["connect"]


def test_a_device_that_was_never_heard_cannot_be_connected(bleak):
    async def main():
        device = Advertisement("DD", "Nobody")
        await Radio().connect(device, Receiver(), sleep=asyncio.sleep)

    with pytest.raises(StreamNotFound, match=r"Nobody \(DD\) has not been heard"):
        run_virtual(main())


def test_packets_come_over_sockets_and_over_signals_where_there_are_none(bleak, monkeypatch):
    async def main():
        receiver = Receiver()
        connection = await connected(Radio(), receiver)
        await connection.subscribe(DATA)
        await connection.subscribe(DATA)
        data = bytearray(b"\x01\x02")
        FakeClient.made[-1].callbacks[DATA](None, data)
        data[0] = 9
        return [packet.data for packet in receiver.packets]

    assert run_virtual(main()) == [b"\x01\x02"]
    assert FakeClient.made[-1].calls[1:] == [("notify", "ff01", False)]
    monkeypatch.setattr(FakeClient, "sockets_fail", True)
    assert run_virtual(main()) == [b"\x01\x02"]
    assert FakeClient.made[-1].calls[1:] == [("notify", "ff01", False), ("notify", "ff01", True)]


def test_a_connection_that_stayed_mute_is_subscribed_the_other_way_next_time(bleak):
    async def main():
        radio = Radio()
        for is_mute in (True, True, False, False):
            connection = await connected(radio)
            await connection.subscribe(DATA)
            if not is_mute:
                FakeClient.made[-1].callbacks[DATA](None, bytearray(b"1"))
            await connection.disconnect()

    run_virtual(main())
    assert [client.calls[1][2] for client in FakeClient.made] == [False, True, False, False]


def test_answers_reach_the_driver_that_waits_and_its_bugs_are_carried_on(bleak):
    async def main():
        receiver = Receiver()
        connection = await connected(Radio(), receiver)
        answers = []
        await connection.subscribe(DATA, answers.append)
        send = FakeClient.made[-1].callbacks[DATA]
        send(None, bytearray(b"answer"))
        await connection.subscribe(DATA, lambda _: 1 / 0)
        send(None, bytearray(b"more"))
        assert answers == [b"answer"]
        assert receiver.packets == []
        await receiver.raise_failure()

    with pytest.raises(ZeroDivisionError):
        run_virtual(main())


def test_a_lost_connection_says_so_in_every_call(bleak):
    async def main():
        connection = await connected(Radio())
        assert connection.has(DATA)
        assert not connection.has(BATTERY)
        with pytest.raises(DeviceLost, match=r"Strap: cannot read .*: Not connected"):
            await connection.read(DATA)

    run_virtual(main())
