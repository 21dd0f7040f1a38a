"""What the pre-flight sees in the health of a stream, and on the disk."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from biosense.core.stream_status import StreamState
from biosense.core.types import StreamInfo
from biosense.estimation.stream_health import StreamHealth
from biosense.live.config.preflight_settings import PreflightSettings
from biosense.live.health.checks import check_disk, check_stream

LOOK = PreflightSettings(seconds=5.0)
REGULAR = StreamInfo("strap", None, ("x",), 100.0)
HEALTHY = replace(
    StreamHealth(REGULAR).status(0.0), samples=500, rate_hz=100.0, age=0.1, state=StreamState.GOOD
)
UNWELL: dict[str, tuple[dict[str, Any], str]] = {
    "missing": ({"samples": 0, "state": StreamState.WAITING}, "fail missing: no sample within 5 s"),
    "lost": ({"state": StreamState.LOST, "age": 3.0}, "fail lost: nothing comes for 3 s"),
    "ended": ({"state": StreamState.ENDED}, "fail it has ended already"),
    "slow": ({"rate_hz": 90.0}, "warn slow: 90.0 of 100 Hz"),
    "very slow": ({"rate_hz": 30.0}, "fail slow: 30.0 of 100 Hz"),
    "fast": ({"rate_hz": 110.0}, "warn faster than it says: 110.0 of 100 Hz"),
    "lossy": ({"lost": 15, "gaps": 3}, "warn lossy: 2.9% of its samples are missing, in 3 gaps"),
    "very lossy": ({"lost": 250}, "fail lossy: 33.3% of its samples are missing, in 0 gaps"),
    "unsure": ({"residual": 0.03}, "warn its clock is known to 30 ms only"),
    "drifting": ({"drift_ppm": -450.0}, "warn drifting: its clock is off by -450 ppm"),
    "battery": ({"battery": 0.12}, "warn low battery: 12%"),
    "empty": ({"battery": 0.02}, "fail low battery: 2%"),
    "contact": ({"contact": False}, "fail no contact with the skin"),
}


@pytest.mark.parametrize("kind", UNWELL)
def test_an_unwell_stream_is_found(kind: str) -> None:
    changes, expected = UNWELL[kind]
    (found,) = check_stream(replace(HEALTHY, **changes), LOOK, 5.0)
    assert f"{found.severity} {found.text}" == expected


def test_a_healthy_stream_has_no_fault() -> None:
    healthy = replace(HEALTHY, battery=0.9, contact=True, residual=0.001, drift_ppm=40.0)
    assert check_stream(healthy, LOOK, 5.0) == []
    irregular = replace(HEALTHY, nominal_hz=0.0, samples=0, state=StreamState.WAITING)
    assert check_stream(irregular, LOOK, 5.0) == [], "nobody expects a marker"


@pytest.mark.parametrize(
    ("rate", "seconds", "verdict"),
    [
        (100.0, None, None),
        (400.0, None, "warn"),
        (2000.0, None, "fail"),
        (1000.0, 600.0, None),
        (1000.0, 900.0, "warn"),
        (1000.0, 2000.0, "fail"),
        (0.0, 2000.0, None),
    ],
)
def test_room_on_the_disk_is_judged_by_the_length_of_the_run(
    rate: float, seconds: float | None, verdict: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=1e6))
    found = check_disk(Path("not/made/yet"), rate, seconds)
    assert [each.severity for each in found] == ([verdict] if verdict else [])
