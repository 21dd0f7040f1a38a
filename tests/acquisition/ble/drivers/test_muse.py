"""Muse 2016, Muse 2, Muse S: packets, joining of electrodes, presets; known errors of others."""

from __future__ import annotations

import numpy as np
import pytest

from biosense.acquisition.ble.drivers.muse import classic_packets as packets
from biosense.acquisition.ble.drivers.muse.classic import HOLD_S, Classic, MuseDecoder
from biosense.acquisition.ble.drivers.muse.control import Replies
from biosense.core.errors import PacketError
from tests.support.ble import packets_muse as encode
from tests.support.ble.air import Air, Sent, blocks_of, deliver, joined, reports_of

VECTOR = bytes.fromhex("01 02 80 08 01 7F F0 00 FF FC 00 40 08 00 80 27 FE 00 1F FE")
ELECTRODES = tuple(packets.EEG.values())
LIGHTS = tuple(packets.PPG.values())


def decoder(*, aux: bool = False, light: bool = False) -> MuseDecoder:
    return MuseDecoder(Classic("Muse", "p50", aux=aux, light=light))


def eeg(count: int, first: int = 0, start: float = 100.0) -> list[Sent]:
    """EEG in which a sample counts its number, modulo 2000, less 1000, plus 20 an electrode."""
    sent = []
    for k in range(count):
        for number, uuid in enumerate(ELECTRODES):
            values = (12 * k + np.arange(12)) % 2000 - 1000 + 20 * number
            data = encode.eeg_packet(first + k, values * encode.EEG_UV)
            sent.append(Sent(start + (12 * k + 12) / 256 + 0.002 * number, uuid, data))
    return sent


def counts_of(data: np.ndarray) -> np.ndarray:
    """What samples of `eeg` count, modulo 2000."""
    return np.round(data / encode.EEG_UV - 20 * np.arange(data.shape[1]) + 1000)


def numbers_of(data: np.ndarray) -> np.ndarray:
    """What samples of `eeg` count, without the wraps."""
    return np.unwrap(np.nanmean(counts_of(data), axis=1), period=2000)


def steps(stamps: np.ndarray) -> list[int]:
    """The steps between samples that are not one, in samples."""
    steps = np.round(np.diff(stamps) * 256).astype(int)
    return [int(step) for step in steps if step != 1]


def test_an_eeg_packet_is_read_as_published() -> None:
    counter, uv = packets.eeg(VECTOR)
    assert counter == 258
    wanted = [0, 0.488, -0.488, -1000, 999.512, 500, -500, 0, 0.977, -0.977, -999.512, 999.023]
    assert uv.round(3).tolist() == pytest.approx(wanted, abs=6e-4)


def test_motion_and_light_are_read_with_their_signs_and_units() -> None:
    g = [[1.0, -1.0, 0.5], [0.0, 0.25, -0.5], [1.9, -1.9, 0.0]]
    counter, acc = packets.imu(encode.acc_packet(65535, g), packets.ACC_G)
    assert counter == 65535
    assert acc == pytest.approx(np.array(g), abs=packets.ACC_G)
    counts = [0, 1, 2**23, 2**24 - 1, 77, 5]
    assert packets.ppg(encode.ppg_packet(3, counts))[1].tolist() == counts


def test_telemetry_tells_the_battery() -> None:
    read = packets.telemetry(encode.telemetry_packet(9, 0.825, fuel_mv=3960.0))
    assert (read.counter, read.battery, read.fuel_mv) == (9, 0.825, pytest.approx(3960.0))
    [report] = decoder().feed(packets.TELEMETRY, encode.telemetry_packet(9, 0.825), 0.0)
    assert report.battery == 0.825


@pytest.mark.parametrize(
    ("text", "wanted"),
    [("d", "02 64 0a"), ("k", "02 6b 0a"), ("p21", "04 70 32 31 0a"), ("v1", "03 76 31 0a")],
)
def test_commands_are_as_published(text: str, wanted: str) -> None:
    assert packets.command(text).hex(" ") == wanted


def test_a_long_preset_has_its_own_length() -> None:
    # muse-lsl has the length fixed at 4
    assert packets.command("p1041").hex(" ") == "06 70 31 30 34 31 0a"


def test_replies_are_put_together_from_packets() -> None:
    replies = Replies()
    parts = encode.control_packets({"hn": "MuseS-5E16", "bp": 82, "fw": "1.2.13", "rc": 0})
    *before, last = [replies.feed(part) for part in parts]
    assert before == [None] * len(before)
    assert before
    assert (last.name, last.battery, last.firmware, last.code) == ("MuseS-5E16", 0.82, "1.2.13", 0)


def test_a_broken_reply_does_not_spoil_the_next() -> None:
    replies = Replies()
    with pytest.raises(PacketError, match="JSON"):
        replies.feed(b"\x05{x:1}")
    assert replies.feed(b'\x08{"rc":0}').code == 0


def test_a_reply_without_end_is_given_up() -> None:
    replies = Replies()
    part = b"\x13" + b"x" * 19
    for _ in range(2048 // 19):
        assert replies.feed(part) is None
    with pytest.raises(PacketError, match="no end"):
        replies.feed(part)


def test_electrodes_are_joined_by_counter_however_they_arrive() -> None:
    sent = eeg(40)
    rng = np.random.default_rng(2)
    shuffled = [sent[4 * k + e] for k in range(40) for e in rng.permutation(4)]
    blocks = blocks_of(deliver(decoder(), shuffled), "eeg")
    stamps, data = joined(blocks)
    assert data.shape == (480, 4)
    assert np.array_equal(numbers_of(data), np.arange(480))
    assert np.array_equal(stamps, np.arange(480) / 256)


def test_the_auxiliary_electrode_is_a_fifth_channel_when_asked() -> None:
    with_aux = decoder(aux=True)
    sent = eeg(2)
    aux = encode.eeg_packet(0, np.full(12, 50.0))
    assert deliver(with_aux, sent[:4])[-1].item.data.shape == (12, 5)
    with pytest.raises(PacketError, match="no packets are expected"):
        decoder().feed(packets.AUX_RIGHT, aux, 0.0)


def test_a_lost_electrode_is_nan_and_holds_up_no_longer_than_the_limit() -> None:
    sent = eeg(20)
    lost = sent.pop(4 * 5 + 2)
    delivered = deliver(decoder(), sent, tick=0.001)
    stamps, data = joined(blocks_of(delivered, "eeg"))
    assert steps(stamps) == []
    missing = np.isnan(data)
    assert missing[60:72, 2].all()
    assert missing.sum() == 12
    waited = max(each.time - (100 + (each.item.stamps[-1] * 256 + 1) / 256) for each in delivered)
    assert HOLD_S <= waited <= HOLD_S + 0.01
    assert lost.uuid == packets.EEG["AF8"]


def test_one_lost_packet_leaves_one_gap_and_nothing_else() -> None:
    # muse-lsl: index +48 instead of +24
    sent = eeg(50)
    del sent[4 * 20 : 4 * 21]
    stamps, data = joined(blocks_of(deliver(decoder(), sent), "eeg"))
    assert steps(stamps) == [13]
    assert np.array_equal(stamps * 256, numbers_of(data))


def test_loss_across_the_wrap_of_the_counter_is_counted_right() -> None:
    # muse-lsl: index -786 384 samples
    sent = eeg(50, first=65_520)
    del sent[4 * 14 : 4 * 20]
    stamps, _ = joined(blocks_of(deliver(decoder(), sent), "eeg"))
    assert steps(stamps) == [73]


def test_a_counter_restart_begins_a_new_clock() -> None:
    sent = eeg(50, first=30_000) + eeg(50, start=103.0)
    blocks = blocks_of(deliver(decoder(), sent), "eeg")
    assert len(blocks) == 100
    assert [k for k, block in enumerate(blocks) if block.restarted] == [50]
    assert all(steps(block.stamps) == [] for block in blocks)


def test_lost_light_leaves_a_gap() -> None:
    # muse-lsl: the index of PPG ignores losses
    sent = [
        Sent(100 + (k + 1) * 6 / 64, uuid, encode.ppg_packet(k, 6 * k + np.arange(6)))
        for k in range(30)
        for uuid in LIGHTS
    ]
    del sent[3 * 10 : 3 * 14]
    delivered = deliver(decoder(light=True), sent)
    for key, width in (("ppg", 1), ("optics", 3)):
        stamps, data = joined(blocks_of(delivered, key))
        assert data.shape == (156, width)
        assert np.array_equal(stamps * 64, data[:, 0])


def test_the_three_samples_of_a_motion_packet_have_stamps_of_their_own() -> None:
    # muse-lsl: one arrival stamp for all
    sent = [Sent(100 + k * 3 / 52, packets.ACC, encode.acc_packet(k, np.eye(3))) for k in range(9)]
    stamps, data = joined(blocks_of(deliver(decoder(), sent), "acc"))
    assert stamps == pytest.approx(np.arange(27) / 52)
    assert data[:3] == pytest.approx(np.eye(3), abs=1e-4)


@pytest.mark.parametrize("loss", [0.01, 0.1, 0.5])
def test_stamps_are_right_whatever_the_air_does(loss: float) -> None:
    arriving = Air(loss, twice=0.03, jitter=0.09, seed=5).carry(eeg(400, first=65_400))
    stamps, data = joined(blocks_of(deliver(decoder(), arriving), "eeg"))
    came = ~np.isnan(data)
    assert came.any(axis=1).all()
    values = counts_of(data)
    index = np.round((stamps - stamps[0]) * 256) + np.nanmin(values[0])
    assert (np.diff(stamps) > 0).all()
    assert np.array_equal(np.where(came, index[:, None] % 2000, -1), np.where(came, values, -1))


@pytest.mark.parametrize(
    ("uuid", "packet"),
    [
        (ELECTRODES[0], bytes(19)),
        (ELECTRODES[0], bytes(21)),
        (packets.ACC, b""),
        (packets.TELEMETRY, bytes(9)),
        (packets.TELEMETRY, bytes([0, 0, 255, 255, 0, 0, 0, 0, 0, 0])),
        (packets.CONTROL, b""),
        (packets.CONTROL, b"\x14" + bytes(19)),
        (packets.CONTROL, b"\x02\xff}"),
        (packets.CONTROL, b"\x02[}"),
        (packets.CONTROL, b"\x01}"),
        (LIGHTS[0], bytes(20)),
        ("0000ffff-0000-1000-8000-00805f9b34fb", bytes(20)),
    ],
)
def test_what_is_no_packet_is_refused(uuid: str, packet: bytes) -> None:
    with pytest.raises(PacketError):
        decoder().feed(uuid, packet, 1.0)


def test_telemetry_reports_do_not_hold_up_signals() -> None:
    sent = [*eeg(3), Sent(101.0, packets.TELEMETRY, encode.telemetry_packet(0, 0.5))]
    delivered = deliver(decoder(), sent)
    assert [report.battery for report in reports_of(delivered)] == [0.5]
    assert len(blocks_of(delivered, "eeg")) == 3
