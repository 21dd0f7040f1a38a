"""What a Muse of each model is asked and told, and what it may refuse."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from biosense.acquisition.ble.driver import Advertisement
from biosense.acquisition.ble.drivers.muse import athena_packets
from biosense.acquisition.ble.drivers.muse import classic_packets as packets
from biosense.acquisition.ble.drivers.muse.driver import Muse
from biosense.core.errors import BadInput, DeviceLost, DeviceRefused
from biosense.core.types import Modality
from tests.support.ble.told import ToldGatt, muse_answers

ELECTRODES = tuple(packets.EEG.values())
LIGHTS = tuple(packets.PPG.values())
CLASSIC = {packets.CONTROL, *ELECTRODES, packets.AUX_RIGHT, packets.ACC, packets.GYRO}
MUSE_2016 = CLASSIC | {packets.TELEMETRY}
MUSE_2 = MUSE_2016 | set(LIGHTS)
ATHENA = {packets.CONTROL, *athena_packets.DATA}


@pytest.mark.parametrize(
    ("advertisement", "wanted"),
    [
        (Advertisement("a", "Muse-8173"), True),
        (Advertisement("a", "MuseS-5E16"), True),
        (Advertisement("a", "", (packets.SERVICE,)), True),
        (Advertisement("a", "Museum guide"), False),
    ],
)
def test_a_muse_is_recognised(advertisement: Advertisement, wanted: bool) -> None:
    assert Muse.recognises(advertisement) is wanted


@pytest.mark.parametrize(
    ("uuids", "name", "aux", "preset", "keys"),
    [
        (MUSE_2016, "Muse-1", False, "p21", ["eeg", "acc", "gyro"]),
        (MUSE_2016, "Muse-1", True, "p20", ["eeg", "acc", "gyro"]),
        (MUSE_2, "Muse-1", False, "p50", ["eeg", "acc", "gyro", "ppg", "optics"]),
        (MUSE_2, "MuseS-1", False, "p61", ["eeg", "acc", "gyro", "ppg", "optics"]),
        (MUSE_2, "MuseS-1", True, "p60", ["eeg", "acc", "gyro", "ppg", "optics"]),
    ],
)
async def test_the_preset_follows_the_model(
    uuids: set[str], name: str, aux: bool, preset: str, keys: Sequence[str]
) -> None:
    driver, gatt = Muse(aux=aux), ToldGatt(uuids, answer=muse_answers(name))
    [report] = await driver.prepare(gatt)
    assert (report.battery, report.firmware, report.serial) == (0.55, "1.2.13", "2031-4HAK3")
    assert preset in gatt.commands
    assert [signal.key for signal in driver.signals] == keys
    first = driver.signals[0]
    assert first.modality is Modality.EEG
    assert first.channels == ("TP9", "AF7", "AF8", "TP10", "AUX")[: 5 if aux else 4]
    await driver.start(gatt)
    assert gatt.commands[-1] == "d"
    assert set(gatt.subscribed) == uuids - (set() if aux else {packets.AUX_RIGHT})
    await driver.keep_alive(gatt)
    await driver.stop(gatt)
    assert gatt.commands[-2:] == ["k", "h"]


async def test_a_muse_that_does_not_answer_is_used_all_the_same() -> None:
    driver, gatt = Muse(), ToldGatt(MUSE_2016)
    [report] = await driver.prepare(gatt)
    assert report.battery is None
    assert gatt.asleep < 6.0
    await driver.start(gatt)


async def test_a_refused_preset_says_what_to_do() -> None:
    gatt = ToldGatt(MUSE_2016, answer=muse_answers(refuses="p50"))
    with pytest.raises(DeviceRefused, match=r"refused preset 'p50' .*69.*'auto'"):
        await Muse("p50").prepare(gatt)


async def test_an_electrode_that_the_preset_leaves_out_cannot_be_asked() -> None:
    with pytest.raises(DeviceRefused, match="'p21' leaves the auxiliary electrode out"):
        await Muse("p21", aux=True).prepare(ToldGatt(MUSE_2016, answer=muse_answers()))


async def test_an_athena_preset_is_refused_by_an_older_muse() -> None:
    with pytest.raises(DeviceRefused, match="'p1041' is none of this Muse"):
        await Muse("p1041").prepare(ToldGatt(MUSE_2016, answer=muse_answers()))


async def test_a_muse_that_hides_its_electrodes_is_halted_and_connected_again() -> None:
    gatt = ToldGatt({packets.CONTROL}, answer=muse_answers())
    with pytest.raises(DeviceLost, match="connect once more"):
        await Muse().prepare(gatt)
    assert gatt.commands == ["h"]


def test_a_preset_that_no_muse_has_is_refused_at_once() -> None:
    with pytest.raises(BadInput, match="'p7' is no preset of a Muse"):
        Muse("p7")


async def test_an_athena_is_started_as_its_makers_app_does() -> None:
    driver, gatt = Muse(), ToldGatt(ATHENA, answer=muse_answers("MuseS-F0D1", firmware="3.1.4"))
    [report] = await driver.prepare(gatt)
    assert (report.model, report.firmware, report.battery) == ("Muse S Athena", "3.1.4", 0.55)
    assert gatt.commands == ["v6", "s", "h", "p1041", "s"]
    await driver.start(gatt)
    assert gatt.commands[5:] == ["dc001", "dc001", "L1", "s"]
    assert gatt.subscribed == [packets.CONTROL, *athena_packets.DATA]
    assert [len(signal.channels) for signal in driver.signals] == [4, 3, 3, 1, 16]
    assert {signal.modality for signal in driver.signals} == {Modality.EEG, Modality.PPG, None}


@pytest.mark.parametrize(
    ("preset", "aux", "widths"),
    [
        ("p21", False, {"eeg": 4, "acc": 3, "gyro": 3}),
        ("p1035", True, {"eeg": 4, "acc": 3, "gyro": 3, "ppg": 1, "optics": 4}),
        ("p1044", True, {"eeg": 8, "acc": 3, "gyro": 3, "ppg": 1, "optics": 8}),
        ("p1045", False, {"eeg": 4, "acc": 3, "gyro": 3, "ppg": 1, "optics": 4}),
    ],
)
async def test_the_signals_of_an_athena_follow_its_preset(
    preset: str, aux: bool, widths: dict[str, int]
) -> None:
    driver = Muse(preset, aux=aux)
    assert driver.signals == ()
    await driver.prepare(ToldGatt(ATHENA, answer=muse_answers()))
    assert {signal.key: len(signal.channels) for signal in driver.signals} == widths


async def test_a_device_without_control_is_no_muse() -> None:
    with pytest.raises(DeviceRefused, match="it is no Muse"):
        await Muse().prepare(ToldGatt(set()))
