"""The health of a stream, counted from what passes by."""

from __future__ import annotations

import math

import numpy as np
import pytest

from biosense.core.stream_status import StreamState
from biosense.core.types import Chunk, ClockOffset, Event, EventKind, Modality, StreamInfo
from biosense.estimation.stream_health import StreamHealth

ECG = StreamInfo("ecg", Modality.ECG, ("ecg",), 100.0, "mV", "strap-1")


def chunk(times: np.ndarray, values: np.ndarray | None = None, info: StreamInfo = ECG) -> Chunk:
    data = np.zeros((len(times), 1)) if values is None else values[:, None]
    return Chunk.of(info, times, data, arrived=float(times[-1]) if len(times) else 0.0)


def healthy(*chunks: Chunk) -> StreamHealth:
    health = StreamHealth(ECG)
    for each in chunks:
        health.add(each)
    return health


def test_a_stream_without_gaps() -> None:
    times = 50 + np.arange(1000) / 100
    health = healthy(*(chunk(times[k : k + 7]) for k in range(0, 1000, 7)))
    assert (health.samples, health.gaps, health.lost) == (1000, 0, 0)
    assert health.mean_rate == pytest.approx(100.0)
    assert health.recent_rate == pytest.approx(100.0)


@pytest.mark.parametrize("cut", [40, 41, 100])
def test_gaps_are_counted_within_and_between_chunks(cut: int) -> None:
    sent = np.delete(np.arange(200), np.r_[41:61, 100:103])
    times = sent / 100
    health = healthy(chunk(times[:cut]), chunk(times[cut:]))
    assert (health.gaps, health.lost) == (2, 23)


def test_two_lost_samples_are_no_gap() -> None:
    times = np.delete(np.arange(50), [20, 21]) / 100
    assert healthy(chunk(times)).gaps == 0


def test_samples_without_numbers_are_counted_as_sent_and_as_a_gap() -> None:
    values = np.zeros(100)
    values[30:50] = np.nan
    times = np.arange(100) / 100
    for size in (1, 9, 100):
        pieces = (chunk(times[k : k + size], values[k : k + size]) for k in range(0, 100, size))
        health = healthy(*pieces)
        assert (health.samples, health.gaps, health.lost) == (100, 1, 20)


def test_an_irregular_stream_has_no_gaps() -> None:
    markers = StreamInfo("marks", None, ("code",), 0.0)
    health = StreamHealth(markers)
    health.add(chunk(np.array([1.0, 500.0]), info=markers))
    assert (health.samples, health.gaps) == (2, 0)
    assert health.status(9000.0).state is StreamState.GOOD, "nobody expects a marker"


def test_the_rate_forgets_what_is_long_ago() -> None:
    slow, fast = np.arange(0, 60, 0.02), 60 + np.arange(1500) / 100
    health = healthy(*map(chunk, [*np.split(slow, 300), *np.split(fast, 150)]))
    assert health.recent_rate == pytest.approx(100.0, rel=0.01)
    assert 50 < health.mean_rate < 100


def test_a_stream_waits_then_is_good_then_lost_and_back() -> None:
    health = StreamHealth(ECG)
    assert health.status(1.0).state is StreamState.WAITING
    assert math.isnan(health.status(1.0).rate_hz)
    health.add(chunk(np.array([1.0, 1.01])))
    assert health.status(1.5).state is StreamState.GOOD
    assert health.status(1.5).age == pytest.approx(0.49)
    assert health.status(3.5).state is StreamState.LOST, "two seconds without a sample"
    health.add(chunk(np.array([4.0])))
    health.add(Event(4.1, EventKind.LOST, "ecg", "unplugged"))
    assert health.status(4.2).state is StreamState.LOST
    health.add(Event(4.3, EventKind.RECOVERED, "ecg", "plugged in"))
    assert health.status(4.4).state is StreamState.GOOD
    health.add(Event(4.5, EventKind.INFO, "ecg", "nothing"))
    assert health.status(4.6).state is StreamState.GOOD


def test_low_quality_is_poor() -> None:
    health = healthy(chunk(np.array([1.0])))
    health.quality = 0.2
    assert health.status(1.1).state is StreamState.POOR
    health.quality = 0.8
    assert health.status(1.1).state is StreamState.GOOD


def test_the_clock_of_the_sender_is_followed() -> None:
    health = StreamHealth(ECG)
    for second in range(0, 60, 5):
        device = 1000 + second * (1 + 40e-6)
        health.add(ClockOffset(ECG, device, second - device))
    status = health.status(60.0)
    assert status.offset == pytest.approx(55 - 1000 - 55 * (1 + 40e-6))
    assert status.drift_ppm == pytest.approx(-40.0, abs=0.1)
    assert status.residual == pytest.approx(0.0, abs=1e-9)


def test_empty_chunks_are_passed_over() -> None:
    health = healthy(chunk(np.zeros(0)))
    assert health.samples == 0
    assert health.status(0.0).state is StreamState.WAITING


def test_the_status_repeats_what_is_known_of_the_stream() -> None:
    status = StreamHealth(ECG, published=True).status(0.0)
    assert (status.name, status.modality, status.unit, status.nominal_hz) == (
        "ecg",
        "ecg",
        "mV",
        100.0,
    )
    assert (status.source_id, status.published, status.channels) == ("strap-1", True, ("ecg",))
