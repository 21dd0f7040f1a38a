"""One thread for many sources: who joins, who leaves, and what one of them cannot do to others."""

import asyncio
import threading

import pytest

from biosense.acquisition.lsl import LslSource, Poller
from biosense.core.errors import BadInput
from biosense.live.output.lsl_outlet import LslOutlet
from tests.support.lsl.streams import (
    CLOCK,
    chunks,
    collect,
    count,
    describe,
    ready,
    samples,
)


class FakeMember:
    def __init__(self, *results):
        self.loop = asyncio.get_running_loop()
        self.results = list(results)
        self.taken = asyncio.Queue()
        self.failure = self.loop.create_future()

    def collect(self):
        result = self.results.pop(0) if self.results else []
        if isinstance(result, Exception):
            raise result
        return result

    def fail(self, error):
        self.loop.call_soon_threadsafe(self.failure.set_result, error)

    def take(self, items):
        self.taken.put_nowait(items)


async def test_what_members_collect_arrives_in_the_loop_in_order():
    poller = Poller(0.001)
    poller.enter()
    member = FakeMember(["a", "b"], [], ["c"])
    poller.add(member)
    assert await member.taken.get() == ["a", "b"]
    assert await member.taken.get() == ["c"]
    poller.remove(member)
    await poller.leave()


async def test_a_member_that_fails_ends_alone():
    poller = Poller(0.001)
    poller.enter()
    bad, good = FakeMember(OSError("broken")), FakeMember([], [], [], ["still here"])
    poller.add(bad)
    poller.add(good)
    assert str(await bad.failure) == "broken"
    assert await good.taken.get() == ["still here"]
    await poller.leave()


async def test_the_threads_live_as_long_as_the_last_source():
    before = set(threading.enumerate())
    poller = Poller(0.01)
    with LslOutlet(describe("one")) as one, LslOutlet(describe("two")) as two:
        async with LslSource("one", clock=CLOCK, poller=poller) as first:
            async with LslSource("two", clock=CLOCK, poller=poller) as second:
                await ready(one, two)
                two.push(samples(two.info, 5))
                got = await collect(second, lambda items: count(items) == 5)
            one.push(samples(one.info, 5))
            assert count(await collect(first, lambda items: count(items) == 5)) == 5
        async with LslSource("one", clock=CLOCK, poller=poller) as first:  # and again
            await ready(one)
            one.push(samples(one.info, 5))
            assert count(await collect(first, lambda items: count(items) == 5)) == 5
    assert {chunk.info.name for chunk in chunks(got)} == {"two"}
    ours = {each for each in threading.enumerate() if each.name.startswith("lsl")}
    assert ours <= before


async def test_what_had_arrived_by_the_closing_is_not_lost():
    with LslOutlet(describe("last words")) as outlet:
        async with LslSource("last words", clock=CLOCK, poll=30.0) as source:
            await ready(outlet)
            await asyncio.to_thread(source._stream._inlet._inlet.time_correction, 5.0)
            outlet.push(samples(outlet.info, 7))
            await asyncio.sleep(0.1)  # on their way through the loopback interface
    items = [item async for item in source]
    assert count(items) == 7


def test_a_poll_takes_time():
    with pytest.raises(BadInput, match="must be positive"):
        Poller(0.0)
