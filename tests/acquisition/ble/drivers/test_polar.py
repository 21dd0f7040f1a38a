"""Polar sensors: what their packets say, and what answers to commands say."""

from __future__ import annotations

import json
from collections.abc import Sequence

import numpy as np
import pytest

from biosense.acquisition.ble.drivers.polar.commands import (
    Command,
    MeasurementStopped,
    Settings,
    choose_settings,
    decode_control,
    decode_features,
    decode_settings,
    request,
)
from biosense.acquisition.ble.drivers.polar.frames import (
    DATA,
    MeasurementType,
    beats,
    read_frame,
    samples,
)
from biosense.acquisition.ble.gatt_services import HEART_RATE_MEASUREMENT
from biosense.core.errors import PacketError
from tests.support.ble import packets_polar as encode
from tests.support.ble.fake_polar import (
    FULL_H10,
    H10,
    FakePolar,
    everything,
    prepared,
)
from tests.support.stand_ins import PublicFile


def test_frames_of_the_test_set(public_file: PublicFile) -> None:
    vectors = json.loads(public_file("ble/heart_rate_vectors.json").read_text())
    frames = vectors["polar_pmd"]["frames"]
    assert len(frames) == 3
    for each in frames:
        frame, wanted = read_frame(bytes.fromhex(each["hex"])), each["expect"]
        assert (frame.kind.name, frame.last_ns) == (wanted["type"], wanted["timestamp_ns"])
        values = wanted.get("samples_uV") or wanted.get("samples_mG") or wanted["samples"]
        assert samples(frame).squeeze().tolist() == values
    for each in vectors["polar_pmd"]["control_point"]:
        if each["direction"] == "indication":
            assert decode_control(bytes.fromhex(each["hex"]))


@pytest.mark.parametrize(
    ("kind", "layout", "wanted"),
    [
        (encode.ACC, 0x81, [[100, -50, 1000], [101, -52, 1003], [97, -52, 1010]]),
        (encode.GYRO, 0x80, [[100, -50, 1000], [101, -52, 1003], [97, -52, 1010]]),
        (encode.ACC, 0x80, [[1e5, -5e4, 1e6], [101e3, -52e3, 1003e3], [97e3, -52e3, 1010e3]]),
    ],
)
def test_the_published_delta_content(
    kind: int, layout: int, wanted: Sequence[Sequence[float]]
) -> None:
    content = bytes.fromhex("64 00 CE FF E8 03 04 02 E1 C3 70")
    assert samples(read_frame(encode.frame(kind, 1, layout, content))).tolist() == wanted


@pytest.mark.parametrize(
    ("kind", "layout", "channels", "bits", "keep", "scale"),
    [
        (encode.PPG, 0, 4, 24, 4, 1.0),
        (encode.ACC, 0, 3, 16, 3, 1000.0),
        (encode.ACC, 1, 3, 16, 3, 1.0),
        (encode.GYRO, 0, 3, 16, 3, 1.0),
        (encode.MAG, 0, 3, 16, 3, 1.0),
        (encode.MAG, 1, 4, 16, 3, 1e-3),
    ],
)
def test_compressed_samples_come_back(
    kind: int, layout: int, channels: int, bits: int, keep: int, scale: float
) -> None:
    rng = np.random.default_rng(bits + kind)
    for _ in range(60):
        top = 1 << int(rng.integers(1, bits))
        rows = rng.integers(-top, top, (int(rng.integers(1, 60)), channels))
        packet = encode.delta_frame(
            kind,
            5,
            rows.tolist(),
            resolution=bits,
            frame_type=layout,
            block=int(rng.integers(1, 30)),
        )
        found = samples(read_frame(packet), factor=0.5)
        assert np.allclose(found, rows[:, :keep] * 0.5 * scale, rtol=1e-12)


def test_rotation_in_floats() -> None:
    rows = np.array([[1.5, -2.25, 0.0], [1.75, -2.0, 1e-3]], np.float32)
    packet = encode.delta_frame(
        encode.GYRO, 5, rows.view(np.int32).tolist(), resolution=32, frame_type=1
    )
    assert samples(read_frame(packet)).tolist() == rows.astype(float).tolist()


def test_whole_samples_of_every_width() -> None:
    rng = np.random.default_rng(2)
    for width in (1, 2, 3):
        top = 1 << (8 * width - 1)
        rows = rng.integers(-top, top, (20, 3)).tolist()
        assert samples(read_frame(encode.acc_frame(9, rows, width=width))).tolist() == rows
    lights = rng.integers(-(1 << 23), 1 << 23, (18, 4)).tolist()
    assert samples(read_frame(encode.ppg_frame(9, lights))).tolist() == lights
    ecg = [2, -3, 8191, -8192]
    content = b"".join((each & 0x3FFF | 0xFF0000).to_bytes(3, "little") for each in ecg)
    frame = read_frame(encode.frame(encode.ECG, 9, 1, content))
    assert samples(frame).ravel().tolist() == ecg


def test_pulse_intervals() -> None:
    found = beats(read_frame(encode.ppi_frame(9, [(60, 1000, 10, 0b110), (61, 980, 300, 0b101)])))
    assert found.intervals.tolist() == [1.0, 0.98]
    assert found.errors.tolist() == [0.01, 0.3]
    assert found.moved.tolist() == [0, 1]
    assert found.contact.tolist() == [1, 0]
    [unknown] = beats(read_frame(encode.ppi_frame(9, [(60, 1000, 10, 0)]))).contact
    assert np.isnan(unknown)


@pytest.mark.parametrize(
    "packet",
    [
        b"",
        encode.frame(encode.ECG, 1, 0, b""),  # no samples
        encode.frame(encode.ECG, 1, 0, b"\0\0"),  # part of a sample
        encode.frame(encode.ECG, 1, 0x80, b"\0\0\0"),  # ECG is never compressed
        encode.frame(4, 1, 0, b"\0\0\0"),  # no measurement
        encode.frame(encode.PPI, 1, 0, b"\0\0\0\0\0"),
        encode.frame(encode.PPI, 1, 0x80, b"\0\0\0\0\0\0"),
        encode.frame(encode.ACC, 1, 0x81, b"\0\0\0\0\0"),  # the first sample is cut short
        encode.frame(encode.ACC, 1, 0x81, bytes(6) + b"\4"),  # a block is
        encode.frame(encode.ACC, 1, 0x81, bytes(6) + b"\4\2\0\0"),
        encode.frame(encode.ACC, 1, 0x81, bytes(6) + b"\0\xff"),  # 255 samples in no bits
        encode.frame(encode.ACC, 1, 0x81, bytes(6) + b"\x21\1" + bytes(20)),  # 33 bits
    ],
)
def test_a_malformed_frame_is_refused(packet: bytes) -> None:
    decoder = prepared(FakePolar(FULL_H10, *H10)).decoder()
    with pytest.raises(PacketError):
        everything().feed(DATA, packet, 1.0)
    with pytest.raises(PacketError):
        decoder.feed(HEART_RATE_MEASUREMENT, b"", 1.0)
    with pytest.raises(PacketError):
        decoder.feed("0000ffff-0000-1000-8000-00805f9b34fb", packet, 1.0)


def test_requests_are_as_published() -> None:
    ecg = request(Command.START, MeasurementType.ECG, Settings((130,), (14,)))
    assert ecg.hex() == "02000001820001010e00"
    acc = choose_settings(decode_settings(encode.H10_SETTINGS[encode.ACC]), 200.0)
    assert request(Command.START, MeasurementType.ACC, acc) == bytes.fromhex(
        "02 02 00 01 C8 00 01 01 10 00 02 01 08 00"
    )
    acc = choose_settings(decode_settings(encode.VERITY_SETTINGS[encode.ACC]), 50.0)
    assert request(Command.START, MeasurementType.ACC, acc) == bytes.fromhex(
        "02 02 00 01 34 00 01 01 10 00 02 01 08 00 04 01 03"
    )
    ppg = choose_settings(decode_settings(encode.VERITY_SETTINGS[encode.PPG]), None)
    assert request(Command.START, MeasurementType.PPG, ppg) == bytes.fromhex(
        "02 01 00 01 37 00 01 01 16 00 04 01 04"
    )
    assert request(Command.STOP, MeasurementType.ECG) == bytes.fromhex("03 00")


@pytest.mark.parametrize(("wanted", "chosen"), [(50.0, 50), (40, 50), (60, 100), (500, 200)])
def test_the_lowest_rate_that_will_do_is_chosen(wanted: float, chosen: int) -> None:
    offered = decode_settings(encode.H10_SETTINGS[encode.ACC])
    assert choose_settings(offered, wanted).rates == (chosen,)


def test_settings_and_features() -> None:
    assert decode_settings(b"") == Settings()
    assert decode_settings(encode.settings_tlv({}, factor=0.25)).factor == 0.25
    milli = encode.settings_tlv({encode.RANGE_MILLI: [4000]})
    assert decode_settings(milli + bytes([6, 1]) + bytes(16)).milli_ranges == (4000,)
    assert decode_features(bytes.fromhex("0f 2e 00")) == {
        MeasurementType.PPG,
        MeasurementType.ACC,
        MeasurementType.PPI,
        MeasurementType.GYRO,
    }
    for wrong in ("00 02 82 00", "00", "09 01 00", "05 01 00 00 00 00", "05 01 00 00 c0 7f"):
        with pytest.raises(PacketError):
            decode_settings(bytes.fromhex(wrong))
    for wrong in ("", "0f", "0e 05"):
        with pytest.raises(PacketError):
            decode_features(bytes.fromhex(wrong))
    for wrong in ("", "01", "f0 02 00", "02 00 00 00"):
        with pytest.raises(PacketError):
            decode_control(bytes.fromhex(wrong))
    assert decode_control(encode.stopped_notice(0, 2)) == MeasurementStopped((0, 2))
