"""A sensor kept alive: kept awake, asked, started again in whole or in part; in virtual time."""

import numpy as np
import pytest

from biosense.core.device_state import DeviceState
from biosense.core.types import EventKind
from tests.support.ble.fakes import FAST, SLOW, FakeSensor, events, samples_of
from tests.support.ble.scenes import later, links, run

LOST = EventKind.LOST


def test_a_sensor_is_kept_awake():
    sensor = FakeSensor()
    run(lambda _: None, sensor, seconds=65.0)
    kept = [time for time, what in sensor.commands if what == b"keep"]
    assert np.diff([sensor.connected_at[0], *kept]) == pytest.approx([20.0] * 3, abs=0.5)


def test_the_battery_is_looked_at_every_minute():
    items, _ = run(lambda sensor: later(30.0, lambda: setattr(sensor, "battery", 40)), seconds=90.0)
    told = [(each.time, each.battery) for each in items if isinstance(each, DeviceState)]
    assert told[-1][1] == 0.4
    changed = next(time for time, battery in told if battery == 0.4)
    assert changed - told[0][0] == pytest.approx(60.0, abs=2.0)


def test_a_device_that_stops_by_itself_is_started_again():
    def script(sensor):
        def stop():
            sensor.stop_sending()
            sensor.send(bytes([250, 0, 0, 0, 0]))

        later(10.0, stop)

    items, adapter = run(script)
    assert len(adapter.sensors[0].connected_at) == 1
    assert [what for _, what in adapter.sensors[0].commands[:3]] == [b"start", b"stop", b"start"]
    times, _ = samples_of(items, "Fake 1 fast")
    assert times[-1] > adapter.sensors[0].commands[2][0]
    assert not events(items, LOST)
    (gap,) = events(items, EventKind.GAP, stream="Fake 1 fast")
    assert "started again" in gap.text


def test_a_device_that_stops_again_and_again_is_not_hammered():
    sensor = FakeSensor()
    answer = sensor.start_sending
    sensor.start_sending = lambda: (answer(), later(0.1, stop))

    def stop():
        if sensor.link is not None:
            sensor.stop_sending()
            sensor.send(bytes([250, 0, 0, 0, 0]))

    run(lambda _: None, sensor, seconds=600.0)
    starts = [time for time, what in sensor.commands if what == b"start"]
    assert len(starts) < 130
    assert 4.0 < max(np.diff(starts)) < 15.0


def test_a_silent_signal_is_reported_and_restarted_while_others_go_on():
    def script(sensor):
        later(5.0, lambda: sensor.sends.discard(SLOW))
        sensor_start = sensor.start_sending
        sensor.start_sending = lambda: (sensor.sends.add(SLOW), sensor_start())

    items, adapter = run(script)
    (lost,) = events(items, LOST)
    assert lost.stream == "Fake 1 slow"
    assert "while others go on" in lost.text
    assert len(adapter.sensors[0].connected_at) == 1
    assert [each.stream for each in events(items, EventKind.RECOVERED)] == ["Fake 1 slow"]
    fast, _ = samples_of(items, "Fake 1 fast")
    assert np.diff(fast).max() < 1.0


def test_a_signal_that_stays_silent_does_not_take_the_others_with_it():
    items, adapter = run(
        lambda sensor: later(5.0, lambda: sensor.sends.discard(SLOW)), seconds=600.0
    )
    sensor = adapter.sensors[0]
    assert len(sensor.connected_at) == 2  # once the thorough way
    starts = [time for time, what in sensor.commands if what == b"start"]
    assert 4 < len(starts) < 20
    times, _ = samples_of(items, "Fake 1 fast")
    assert len(times) > 0.97 * 600 * 10


def test_a_signal_that_falls_silent_after_hours_away_is_noticed():
    def script(sensor):
        later(5.0, lambda: (setattr(sensor, "present", False), sensor.drop()))
        later(600.0, lambda: setattr(sensor, "present", True))
        later(660.0, lambda: sensor.sends.discard(SLOW))

    items, _ = run(script, seconds=670.0)
    (*_, lost) = events(items, LOST, stream="Fake 1 slow")
    assert "while others go on" in lost.text


def test_a_signal_that_never_comes_is_tried_twice():
    items, adapter = run(lambda _: None, FakeSensor(sends={FAST}), seconds=600.0)
    (lost,) = events(items, LOST, stream="Fake 1 slow")
    assert "while others go on" in lost.text
    starts = [what for _, what in adapter.sensors[0].commands if what == b"start"]
    assert len(starts) == 3


def test_a_restart_that_fails_becomes_a_reconnection():
    def script(sensor):
        later(5.0, lambda: setattr(sensor, "refuses", True))
        later(6.0, lambda: sensor.send(bytes([250, 0, 0, 0, 0])))
        later(7.0, lambda: setattr(sensor, "refuses", False))

    items, adapter = run(script)
    assert len(adapter.sensors[0].connected_at) >= 2
    assert "charger" in events(items, LOST)[0].text
    assert links(items)[-1][1] == "streaming"
