"""Replay: the items of a recording again, in order and in time."""

from pathlib import Path

import numpy as np
import pytest

from biosense.acquisition.xdf.reader import XdfReader
from biosense.acquisition.xdf.recorder import Recorder
from biosense.acquisition.xdf.replay import Replay
from biosense.core.clock import SystemClock
from biosense.core.errors import BadInput, StreamNotFound
from biosense.core.types import (
    Chunk,
    ClockOffset,
    Event,
    EventKind,
    Item,
    Modality,
    StreamInfo,
)

EDA = StreamInfo("eda", Modality.EDA, ("eda",), 4.0, "uS", "shimmer", "float32")
ECG = StreamInfo("strap", Modality.ECG, ("ecg",), 130.0, "uV", "polar-1", "int32", True)


class FakeClock:
    """A clock that only sleeping moves."""

    def __init__(self, time: float = 5000.0) -> None:
        self.time = time
        self.slept = 0

    def now(self) -> float:
        return self.time

    async def sleep(self, seconds: float) -> None:
        assert seconds >= 0
        self.time += seconds
        self.slept += 1


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("recording")
    stamps = np.array([900.0, 900.5])
    with Recorder(folder, [EDA, ECG], clock=SystemClock()) as recorder:
        recorder.put(Chunk.of(EDA, [100.0, 100.25], [[1], [2]]))
        recorder.put(ClockOffset(ECG, 900.0, -800.0))
        recorder.put(
            Chunk(ECG, stamps - 800.0, np.array([[7], [8]], np.int32), np.ones(2, bool), stamps)
        )
        recorder.put(Event(101.0, EventKind.MARKER, "", "start"))
        recorder.put(Chunk.of(EDA, [103.0], [[3]]))
    return folder


async def played(replay: Replay, clock: FakeClock) -> list[tuple[float, Item]]:
    async with replay:
        return [(clock.now(), item) async for item in replay]


def same(one: Item, other: Item) -> bool:
    if isinstance(one, Chunk) and isinstance(other, Chunk):
        stamps = (one.stamps is None) == (other.stamps is None)
        return stamps and np.array_equal(one.times, other.times) and one.info == other.info
    return one == other


@pytest.mark.parametrize("speed", [0.0, float("inf")])
async def test_as_fast_as_possible_gives_the_items_of_the_file(
    recording: Path, speed: float
) -> None:
    clock = FakeClock()
    items = await played(Replay(recording, clock=clock, speed=speed, sleep=clock.sleep), clock)
    expected = list(XdfReader(recording).items())
    assert len(items) == len(expected) == 5
    assert all(same(item, other) for (_, item), other in zip(items, expected, strict=True))
    assert clock.now() == 5000.0
    assert clock.slept >= 4  # other tasks of the loop get their turn


@pytest.mark.parametrize("speed", [1.0, 4.0])
async def test_items_come_when_they_are_due(recording: Path, speed: float) -> None:
    clock = FakeClock()
    items = await played(Replay(recording, clock=clock, speed=speed, sleep=clock.sleep), clock)
    when = [round((time - 5000.0) * speed, 6) for time, _ in items]
    assert when == [0.25, 0.25, 0.5, 1.0, 3.0]


async def test_a_late_consumer_is_not_made_later(recording: Path) -> None:
    clock = FakeClock()
    async with Replay(recording, clock=clock, sleep=clock.sleep) as replay:
        async for _ in replay:
            clock.time += 10.0
    assert clock.now() == pytest.approx(5000.25 + 50.0)


async def test_times_move_to_now_and_stamps_stay_behind(recording: Path) -> None:
    clock = FakeClock()
    replay = Replay(recording, clock=clock, keep_times=False, sleep=clock.sleep)
    items = [item for _, item in await played(replay, clock)]
    assert not any(isinstance(item, ClockOffset) for item in items)
    chunks = [item for item in items if isinstance(item, Chunk)]
    assert [chunk.times.tolist() for chunk in chunks] == [
        [5000.0, 5000.25],
        [5000.0, 5000.5],
        [5003],
    ]
    assert all(chunk.stamps is None for chunk in chunks)
    assert [item.time for item in items if isinstance(item, Event)] == [5001.0]


async def test_only_the_streams_that_are_wanted_come(recording: Path) -> None:
    clock = FakeClock()
    replay = Replay(recording, clock=clock, speed=0, streams=["eda"], sleep=clock.sleep)
    items = [item for _, item in await played(replay, clock)]
    assert [item.info.name for item in items if isinstance(item, Chunk)] == ["eda", "eda"]
    assert not any(isinstance(item, ClockOffset) for item in items)
    assert [info.name for info in replay.infos] == ["eda"]


async def test_a_stream_that_is_not_there_is_named_with_those_that_are(recording: Path) -> None:
    with pytest.raises(StreamNotFound, match="no stream gaze; there are: eda, strap"):
        async with Replay(recording, clock=FakeClock(), streams=["gaze"]):
            pass


async def test_closing_ends_the_iteration(recording: Path) -> None:
    clock = FakeClock()
    replay = Replay(recording, clock=clock, speed=0, sleep=clock.sleep)
    async with replay:
        items = aiter(replay)
        await anext(items)
    with pytest.raises(StopAsyncIteration):
        await anext(items)


async def test_a_replay_is_used_in_async_with(recording: Path) -> None:
    with pytest.raises(BadInput, match="async with"):
        _ = Replay(recording, clock=FakeClock()).infos
    with pytest.raises(BadInput, match="speed=-1"):
        Replay(recording, clock=FakeClock(), speed=-1)


async def test_a_replay_recorded_again_is_the_same_recording(
    recording: Path, tmp_path: Path
) -> None:
    clock = FakeClock()
    async with Replay(recording, clock=clock, speed=0, sleep=clock.sleep) as replay:
        with Recorder(tmp_path, replay.infos, clock=clock) as recorder:
            async for item in replay:
                recorder.put(item)
    for one, other in zip(XdfReader(recording).items(), XdfReader(tmp_path).items(), strict=True):
        assert same(one, other)
