"""The standard heart rate service: packets, placing of beats, and what a strap is asked."""

from __future__ import annotations

import json
from collections.abc import Sequence

import numpy as np
import pytest

from biosense.acquisition.ble import gatt_services as services
from biosense.acquisition.ble.driver import Advertisement, Block, Decoded, Report
from biosense.acquisition.ble.drivers.heart_rate.driver import (
    HeartRate,
    HeartRateDecoder,
    HeartRateStrap,
    decode_heart_rate,
)
from biosense.acquisition.ble.drivers.registry import DRIVERS, recognise
from biosense.acquisition.ble.drivers.timing.beat_times import BeatTimes
from biosense.core.errors import DeviceRefused, PacketError
from tests.support.ble.packets_polar import heart_rate_packet
from tests.support.ble.told import ToldGatt
from tests.support.stand_ins import PublicFile

STRAP = services.HEART_RATE_SERVICE
MEASUREMENT = services.HEART_RATE_MEASUREMENT


@pytest.mark.parametrize(
    ("packet", "wanted"),
    [
        ("16 3C 00 04 00 04", HeartRate(60, True, None, (1.0, 1.0))),
        ("09 00 00 FF FF", HeartRate(0, None, 65535)),
        ("08 00 7F 80", HeartRate(0, None, 32895)),
        ("11 00 00 FF FF 7F 80", HeartRate(0, None, None, (65535 / 1024, 32895 / 1024))),
        ("06 00", HeartRate(0, True)),
        ("04 00", HeartRate(0, False)),
        ("02 00", HeartRate(0, None)),
        ("00 48 01", HeartRate(72)),
    ],
)
def test_published_vectors(packet: str, wanted: HeartRate) -> None:
    assert decode_heart_rate(bytes.fromhex(packet)) == wanted


@pytest.mark.parametrize("packet", ["", "16", "01 2c", "08 50 64", "16 3c 11 04 f5"])
def test_a_packet_that_is_cut_short_is_refused(packet: str) -> None:
    with pytest.raises(PacketError, match="must have"):
        decode_heart_rate(bytes.fromhex(packet))


def test_vectors_of_the_test_set(public_file: PublicFile) -> None:
    vectors = json.loads(public_file("ble/heart_rate_vectors.json").read_text())
    valid = vectors["heart_rate_measurement"]["valid"]
    assert len(valid) > 10
    for each in valid:
        found, wanted = decode_heart_rate(bytes.fromhex(each["hex"])), each["expect"]
        assert found.bpm == wanted["hr_bpm"], each["description"]
        assert (found.contact, found.energy_kj) == (wanted["contact"], wanted["energy_kj"])
        assert list(found.rr) == wanted["rr_s"], each["description"]
    for each in vectors["heart_rate_measurement"]["invalid"]:
        with pytest.raises(PacketError):
            decode_heart_rate(bytes.fromhex(each["hex"]))


def test_what_is_encoded_is_decoded() -> None:
    rng = np.random.default_rng(5)
    for _ in range(300):
        rr = rng.integers(0, 65536, rng.integers(0, 9)).tolist()
        contact = (None, True, False)[rng.integers(3)]
        energy = None if rng.random() < 0.5 else int(rng.integers(65536))
        bpm, wide = int(rng.integers(400)), bool(rng.random() < 0.5)
        packet = heart_rate_packet(bpm, rr, contact=contact, energy_kj=energy, wide=wide)
        wanted = HeartRate(bpm, contact, energy, tuple(each / 1024 for each in rr))
        assert decode_heart_rate(packet) == wanted


def block(decoded: Sequence[Decoded], key: str) -> Block:
    [found] = [each for each in decoded if isinstance(each, Block) and each.signal == key]
    return found


def test_a_packet_becomes_contact_rate_and_beats() -> None:
    packet = heart_rate_packet(75, [768, 896], contact=True, energy_kj=10)
    decoded = HeartRateDecoder().feed(MEASUREMENT, packet, 20.0)
    assert decoded[0] == Report(contact=True)
    rate, beats = block(decoded, "hr"), block(decoded, "rr")
    assert rate.data.tolist() == [[75.0, 10.0]]
    assert rate.stamps.tolist() == [20.0]
    assert beats.data.tolist() == [[0.75], [0.875]]
    assert beats.stamps.tolist() == [19.125, 20.0]
    assert rate.by_arrival
    assert beats.by_arrival


def test_energy_and_contact_that_are_not_sent_are_not_made_up() -> None:
    [rate] = HeartRateDecoder().feed(MEASUREMENT, heart_rate_packet(72), 1.0)
    assert isinstance(rate, Block)
    assert rate.data[0, 0] == 72
    assert np.isnan(rate.data[0, 1])


def test_intervals_of_zero_are_no_beats() -> None:
    decoded = HeartRateDecoder().feed(MEASUREMENT, heart_rate_packet(0, [0, 0]), 1.0)
    assert [each.signal for each in decoded if isinstance(each, Block)] == ["hr"]


def test_a_packet_that_comes_twice_gives_its_beats_once() -> None:
    decoder = HeartRateDecoder()
    packet = heart_rate_packet(60, [1024], contact=True)
    assert len(decoder.feed(MEASUREMENT, packet, 10.0)) == 3
    assert decoder.feed(MEASUREMENT, packet, 10.01) == []
    [_, _, beats] = decoder.feed(MEASUREMENT, packet, 11.0)  # the next beat, as long as the last
    assert isinstance(beats, Block)
    assert beats.stamps.tolist() == [11.0]


def test_battery_is_told_and_nonsense_of_it_refused() -> None:
    decoder = HeartRateDecoder()
    assert decoder.feed(services.BATTERY_LEVEL, b"\x50", 1.0) == [Report(battery=0.8)]
    for packet in (b"", b"\x65", b"\x50\x50"):
        with pytest.raises(PacketError, match="battery"):
            decoder.feed(services.BATTERY_LEVEL, packet, 1.0)
    with pytest.raises(PacketError, match="none of a heart rate strap"):
        decoder.feed(services.MODEL_NUMBER, b"H10", 1.0)


def run_strap(
    beats: np.ndarray, *, lost: frozenset[int] = frozenset(), scale: float = 1.0, seed: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """Report beats every second, 20 to 60 ms late; return given times, and the true ones."""
    rng, placer = np.random.default_rng(seed), BeatTimes()
    given, true = [], []
    for second in range(1, int(beats[-1]) + 1):
        inside = np.flatnonzero((beats > second - 1) & (beats <= second))
        inside = inside[inside > 0]
        if second in lost or len(inside) == 0:
            continue
        intervals = np.floor((beats[inside] - beats[inside - 1]) * scale * 1024) / 1024
        given.append(placer.place(intervals, second + rng.uniform(0.02, 0.06)))
        true.append(beats[inside])
    return np.concatenate(given), np.concatenate(true)


def heart(seconds: float, rate: float, seed: int = 1) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return np.cumsum(rng.normal(60 / rate, 0.04, int(seconds * rate / 60)))


@pytest.mark.parametrize("rate", [42.0, 60.0, 75.0, 140.0])
def test_beats_lie_where_they_were(rate: float) -> None:
    given, true = run_strap(heart(1200, rate))
    settled = true > 60
    error = (given - true)[settled]
    assert (np.diff(given) > 0).all()
    assert np.abs(error - np.median(error)).max() < 0.15
    assert -0.05 < np.median(error) < 0.12


def test_rounded_intervals_do_not_add_up() -> None:
    # Cutting them off and 100 ppm of the strap's clock are over two seconds in an hour.
    given, true = run_strap(heart(3600, 66.0), scale=1 - 100e-6)
    error = (given - true)[true > 60]
    assert np.abs(error - np.median(error)).max() < 0.15


def test_lost_packets_move_beats_for_seconds_only() -> None:
    lost = frozenset({100, 101, 102, 250, 400})
    given, true = run_strap(heart(600, 72.0), lost=lost)
    error = given - true
    assert (np.diff(given) > 0).all()
    recovered = true > 60
    for at in (100, 250, 400):
        recovered &= ~((true > at) & (true < at + 15))
    assert np.abs(error[recovered] - np.median(error)).max() < 0.2


def test_beats_rise_whatever_comes() -> None:
    rng, placer = np.random.default_rng(3), BeatTimes()
    now, last = 0.0, -np.inf
    for _ in range(3000):
        now += float(rng.choice([0.0, 0.01, 1.0, 30.0]))
        times = placer.place(rng.choice([1 / 1024, 0.3, 0.8, 64.0], rng.integers(0, 6)), now)
        assert (np.diff(times) > 0).all()
        if len(times):
            assert times[0] > last
            last = times[-1]


INFORMATION = {
    services.BATTERY_LEVEL: b"\x64",
    services.MODEL_NUMBER: b"TICKR\0\0",
    services.MANUFACTURER_NAME: b"Wahoo",
    services.SERIAL_NUMBER: b" 77 ",
    services.FIRMWARE_REVISION: b"2.0",
}


async def test_a_strap_is_asked_what_it_is() -> None:
    driver = HeartRateStrap()
    gatt = ToldGatt({MEASUREMENT, *INFORMATION}, INFORMATION)
    [report] = await driver.prepare(gatt)
    assert report == Report(battery=1.0, firmware="2.0", model="Wahoo TICKR", serial="77")
    await driver.start(gatt)
    assert gatt.subscribed == [MEASUREMENT, services.BATTERY_LEVEL]
    assert [signal.key for signal in driver.signals] == ["hr", "rr"]
    await driver.keep_alive(gatt)
    await driver.stop(gatt)
    assert gatt.written == []


async def test_what_a_strap_does_not_tell_is_left_open() -> None:
    gatt = ToldGatt({MEASUREMENT, *INFORMATION}, {services.BATTERY_LEVEL: b"\xff"})
    assert await HeartRateStrap().prepare(gatt) == [Report()]
    assert await services.read_device(ToldGatt({MEASUREMENT})) == Report()
    only_maker = ToldGatt({services.MANUFACTURER_NAME}, {services.MANUFACTURER_NAME: b"Polar"})
    assert await services.read_device(only_maker) == Report(model="Polar")


async def test_a_device_without_measurement_is_refused() -> None:
    with pytest.raises(DeviceRefused, match="no heart rate measurement"):
        await HeartRateStrap().prepare(ToldGatt(()))


@pytest.mark.parametrize(
    ("name", "advertised", "family"),
    [
        ("Polar H10 1", (STRAP,), "Polar"),
        ("HRM-Dual", (STRAP,), "Heart rate strap"),
        ("MuseS-1", (), "Muse"),
        ("Ganglion-58f3", (), "Ganglion"),
        ("Polaroid", (), None),
    ],
)
def test_a_device_is_known_by_its_closest_family(
    name: str, advertised: tuple[str, ...], family: str | None
) -> None:
    driver = recognise(Advertisement("a", name, advertised))
    assert (driver.family.split()[-1] if driver else None) == (family and family.split()[-1])


def test_every_driver_says_what_it_is() -> None:
    assert list(DRIVERS)[-1] == "heart-rate", "the generic one is asked last"
    assert len({driver.family for driver in DRIVERS.values()}) == len(DRIVERS)
