"""Counters that wrap, packets that are lost, late, doubled or overtaken."""

from __future__ import annotations

import numpy as np
import pytest

from biosense.acquisition.ble.driver import Decoded, Signal
from biosense.acquisition.ble.drivers.timing.bits import signed, unpack_lsb, unpack_msb
from biosense.acquisition.ble.drivers.timing.counted_signal import CountedSignal
from biosense.acquisition.ble.drivers.timing.packet_counter import Reorder, Unwrapper
from biosense.core.errors import BadInput, PacketError
from tests.support.ble.air import Air, Sent, blocks_of, deliver, joined

MUSE_HZ = 256 / 12  # packets per second
HOLD = 0.2
SIGNAL = Signal("eeg", None, ("number",), 256.0, "uV", 12 / 256, "float64", HOLD)


class CountingDecoder:
    """Packets of a 16-bit counter, the samples of which are their own number."""

    def __init__(self, modulus: int = 65536) -> None:
        self.signal = CountedSignal(SIGNAL, modulus, samples=12)

    def feed(self, uuid: str, packet: bytes, arrived: float) -> list[Decoded]:
        number = int(uuid)
        data = number * 12.0 + np.arange(12)
        return [*self.signal.feed(int.from_bytes(packet, "big"), data[:, None], arrived)]

    def release(self, now: float) -> list[Decoded]:
        return [*self.signal.release(now)]


def counted(count: int, first: int = 0, rate: float = MUSE_HZ, modulus: int = 65536) -> list[Sent]:
    return [
        Sent(100 + k / rate, str(k), ((first + k) % modulus).to_bytes(2, "big"))
        for k in range(count)
    ]


def test_bits_are_read_in_both_orders() -> None:
    assert unpack_lsb(bytes([0b10110100, 0b1]), 3, 3).tolist() == [0b100, 0b110, 0b110]
    assert unpack_msb(bytes([0b10110100, 0b10000000]), 3, 3).tolist() == [0b101, 0b101, 0b001]
    assert signed(np.array([0x1FFFF, 0x20000, 0x3FFFF]), 18).tolist() == [131071, -131072, -1]


@pytest.mark.parametrize("unpack", [unpack_lsb, unpack_msb])
def test_too_few_bytes_for_the_numbers_are_refused(unpack) -> None:
    with pytest.raises(PacketError, match="3 bytes are too few for 2 numbers of 14 bits, 4"):
        unpack(bytes(3), 14, 2)


@pytest.mark.parametrize("lost", [0, 1, 99, 40_000, 65_535, 65_536, 100_000])
def test_loss_of_any_length_is_counted_right_across_the_wrap(lost: int) -> None:
    unwrapper = Unwrapper(65536, MUSE_HZ)
    assert unwrapper.place(65_530, 50.0).number == 65_530
    number = 65_530 + lost + 1
    place = unwrapper.place(number % 65536, 50.0 + (lost + 1) / MUSE_HZ)
    assert place == (number, False)


def test_the_nearest_step_would_be_wrong_after_half_a_turn() -> None:
    unwrapper = Unwrapper(100, 100.0)
    unwrapper.place(0, 0.0)
    assert unwrapper.place(30, 2.3).number == 230


def test_a_wrap_is_found_with_jitter_and_a_rate_that_is_off() -> None:
    rng = np.random.default_rng(3)
    for rate in (MUSE_HZ * 0.995, MUSE_HZ * 1.005):
        unwrapper = Unwrapper(65536, MUSE_HZ)
        numbers = np.arange(65_000, 200_000, 37)
        times = numbers / rate + rng.exponential(0.05, len(numbers))
        places = [unwrapper.place(int(n) % 65536, t) for n, t in zip(numbers, times, strict=True)]
        assert [place.number for place in places] == numbers.tolist()
        assert not any(place.restarted for place in places)


@pytest.mark.parametrize("before", [200, 30_000, 40_000, 65_000])
def test_a_counter_that_begins_anew_is_told_from_loss(before: int) -> None:
    unwrapper = Unwrapper(65536, MUSE_HZ)
    unwrapper.place(before, 10.0)
    unwrapper.place(before + 1, 10.0 + 1 / MUSE_HZ)
    assert unwrapper.place(0, 10.5) == (0, True)
    assert unwrapper.place(1, 10.55) == (1, False)


def test_a_stall_without_loss_is_no_loss() -> None:
    unwrapper = Unwrapper(65536, MUSE_HZ)
    unwrapper.place(7, 0.0)
    assert [unwrapper.place(8 + k, 30.0).number for k in range(3)] == [8, 9, 10]


def test_a_short_counter_finds_back_after_a_stall_without_loss() -> None:
    # 0.9 s of a counter that turns in 1 s: at first it must look as if a turn had been lost
    unwrapper = Unwrapper(100, 100.0)
    for k in range(500):
        unwrapper.place(k % 100, k / 100)
    places = [unwrapper.place(k % 100, 5.9 + max(k - 590, 0) / 100) for k in range(500, 1500)]
    assert places[0].number == 600
    assert 1 <= sum(place.restarted for place in places) <= 2
    assert not any(place.restarted for place in places[90:])


@pytest.mark.parametrize(("modulus", "rate"), [(1, 10.0), (100, 0.0), (100, float("nan"))])
def test_a_counter_without_sense_is_refused(modulus: int, rate: float) -> None:
    with pytest.raises(BadInput, match="modulus"):
        Unwrapper(modulus, rate)


def test_what_waits_goes_when_its_predecessor_comes() -> None:
    order: Reorder[str] = Reorder(HOLD)
    order.push(0, "a", 0.0)
    assert order.push(2, "c", 0.01) == []
    assert [held.parts[0] for held in order.push(1, "b", 0.05)] == ["b", "c"]


def test_what_waits_goes_at_the_limit_and_its_predecessor_is_too_late() -> None:
    order: Reorder[str] = Reorder(HOLD)
    order.push(0, "a", 0.0)
    order.push(3, "d", 0.1)
    assert order.release(0.29) == []
    assert [held.number for held in order.release(0.3)] == [3]
    assert order.push(2, "c", 0.31) == []
    assert order.dropped == 1


def test_parts_that_miss_hold_up_no_longer_than_the_limit() -> None:
    order: Reorder[int] = Reorder(HOLD, parts=2)
    order.push(5, 0, 0.0, part=0)
    order.push(6, 0, 0.05, part=0)
    order.push(6, 1, 0.05, part=1)
    [first, second] = order.release(0.2)
    assert (first.number, sorted(first.parts)) == (5, [0])
    assert (second.number, sorted(second.parts)) == (6, [0, 1])


def test_no_flood_makes_it_grow_without_bound() -> None:
    order: Reorder[int] = Reorder(HOLD)
    order.push(0, 0, 0.0)
    given = sum(len(order.push(number, number, 0.0)) for number in range(2, 20_000, 2))
    assert 9_999 - given <= 256


@pytest.mark.parametrize("loss", [0.0, 0.01, 0.1, 0.5])
@pytest.mark.parametrize("jitter", [0.0, 0.09])
def test_every_delivered_sample_has_the_right_stamp(loss: float, jitter: float) -> None:
    sent = counted(1500, first=65_000)
    arriving = Air(loss, twice=0.05, jitter=jitter, seed=7).carry(sent)
    decoder = CountingDecoder()
    delivered = deliver(decoder, arriving)
    stamps, data = joined(blocks_of(delivered, "eeg"))
    numbers = data[:, 0]
    assert np.array_equal((stamps - stamps[0]) * 256, numbers - numbers[0])
    assert (np.diff(numbers) > 0).all(), "each sample once, in order"
    first = numbers[0] / 12
    arrived = {packet.uuid for packet in arriving if int(packet.uuid) >= first}
    assert len(numbers) == 12 * len(arrived), "nothing that came is thrown away"


def test_no_sample_waits_longer_than_the_limit() -> None:
    arriving = Air(loss=0.2, jitter=0.09).carry(counted(1500))
    came = {packet.uuid: packet.time for packet in reversed(arriving)}
    for each in deliver(CountingDecoder(), arriving, tick=0.001):
        for block in blocks_of([each], "eeg"):
            assert each.time - came[str(int(block.data[0, 0] / 12))] <= HOLD + 0.0011 or (
                each.time > arriving[-1].time
            )


def test_without_loss_nothing_waits() -> None:
    sent = counted(100)
    for packet, each in zip(sent, deliver(CountingDecoder(), sent), strict=True):
        assert each.time == packet.time


def test_a_restart_gives_what_was_held_and_says_so_once() -> None:
    before, after = counted(50, first=300), counted(50)
    late = [Sent(packet.time + 10, packet.uuid, packet.data) for packet in after]
    del before[40]
    blocks = blocks_of(deliver(CountingDecoder(), before + late), "eeg")
    assert len(blocks) == 99
    assert [number for number, block in enumerate(blocks) if block.restarted] == [49]
