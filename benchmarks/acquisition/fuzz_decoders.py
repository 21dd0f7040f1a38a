"""What decoders of Bluetooth sensors do with packets that are random, cut and damaged.

Usage: python -m benchmarks.acquisition.fuzz_decoders [--packets 1000000] [--decoder NAME] [--seed
0]

A decoder may refuse a packet with PacketError, and must not fail in any other way; what it gives
must keep the contract of `Block`: right shapes, finite stamps that rise. Exits 1 where one fails,
or where a driver has no sample packets here. The samples are made from the public layouts.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from benchmarks.figures import Figure, tell
from biosense.acquisition.ble import gatt_services
from biosense.acquisition.ble.driver import Decoded, Decoder, Signal
from biosense.acquisition.ble.drivers.ganglion import packets as ganglion_packets
from biosense.acquisition.ble.drivers.ganglion.driver import Ganglion
from biosense.acquisition.ble.drivers.heart_rate.driver import HR, RR, HeartRateDecoder
from biosense.acquisition.ble.drivers.muse import athena_packets
from biosense.acquisition.ble.drivers.muse import classic_packets as muse
from biosense.acquisition.ble.drivers.muse.athena import Athena
from biosense.acquisition.ble.drivers.muse.classic import Classic
from biosense.acquisition.ble.drivers.muse.control import Replies
from biosense.acquisition.ble.drivers.polar import commands as polar
from biosense.acquisition.ble.drivers.polar.decoder import PolarDecoder, StartedMeasurement
from biosense.acquisition.ble.drivers.polar.driver import NOMINAL
from biosense.acquisition.ble.drivers.polar.frames import CONTROL, DATA
from biosense.acquisition.ble.drivers.registry import DRIVERS
from biosense.core.errors import PacketError
from biosense.testing.decoder_checks import DecoderExample, feed_damaged

Seeds = Sequence[tuple[str, str]]  # characteristic, hex
Make = Callable[[], tuple[Decoder, Sequence[Signal]]]


@dataclass(frozen=True)
class Subject:
    driver: str
    make: Make
    seeds: Seeds

    def example(self, packets: int, seed: int) -> DecoderExample:
        return DecoderExample(self.make, self.seeds, packets, seed)


class Pure:
    """Make a decoder of functions that only have to survive."""

    def __init__(self, *functions: Callable[[bytes], object]) -> None:
        self._functions = functions

    def feed(self, uuid: str, packet: bytes, arrived: float) -> Sequence[Decoded]:
        refused = 0
        for function in self._functions:
            try:
                function(packet)
            except PacketError:
                refused += 1
        if refused == len(self._functions):
            raise PacketError("nobody took it")
        return []

    def release(self, now: float) -> Sequence[Decoded]:
        return []


def polar_decoder() -> tuple[Decoder, Sequence[Signal]]:
    started = {kind: StartedMeasurement(signal, 0.5) for kind, signal in NOMINAL.items()}
    return PolarDecoder(started, ("hr", "rr")), (*NOMINAL.values(), HR, RR)


def classic() -> tuple[Decoder, Sequence[Signal]]:
    headband = Classic("Muse", "p50", aux=True, light=True)
    return headband.decoder(), headband.signals


def athena() -> tuple[Decoder, Sequence[Signal]]:
    headband = Athena(aux=True)
    return headband.decoder(), headband.signals


def ganglion() -> tuple[Decoder, Sequence[Signal]]:
    board = Ganglion()
    return board.decoder(), board.signals


HEART_RATE: Seeds = (
    (gatt_services.HEART_RATE_MEASUREMENT, "163c1104"),
    (gatt_services.HEART_RATE_MEASUREMENT, "1e4b0a0000038003"),
    (gatt_services.HEART_RATE_MEASUREMENT, "17b400550155015601"),
    (gatt_services.BATTERY_LEVEL, "50"),
)
POLAR: Seeds = (
    (DATA, "000000a439934352080010ffffbd02002effff44020019feffdbffffc8feff1efeffc202001f0200"),
    (DATA, "00009435770000000001028000ff3f0a"),
    (DATA, "020000a43993435208014f035bfe7bff46001a0198ff87fd07035901c4fc3502a101c5fdcd000300"),
    (DATA, "02650000000000000081f1ff1400f00306017b0f08"),
    (DATA, "010094357700000000000102030405" + "06ffff7f000000ffffff0fefef0000800fefef"),
    (
        DATA,
        "010000a439934352" + "08808effffddfeff0affff9a00000a052d1ff04e4074efcb3f334af0ab85e85b5bff"
        "cd452897c0c9db090377cb46457775eb478fa700d79a01",
    ),
    (DATA, "050000a4399343520880150003000f0006085239f473afffd374301b829bc35b8c94a64e"),
    (DATA, "050000a4399343520881faffffffe4ffffff1800000006041a594c915e4da888de"),
    (DATA, "060000a4399343520881e8ffe6fff1ff0900060481bc318816a564a5973ebeef"),
    (DATA, "030000a43993435208003ce8030a00063dd403090006"),
    (CONTROL, "010002"),
    *HEART_RATE,
)
POLAR_ANSWERS: Seeds = (
    (CONTROL, "f00100000000018200" + "01010e00"),
    (CONTROL, "f0020100000501" + "0000803f"),
    (CONTROL, "f002000d"),
    (CONTROL, "0004c800640032001900" + "01011000" + "0203020004000800"),
    (CONTROL, "0f0500"),
)
MUSE: Seeds = (
    (muse.EEG["TP9"], "010280d7f284280b7c98258868617b877e7c0804"),
    (muse.EEG["AF8"], "010280d7f284280b7c98258868617b877e7c0804"),
    (muse.AUX_RIGHT, "010280d7f284280b7c98258868617b877e7c0804"),
    (muse.ACC, "00038000f1ffb043d123dd2bebc21a5842b9f7c6"),
    (muse.GYRO, "00038000f1ffb043d123dd2bebc21a5842b9f7c6"),
    (muse.PPG["infrared"], "0009015eca1fd107021eebabae0a868ee2a5ae36"),
    (muse.TELEMETRY, "0001640006ed0000001e00000000000000000000"),
)
MUSE_REPLIES: Seeds = (
    (muse.CONTROL, "137b226270223a38322c22736e223a2232303331"),
    (muse.CONTROL, "09222c227263223a307d78787878787878787878"),
)
ATHENA: Seeds = (
    (
        athena_packets.DATA[0],
        "6c0100e803000000001100000000fe610dc8e5dd77fd1e1f68dc297ea69f4c980726838fdeedb71b328d4700"
        "0000006bafe4602356d1f952feae050132ed10e9eb0500eafc0f06505d757d4e7324fefbfdbafc9800000000"
        "0032000000000000000000000000000000000000",
    ),
    (
        athena_packets.DATA[0],
        "570200f803000000001200000000639da297f0ad75d723baa70bba7d7fa3ba68168e6c1da06078238e7a3600"
        "000000ce2123f97f1dccc0db6c00204fc69e0098a5befefda8f9edf2e54280c575f95b8dfac1148516577f",
    ),
)
GANGLION: Seeds = (
    (ganglion_packets.NOTIFY, "070013ffef7ffd8bfe38ff7a80107003cc021d0c"),
    (ganglion_packets.NOTIFY, "6bffb120160fff8800524ffd2dff66400688035e"),
    (ganglion_packets.NOTIFY, "ca353030305a0000000000000000000000000000"),
)
SUBJECTS = {
    "heart-rate": Subject("heart-rate", lambda: (HeartRateDecoder(), (HR, RR)), HEART_RATE),
    "polar": Subject("polar", polar_decoder, POLAR),
    "polar-answers": Subject(
        "polar",
        lambda: (Pure(polar.decode_control, polar.decode_settings, polar.decode_features), ()),
        POLAR_ANSWERS,
    ),
    "muse": Subject("muse", classic, MUSE),
    "muse-replies": Subject("muse", lambda: (Pure(Replies().feed), ()), MUSE_REPLIES),
    "muse-athena": Subject("muse", athena, ATHENA),
    "ganglion": Subject("ganglion", ganglion, GANGLION),
}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--packets", type=int, default=1_000_000)
    parser.add_argument("--decoder", choices=sorted(SUBJECTS))
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    missing = set(DRIVERS) - {subject.driver for subject in SUBJECTS.values()}
    for driver in missing:
        print(f"{driver}: no sample packets here")
    slowest = 0.0
    print(f"{'decoder':14}{'packets':>9}{'accepted':>10}{'refused':>9}{'us each':>9}", end="")
    print(f"{'slowest ms':>12}{'most values':>13}")
    for name in [options.decoder] if options.decoder else SUBJECTS:
        found = feed_damaged(SUBJECTS[name].example(options.packets, options.seed))
        each = found.seconds / options.packets * 1e6
        slowest = max(slowest, each)
        print(
            f"{name:14}{options.packets:9}{found.accepted:10}{found.refused:9}{each:9.1f}", end=""
        )
        print(f"{found.slowest * 1e3:12.2f}{found.largest:13}", flush=True)
    tell(Figure("a damaged packet, slowest decoder", slowest, "us", timed=True))
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
