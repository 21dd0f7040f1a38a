"""A connection that answers as it is told and keeps what was written, for tests of drivers."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field

from biosense.acquisition.ble.drivers.muse.classic_packets import CONTROL
from biosense.core.errors import DeviceRefused
from tests.support.ble import packets_muse as packets


@dataclass
class ToldGatt:
    """A connection without a device; `asleep` is how long drivers waited, seconds."""

    uuids: Collection[str]
    values: Mapping[str, bytes] = field(default_factory=dict)
    written: list[tuple[str, bytes]] = field(default_factory=list)
    subscribed: list[str] = field(default_factory=list)
    asleep: float = 0.0
    answer: Callable[[str, bytes], list[bytes]] = lambda uuid, data: []
    _callbacks: dict[str, Callable[[bytes], None]] = field(default_factory=dict)

    def has(self, uuid: str) -> bool:
        return uuid in self.uuids

    async def read(self, uuid: str) -> bytes:
        if uuid not in self.values:
            raise DeviceRefused(f"{uuid} cannot be read")
        return self.values[uuid]

    async def write(self, uuid: str, data: bytes, *, response: bool) -> None:
        self.written.append((uuid, data))
        for reply in self.answer(uuid, data):
            self._callbacks[uuid](reply)

    async def subscribe(self, uuid: str, callback: Callable[[bytes], None] | None = None) -> None:
        assert uuid in self.uuids
        self.subscribed.append(uuid)
        if callback is not None:
            self._callbacks[uuid] = callback

    async def sleep(self, seconds: float) -> None:
        self.asleep += seconds

    @property
    def commands(self) -> list[str]:
        """What a Muse was told."""
        return [packets.read_command(data) for uuid, data in self.written if uuid == CONTROL]


def muse_answers(
    name: str = "Muse-1234", *, refuses: str = "", firmware: str = "1.2.13"
) -> Callable[[str, bytes], list[bytes]]:
    """Answer commands as a Muse does."""

    def answer(uuid: str, data: bytes) -> list[bytes]:
        text = packets.read_command(data)
        if text == refuses:
            return packets.control_packets({"rc": 69})
        if text.startswith("v"):
            return packets.control_packets(
                {"ap": "headset", "fw": firmware, "tp": "consumer", "rc": 0}
            )
        if text == "s":
            reply = {"hn": name, "sn": "2031-4HAK3", "bp": 55, "ts": 0, "ps": 32, "rc": 0}
            return packets.control_packets(reply)
        return packets.control_packets({"rc": 0})

    return answer
