"""Keeping sensors streaming: states, silence, pauses, neighbours; in virtual time."""

import asyncio

import numpy as np
import pytest

from biosense.acquisition.ble.link.states import LinkTimes
from biosense.core.errors import BadInput
from biosense.core.types import EventKind
from tests.support.ble.fakes import (
    BEAT,
    FAST,
    INTERVAL,
    SLOW,
    FakeAdapter,
    FakeSensor,
    events,
    listen,
    samples_of,
    source_of,
)
from tests.support.ble.scenes import later, links, run
from tests.support.virtual_time import run_virtual

LIMIT = 3 * INTERVAL
LOST = EventKind.LOST


def test_a_drop_leads_through_every_state_back_to_streaming():
    items, _ = run(lambda sensor: later(5.0, sensor.drop))
    assert [link for _, link in links(items)] == [
        *("connecting", "subscribing", "starting", "streaming"),
        *("backing-off", "scanning", "connecting", "subscribing", "starting", "streaming"),
    ]


def test_a_drop_is_known_at_once():
    items, _ = run(lambda sensor: later(5.25, sensor.drop))
    states = {link: time for time, link in links(items)}
    streaming = links(items)[3][0]
    assert states["backing-off"] == pytest.approx(streaming - INTERVAL + 5.25, abs=0.05)


def test_silence_is_noticed_two_intervals_after_the_first_missed_packet():
    items, adapter = run(lambda sensor: later(5.0, sensor.stop_sending))
    (first, *_) = events(items, LOST, stream="Fake 1 fast")
    before = [each.arrived for each in items if getattr(each, "arrived", first.time) < first.time]
    assert first.time - (max(before) + INTERVAL) == pytest.approx(2 * INTERVAL, abs=0.01)
    assert "stalled" in [link for _, link in links(items)]
    assert len(adapter.sensors[0].connected_at) == 2


def test_silence_right_after_the_first_packet_is_noticed_as_soon():
    items, _ = run(lambda sensor: later(INTERVAL + 0.2, sensor.stop_sending))
    lost, *_ = events(items, LOST)
    assert lost.text == f"no packet for {LIMIT:.1f} s"


def test_a_stalled_sensor_is_stopped_scanned_for_and_started_again():
    items, adapter = run(lambda sensor: later(5.0, sensor.stop_sending))
    assert [what for _, what in adapter.sensors[0].commands[:3]] == [b"start", b"stop", b"start"]
    assert len(adapter.scans) == 2
    times, _ = samples_of(items, "Fake 1 fast")
    assert times[-1] > links(items)[-1][0]


def test_a_sensor_that_is_silent_for_a_moment_is_not_disconnected():
    def script(sensor):
        later(5.0, sensor.sends.clear)
        later(5.0 + LIMIT, lambda: sensor.sends.update({FAST, SLOW, BEAT}))

    items, adapter = run(script)
    assert len(adapter.sensors[0].connected_at) == 1
    kinds = [each.kind for each in events(items, stream="Fake 1 fast")]
    assert kinds[:2] == [EventKind.CONNECTED, LOST]
    assert EventKind.RECOVERED in kinds


def test_a_program_that_was_held_up_takes_no_sensor_for_silent():
    async def main():
        sensor = FakeSensor()
        async with source_of(FakeAdapter(sensor)) as source:
            await listen(source, 5.0)
            asyncio.get_running_loop().virtual.waited += 10.0  # nothing ran for ten seconds
            return await listen(source, 10.0), sensor

    items, sensor = run_virtual(main())
    assert not events(items, LOST)
    assert len(sensor.connected_at) == 1


def test_a_sensor_that_never_sends_after_its_start_is_started_again():
    sensor = FakeSensor(sends=set())

    def script(sensor):
        later(3.0, lambda: sensor.sends.update({FAST, SLOW}))

    run(script, sensor)
    assert len(sensor.connected_at) == 1  # five seconds are allowed for the first packet
    silent = FakeSensor(sends=set())
    items, _ = run(lambda _: None, silent)
    assert len(silent.connected_at) > 1
    assert not samples_of(items, "Fake 1 fast")[0].size


def test_pauses_grow_from_half_a_second_to_thirty_and_never_end():
    def script(sensor):
        later(5.0, lambda: (setattr(sensor, "present", False), sensor.drop()))

    _, adapter = run(script, seconds=600.0)
    starts = np.array(adapter.scans[1:])
    pauses = np.diff(starts) - LinkTimes().scan
    assert 0.5 <= pauses[0] <= 2.0
    assert (pauses <= 30.01).all()
    assert pauses[:5].tolist() == sorted(pauses[:5])
    assert (pauses[7:] > 20.0).all()
    assert len(starts) > 12


def test_pauses_begin_small_again_after_a_good_spell():
    def script(sensor):
        later(5.0, lambda: (setattr(sensor, "accepts", False), sensor.drop()))
        later(100.0, lambda: setattr(sensor, "accepts", True))
        later(200.0, sensor.drop)

    items, _ = run(script, seconds=210.0)
    back = [each.time for each in events(items, EventKind.RECOVERED, stream="Fake 1 fast")]
    lost = [each.time for each in events(items, LOST, stream="Fake 1 fast")]
    assert len(back) == len(lost) == 2
    assert back[1] - lost[1] < 2.0


def test_a_sensor_that_was_away_for_an_hour_comes_back():
    def script(sensor):
        later(5.0, lambda: (setattr(sensor, "present", False), sensor.drop()))
        later(3600.0, lambda: setattr(sensor, "present", True))

    items, _ = run(script, seconds=3600.0 + 60.0)
    (gap,) = events(items, EventKind.GAP, stream="Fake 1 fast")
    assert float(gap.text.split("(")[1].split(" s")[0]) == pytest.approx(3600.0, abs=60.0)
    assert "the connection broke off" in gap.text
    assert samples_of(items, "Fake 1 fast")[0][-1] > gap.time


def test_why_it_does_not_come_back_is_told_once_for_each_reason():
    async def main():
        sensor = FakeSensor()
        adapter = FakeAdapter(sensor)
        async with source_of(adapter) as source:
            later(3.0, lambda: (setattr(adapter, "is_on", False), sensor.drop()))
            later(100.0, lambda: setattr(adapter, "is_on", True))
            later(100.0, lambda: setattr(sensor, "present", False))
            return await listen(source, 300.0)

    told = [each.text for each in events(run_virtual(main()), EventKind.INFO)]
    assert told == ["Bluetooth is switched off: switch it on", "Fake 1 is not to be heard"]


def test_another_device_of_the_same_name_is_not_taken_for_ours():
    ours = FakeSensor(address="AA:00:00:00:00:01")
    other = FakeSensor(address="BB:00:00:00:00:02", present=False)

    def script(sensor):
        later(5.0, lambda: (setattr(ours, "present", False), ours.drop()))
        later(5.0, lambda: setattr(other, "present", True))
        later(60.0, lambda: setattr(ours, "present", True))

    items, _ = run(script, ours, other, seconds=120.0)
    assert other.connected_at == []
    assert len(ours.connected_at) == 2
    assert links(items)[-1][1] == "streaming"


def test_the_trouble_of_one_sensor_does_not_touch_another():
    good = FakeSensor("Fake 2", "BB:00:00:00:00:02")
    bad = FakeSensor("Fake 1", "AA:00:00:00:00:01")

    async def main():
        adapter = FakeAdapter(good, bad)
        async with source_of(adapter, "Fake 1") as troubled, source_of(adapter, "Fake 2") as calm:
            later(5.0, bad.drop)
            later(10.0, lambda: setattr(bad, "answers", False))
            later(200.0, lambda: setattr(bad, "accepts", False))
            later(300.0, lambda: setattr(bad, "present", False))
            return await asyncio.gather(listen(troubled, 400.0), listen(calm, 400.0))

    troubled, calm = run_virtual(main())
    assert [each.kind for each in events(calm)] == [EventKind.CONNECTED] * 4
    times, numbers = samples_of(calm, "Fake 2 fast")
    assert (np.diff(numbers) == 1).all()
    assert len(times) > 3900
    assert events(troubled, LOST)


def test_a_sensor_comes_back_soon_while_another_is_searched_for():
    gone, back = FakeSensor("Fake 1"), FakeSensor("Fake 2", "BB:00:00:00:00:02")

    async def main():
        adapter = FakeAdapter(gone, back)
        async with source_of(adapter, "Fake 1") as one, source_of(adapter, "Fake 2") as two:
            later(1.0, lambda: (setattr(gone, "present", False), gone.drop()))
            for drop in range(60, 600, 60):
                later(drop, back.drop)
            return (await asyncio.gather(listen(one, 600.0), listen(two, 600.0)))[1]

    items = run_virtual(main())
    lost = [each.time for each in events(items, LOST, stream="Fake 2 fast")]
    recovered = [each.time for each in events(items, EventKind.RECOVERED, stream="Fake 2 fast")]
    assert len(lost) == len(recovered) == 9
    assert max(np.subtract(recovered, lost)) < LinkTimes().scan + 3.0


def test_drops_every_quarter_of_a_minute_lose_and_repeat_nothing_outside_the_gaps():
    rng = np.random.default_rng(4)

    def script(sensor):
        sensor.clock_goes_on = True
        for time in rng.uniform(10.0, 2400.0, 150):
            later(time, rng.choice([sensor.drop, sensor.stop_sending]))

    sensor = FakeSensor(sends={FAST})
    items, _ = run(script, sensor, seconds=2460.0, driver_options={"keys": ("fast",)})
    times, numbers = samples_of(items, "Fake 1 fast")
    gaps = events(items, EventKind.GAP)
    assert (np.diff(times) > 0).all()
    assert (np.diff(numbers) > 0).all()
    jumps = int((np.diff(numbers) > 1).sum())
    assert 80 < jumps <= len(gaps)
    assert len(events(items, LOST, stream="Fake 1 fast")) <= 150
    # The device's clock went on: what comes after a gap is where it belongs.
    assert np.abs(times - times[0] - (numbers - numbers[0]) / 10.0).max() < 0.05
    assert len(times) > 0.7 * 24000


def test_only_what_comes_regularly_is_watched():
    sensor = FakeSensor(sends={BEAT})
    options = {"keys": ("beat",)}
    items, _ = run(lambda _: later(5.0, sensor.sends.clear), sensor, driver_options=options)
    assert not events(items, LOST)
    assert len(sensor.connected_at) == 1


def test_times_of_a_link_are_checked():
    with pytest.raises(BadInput, match="patience"):
        LinkTimes(patience=0.0)
    with pytest.raises(BadInput, match="least_pause"):
        LinkTimes(least_pause=40.0)
    assert LinkTimes().limit(0.56) == pytest.approx(1.68)
    assert LinkTimes().limit(12 / 256) == 0.2
