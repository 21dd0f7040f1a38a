"""The simulated participant as a source: pace, order, truth, and a sensor that is unplugged."""

import numpy as np
import pytest

from biosense.acquisition.simulated import SimulatedSource, simulate
from biosense.core.errors import BadInput
from biosense.core.types import Chunk, Event, EventKind, Modality

START_S = 5000.25


class FakeClock:
    """A clock that moves only when somebody waits for it."""

    def __init__(self):
        self.time = START_S

    def now(self):
        return self.time

    async def sleep(self, seconds):
        self.time += seconds


def make(seed=1, **settings):
    clock = FakeClock()
    return SimulatedSource(seed, clock=clock, sleep=clock.sleep, **settings), clock


async def collect(source):
    async with source:
        return [item async for item in source]


def joined(items, name):
    chunks = [item for item in items if isinstance(item, Chunk) and item.info.name == name]
    return (
        np.concatenate([chunk.times for chunk in chunks]),
        np.concatenate([chunk.data for chunk in chunks]),
    )


async def test_every_stream_comes_at_its_rate():
    source, clock = make(seconds=6.0)
    items = await collect(source)
    counts = {info.name: len(joined(items, info.name)[0]) for info in source.infos}
    frames = counts["sim-face"]
    assert counts == {
        "sim-eeg": 3072,
        "sim-ecg": 3072,
        "sim-eda": 768,
        "sim-rppg": frames,
        "sim-face": frames,
    }
    assert 170 <= frames <= 180
    assert clock.time == pytest.approx(START_S + 6.0, abs=0.05)


async def test_chunks_come_when_their_last_sample_was_taken_and_in_order():
    source, clock = make(seconds=3.0)
    newest = []
    async with source:
        async for chunk in source:
            assert clock.time >= chunk.times[-1] - 1e-9
            assert chunk.arrived == pytest.approx(clock.time)
            assert clock.time - chunk.times[-1] < 1e-6
            newest.append(chunk.times[-1])
    assert newest == sorted(newest)


async def test_source_gives_what_simulate_gives():
    source, _ = make(3, seconds=5.0)
    items = await collect(source)
    whole = simulate(3, 5.0, start=START_S)
    for info in source.infos:
        times, data = joined(items, info.name)
        assert np.array_equal(times, whole.stream(info.name).times)
        assert np.array_equal(data, whole.stream(info.name).data, equal_nan=True)


async def test_chunk_sizes_are_uneven_and_always_the_same():
    sizes = []
    for _ in range(2):
        items = await collect(make(2, seconds=4.0, modalities=[Modality.ECG])[0])
        sizes.append([item.n for item in items])
    assert sizes[0] == sizes[1]
    assert len(set(sizes[0])) > 10


async def test_as_fast_as_can_be_does_not_wait():
    source, clock = make(seconds=5.0, speed=0, modalities=[Modality.EDA])
    items = await collect(source)
    assert clock.time == START_S
    assert sum(item.n for item in items) == 640


async def test_twice_as_fast_takes_half_the_time():
    source, clock = make(seconds=6.0, speed=2.0, modalities=[Modality.EDA])
    items = await collect(source)
    assert clock.time == pytest.approx(START_S + 3.0, abs=0.01)
    assert items[-1].times[-1] == pytest.approx(START_S + 6.0, abs=0.01)


async def test_truth_is_a_stream_and_the_same_as_the_path():
    source, _ = make(seconds=10.0, truth=True, modalities=[Modality.EDA])
    items = await collect(source)
    assert source.infos[-1].name == "sim-truth"
    assert source.infos[-1].modality is None
    times, data = joined(items, "sim-truth")
    assert np.array_equal(times, START_S + np.arange(40) / 4)
    assert data == pytest.approx(source.path(times), abs=1e-6)


async def test_an_unplugged_sensor_loses_its_samples_and_no_others():
    source, clock = make(seconds=9.0, modalities=[Modality.EDA, Modality.ECG])
    items = []
    async with source:
        async for item in source:
            items.append(item)
            if START_S + 3.0 <= clock.time < START_S + 5.0:
                source.switch_off(Modality.EDA)
            elif clock.time >= START_S + 5.0:
                source.switch_on(Modality.EDA)
    times, data = joined(items, "sim-eda")
    gap = int(np.argmax(np.diff(times)))
    assert times[gap] == pytest.approx(START_S + 3.0, abs=0.15)
    assert times[gap + 1] == pytest.approx(START_S + 5.0, abs=0.15)
    assert len(joined(items, "sim-ecg")[0]) == 9 * 512
    whole = simulate(1, 9.0, modalities=[Modality.EDA], start=START_S).streams[0]
    assert np.array_equal(data, whole.data[np.isin(whole.times, times)])
    events = [item for item in items if isinstance(item, Event)]
    assert [event.kind for event in events] == [EventKind.LOST, EventKind.RECOVERED]
    assert events[0].stream == "sim-eda"
    assert events[0].time == pytest.approx(START_S + 3.0, abs=0.15)


async def test_leaving_ends_the_iteration():
    source, _ = make(modalities=[Modality.EDA])
    seen = []
    async with source:
        items = aiter(source)
        seen.append(await anext(items))
    seen.extend([item async for item in items])
    assert len(seen) == 1


async def test_only_simulated_sensors_can_be_unplugged():
    source, _ = make(modalities=[Modality.EDA])
    with pytest.raises(BadInput, match="ppg is not simulated here; there are: eda"):
        source.switch_off(Modality.PPG)


async def test_a_closed_source_says_what_to_do():
    source, _ = make()
    with pytest.raises(BadInput, match="async with source"):
        _ = source.infos


@pytest.mark.parametrize("settings", [{"speed": -1.0}, {"seconds": 0.0}])
async def test_impossible_settings_are_refused(settings):
    with pytest.raises(BadInput, match=next(iter(settings))):
        make(**settings)
