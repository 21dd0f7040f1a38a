"""What can go wrong with a sensor and with Bluetooth itself, to be switched on in a test."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

Packet = tuple[str, bytes]
"""A notification: its characteristic and its value."""

PacketFault = Callable[[Packet], Sequence[Packet]]
"""Takes a packet as the sensor sent it, returns what arrives instead, now."""

FULL_MTU = 247  # what sensors of these days agree on; 23 is the least that Bluetooth allows


@dataclass
class Faults:
    """Hold what is wrong with one peripheral; everything may be changed at any time.

    Parameters
    ----------
    silent
        It stays connected and answers, but no notification arrives any more.
    connect
        Texts of `att` with which the next Connects fail, one each.
    hang
        Connect is never answered, until the caller gives up.
    att
        ATT error code by characteristic: what reading, writing and subscribing answer.
    mtu
        What both sides agree on at the next connection; longer notifications are cut.
    packets
        What happens to notifications by characteristic, "" for all of them.
    """

    silent: bool = False
    connect: list[str] = field(default_factory=list)
    hang: bool = False
    att: dict[str, int] = field(default_factory=dict)
    mtu: int = FULL_MTU
    packets: dict[str, list[PacketFault]] = field(default_factory=dict)

    def on_air(self, uuid: str, value: bytes) -> list[Packet]:
        """Return what arrives of a notification."""
        if self.silent:
            return []
        arriving = [(uuid, value)]
        for fault in [*self.packets.get(uuid, ()), *self.packets.get("", ())]:
            arriving = [arrived for sent in arriving for arrived in fault(sent)]
        return arriving


@dataclass
class Lose:
    """Lose a share of the packets."""

    share: float
    rng: np.random.Generator

    def __call__(self, packet: Packet) -> Sequence[Packet]:
        return [] if self.rng.random() < self.share else [packet]


@dataclass
class LoseNext:
    """Lose the next `n` packets."""

    n: int

    def __call__(self, packet: Packet) -> Sequence[Packet]:
        self.n -= 1
        return [packet] if self.n < 0 else []


@dataclass
class Duplicate:
    """Deliver a share of the packets twice."""

    share: float
    rng: np.random.Generator

    def __call__(self, packet: Packet) -> Sequence[Packet]:
        return [packet, packet] if self.rng.random() < self.share else [packet]


@dataclass
class Reorder:
    """Deliver a share of the packets behind the one that follows them."""

    share: float
    rng: np.random.Generator
    _held: list[Packet] = field(default_factory=list, init=False)

    def __call__(self, packet: Packet) -> Sequence[Packet]:
        if not self._held and self.rng.random() < self.share:
            self._held.append(packet)
            return []
        held, self._held = self._held, []
        return [packet, *held]


@dataclass
class Truncate:
    """Cut a share of the packets to `length` bytes."""

    share: float
    length: int
    rng: np.random.Generator

    def __call__(self, packet: Packet) -> Sequence[Packet]:
        uuid, value = packet
        return [(uuid, value[: self.length]) if self.rng.random() < self.share else packet]


@dataclass
class Corrupt:
    """Replace a share of the packets with noise of the same length."""

    share: float
    rng: np.random.Generator

    def __call__(self, packet: Packet) -> Sequence[Packet]:
        uuid, value = packet
        return [(uuid, self.rng.bytes(len(value))) if self.rng.random() < self.share else packet]
