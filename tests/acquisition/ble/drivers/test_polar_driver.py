"""Polar sensors: what is asked, started and stopped, and what is refused."""

from __future__ import annotations

import pytest

from biosense.acquisition.ble.driver import Block, Report
from biosense.acquisition.ble.drivers.polar.driver import Polar
from biosense.acquisition.ble.drivers.polar.frames import CONTROL, DATA
from biosense.acquisition.ble.gatt_services import HEART_RATE_MEASUREMENT
from biosense.core.errors import BadInput, DeviceRefused
from tests.support.ble import packets_polar as encode
from tests.support.ble.fake_polar import (
    FULL_H10,
    FULL_VERITY,
    H10,
    VERITY,
    FakePolar,
    prepared,
    run,
)


def test_a_chest_strap_gives_ecg_motion_and_beats() -> None:
    gatt = FakePolar(FULL_H10, *H10)
    driver = prepared(gatt)
    assert [each.key for each in driver.signals] == ["ecg", "acc", "hr", "rr"]
    ecg, acc = driver.signals[:2]
    assert (ecg.sfreq, ecg.unit, acc.sfreq, acc.unit) == (130.0, "uV", 50.0, "mg")
    assert gatt.running == {encode.ECG, encode.ACC}
    assert gatt.to_decoder == {CONTROL, DATA, HEART_RATE_MEASUREMENT}
    decoded = driver.decoder().feed(HEART_RATE_MEASUREMENT, b"\x10\x3c\x00\x04", 3.0)
    assert [each.signal for each in decoded if isinstance(each, Block)] == ["hr", "rr"]
    run(driver.stop(gatt))
    assert gatt.running == set()
    assert gatt.written[-2:] == [bytes([3, 0]), bytes([3, 2])]


def test_an_arm_band_gives_light_motion_and_pulse_intervals() -> None:
    gatt = FakePolar(FULL_VERITY, *VERITY, factor=0.5)
    driver = prepared(gatt)
    assert [each.key for each in driver.signals] == ["ppg", "acc", "ppi", "hr"]
    assert gatt.running == {encode.PPG, encode.ACC, encode.PPI}
    assert bytes([encode.GET_SETTINGS, encode.PPI]) not in gatt.written
    frame = encode.delta_frame(encode.PPG, 10**9, [[2, 4, 6, 8]] * 3, resolution=24)
    [block] = driver.decoder().feed(DATA, frame, 1.0)
    assert isinstance(block, Block)
    assert block.data.tolist() == [[1, 2, 3, 4]] * 3
    other = encode.delta_frame(encode.GYRO, 10**9, [[2, 4, 6]] * 3, resolution=16)
    assert driver.decoder().feed(DATA, other, 1.0) == [], "another program's"


@pytest.mark.parametrize(("announced", "delivered"), [(55, 55.0), (130, 135.0), (135, 55.0)])
def test_the_light_rate_is_the_one_that_is_delivered(announced: int, delivered: float) -> None:
    offered = {encode.PPG: encode.settings_tlv({encode.RATE: [announced]})}
    gatt = FakePolar(FULL_VERITY, (encode.PPG,), offered)
    assert prepared(gatt).signals[0].sfreq == delivered
    assert gatt.written[-1][4:6] == announced.to_bytes(2, "little")


def test_wanted_signals_are_chosen() -> None:
    gatt = FakePolar(FULL_VERITY, *VERITY, parts=3)
    driver = prepared(gatt, Polar(("gyro", "mag", "hr"), acc_rate=100))
    assert {each.key for each in driver.signals} == {"gyro", "mag", "hr"}
    assert gatt.running == {encode.GYRO, encode.MAG}
    with pytest.raises(DeviceRefused, match=r"no \['ecg'\].*ppg"):
        prepared(gatt, Polar(("ecg",)))
    with pytest.raises(BadInput, match="there are"):
        Polar(("eeg",))
    with pytest.raises(BadInput, match="acc_rate"):
        Polar(acc_rate=0)


def test_a_strap_without_measurement_service_gives_its_heart_rate() -> None:
    driver = Polar()
    gatt = FakePolar(frozenset({HEART_RATE_MEASUREMENT}), (), {})
    prepared(gatt, driver)
    assert [each.key for each in driver.signals] == ["hr", "rr"]
    run(driver.stop(gatt))
    with pytest.raises(DeviceRefused, match="measures nothing"):
        prepared(FakePolar(frozenset(), (), {}))


def test_a_measurement_that_runs_already_is_started_anew() -> None:
    gatt = FakePolar(FULL_H10, *H10, running={encode.ECG})
    prepared(gatt)
    commands = [packet[:2] for packet in gatt.written if packet[1] == encode.ECG]
    assert commands == [bytes([each, 0]) for each in (1, 2, 3, 2)]
    assert gatt.running == {encode.ECG, encode.ACC}


@pytest.mark.parametrize(
    ("status", "text"),
    [(13, "charger: take it out"), (10, "MTU"), (6, "off and on"), (12, "training"), (77, "77")],
)
def test_a_refusal_says_what_to_do(status: int, text: str) -> None:
    gatt = FakePolar(FULL_H10, *H10, statuses={(encode.START, encode.ECG): [status, status]})
    with pytest.raises(DeviceRefused, match=f"refused to start ECG.*{text}"):
        prepared(gatt)


def test_a_sensor_that_does_not_answer_is_given_up() -> None:
    with pytest.raises(DeviceRefused, match="did not answer within 3 s"):
        prepared(FakePolar(FULL_H10, *H10, mute=True))
    gatt = FakePolar(FULL_H10, *H10)
    driver = prepared(gatt)
    gatt.mute = True
    with pytest.raises(DeviceRefused, match=r"stop ECG.*stop ACC"):
        run(driver.stop(gatt))
    assert gatt.written[-2:] == [bytes([3, 0]), bytes([3, 2])], "all is tried"


def test_answers_that_make_no_sense_are_refused() -> None:
    broken = {encode.ECG: b"\x09\x01\x00", encode.ACC: b""}
    with pytest.raises(DeviceRefused, match="not understood"):
        prepared(FakePolar(FULL_H10, H10[0], broken))


def test_a_sensor_that_stops_by_itself_is_told() -> None:
    gatt = FakePolar(FULL_H10, *H10)
    decoder = prepared(gatt).decoder()
    [report] = decoder.feed(CONTROL, encode.stopped_notice(encode.ECG, encode.ACC), 1.0)
    assert report == Report(text="the sensor stopped ecg, acc by itself", stopped=True)
    assert decoder.feed(CONTROL, encode.stopped_notice(encode.GYRO), 1.0) == []
    assert decoder.feed(CONTROL, encode.control_answer(2, 0), 1.0) == []
    with pytest.raises(DeviceRefused, match="stopped ECG as soon as it began"):
        prepared(FakePolar(FULL_H10, *H10, also=encode.stopped_notice(encode.ECG)))


def test_signals_stay_over_reconnections() -> None:
    gatt = FakePolar(FULL_H10, *H10)
    driver = prepared(gatt)
    before = driver.signals
    prepared(FakePolar(FULL_H10, *H10), driver)
    assert driver.signals == before
    lost = FakePolar(frozenset({HEART_RATE_MEASUREMENT}), (), {})
    with pytest.raises(DeviceRefused, match="lost its measurement service"):
        prepared(lost, driver)
