"""What the streams of a Bluetooth sensor bring; in virtual time."""

import asyncio

import numpy as np
import pytest

from biosense.acquisition.ble.driver import Advertisement, Block, Signal
from biosense.acquisition.ble.link.inbox import Inbox, Packet, PacketsLost, Tick
from biosense.acquisition.ble.link.states import LinkTimes
from biosense.acquisition.ble.streams.raw_packets import format_packet
from biosense.acquisition.ble.streams.signal_stream import SignalStream
from biosense.core.device_state import DeviceState
from biosense.core.types import Chunk, EventKind, Modality, StreamInfo
from tests.support.ble.fakes import (
    DATA,
    FAST,
    FakeAdapter,
    FakeSensor,
    events,
    listen,
    recognise,
    samples_of,
    source_of,
)
from tests.support.ble.scenes import stream
from tests.support.virtual_time import CLOCK, run_virtual

LOST = EventKind.LOST

SIGNAL_STREAMS = ("Fake 1 fast", "Fake 1 slow", "Fake 1 beat")


def test_samples_are_placed_by_the_device_and_come_once():
    items, _ = stream(FakeAdapter(FakeSensor()), 30.0)
    times, numbers = samples_of(items, "Fake 1 fast")
    np.testing.assert_array_equal(numbers, np.arange(len(numbers)))
    assert np.diff(times) == pytest.approx(np.full(len(times) - 1, 0.1), abs=1e-4)
    newest = [each for each in items if isinstance(each, Chunk) and each.info.name in items]
    assert all(each.times[-1] <= each.arrived for each in newest)


def test_the_delay_of_a_sensor_is_taken_off():
    plain, _ = stream(FakeAdapter(FakeSensor()))
    delayed, _ = stream(FakeAdapter(FakeSensor()), delay=0.25)
    for name in SIGNAL_STREAMS:
        shift = samples_of(plain, name)[0] - samples_of(delayed, name)[0]
        assert shift == pytest.approx(np.full(len(shift), 0.25), abs=1e-6)


def test_raw_packets_decode_to_the_same_samples_again():
    items, _ = stream(FakeAdapter(FakeSensor()))
    times, texts = samples_of(items, "Fake 1 packets")
    decoder = recognise(Advertisement("", "Fake"))().decoder()
    blocks = [
        block
        for time, text in zip(times, texts, strict=True)
        for block in decoder.feed(DATA, bytes.fromhex(text.split(" ")[1]), time)
    ]
    again = np.concatenate([each.data[:, 0] for each in blocks if each.signal == "fast"])
    np.testing.assert_array_equal(again, samples_of(items, "Fake 1 fast")[1])


def test_packets_that_are_none_are_counted_and_reported_now_and_then():
    async def main():
        sensor = FakeSensor()
        async with source_of(FakeAdapter(sensor)) as source:
            for number in range(250):
                asyncio.get_running_loop().call_later(
                    0.1 * number, lambda number=number: sensor.send(bytes([number]))
                )
            return await listen(source, 60.0)

    items = run_virtual(main())
    told = events(items, EventKind.ERROR)
    counts = [int(each.text.split()[0]) for each in told]
    assert sum(counts) == 250
    assert np.diff([each.time for each in told]).min() >= 10.0
    assert not events(items, EventKind.LOST)
    np.testing.assert_array_equal(np.diff(samples_of(items, "Fake 1 fast")[1]), 1)


def test_a_bug_in_a_decoder_ends_the_source_loudly_and_stops_the_device():
    sensor = FakeSensor()

    async def main():
        async with source_of(FakeAdapter(sensor)) as source:
            asyncio.get_running_loop().call_later(3.0, sensor.send, bytes([251, 0, 0, 0, 0]))
            await listen(source, 10.0)

    with pytest.raises(ZeroDivisionError, match="a bug in the decoder"):
        run_virtual(main())
    assert sensor.commands[-1][1] == b"stop"


def test_a_bug_in_a_callback_of_a_driver_ends_the_source_loudly():
    sensor = FakeSensor()

    async def main():
        async with source_of(FakeAdapter(sensor)) as source:
            error = ZeroDivisionError("a bug in the driver")
            asyncio.get_running_loop().call_later(3.0, sensor.link.receiver.failed, error)
            await listen(source, 10.0)

    with pytest.raises(ZeroDivisionError, match="a bug in the driver"):
        run_virtual(main())
    assert sensor.commands[-1][1] == b"stop"


def test_the_device_is_reported_every_second_for_every_stream():
    items, infos = stream(FakeAdapter(FakeSensor()), 20.0)
    for info in infos:
        states = [each for each in items if isinstance(each, DeviceState)]
        own = [each for each in states if each.stream == info.name and each.link == "streaming"]
        assert np.diff([each.time for each in own]).max() <= 1.3
        last = own[-1]
        assert (last.battery, last.firmware, last.model, last.rssi) == (0.8, "1.2", "Fake 1", -50)
        assert (last.clock is None) == (info.name in ("Fake 1 beat", "Fake 1 packets"))


def test_what_the_device_says_is_passed_on():
    async def main():
        sensor = FakeSensor()
        async with source_of(FakeAdapter(sensor)) as source:
            asyncio.get_running_loop().call_later(1.0, sensor.send, bytes([99, 0, 0, 0, 0]))
            return await listen(source, 3.0)

    assert [each.text for each in events(run_virtual(main()), EventKind.INFO)] == ["hello"]


@pytest.mark.parametrize("goes_on", [False, True])
def test_samples_of_after_a_gap_are_where_they_belong(goes_on):
    async def main():
        sensor = FakeSensor(clock_goes_on=goes_on)
        async with source_of(FakeAdapter(sensor)) as source:
            asyncio.get_running_loop().call_later(40.0, sensor.drop)
            return await listen(source, 60.0)

    items = run_virtual(main())
    resets = events(items, EventKind.CLOCK_RESET, stream="Fake 1 fast")
    assert len(resets) == (0 if goes_on else 1)
    (gap,) = events(items, EventKind.GAP, stream="Fake 1 fast")
    chunks = [each for each in items if isinstance(each, Chunk) and each.info.name.endswith("fast")]
    ages = [each.arrived - each.times[-1] for each in chunks]
    assert max(ages) - min(ages) < 0.02
    times, _ = samples_of(items, "Fake 1 fast")
    at = int(np.argmax(np.diff(times)))
    assert f"from {times[at]:.3f} to {times[at + 1]:.3f} s" in gap.text


def test_a_clock_that_begins_before_the_old_one_ended_still_rises():
    info = StreamInfo("s", Modality.ECG, ("ecg",), 10.0)
    own = SignalStream(info, Signal("s", None, ("ecg",), 10.0, "", 0.5), 0.0, LinkTimes())

    def block(first, arrived, **changes):
        stamps = first + 0.1 * np.arange(5)
        return Block("s", stamps, np.zeros((5, 1)), arrived, **changes)

    items = own.take(block(0.0, 100.5)) + own.take(block(7.0, 100.52, restarted=True))
    times = np.concatenate([each.times for each in items if isinstance(each, Chunk)])
    assert (np.diff(times) > 0).all()
    assert times[-1] < 100.53
    assert [each.kind for each in events(items)] == [EventKind.CLOCK_RESET]


def test_packets_lost_on_the_way_are_reported_with_their_times():
    info = StreamInfo("s", Modality.ECG, ("ecg",), 10.0)
    own = SignalStream(info, Signal("s", None, ("ecg",), 10.0, "", 0.5), 0.0, LinkTimes())
    items = []
    for packet in range(100):
        if packet % 10:
            stamps = 0.5 * packet + 0.1 * np.arange(5)
            items += own.take(Block("s", stamps, np.zeros((5, 1)), 100.0 + 0.5 * (packet + 1)))
    gaps = events(items, EventKind.GAP)
    assert len(gaps) == 5
    assert "1 times, 0.50 s" in gaps[0].text
    assert "2 times, 1.00 s" in gaps[1].text


def test_a_mailbox_drops_packets_never_news_and_counts_them():
    box = Inbox(capacity=10)
    for number in range(25):
        box.put(Packet(float(number), DATA, b""))
        box.put(Tick(float(number)))

    async def read():
        return [await box.get() for _ in range(len(box))]

    *before, lost, tick = run_virtual(read())
    packets = [each.time for each in before if isinstance(each, Packet)]
    assert packets == [float(number) for number in range(10)]
    assert lost == PacketsLost(10.0, 15)
    assert tick == Tick(24.0)


def test_a_reader_that_is_too_slow_is_told_what_it_lost():
    async def main():
        sensor = FakeSensor()
        async with source_of(FakeAdapter(sensor)) as source:
            source._inbox.capacity = 20
            await asyncio.sleep(60.0)
            before = len(source._inbox)
            items = await listen(source, 5.0)
        return before, items

    before, items = run_virtual(main())
    assert before < 60
    (told,) = events(items, EventKind.OVERRUN)
    assert int(told.text.split()[0]) > 300
    times, _ = samples_of(items, "Fake 1 fast")
    at = int(np.argmax(np.diff(times)))
    assert times[at] <= told.time < times[at + 1]


@pytest.mark.parametrize(
    ("uuid", "written"), [(DATA, "ff01"), ("fb005c82-02e7-f387-1cad-8acd2d8df0c8",) * 2]
)
def test_a_packet_is_written_as_its_characteristic_and_bytes(uuid, written):
    assert format_packet(uuid, b"\x00\xff") == f"{written} 00ff"
    assert format_packet(uuid, b"") == f"{written} "


def test_iteration_ends_when_the_source_is_closed():
    async def main():
        sensor = FakeSensor(sends={FAST})
        source = source_of(FakeAdapter(sensor))
        async with source:
            reader = asyncio.create_task(listen(source, 1e6))
            await asyncio.sleep(10.0)
            left = CLOCK.now()
        items = await reader
        assert CLOCK.now() - left < 1.0
        assert samples_of(items, "Fake 1 packets")[0][-1] > left - 0.6
        assert [item async for item in source] == []

    run_virtual(main())
