"""What the tests of the link layer do again and again: stream for a while, with troubles."""

import asyncio

from biosense.core.device_state import DeviceState
from tests.support.ble.fakes import FakeAdapter, FakeSensor, listen, source_of
from tests.support.virtual_time import run_virtual


def later(seconds, action):
    asyncio.get_running_loop().call_later(seconds, action)


def links(items, stream="Fake 1 fast"):
    """The states of the link in their order, and when each began."""
    states = [each for each in items if isinstance(each, DeviceState) and each.stream == stream]
    changes = []
    for each in states:
        if not changes or changes[-1][1] != each.link:
            changes.append((each.time, each.link))
    return changes


def run(script, *sensors, wanted="Fake 1", seconds=20.0, **changes):
    """Stream for a while, with `script(sensor)` called at the start."""

    async def main():
        adapter = FakeAdapter(*(sensors or [FakeSensor()]))
        async with source_of(adapter, wanted, **changes) as source:
            script(adapter.sensors[0])
            return await listen(source, seconds), adapter

    return run_virtual(main())


def stream(adapter, seconds=10.0, wanted="Fake 1", **changes):
    """Stream for a while; return what came, and the streams."""

    async def main():
        async with source_of(adapter, wanted, **changes) as source:
            return await listen(source, seconds), source.infos

    return run_virtual(main())
