"""What every decoder of Bluetooth packets promises: sound blocks, and PacketError for the rest."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from biosense.acquisition.ble.driver import Block, Decoded, Decoder, Signal
from biosense.core.errors import PacketError
from biosense.testing.contract import Check, promise, require

MOST_BYTES = 512  # of a characteristic (Bluetooth Core 5.4, vol. 3, part F, 3.2.9)
SAMPLES_PER_BYTE = 8  # what a packet can hold at most
HELD_SAMPLES = 5_000  # and what can have waited for it


@dataclass(frozen=True)
class DecoderExample:
    """Show a decoder, and packets that its device sends.

    Parameters
    ----------
    make
        Returns a decoder as of a new connection, and the signals of its blocks.
    packets
        Pairs of characteristic (UUID, long form, lower case) and bytes in hex, in their order.
    damaged
        How many damaged packets are fed.
    seed
        Of the damage.
    """

    make: Callable[[], tuple[Decoder, Sequence[Signal]]]
    packets: Sequence[tuple[str, str]]
    damaged: int = 20_000
    seed: int = 1

    def __str__(self) -> str:
        return type(self.make()[0]).__name__


@dataclass
class Fed:
    """Count what became of damaged packets."""

    accepted: int = 0
    refused: int = 0
    largest: int = 0
    slowest: float = 0.0
    seconds: float = 0.0


def check_decoder(
    make: Callable[[], tuple[Decoder, Sequence[Signal]]],
    packets: Sequence[tuple[str, str]],
    *,
    damaged: int = 20_000,
) -> None:
    """Try whether a decoder does what every decoder promises; the first promise broken is raised.

    These are the checks that the decoders of biosense's own drivers pass: a radio loses and damages
    packets, and one of them must not end a recording.

    Parameters
    ----------
    make
        Returns a decoder as of a new connection and the signals of its blocks:
        ``lambda: (driver.decoder(), driver.signals)``.
    packets
        What the device sends, as recorded: pairs of characteristic (UUID, long form, lower case)
        and bytes in hex, in their order. A recording has them in its stream of packets.
    damaged
        How many packets that were cut, lengthened, flipped or made up are fed.

    Raises
    ------
    ContractBroken
        With the promise, what was got and wanted, and what to do.
    """
    for check in DECODER_CHECKS:
        check(DecoderExample(make, packets, damaged))


@promise("return blocks whose data, dtype and stamps are as Signal and Block describe them")
def _packets_give_blocks(example: DecoderExample) -> None:
    """Packets of the device give sound blocks, and the same again on a new connection."""
    first, again = (_decoded(example) for _ in range(2))
    require(bool(first), "no samples", "some of these packets: add more")
    require(len(again) == len(first), f"{len(again)} blocks", f"{len(first)}, as at first")
    for one, other in zip(first, again, strict=True):
        same = np.array_equal(one.data, other.data, equal_nan=one.data.dtype.kind == "f")
        require(same and one.signal == other.signal, other, f"{one}, as at first")


@promise("look at the length and type of a packet first, and raise PacketError for any other")
def _damaged_packets_do_no_harm(example: DecoderExample) -> None:
    """Damaged packets are refused with PacketError, or give blocks that are sound."""
    fed, least = feed_damaged(example), example.damaged / 20
    said = f"{fed.accepted} taken and {fed.refused} refused of {example.damaged}"
    require(min(fed.accepted, fed.refused) > least, said, "some of both: both ways are to be tried")


def feed_damaged(example: DecoderExample) -> Fed:
    """Feed damaged packets.

    Raises
    ------
    AssertionError
        A block is not sound.
    Exception
        Whatever a decoder raises but PacketError, with the packet as a note.
    """
    rng, fed = random.Random(example.seed), Fed()
    decoder, listed = example.make()
    signals = {signal.key: signal for signal in listed}
    known = [(uuid, bytes.fromhex(text)) for uuid, text in example.packets]
    by_uuid = {uuid: [data for each, data in known if each == uuid] for uuid, _ in known}
    now, packet = 0.0, b""
    for _ in range(example.damaged):
        uuid = rng.choice(known)[0]
        packet = _damaged(rng, by_uuid[uuid], packet)
        now += rng.choice((0.0, 0.001, 0.02, 0.5)) if rng.random() < 0.999 else 1e4
        began = time.perf_counter()
        decoded = _fed(decoder, uuid, packet, now)
        spent = time.perf_counter() - began
        fed.seconds, fed.slowest = fed.seconds + spent, max(fed.slowest, spent)
        fed.accepted += decoded is not None
        fed.refused += decoded is None
        fed.largest = max(fed.largest, require_sound(decoded or (), packet, signals))
    return fed


def require_sound(decoded: Sequence[Decoded], packet: bytes, signals: Mapping[str, Signal]) -> int:
    """Raise an AssertionError where a block is not sound; return the number of samples."""
    blocks = [each for each in decoded if isinstance(each, Block)]
    for block in blocks:
        require(block.signal in signals, f"a block of {block.signal!r}", f"one of {list(signals)}")
        signal, n = signals[block.signal], len(block.stamps)
        shape, wanted = block.data.shape, (n, len(signal.channels))
        require(shape == wanted, f"data {shape} of {signal.key}", f"{wanted}")
        require(n > 0, f"a block of {signal.key} without samples", "none")
        dtype = block.data.dtype
        require(dtype == signal.dtype, f"{dtype} of {signal.key}", signal.dtype)
        rising = np.isfinite(block.stamps).all() and (np.diff(block.stamps) > 0).all()
        require(bool(rising), f"stamps {block.stamps} of {signal.key}", "finite ones that rise")
    total = sum(block.data.size for block in blocks)
    most = SAMPLES_PER_BYTE * len(packet) + HELD_SAMPLES
    require(total <= most, f"{total} samples of a packet of {len(packet)} bytes", f"at most {most}")
    return total


def _decoded(example: DecoderExample) -> list[Block]:
    decoder, listed = example.make()
    signals = {signal.key: signal for signal in listed}
    blocks: list[Block] = []
    for number, (uuid, text) in enumerate(example.packets):
        packet, now = bytes.fromhex(text), 0.02 * number
        decoded = [*decoder.feed(uuid, packet, now), *decoder.release(now)]
        require_sound(decoded, packet, signals)
        blocks += [each for each in decoded if isinstance(each, Block)]
    return blocks + [each for each in decoder.release(1e6) if isinstance(each, Block)]


def _fed(decoder: Decoder, uuid: str, packet: bytes, now: float) -> list[Decoded] | None:
    try:
        return [*decoder.feed(uuid, packet, now), *decoder.release(now)]
    except PacketError:
        return None
    except Exception as error:
        error.add_note(f"upon {packet.hex(' ')!r} of {uuid}")
        raise


def _damaged(rng: random.Random, seeds: Sequence[bytes], last: bytes) -> bytes:
    """Return a packet: random, or made from a valid one or from the one before."""
    packet = rng.choice(seeds) if rng.random() < 0.8 else last
    match rng.randrange(8):
        case 0:
            return rng.randbytes(rng.choice((rng.randrange(24), rng.randrange(MOST_BYTES))))
        case 1:
            return packet[: rng.randrange(len(packet) + 1)]
        case 2:
            return (packet + rng.randbytes(rng.randrange(1, 64)))[:MOST_BYTES]
        case 3:
            return packet[: rng.randrange(1, 12)] + rng.randbytes(rng.randrange(250))
        case 4:
            return (packet + rng.choice(seeds))[:MOST_BYTES]
        case 5:
            return packet
    flipped = bytearray(packet)
    for _ in range(rng.randrange(1, 9) if flipped else 0):
        flipped[rng.randrange(len(flipped))] ^= 1 << rng.randrange(8)
    return bytes(flipped)


DECODER_CHECKS: tuple[Check[DecoderExample], ...] = (
    _packets_give_blocks,
    _damaged_packets_do_no_harm,
)
"""What `check_decoder` tries; the tests of the drivers cross it with every driver."""
