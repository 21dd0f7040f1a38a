"""A Polar sensor that answers commands at once, for tests of its driver."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from biosense.acquisition.ble.drivers.polar.decoder import PolarDecoder
from biosense.acquisition.ble.drivers.polar.driver import Polar
from biosense.acquisition.ble.drivers.polar.frames import CONTROL, DATA
from biosense.acquisition.ble.gatt_services import HEART_RATE_MEASUREMENT
from tests.support.ble import packets_polar as encode

EPOCH_2019_NS = 599_616_000_000_000_000  # where the clock of an H10 starts
FULL_H10 = frozenset({CONTROL, DATA, HEART_RATE_MEASUREMENT})


@dataclass
class FakePolar:
    """A connected sensor that answers commands; what is set on it happens from then on."""

    uuids: frozenset[str]
    kinds: Sequence[int]
    settings: Mapping[int, bytes]
    factor: float | None = None
    statuses: dict[tuple[int, int], list[int]] = field(default_factory=dict)
    mute: bool = False
    parts: int = 1
    also: bytes = b""
    written: list[bytes] = field(default_factory=list)
    running: set[int] = field(default_factory=set)
    to_decoder: set[str] = field(default_factory=set)
    callbacks: dict[str, Callable[[bytes], None]] = field(default_factory=dict)

    def has(self, uuid: str) -> bool:
        return uuid in self.uuids

    async def read(self, uuid: str) -> bytes:
        assert uuid == CONTROL
        return encode.features_value(*self.kinds)

    async def write(self, uuid: str, data: bytes, *, response: bool) -> None:
        assert (uuid, response) == (CONTROL, True)
        assert DATA in self.to_decoder, "data is to be subscribed before any command"
        self.written.append(data)
        if not self.mute:
            for packet in self._answers(data[0], data[1]):
                self.callbacks[uuid](packet)

    async def subscribe(self, uuid: str, callback: Callable[[bytes], None] | None = None) -> None:
        assert uuid in self.uuids
        self.to_decoder.discard(uuid)
        self.callbacks.pop(uuid, None)
        if callback is None:
            self.to_decoder.add(uuid)
        else:
            self.callbacks[uuid] = callback

    async def sleep(self, seconds: float) -> None:
        pass

    def _answers(self, command: int, kind: int) -> list[bytes]:
        forced = self.statuses.get((command, kind))
        status = forced.pop(0) if forced else self._status(command, kind)
        if status:
            return [encode.control_answer(command, kind, status)]
        if command == encode.GET_SETTINGS:
            return self._in_parts(command, kind, self.settings[kind])
        (self.running.add if command == encode.START else self.running.discard)(kind)
        extra = encode.settings_tlv({}, self.factor) if command == encode.START else b""
        answer = encode.control_answer(command, kind, 0, extra)
        stale = encode.control_answer(encode.STOP, 6)
        return [b"\x99", stale, answer, *([self.also] if self.also else [])]

    def _status(self, command: int, kind: int) -> int:
        if command == encode.START:
            return 6 if kind in self.running else 0
        return 6 if command == encode.STOP and kind not in self.running else 0

    def _in_parts(self, command: int, kind: int, body: bytes) -> list[bytes]:
        cuts = np.array_split(np.frombuffer(body, np.uint8), self.parts)
        return [
            encode.control_answer(command, kind, 0, cut.tobytes(), more=int(k < self.parts - 1))
            for k, cut in enumerate(cuts)
        ]


H10 = ((encode.ECG, encode.ACC), encode.H10_SETTINGS)
VERITY = ((encode.PPG, encode.ACC, encode.PPI, encode.GYRO, encode.MAG), encode.VERITY_SETTINGS)
FULL_VERITY = FULL_H10


def prepared(gatt: FakePolar, driver: Polar | None = None) -> Polar:
    """Prepare and start a driver."""
    driver = driver or Polar()
    run(driver.prepare(gatt))
    run(driver.start(gatt))
    return driver


def run(talk: object) -> object:
    """Run a coroutine that never waits."""
    try:
        talk.send(None)  # type: ignore[attr-defined]
    except StopIteration as done:
        return done.value
    raise AssertionError("it waits")


def everything() -> PolarDecoder:
    keys = ("ppg", "acc", "ppi", "gyro", "mag", "ecg")
    kinds = (*VERITY[0], encode.ECG)
    settings = {**encode.VERITY_SETTINGS, encode.ECG: encode.H10_SETTINGS[encode.ECG]}
    return prepared(FakePolar(FULL_H10, kinds, settings), Polar(keys)).decoder()
