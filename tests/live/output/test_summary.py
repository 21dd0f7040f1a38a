"""What a run amounts to: percentiles, rates, and JSON without NaN."""

from __future__ import annotations

import json
import time

import numpy as np
import pytest

from biosense.core.types import Chunk, StreamInfo
from biosense.estimation.stream_health import StreamHealth
from biosense.live.output.summary import (
    ProcessMeter,
    RunSummary,
    count_streams,
    latency_percentiles,
    rate,
)


def test_latencies_become_percentiles_in_milliseconds() -> None:
    found = latency_percentiles([k / 1000 for k in range(101)])
    assert found == pytest.approx({"p50": 50.0, "p95": 95.0, "p99": 99.0, "max": 100.0})


def test_what_was_not_measured_is_null() -> None:
    info = StreamInfo("one", None, ("x",), 10.0)
    health = StreamHealth(info)
    health.add(Chunk.of(info, [1.0], [[0.0]]))
    streams = count_streams([health])
    summary = RunSummary(1.0, streams, 0, rate([]), latency_percentiles([]), 0.1, 50.0, None)
    assert json.loads(summary.to_json()) == {
        "seconds": 1.0,
        "streams": {"one": {"samples": 1, "rate_hz": None, "gaps": 0, "lost": 0}},
        "estimates": 0,
        "estimate_hz": None,
        "latency_ms": {"p50": None, "p95": None, "p99": None, "max": None},
        "cpu_cores": 0.1,
        "rss_mb": 50.0,
        "recording": None,
    }


def test_a_rate_needs_two_moments() -> None:
    assert rate([5.0]) is None
    assert rate([5.0, 5.25, 5.5]) == pytest.approx(4.0)


def test_the_meter_counts_this_process() -> None:
    meter = ProcessMeter(100.0)
    began = time.process_time()
    while time.process_time() < began + 0.05:  # the system counts in hundredths of a second
        np.linalg.svd(np.random.default_rng(0).normal(size=(200, 200)))
    assert meter.cores(100.0) == 0.0, "no time has passed"
    assert meter.cores(101.0) > 0
    assert 20 < meter.rss_mb() < 20_000
