"""Polar sensors: when samples and beats were, whatever was lost, doubled or swapped."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pytest

from biosense.acquisition.ble.driver import Block
from biosense.acquisition.ble.drivers.polar.frames import DATA
from biosense.acquisition.ble.drivers.timing.frame_times import FrameTimes
from tests.support.ble import packets_polar as encode
from tests.support.ble.fake_polar import (
    EPOCH_2019_NS,
    FULL_H10,
    FULL_VERITY,
    H10,
    VERITY,
    FakePolar,
    prepared,
)

RATE = 130.06  # what an H10 that says 130 Hz delivers
SAMPLES = 73


@dataclass(frozen=True)
class Sent:
    last_ns: int
    first: int
    n: int


def ecg_frames(count: int, *, rate: float = RATE, n: int = SAMPLES) -> list[Sent]:
    """Frames whose sample k is taken at k / rate after the start of an H10."""
    ends = [(k + 1) * n - 1 for k in range(count)]
    return [Sent(EPOCH_2019_NS + round(end / rate * 1e9), end - n + 1, n) for end in ends]


def errors_in_samples(
    sent: Sequence[Sent], arrivals: Sequence[float] | None = None, rate: float = RATE
) -> np.ndarray:
    """Return how wrong each stamp is, in samples; and check that stamps rise."""
    times, wrong, last = FrameTimes(130.0), [], -np.inf
    for position, frame in enumerate(sent):
        real = (frame.last_ns - EPOCH_2019_NS) * 1e-9 + 0.05
        arrived = real if arrivals is None else arrivals[position]
        stamps = times.stamps(frame.last_ns, frame.n, arrived)
        if stamps is None:
            continue
        assert stamps[0] > last
        assert (np.diff(stamps) > 0).all()
        last = stamps[-1]
        true = EPOCH_2019_NS * 1e-9 + (frame.first + np.arange(frame.n)) / rate
        wrong.append((stamps - true) * rate)
    return np.concatenate(wrong)


@pytest.mark.parametrize("share", [0.0, 0.01, 0.1, 0.3, 0.5])
def test_loss_moves_no_sample(share: float) -> None:
    for seed in range(5):
        rng = np.random.default_rng(seed)
        frames = [each for each in ecg_frames(800) if rng.random() >= share]
        assert np.abs(errors_in_samples(frames)).max() < 0.1


def test_doubled_and_swapped_frames_move_no_sample() -> None:
    rng = np.random.default_rng(8)
    frames = ecg_frames(1000)
    order = np.argsort(np.arange(1000) + 2.5 * rng.random(1000) * (rng.random(1000) < 0.2))
    mixed = [frames[k] for k in order for _ in range(1 + (rng.random() < 0.2))]
    wrong = errors_in_samples(mixed, [0.56 * position for position in range(len(mixed))])
    assert np.abs(wrong).max() < 0.1
    assert len(wrong) > 800 * SAMPLES


def test_no_sample_comes_twice() -> None:
    decoder = prepared(FakePolar(FULL_H10, *H10)).decoder()
    packet = encode.ecg_frame(EPOCH_2019_NS, [1, 2, 3])
    assert len(decoder.feed(DATA, packet, 1.0)) == 1
    assert decoder.feed(DATA, packet, 1.01) == []
    assert decoder.release(2.0) == []


def test_frames_of_changing_length_are_stamped_right() -> None:
    rng, first, frames = np.random.default_rng(3), 0, []
    for n in rng.integers(20, 90, 600).tolist():
        end = first + n - 1
        frames.append(Sent(EPOCH_2019_NS + round(end / RATE * 1e9), first, n))
        first += n
    kept = [each for each in frames if rng.random() > 0.2]
    assert np.abs(errors_in_samples(kept)).max() < 0.1


@pytest.mark.parametrize("rate", [55.0, 135.0, 208.0])
def test_a_rate_that_is_not_the_nominal_is_learned(rate: float) -> None:
    frames = ecg_frames(100, rate=rate, n=36)
    wrong = errors_in_samples(frames, rate=rate)
    assert np.abs(wrong[5 * 36 :]).max() < 0.01
    rng = np.random.default_rng(4)
    kept = frames[:10] + [each for each in frames[10:] if rng.random() > 0.2]
    assert np.abs(errors_in_samples(kept, rate=rate)[5 * 36 :]).max() < 0.1


@pytest.mark.parametrize("jump_s", [-7e7, -30.0, 60.0, 1e8])
def test_a_clock_that_is_set_is_told(jump_s: float) -> None:
    decoder = prepared(FakePolar(FULL_H10, *H10)).decoder()
    start = 2 * EPOCH_2019_NS
    ecg = [0] * SAMPLES
    told = []
    for k in range(20):
        ns = start + round(k * SAMPLES / RATE * 1e9) + (round(jump_s * 1e9) if k >= 10 else 0)
        [block] = decoder.feed(DATA, encode.ecg_frame(ns, ecg), 100.0 + k * 0.56)
        assert isinstance(block, Block)
        assert block.stamps[-1] == pytest.approx(ns * 1e-9)
        assert np.diff(block.stamps) == pytest.approx(1 / RATE, rel=1e-3)
        told.append(block.restarted)
    assert told == [k == 10 for k in range(20)]


def test_a_long_loss_is_no_set_clock() -> None:
    frames = ecg_frames(200)
    times = FrameTimes(130.0)
    for k in (*range(20), *range(150, 200)):
        times.stamps(frames[k].last_ns, SAMPLES, k * 0.5613)
        assert not times.restarted


def test_a_stall_that_loses_what_it_held_is_no_set_clock() -> None:
    frames = ecg_frames(60)
    times = FrameTimes(130.0)
    for k in range(20):
        times.stamps(frames[k].last_ns, SAMPLES, k * 0.5613)
    times.stamps(frames[20].last_ns, SAMPLES, 50 * 0.5613)
    times.stamps(frames[50].last_ns, SAMPLES, 50 * 0.5613 + 0.01)
    assert not times.restarted


def test_beats_run_backwards_from_the_time_of_their_frame() -> None:
    decoder = prepared(FakePolar(FULL_VERITY, *VERITY)).decoder()
    frame = encode.ppi_frame(EPOCH_2019_NS, [(60, 1000, 10, 6), (61, 980, 9, 6)])
    [block] = decoder.feed(DATA, frame, 5.0)
    assert isinstance(block, Block)
    assert block.stamps - EPOCH_2019_NS * 1e-9 == pytest.approx([-0.98, 0.0], abs=1e-6)
    assert not block.by_arrival
    assert decoder.feed(DATA, frame, 5.01) == []
    [block] = decoder.feed(DATA, encode.ppi_frame(EPOCH_2019_NS + 10**9, [(60, 1500, 1, 6)] * 2), 6)
    assert isinstance(block, Block)
    assert block.stamps[0] > EPOCH_2019_NS * 1e-9
    assert (np.diff(block.stamps) > 0).all()


def test_beats_without_a_time_are_placed_by_their_arrival() -> None:
    decoder = prepared(FakePolar(FULL_VERITY, *VERITY)).decoder()
    frame = encode.ppi_frame(0, [(60, 1000, 10, 6), (61, 980, 9, 6)])
    [block] = decoder.feed(DATA, frame, 50.0)
    assert isinstance(block, Block)
    assert block.by_arrival
    assert block.stamps.tolist() == pytest.approx([49.02, 50.0])
    assert block.data[:, 0].tolist() == pytest.approx([1.0, 0.98])
    assert decoder.feed(DATA, frame, 50.01) == []
    [block] = decoder.feed(DATA, frame, 52.0)
    assert isinstance(block, Block)
    assert block.stamps.tolist() == pytest.approx([51.0, 51.98])
