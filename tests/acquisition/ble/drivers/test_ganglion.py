"""OpenBCI Ganglion with firmware 3: packets, loss by id, impedances, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest

from biosense.acquisition.ble.driver import Advertisement
from biosense.acquisition.ble.drivers.ganglion import packets
from biosense.acquisition.ble.drivers.ganglion.driver import (
    SOFTWARE_REVISION,
    Ganglion,
    GanglionDecoder,
)
from biosense.core.errors import BadInput, DeviceRefused, PacketError
from biosense.core.types import Modality
from tests.support.ble import packets_ganglion as encode
from tests.support.ble.air import Air, Sent, blocks_of, deliver, joined, reports_of
from tests.support.ble.told import ToldGatt

VECTOR_18 = bytes.fromhex("05 00 00 40 00 20 00 0C 00 04 00 19 3F F9 B7 FF FE 00 00 10")
VECTOR_19 = bytes.fromhex("69 00 00 20 00 08 00 01 80 00 40 00 C9 FF E6 DF FF FC 00 00")
BOARD = {packets.NOTIFY, packets.WRITE, SOFTWARE_REVISION}
STEP_UV = encode.UV * 64  # a count of 18 bits


def decoder(*, acc: bool = False) -> GanglionDecoder:
    return GanglionDecoder(Ganglion(acc=acc).signals)


def stream(count: int, first: int = 0, *, acc: bool = False) -> list[Sent]:
    """Packets in which a sample counts its number on all channels, and motion that of its turn."""
    sent = []
    for k in range(count):
        uv = (2 * k + np.array([[0.0], [1.0]])) * STEP_UV * np.ones(4)
        number = first + k
        data = (
            encode.packet_18bit(number, uv, number // 10 % 100)
            if acc
            else encode.packet_19bit(number, uv)
        )
        sent.append(Sent(100 + (k + 1) / 100, packets.NOTIFY, data))
    return sent


@pytest.mark.parametrize(
    ("packet", "bits", "least"), [(VECTOR_18, 18, -131072), (VECTOR_19, 19, -262144)]
)
def test_packets_are_read_as_published(packet: bytes, bits: int, least: int) -> None:
    read = packets.decode_packet(packet)
    assert isinstance(read, packets.SamplePacket)
    assert read.counter == 5
    counts = read.data / (encode.UV * 2 ** (24 - bits))
    assert counts.round(6).tolist() == [[1, 2, 3, 4], [100, -101, -least - 1, least]]


def test_a_count_is_as_many_microvolts_as_published() -> None:
    assert pytest.approx(0.00186995, abs=5e-9) == packets.UV_PER_COUNT


def test_acceleration_takes_three_packets_of_ten() -> None:
    zeros = np.zeros((2, 4))
    assert packets.decode_packet(encode.packet_18bit(41, zeros, -100)).acc == (
        1,
        pytest.approx(-1.6),
    )
    assert packets.decode_packet(encode.packet_18bit(43, zeros, -100)).acc is None
    assert packets.decode_packet(encode.packet_19bit(41, zeros)).acc is None


@pytest.mark.parametrize("acc", [False, True])
def test_stamps_follow_the_id_over_its_wraps(acc: bool) -> None:
    stamps, data = joined(blocks_of(deliver(decoder(acc=acc), stream(350, 90, acc=acc)), "exg"))
    assert np.array_equal(stamps, np.arange(700) / 200)
    assert data[:, 2] == pytest.approx(np.arange(700) * STEP_UV, rel=1e-6)


def test_acceleration_is_put_together_from_its_axes() -> None:
    sent = stream(200, acc=True)
    del sent[51]
    stamps, data = joined(blocks_of(deliver(decoder(acc=True), sent), "acc"))
    assert np.array_equal(stamps, np.arange(20) / 10)
    wanted = np.repeat(np.arange(20.0)[:, None] * 0.016, 3, axis=1)
    wanted[5, 1] = np.nan
    assert data == pytest.approx(wanted, nan_ok=True)


@pytest.mark.parametrize("lost", [1, 49, 50, 99, 100, 101, 333])
def test_loss_of_any_length_leaves_a_gap_of_that_length(lost: int) -> None:
    sent = stream(800)
    del sent[120 : 120 + lost]
    stamps, data = joined(blocks_of(deliver(decoder(), sent), "exg"))
    assert stamps * 200 == pytest.approx(np.round(data[:, 0] / STEP_UV))


@pytest.mark.parametrize("loss", [0.01, 0.1, 0.5])
def test_stamps_are_right_whatever_the_air_does(loss: float) -> None:
    arriving = Air(loss, twice=0.05, jitter=0.04, seed=2).carry(stream(2000))
    stamps, data = joined(blocks_of(deliver(decoder(), arriving), "exg"))
    numbers = np.round(data[:, 0] / STEP_UV)
    assert (np.diff(stamps) > 0).all()
    assert np.array_equal(np.round((stamps - stamps[0]) * 200), numbers - numbers[0])


def test_impedances_are_said() -> None:
    sent = [Sent(1.0, packets.NOTIFY, encode.impedance_packet(5, 12_345))]
    sent.append(Sent(1.1, packets.NOTIFY, encode.impedance_packet(2, 900)))
    said = [report.text for report in reports_of(deliver(decoder(), sent))]
    assert said == [
        "impedance of electrode reference: 12345 ohm",
        "impedance of electrode 2: 900 ohm",
    ]


@pytest.mark.parametrize(
    "packet",
    [
        b"",
        b"\x05",
        VECTOR_18[:-1],
        VECTOR_18 + b"\0",
        bytes([200]) + bytes(19),
        bytes([206]) + b"100Z" + bytes(15),
        bytes([255]) + bytes(19),
        bytes([201]),
        bytes([201]) + b"-12Z",
        bytes([201]) + b"9" * 500 + b"Z",
        bytes([201]) + "\u0661Z".encode(),
    ],
)
def test_what_is_no_packet_is_refused(packet: bytes) -> None:
    with pytest.raises(PacketError):
        decoder().feed(packets.NOTIFY, packet, 1.0)


def test_other_characteristics_are_refused() -> None:
    with pytest.raises(PacketError, match="no packets are expected"):
        decoder().feed(packets.WRITE, VECTOR_18, 1.0)


@pytest.mark.parametrize(("acc", "letters"), [(True, [b"n", b"b"]), (False, [b"N", b"b"])])
async def test_the_board_is_started_and_stopped(acc: bool, letters: list[bytes]) -> None:
    driver = Ganglion(Modality.ECG, channels=("I", "II", "III", "V1"), acc=acc)
    gatt = ToldGatt(BOARD, {SOFTWARE_REVISION: b"3.0.2\0"})
    [report] = await driver.prepare(gatt)
    assert (report.firmware, report.model) == ("3.0.2", "OpenBCI Ganglion")
    await driver.start(gatt)
    assert gatt.subscribed == [packets.NOTIFY]
    assert gatt.written == [(packets.WRITE, letter) for letter in letters]
    await driver.keep_alive(gatt)
    await driver.stop(gatt)
    assert gatt.written[-1] == (packets.WRITE, b"s")
    assert driver.signals[0].modality is Modality.ECG
    assert Ganglion("emg").signals[0].modality is Modality.EMG
    assert [signal.key for signal in driver.signals] == ["exg", "acc"][: 1 + acc]


@pytest.mark.parametrize("values", [{SOFTWARE_REVISION: b"2.0.1"}, {SOFTWARE_REVISION: b""}])
async def test_firmware_2_is_refused_with_what_to_do(values: dict[str, bytes]) -> None:
    with pytest.raises(DeviceRefused, match=r"firmware .*, 3 is needed: .* update"):
        await Ganglion().prepare(ToldGatt(BOARD, values))


async def test_a_device_without_its_characteristics_is_no_ganglion() -> None:
    with pytest.raises(DeviceRefused, match="no Ganglion"):
        await Ganglion().prepare(ToldGatt({packets.NOTIFY}))


@pytest.mark.parametrize(
    ("advertisement", "wanted"),
    [
        (Advertisement("a", "Ganglion-1b2c"), True),
        (Advertisement("a", "Simblee-1b2c"), True),
        (Advertisement("a", "", (packets.SERVICE,)), True),
        (Advertisement("a", "Cyton"), False),
    ],
)
def test_a_ganglion_is_recognised(advertisement: Advertisement, wanted: bool) -> None:
    assert Ganglion.recognises(advertisement) is wanted


def test_settings_without_sense_are_refused() -> None:
    with pytest.raises(BadInput, match="4 different names"):
        Ganglion(channels=("a", "b", "c", "c"))
    with pytest.raises(BadInput, match="EEG, ECG or EMG"):
        Ganglion(Modality.FACE)
