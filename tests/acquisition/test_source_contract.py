"""What every source promises, checked on every source: see `biosense.core.source.Source`."""

import asyncio
import threading
from contextlib import ExitStack

import numpy as np
import pytest

from biosense.core.clock import ClockFit
from biosense.core.device_state import DeviceState
from biosense.core.errors import BadInput, StreamNotFound
from biosense.core.types import Chunk, ClockOffset, Event
from tests.support.lsl_streams import chunks, collect
from tests.support.sources import ABSENT, SOURCES


@pytest.fixture(params=SOURCES)
def scene(request, tmp_path):
    with ExitStack() as stack:
        yield SOURCES[request.param](tmp_path, stack)


async def everything(scene):
    """Enter, feed, and collect until all that is expected has come (or the source ends)."""
    async with scene.source as source:
        await scene.feed()
        wanted = sum(len(data) for data in scene.expected().values())

        def complete(items):
            last = items[-1]
            return isinstance(last, Chunk) and sum(each.n for each in chunks(items)) >= wanted

        return await collect(source, complete)


def own_threads():
    # Those of the event loop's default executor live as long as the loop.
    return {each for each in threading.enumerate() if not each.name.startswith("asyncio_")}


async def leaves_no_thread_behind(before):
    for _ in range(100):
        if own_threads() <= before:
            return True
        await asyncio.sleep(0.02)
    return False


async def test_streams_are_known_once_the_source_is_entered(scene):
    with pytest.raises(BadInput, match="async with"):
        _ = scene.source.infos
    async with scene.source as source:
        assert source is scene.source
        assert {info.name for info in source.infos} == set(scene.expected())
        assert all(info.source_id for info in source.infos)


async def test_no_sample_is_lost_repeated_or_changed(scene):
    items = await everything(scene)
    for name, wanted in scene.expected().items():
        got = [chunk.data for chunk in chunks(items) if chunk.info.name == name]
        np.testing.assert_array_equal(np.concatenate(got), wanted)


async def test_chunks_are_those_of_the_streams_announced(scene):
    async with scene.source as source:
        infos = {info.name: info for info in source.infos}
        await scene.feed()
        items = await collect(source, lambda items: isinstance(items[-1], Chunk))
    for item in items:
        if isinstance(item, Event | DeviceState):
            assert item.stream in {"", *infos}
        else:
            assert item.info == infos[item.info.name]
    for chunk in chunks(items):
        assert chunk.data.dtype == (object if chunk.info.is_text else chunk.info.dtype)
        assert chunk.times.dtype == np.float64
        assert chunk.n > 0


async def test_times_of_a_stream_never_fall(scene):
    items = await everything(scene)
    for name in scene.expected():
        times = np.concatenate([each.times for each in chunks(items) if each.info.name == name])
        assert np.isfinite(times).all()
        assert (np.diff(times) >= 0).all()
        assert np.median(np.diff(times)) > 0


async def test_times_follow_from_the_clock_measurements_before_them(scene):
    items = await everything(scene)
    fits = {name: ClockFit() for name in scene.expected()}
    for item in items:
        if isinstance(item, ClockOffset):
            fits[item.info.name].add(item.time, item.offset)
        elif isinstance(item, Chunk) and item.stamps is not None:
            fit = fits[item.info.name]
            assert np.isfinite(fit.updated), "stamps came before any measurement of their clock"
            np.testing.assert_array_equal(fit.to_session(item.stamps), item.times)


async def test_closing_ends_the_iteration_of_a_waiting_reader(scene):
    before, started = own_threads(), asyncio.Event()

    async def read():
        async for _ in scene.source:
            started.set()

    async with scene.source:
        reader = asyncio.create_task(read())
        await scene.feed()
        await asyncio.wait_for(started.wait(), 10.0)
    await asyncio.wait_for(reader, 5.0)
    assert await leaves_no_thread_behind(before)


async def test_cancelling_the_reader_closes_everything(scene):
    before, started = own_threads(), asyncio.Event()

    async def read():
        async with scene.source as source:
            await scene.feed()
            async for _ in source:
                started.set()
            await asyncio.Event().wait()

    reader = asyncio.create_task(read())
    await asyncio.wait_for(started.wait(), 10.0)
    reader.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(reader, 5.0)
    assert await leaves_no_thread_behind(before)


@pytest.mark.parametrize("name", ABSENT)
async def test_what_is_absent_is_named(name, tmp_path):
    before = own_threads()
    with pytest.raises(StreamNotFound, match="nobody"):
        await ABSENT[name](tmp_path).__aenter__()
    assert await leaves_no_thread_behind(before)
