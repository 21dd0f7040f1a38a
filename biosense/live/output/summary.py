"""What a run amounts to in the end: the JSON object that `live --json` and `demo --json` print."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field

import numpy as np
import psutil

from biosense.estimation.stream_health import StreamHealth

_PERCENTILES = {"p50": 50, "p95": 95, "p99": 99, "max": 100}


@dataclass(frozen=True)
class StreamCounts:
    """Count one stream."""

    samples: int
    rate_hz: float | None
    gaps: int
    lost: int


@dataclass(frozen=True)
class RunSummary:
    """Sum up a run.

    `latency_ms` runs from the arrival of the newest sample that an estimate uses to the moment the
    estimate was pushed. Values that could not be measured are None.
    """

    seconds: float
    streams: dict[str, StreamCounts]
    estimates: int
    estimate_hz: float | None
    latency_ms: dict[str, float | None]
    cpu_cores: float
    rss_mb: float
    recording: str | None
    errors: tuple[str, ...] = field(default=())

    def to_json(self) -> str:
        """Return one line of JSON, without the errors: they go to standard error."""
        values = asdict(self)
        del values["errors"]
        return json.dumps(values, allow_nan=False)


def count_streams(healths: Iterable[StreamHealth]) -> dict[str, StreamCounts]:
    """Count every stream, by name.

    Parameters
    ----------
    healths
        Of the streams of a run.

    Returns
    -------
    dict
        Counts by name of stream.
    """
    return {
        health.info.name: StreamCounts(
            health.samples, _finite(health.mean_rate), health.gaps, health.lost
        )
        for health in healths
    }


def latency_percentiles(latencies: Sequence[float]) -> dict[str, float | None]:
    """Return p50, p95, p99 and the maximum of latencies in seconds, as milliseconds.

    Parameters
    ----------
    latencies
        Seconds.

    Returns
    -------
    dict
        Milliseconds by name; None where there are none.
    """
    if not latencies:
        return dict.fromkeys(_PERCENTILES)
    values = np.asarray(latencies) * 1000
    return {name: float(np.percentile(values, p)) for name, p in _PERCENTILES.items()}


def rate(times: Sequence[float]) -> float | None:
    """Return the mean rate of moments, Hz; None below two.

    Parameters
    ----------
    times
        Seconds, rising.

    Returns
    -------
    float or None
        Hz.
    """
    return (len(times) - 1) / (times[-1] - times[0]) if len(times) > 1 else None


class ProcessMeter:
    """Measure this process: processor time and memory."""

    def __init__(self, now: float) -> None:
        self._process = psutil.Process()
        self._started = now
        self._used = self._cpu_seconds()

    def cores(self, now: float) -> float:
        """Return processor seconds used per second since the start: 1.0 is one whole core."""
        elapsed = now - self._started
        return (self._cpu_seconds() - self._used) / elapsed if elapsed > 0 else 0.0

    def rss_mb(self) -> float:
        """Return the resident memory, megabytes."""
        return float(self._process.memory_info().rss) / 1e6

    def _cpu_seconds(self) -> float:
        times = self._process.cpu_times()
        return float(times.user + times.system)


def _finite(value: float) -> float | None:
    return None if math.isnan(value) else value
