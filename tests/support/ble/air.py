"""What the air does to packets: delay, loss, repetition; and what a decoder makes of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from biosense.acquisition.ble.driver import Block, Decoded, Decoder, Report


@dataclass(frozen=True)
class Sent:
    """A packet as it left the device."""

    time: float
    uuid: str
    data: bytes


@dataclass(frozen=True)
class Air:
    """How the air treats packets: share lost, share sent twice, longest delay in seconds."""

    loss: float = 0.0
    twice: float = 0.0
    jitter: float = 0.0
    seed: int = 1

    def carry(self, packets: Iterable[Sent]) -> list[Sent]:
        """Return the packets as they arrive, in the order of arrival."""
        rng = np.random.default_rng(self.seed)
        arriving = []
        for packet in packets:
            for _ in range(1 + (rng.random() < self.twice)):
                if rng.random() >= self.loss:
                    late = rng.uniform(0.0, self.jitter) if self.jitter else 0.0
                    arriving.append(Sent(packet.time + late, packet.uuid, packet.data))
        return sorted(arriving, key=lambda packet: packet.time)


@dataclass(frozen=True)
class Delivered:
    """Something that a decoder gave out, and when."""

    time: float
    item: Decoded


def deliver(decoder: Decoder, packets: Sequence[Sent], *, tick: float = 0.01) -> list[Delivered]:
    """Feed packets; between them the decoder is asked every `tick` seconds what waited too long."""
    out: list[Delivered] = []
    now = packets[0].time
    for packet in packets:
        while now + tick < packet.time:
            now += tick
            out += [Delivered(now, item) for item in decoder.release(now)]
        now = packet.time
        out += [Delivered(now, item) for item in decoder.feed(packet.uuid, packet.data, now)]
    out += [Delivered(now + 5.0, item) for item in decoder.release(now + 5.0)]
    return out


def blocks_of(delivered: Iterable[Delivered], key: str) -> list[Block]:
    """Return the blocks of a signal."""
    items = [each.item for each in delivered]
    return [item for item in items if isinstance(item, Block) and item.signal == key]


def reports_of(delivered: Iterable[Delivered]) -> list[Report]:
    """Return the reports."""
    return [each.item for each in delivered if isinstance(each.item, Report)]


def joined(blocks: Sequence[Block]) -> tuple[np.ndarray, np.ndarray]:
    """Return stamps (n,) and samples (n, channels) of blocks."""
    return (
        np.concatenate([block.stamps for block in blocks]),
        np.concatenate([block.data for block in blocks]),
    )
