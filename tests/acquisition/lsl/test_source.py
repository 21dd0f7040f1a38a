"""The source over real LSL, on the loopback interface."""

import asyncio
import threading
from dataclasses import replace

import numpy as np
import pytest

from biosense.acquisition.lsl import FoundStream, LslSource, find_streams
from biosense.acquisition.lsl.inlet import _can_recover
from biosense.core.errors import BadInput, StreamNotFound
from biosense.core.types import Chunk, EventKind
from biosense.live.output.lsl_outlet import LslOutlet
from tests.support.lsl.streams import (
    BUSY_S,
    CLOCK,
    chunks,
    collect,
    count,
    describe,
    events,
    offsets,
    ready,
    samples,
    source_of,
)


async def test_samples_of_every_type_arrive_as_they_were_sent():
    async def relay(dtype):
        info = describe(f"typed-{dtype}", dtype=dtype, modality=None, sfreq=0.0)
        sent = samples(info, 20)
        with LslOutlet(info) as outlet:
            async with source_of(info.name) as source:
                await ready(outlet)
                outlet.push(sent)
                got = chunks(await collect(source, lambda items: count(items) == 20))
        data = np.concatenate([chunk.data for chunk in got])
        assert data.dtype == (object if dtype == "str" else dtype)
        np.testing.assert_array_equal(data, sent.data)
        np.testing.assert_array_equal(np.concatenate([chunk.stamps for chunk in got]), sent.times)
        assert got[0].info is source.infos[0]

    await asyncio.gather(*map(relay, ["float32", "float64", "int8", "int16", "int32", "str"]))


async def test_bursts_lose_nothing_and_session_time_is_that_of_this_computer():
    info = describe("bursts", channels=("a", "b", "c"), sfreq=500.0, dtype="int32")
    sent = replace(samples(info, 5000), data=np.arange(15000, dtype=np.int32).reshape(5000, 3))
    with LslOutlet(info) as outlet:
        async with source_of("bursts") as source:
            await ready(outlet)
            for start, stop in ((0, 1), (1, 2500), (2500, 2503), (2503, 5000)):
                outlet.push(sent.slice(start, stop))
            items = await collect(source, lambda items: count(items) == 5000)
    np.testing.assert_array_equal(np.concatenate([c.data for c in chunks(items)]), sent.data)
    times = np.concatenate([chunk.times for chunk in chunks(items)])
    late = times - sent.times
    assert np.ptp(late) < 0.002
    assert abs(late.mean()) < BUSY_S
    first = next(index for index, item in enumerate(items) if isinstance(item, Chunk))
    assert offsets(items[:first])
    assert abs(offsets(items)[0].offset) < BUSY_S
    assert events(items, EventKind.CONNECTED)


async def test_a_slow_consumer_loses_nothing_and_is_told(monkeypatch):
    monkeypatch.setattr("biosense.acquisition.lsl.source._OVERRUN_S", 0.1)
    info = describe("flood", channels=("n",), sfreq=1000.0, dtype="int32")
    numbers = np.arange(3000, dtype=np.int32)[:, None]
    with LslOutlet(info) as outlet:
        async with source_of("flood", poll=0.001) as source:
            await ready(outlet)
            for start in range(0, 3000, 10):  # many more chunks than the queue holds
                outlet.push(Chunk.of(info, 50.0 + numbers[start : start + 10, 0], numbers[:10]))
                await asyncio.sleep(0.002)
            assert source._items.qsize() <= 64
            items = await collect(source, lambda items: count(items) == 3000)
    assert "behind; LSL keeps 360 s" in events(items, EventKind.OVERRUN)[0].text
    stamps = np.concatenate([chunk.stamps for chunk in chunks(items)])
    np.testing.assert_array_equal(stamps, 50.0 + numbers[:, 0])


@pytest.mark.parametrize("source_id", ["strap-7", ""], ids=["by LSL", "by us"])
async def test_a_restarted_sender_is_lost_then_recovered(source_id):
    info = describe(f"strap-{source_id}", sfreq=200.0, source_id=source_id, channels=("n",))
    before = outlet_of(info)
    async with source_of(info.name) as source:
        assert await asyncio.to_thread(before.wait_for_consumers, 5.0)
        before.push_chunk(np.ones((50, 1), np.float32), samples(info, 50).times.tolist())
        items = await collect(source, lambda items: count(items) == 50)
        del before
        items += await collect(source, lambda items: bool(events(items, EventKind.LOST)))
        after = outlet_of(info)
        assert await asyncio.to_thread(after.wait_for_consumers, 10.0)
        after.push_chunk(np.full((40, 1), 2, np.float32), samples(info, 40).times.tolist())
        items += await collect(source, lambda items: count(items) == 40)
    (recovered,) = events(items, EventKind.RECOVERED)
    assert recovered.text.startswith("reconnected after")
    assert len(events(items, EventKind.LOST)) == 1
    lost = items.index(events(items, EventKind.LOST)[0])
    assert lost < items.index(offsets(items)[-1]) < items.index(recovered)
    data = np.concatenate([chunk.data[:, 0] for chunk in chunks(items)])
    np.testing.assert_array_equal(data, [1.0] * 50 + [2.0] * 40)


def outlet_of(info):
    """Make a plain outlet as another program would, with an empty source_id if it likes."""
    import pylsl

    return pylsl.StreamOutlet(
        pylsl.StreamInfo(info.name, "EEG", info.n_channels, info.sfreq, "float32", info.source_id)
    )


@pytest.mark.parametrize(
    ("name", "source_id", "by_lsl"), [("cap", "7", True), ("cap", "", False), ("Pat's", "7", False)]
)
def test_lsl_brings_back_only_what_its_own_query_can_name(name, source_id, by_lsl):
    assert _can_recover(FoundStream(name, "EEG", 1, 1.0, "int8", source_id, "lab", "1")) is by_lsl


async def test_two_streams_of_one_name_are_read_under_names_of_their_own():
    left, right = describe("twin", source_id="L"), describe("twin", source_id="R")
    with LslOutlet(left) as one, LslOutlet(right) as two:
        with pytest.raises(BadInput, match="2 LSL streams match"):
            await source_of("twin").__aenter__()
        async with source_of("L") as source, source_of("R", name="twin (2)") as other:
            await ready(one, two)
            two.push(samples(right, 3))
            items = await collect(other, lambda items: count(items) == 3)
            assert [source.infos[0].name, other.infos[0].name] == ["twin", "twin (2)"]
    assert {chunk.info.name for chunk in chunks(items)} == {"twin (2)"}
    assert {offset.info.name for offset in offsets(items)} == {"twin (2)"}


async def test_markers_that_never_come_are_no_fault_and_late_ones_arrive():
    info = describe("stimulus", modality=None, dtype="str", channels=("marker",), sfreq=0.0)
    with LslOutlet(replace(info, content_type="Markers")) as outlet:
        async with source_of("type=Markers") as source:
            assert await asyncio.to_thread(outlet.wait_for_readers, 5.0)
            quiet = await collect(source, lambda items: bool(offsets(items)))
            time = CLOCK.now()
            outlet.push(Chunk.of(info, [time], [["Größe \U0001f600"]]))
            items = await collect(source, lambda items: count(items) == 1)
    assert not events(quiet, EventKind.LOST)
    (chunk,) = chunks(items)
    assert chunk.data.tolist() == [["Größe \U0001f600"]]
    assert chunk.times[0] == pytest.approx(time, abs=BUSY_S)


async def test_text_that_is_not_utf8_is_kept_as_far_as_it_can_be():
    import pylsl

    info = describe("latin", dtype="str", channels=("marker",), sfreq=0.0)
    outlet = pylsl.StreamOutlet(pylsl.StreamInfo("latin", "Markers", 1, 0.0, "string", "latin"))
    async with source_of("latin") as source:
        assert await asyncio.to_thread(outlet.wait_for_consumers, 5.0)
        outlet.push_sample([b"caf\xe9"], CLOCK.now())
        items = await collect(source, lambda items: count(items) == 1)
    assert source.infos[0].dtype == info.dtype
    assert chunks(items)[0].data.tolist() == [["caf\ufffd"]]


async def test_a_stream_that_was_found_is_opened_without_another_search():
    with LslOutlet(describe("known")):
        (found,) = await asyncio.to_thread(find_streams, 0.3)
        async with LslSource(found, clock=CLOCK) as source:
            assert source.infos[0].channels == ("C3", "C4")


async def test_a_stream_that_is_gone_since_it_was_found_is_not_found():
    outlet = LslOutlet(describe("gone"))
    (found,) = await asyncio.to_thread(find_streams, 0.3)
    outlet.close()
    with pytest.raises(StreamNotFound, match="does not answer within"):
        await LslSource(found, clock=CLOCK, timeout=0.5).__aenter__()


async def test_a_stream_without_channels_is_refused():
    import pylsl

    outlet = pylsl.StreamOutlet(pylsl.StreamInfo("hollow", "EEG", 0, 1.0, "float32", "hollow"))
    with pytest.raises(BadInput, match="needs at least 1 channel"):
        await source_of("hollow").__aenter__()
    del outlet


async def test_entering_can_be_cancelled_and_leaves_nothing_behind():
    before = set(threading.enumerate())
    task = asyncio.create_task(source_of("never", timeout=60.0).__aenter__())
    await asyncio.sleep(0)
    await asyncio.sleep(0.05)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(task, 3.0)
    assert set(threading.enumerate()) == before


async def test_a_source_is_entered_once_and_read_while_open():
    with LslOutlet(describe("once")):
        source = source_of("once")
        with pytest.raises(BadInput, match="not open"):
            source.__aiter__()
        async with source:
            pass
        with pytest.raises(BadInput, match="make a new one"):
            await source.__aenter__()


@pytest.mark.parametrize("options", [{"poll": 0.0}, {"timeout": -1.0}])
def test_times_must_be_positive(options):
    with pytest.raises(BadInput, match="must both be positive"):
        source_of("x", **options)
