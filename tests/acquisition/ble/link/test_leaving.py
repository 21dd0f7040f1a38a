"""Leaving a sensor: it is stopped and disconnected, whatever happens; in virtual time."""

import asyncio
from contextlib import suppress

import numpy as np
import pytest

from biosense.acquisition.ble.link.states import LinkState
from tests.support.ble.fakes import FakeAdapter, FakeSensor, listen, source_of
from tests.support.ble.scenes import later, run
from tests.support.virtual_time import CLOCK, run_virtual


def test_leaving_stops_and_disconnects():
    sensor = FakeSensor()
    run(lambda _: None, sensor)
    assert sensor.commands[-1][1] == b"stop"
    assert sensor.link is None


@pytest.mark.parametrize("again", [False, True])
def test_cancelling_stops_and_disconnects_too(again):
    sensor = FakeSensor()

    async def main():
        async def use():
            async with source_of(FakeAdapter(sensor)) as source:
                async for _ in source:
                    pass

        user = asyncio.create_task(use())
        await asyncio.sleep(10.0)
        user.cancel()
        await asyncio.sleep(0)
        if again:
            user.cancel()
        with pytest.raises(asyncio.CancelledError):
            await user
        assert len(asyncio.all_tasks()) == 1

    run_virtual(main())
    assert sensor.commands[-1][1] == b"stop"
    assert sensor.link is None


@pytest.mark.parametrize("moment", np.arange(0.05, 3.0, 0.1))
def test_cancelling_while_entering_leaves_nothing_connected(moment):
    sensor = FakeSensor()

    async def main():
        entering = asyncio.create_task(source_of(FakeAdapter(sensor)).__aenter__())
        await asyncio.sleep(float(moment))
        entering.cancel()
        await asyncio.sleep(0.01)
        entering.cancel()
        source = None
        with suppress(asyncio.CancelledError):
            source = await entering
        if source is not None:
            await source.__aexit__(None, None, None)
        assert len(asyncio.all_tasks()) == 1

    run_virtual(main())
    assert sensor.link is None
    started = [what for _, what in sensor.commands]
    assert started in ([], [b"start", b"stop"], [b"stop"])


@pytest.mark.parametrize("moment", np.arange(0.1, 3.0, 0.2))
def test_leaving_in_the_middle_of_a_reconnection_leaves_nothing_connected(moment):
    sensor = FakeSensor()

    async def main():
        async with source_of(FakeAdapter(sensor)) as source:
            later(5.0, sensor.drop)
            await listen(source, 5.0 + float(moment))
        assert source.state is LinkState.STOPPED
        assert len(asyncio.all_tasks()) == 1

    run_virtual(main())
    assert sensor.link is None
    since = [what for time, what in sensor.commands if time > sensor.connected_at[-1]]
    lost = len(sensor.connected_at) == 1
    assert since in ([[b"start"]] if lost else [[b"start", b"stop"], [b"stop"], []])


def test_leaving_a_sensor_that_answers_no_more_takes_seconds():
    sensor = FakeSensor()

    async def main():
        async with source_of(FakeAdapter(sensor)) as source:
            await listen(source, 5.0)
            sensor.answers = False
            before = CLOCK.now()
        return CLOCK.now() - before

    assert run_virtual(main()) < 4.0
    assert sensor.link is None
