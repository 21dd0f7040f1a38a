"""Muse S Athena: blocks, the clocks of its sensors, and recordings of a real one."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest

from biosense.acquisition.ble.drivers.muse import athena_packets as packets
from biosense.acquisition.ble.drivers.muse.athena import Athena
from biosense.acquisition.ble.drivers.muse.athena_decoder import HOLD_S
from biosense.acquisition.ble.drivers.muse.athena_packets import RawBlock
from biosense.acquisition.ble.drivers.muse.classic_packets import CONTROL
from biosense.acquisition.ble.drivers.timing.sample_clock import SETTLE_S
from biosense.core.errors import PacketError
from tests.support.ble import packets_muse as encode
from tests.support.ble.air import Air, Delivered, Sent, blocks_of, deliver, joined, reports_of
from tests.support.stand_ins import PublicFile

VECTOR = bytes.fromhex(
    "00 40 00 28 00 0E 80 04 60 01 68 00 1E 80 08 60 02 A8 00 2E 80 0C 60 03 E8 00 FE FF"
)
BOOT_MS = 1_733_184_000_000
DATA = packets.DATA[0]


def block(tag: int, payload: bytes) -> RawBlock:
    return RawBlock(tag, 0, 0.0, payload)


def battery_packet(counter: int, tag: int, share: float) -> bytes:
    raw = encode.AthenaBlock(tag, counter, encode.athena_battery(share, tag))
    return encode.athena_packet(counter, BOOT_MS, [raw])


def stream(
    seconds: float,
    *,
    rate: float = 256.0,
    boot_ms: float = BOOT_MS,
    start: float = 500.0,
    count: int = 0,
    read_every: float = 0.12,
    paused: tuple[float, float] = (np.inf, 0.0),
) -> Iterator[Sent]:
    """EEG of 4 channels as an Athena sends it: gathered for a while, then read at once.

    Sample n is taken at n / rate and counts n modulo 10000 on all channels, less 5000, in counts
    of its converter. From `paused[0]` on the sensor pauses for `paused[1]` seconds.
    """
    done, packet = 0, count
    for read in np.arange(read_every, seconds, read_every):
        taken = read - max(min(read - paused[0], paused[1]), 0.0)
        blocks = []
        while (4 * done + 3) / rate <= taken:
            values = (4 * done + np.arange(4)) % 10_000 - 5000.0
            payload = encode.athena_eeg(0x11, encode.ATHENA_EEG_UV * values[:, None] * np.ones(4))
            blocks.append(encode.AthenaBlock(0x11, count + done, payload))
            done += 1
        for k in range(0, len(blocks), 6):
            data = encode.athena_packet(packet, boot_ms + 1000 * read, blocks[k : k + 6])
            packet += 1
            yield Sent(start + read + 0.02, DATA, data)


def samples_in(sent: list[Sent]) -> int:
    """How many samples there are in packets, those that came twice counted once."""
    notifications = {packet.data for packet in sent}
    return sum(4 * len(each.blocks) for data in notifications for each in packets.packets(data))


def eeg_of(delivered: list[Delivered]) -> tuple[np.ndarray, np.ndarray]:
    """Stamps since the device was switched on, and numbers of the samples."""
    stamps, data = joined(blocks_of(delivered, "eeg"))
    counts = np.round(data[:, 0] / encode.ATHENA_EEG_UV + 5000)
    return stamps - BOOT_MS / 1000, np.unwrap(counts, period=10_000)


def test_an_eeg_block_is_read_as_published() -> None:
    uv = packets.samples(block(0x11, VECTOR))
    assert uv.shape == (4, 4)
    raw = np.round(uv / encode.ATHENA_EEG_UV + 8192).astype(int).ravel().tolist()
    assert raw == [0, *range(8193, 8207), 16383]
    assert uv.ravel()[[0, -1]] == pytest.approx([-725.044, 724.956], abs=5e-4)


@pytest.mark.parametrize("tag", [encode.EEG4, encode.EEG8])
def test_eeg_comes_back_as_it_was_encoded(tag: int) -> None:
    uv = np.random.default_rng(1).uniform(-700, 700, encode.SHAPES[tag])
    read = packets.samples(block(tag, encode.athena_eeg(tag, uv)))
    assert read == pytest.approx(uv, abs=0.0443)


@pytest.mark.parametrize("tag", [encode.OPTICS4, encode.OPTICS8, encode.OPTICS16])
def test_optics_come_back_as_they_were_encoded(tag: int) -> None:
    counts = np.random.default_rng(1).integers(0, 2**20, encode.SHAPES[tag])
    assert np.array_equal(packets.samples(block(tag, encode.athena_optics(tag, counts))), counts)


def test_motion_comes_back_as_it_was_encoded() -> None:
    g, dps = np.array([[1.0, -0.5, 0.0]] * 3), np.array([[10.0, -200.0, 3.0]] * 3)
    read = packets.samples(block(encode.MOTION, encode.athena_motion(g, dps)))
    assert read[:, :3] == pytest.approx(g, abs=1e-4)
    assert read[:, 3:] == pytest.approx(dps, abs=0.005)


@pytest.mark.parametrize("tag", [encode.BATTERY, encode.BATTERY_NEW])
def test_the_battery_of_either_firmware_is_reported(tag: int) -> None:
    [report] = Athena().decoder().feed(DATA, battery_packet(0, tag, 0.75), 1.0)
    assert report.battery == 0.75


def test_a_battery_without_sense_is_no_report() -> None:
    raw = encode.AthenaBlock(encode.BATTERY, 0, b"\xff\xff" + bytes(18))
    packet = encode.athena_packet(0, BOOT_MS, [raw])
    assert Athena().decoder().feed(DATA, packet, 1.0) == []


def test_an_unknown_block_is_left_out_with_what_follows_and_said_once() -> None:
    eeg = encode.AthenaBlock(0x11, 0, VECTOR)
    unknown = encode.AthenaBlock(0x77, 0, bytes(30))
    decoder = Athena("p21").decoder()
    sent = [
        Sent(k / 10, DATA, encode.athena_packet(k, BOOT_MS + 100 * k, [eeg, unknown, eeg]))
        for k in range(3)
    ]
    [report] = reports_of(deliver(decoder, sent))
    assert "0x77" in report.text
    assert decoder.unknown == {0x77: 3}


def test_a_reading_is_timed_by_its_own_microseconds() -> None:
    early = encode.AthenaBlock(0x47, 0, encode.athena_motion(np.eye(3), np.eye(3)), -50_000)
    eeg = encode.AthenaBlock(0x11, 0, VECTOR)
    [packet] = packets.packets(encode.athena_packet(9, BOOT_MS + 0.25, [eeg, early]))
    assert packet.time == BOOT_MS / 1000
    offsets = [each.read - packet.time for each in packet.blocks]
    assert offsets == pytest.approx([0.00025, -0.04975], abs=1e-6)


@pytest.mark.parametrize(
    ("uuid", "notification"),
    [
        (DATA, b""),
        (DATA, bytes(14)),
        (DATA, bytes([13]) + bytes(12)),
        (DATA, bytes([200]) + bytes(100)),
        (DATA, bytes([14, 0, 0, 0, 0, 0, 0, 0, 0, 0x11, 0, 0, 0, 0])),
        (DATA, bytes([15, 0, 0, 0, 0, 0, 0, 0, 0, 0x88, 0, 0, 0, 0, 1])),
        (DATA, battery_packet(0, encode.BATTERY, 0.5) + b"\x05"),
        (CONTROL, b"\xff"),
        ("2d30c082-f39f-4ce6-923f-3484ea480596", bytes(20)),
    ],
)
def test_what_is_no_packet_is_refused(uuid: str, notification: bytes) -> None:
    with pytest.raises(PacketError):
        Athena().decoder().feed(uuid, notification, 1.0)


@pytest.mark.parametrize("rate", [256.0, 256.5, 255.2])
def test_stamps_tell_when_samples_were_taken(rate: float) -> None:
    stamps, numbers = eeg_of(deliver(Athena("p21").decoder(), list(stream(40.0, rate=rate))))
    assert np.array_equal(numbers, np.arange(len(numbers)))
    error = stamps - numbers / rate
    assert abs(error).max() < 0.025
    assert np.ptp(error[5120:]) < 0.015
    intervals = np.diff(stamps) * 256
    assert intervals.min() > 0.99
    assert intervals.max() < 1.01


@pytest.mark.parametrize("loss", [0.01, 0.1, 0.5])
def test_stamps_are_right_whatever_the_air_does(loss: float) -> None:
    sent = list(stream(40.0, rate=256.4, count=65_400))
    arriving = Air(loss, twice=0.05, jitter=0.09, seed=3).carry(sent)
    stamps, numbers = eeg_of(deliver(Athena("p21").decoder(), arriving))
    assert (np.diff(stamps) > 0).all()
    assert (np.diff(numbers) > 0).all(), "each sample once, in order"
    at_the_start = samples_in(arriving) - len(numbers)
    assert 0 <= at_the_start <= 48, "what comes once the first is out is not thrown away"
    assert abs(stamps - numbers / 256.4).max() < 0.03 + 0.1 * loss


def test_loss_of_more_than_a_turn_of_a_block_counter_is_counted_right() -> None:
    sent = [each for each in stream(40.0) if not 515.0 < each.time < 527.3]
    stamps, numbers = eeg_of(deliver(Athena("p21").decoder(), sent))
    [gap] = np.diff(stamps)[np.diff(stamps) > 0.1]
    assert gap == pytest.approx(12.3, abs=0.2)
    assert abs(stamps - numbers[0] / 256 - np.round(stamps * 256) / 256).max() < 0.025


def test_nothing_waits_longer_than_the_limit_once_the_clock_is_known() -> None:
    arriving = Air(loss=0.2, jitter=0.09).carry(list(stream(20.0)))
    delivered = deliver(Athena("p21").decoder(), arriving, tick=0.002)
    first, *rest = [each for each in delivered if each.time < arriving[-1].time]
    assert first.time - arriving[0].time <= SETTLE_S + HOLD_S + 0.13
    for each in rest:
        assert each.time - each.item.arrived <= HOLD_S + 0.002


def test_a_device_that_was_switched_off_and_on_begins_a_new_clock() -> None:
    sent = [*stream(10.0, boot_ms=BOOT_MS + 3.6e6, count=900), *stream(10.0, start=511.0)]
    blocks = blocks_of(deliver(Athena("p21").decoder(), sent), "eeg")
    [at] = [k for k, each in enumerate(blocks) if each.restarted]
    assert blocks[at].stamps[0] == pytest.approx(BOOT_MS / 1000, abs=0.025)
    assert sum(len(each.stamps) for each in blocks) == samples_in(sent)


def test_a_sensor_that_pauses_without_counting_leaves_a_gap() -> None:
    stamps, numbers = eeg_of(
        deliver(Athena("p21").decoder(), list(stream(40.0, paused=(20.0, 0.5))))
    )
    error = stamps - numbers / 256
    assert abs(error[stamps < 20.0]).max() < 0.025
    assert abs(error[stamps > 25.0] - 0.5).max() < 0.025
    assert np.diff(stamps).max() == pytest.approx(0.5, abs=0.05)


def test_a_preset_that_sends_other_blocks_than_announced_leaves_channels_open() -> None:
    counts = np.arange(12).reshape(3, 4)
    payload = encode.athena_optics(encode.OPTICS4, counts)
    sent = [
        Sent(k * 3 / 64, DATA, encode.athena_packet(k, BOOT_MS + k * 3000 / 64, [each]))
        for k in range(30)
        for each in [encode.AthenaBlock(encode.OPTICS4, k, payload)]
    ]
    _, data = joined(blocks_of(deliver(Athena("p1041").decoder(), sent), "optics"))
    assert data[:3, 4:8].tolist() == counts.tolist()
    assert np.isnan(np.delete(data, range(4, 8), axis=1)).all()


def recorded(path: Path) -> list[Sent]:
    sent = []
    for line in path.read_text().splitlines():
        time, uuid, data = line.split("\t")
        sent.append(Sent(datetime.fromisoformat(time).timestamp(), uuid, bytes.fromhex(data)))
    return sent


@pytest.mark.parametrize("preset", ["p21", "p1035", "p1041", "p1044"])
def test_recordings_of_a_real_one_are_decoded_whole(public_file: PublicFile, preset: str) -> None:
    sent = recorded(public_file(f"ble/openmuse_{preset}.txt"))
    headband = Athena(preset, aux=True)
    decoder = headband.decoder()
    delivered = deliver(decoder, sent, tick=0.05)
    seconds = sent[-1].time - sent[0].time
    assert decoder.unknown == {}
    for signal in headband.signals:
        stamps, data = joined(blocks_of(delivered, signal.key))
        assert not any(each.restarted for each in blocks_of(delivered, signal.key))
        assert len(stamps) == pytest.approx(seconds * signal.sfreq, rel=0.01)
        intervals = np.diff(stamps) * signal.sfreq
        assert intervals.min() > 0.99
        assert intervals.max() < 1.01
        assert not np.isnan(data).any()
    _, acc = joined(blocks_of(delivered, "acc"))
    assert np.median(np.linalg.norm(acc, axis=1)) == pytest.approx(1.0, abs=0.05)
    levels = [report.battery for report in reports_of(delivered)]
    assert len(levels) in (59, 60)
    assert 0.75 < min(levels) <= max(levels) < 0.9


@pytest.mark.parametrize("preset", ["p21", "p1041"])
def test_the_least_late_packets_of_a_real_one_are_equally_late(
    public_file: PublicFile, preset: str
) -> None:
    sent = recorded(public_file(f"ble/openmuse_{preset}.txt"))
    delivered = deliver(Athena(preset).decoder(), sent, tick=0.05)
    for key in ("eeg", "acc"):
        blocks = blocks_of(delivered, key)
        ends = np.array([each.stamps[-1] for each in blocks])
        delays = np.array([each.arrived for each in blocks]) - ends
        least = [delays[ends // 5 == second].min() for second in np.unique(ends // 5)[:-1]]
        assert np.ptp(least) < 0.03
