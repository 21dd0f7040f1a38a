"""Opening a Bluetooth sensor: who is meant, what is refused, how its streams are called."""

import pytest

from biosense.acquisition.ble.driver import Advertisement
from biosense.acquisition.ble.link.discovery import FoundSensor, known_sensors, resolve
from biosense.core.errors import BadInput, DeviceRefused, StreamNotFound
from biosense.core.types import Chunk, Modality
from tests.support.ble.fakes import FakeAdapter, FakeSensor, recognise, source_of
from tests.support.ble.scenes import stream
from tests.support.virtual_time import run_virtual

SIGNAL_STREAMS = ("Fake 1 fast", "Fake 1 slow", "Fake 1 beat")


def test_streams_are_described_and_keep_their_identity_over_runs():
    first, second = (stream(FakeAdapter(FakeSensor()), 1.0)[1] for _ in range(2))
    assert first == second
    assert tuple(info.name for info in first) == (*SIGNAL_STREAMS, "Fake 1 packets")
    assert first[0].source_id == "fake-s7-fast"
    assert first[0].modality is Modality.ECG
    assert all(info.lossy for info in first)
    assert first[-1].is_text
    assert first[-1].content_type == "BLE packets"


@pytest.mark.parametrize("wanted", ["Fake 1", "fake 1", "aa:00:00:00:00:01", "Fak", "FAKE"])
def test_a_sensor_is_found_by_name_address_start_and_family(wanted):
    other = FakeSensor("Unknown thing", "CC:00:00:00:00:03")
    _, infos = stream(FakeAdapter(FakeSensor(), other), 1.0, wanted)
    assert infos[0].name == "Fake 1 fast"


def test_a_whole_name_wins_over_the_start_of_another():
    sensors = FakeSensor("Fake 12", "BB:00:00:00:00:02"), FakeSensor("Fake 1")
    _, infos = stream(FakeAdapter(*sensors), 1.0, "Fake 1")
    assert infos[0].name == "Fake 1 fast"


@pytest.mark.parametrize("wanted", ["fake", "Fake 1"])
def test_several_sensors_that_fit_are_named_and_none_is_taken(wanted):
    name = "Fake 1" if wanted == "Fake 1" else "Fake 2"
    sensors = FakeSensor("Fake 1"), FakeSensor(name, "BB:00:00:00:00:02")
    with pytest.raises(BadInput, match=r"Fake 1 \(AA:00:00:00:00:01\), Fake \d \(BB:.*address"):
        stream(FakeAdapter(*sensors), 1.0, wanted)
    assert all(not sensor.connected_at for sensor in sensors)


def test_a_sensor_that_is_not_there_is_named_with_those_that_are():
    with pytest.raises(StreamNotFound, match=r"'Fake 9' was not heard within 20 s.*Fake 1 \(AA"):
        stream(FakeAdapter(FakeSensor()), 1.0, "Fake 9")


def test_a_device_of_no_known_family_is_refused_at_once():
    device = FakeSensor("Toaster", "CC:00:00:00:00:03")
    with pytest.raises(DeviceRefused, match=r"Toaster \(CC.*no sensor that biosense knows"):
        stream(FakeAdapter(device), 1.0, "toaster")


def test_a_sensor_that_refuses_to_start_says_why():
    with pytest.raises(DeviceRefused, match="charger"):
        stream(FakeAdapter(FakeSensor(refuses=True)), 1.0)


@pytest.mark.parametrize("fault", [{"accepts": False}, {"answers": False}])
def test_a_sensor_that_cannot_be_connected_is_tried_three_times(fault):
    sensor, adapter = FakeSensor(**fault), None

    async def main():
        nonlocal adapter
        adapter = FakeAdapter(sensor)
        async with source_of(adapter):
            pass

    with pytest.raises(StreamNotFound, match="within reach but cannot be used"):
        run_virtual(main())
    assert len(adapter.scans) == 3
    assert sensor.link is None


def test_a_source_is_entered_once():
    async def main():
        source = source_of(FakeAdapter(FakeSensor()))
        async with source:
            pass
        await source.__aenter__()

    with pytest.raises(BadInput, match="entered before"):
        run_virtual(main())


def test_signals_can_be_chosen_and_a_wrong_one_is_answered_with_the_right_ones():
    items, infos = stream(FakeAdapter(FakeSensor()), signals=["slow"], keep_packets=False)
    assert [info.name for info in infos] == ["Fake 1 slow"]
    assert {each.info.name for each in items if isinstance(each, Chunk)} == {"Fake 1 slow"}
    sensor = FakeSensor()
    with pytest.raises(BadInput, match="no signals eda; it sends: fast, slow, beat"):
        stream(FakeAdapter(sensor), 1.0, signals=["slow", "eda"])
    assert sensor.link is None


def test_a_name_of_ones_own_names_the_streams():
    _, infos = stream(FakeAdapter(FakeSensor()), 1.0, name="left")
    assert [info.name for info in infos][:2] == ["left fast", "left slow"]
    assert infos[0].source_id == "fake-s7-fast"


def test_sensors_within_reach_are_those_with_a_driver():
    heard = [Advertisement("A", "Fake 1", (), -40), Advertisement("B", "Toaster", (), -30)]
    assert known_sensors(heard, recognise) == [FoundSensor("Fake 1", "Fake", "A", -40)]
    assert resolve("fake", heard, recognise) == heard[0]
    assert resolve("nobody", heard, recognise) is None
