"""The run in a terminal: what a person sees at a glance."""

from __future__ import annotations

import io
from dataclasses import replace

import pytest
from rich.console import Console

from biosense.cli.terminal import TerminalView
from biosense.core.types import Event, EventKind
from biosense.estimation.stream_health import StreamHealth
from biosense.live.output.status import RunStatus
from tests.support.scripted import info

STREAM = StreamHealth(info("chest [/x] :heart:")).status(5.0)
STATUS = RunStatus(10.0, 65.0, (STREAM,), cpu_cores=0.25, rss_mb=300.0)


def shown(status: RunStatus, *events: Event) -> str:
    out = io.StringIO()
    view = TerminalView(Console(file=out, width=120, markup=False, emoji=False))
    with view:
        for event in events:
            view.note(event)
        view.show(status)
    return out.getvalue()


def test_the_clock_the_load_and_the_streams_are_there() -> None:
    picture = shown(STATUS)
    assert "01:05" in picture
    assert "not recording" in picture
    assert "0.25 cores  300 MB" in picture
    assert "no estimate yet" in picture
    assert "chest [/x] :heart:  waiting" in picture


def test_a_failed_recording_cannot_be_overlooked() -> None:
    assert "● recording  /data/1" in shown(replace(STATUS, recording="/data/1"))
    failed = replace(STATUS, recording="/data/1", recording_failed="disk full")
    assert "RECORDING FAILED: disk full" in shown(failed)


@pytest.mark.parametrize(("value", "column"), [(-1.0, 0), (0.0, 20), (1.0, 40)])
def test_an_estimate_is_a_block_between_minus_1_and_1(value: float, column: int) -> None:
    estimate = {"valence": value, "arousal": 0.0, "sd_valence": 0.2, "sd_arousal": 0.1}
    lines = shown(replace(STATUS, estimate=estimate)).splitlines()
    (line,) = (line for line in lines if line.startswith("valence"))
    bar = line.partition("-1 ")[2][:41]
    assert bar.index("█") == column
    assert line.rstrip().endswith(f"{value:+.2f} ± 0.20")


def test_the_last_events_are_there() -> None:
    events = [Event(float(n), EventKind.LOST, "chest", f"number {n}") for n in range(7)]
    picture = shown(STATUS, *events)
    assert [f"number {n}" in picture for n in range(7)] == [False] * 2 + [True] * 5


def test_a_heart_rate_is_shown_beside_its_stream() -> None:
    status = replace(STATUS, features={"ecg": {"heart_rate": 61.4}})
    assert "61 bpm" in shown(status)


def test_a_device_has_a_column_where_one_speaks() -> None:
    assert "device" not in shown(STATUS)
    low = replace(STREAM, name="strap", battery=0.14, contact=False, link="streaming")
    picture = shown(replace(STATUS, streams=(STREAM, low)))
    (line,) = (line for line in picture.splitlines() if line.startswith("strap"))
    assert line.rstrip().endswith("14 %, no contact")
    assert "device" in picture


def test_meanwhile_it_says_that_it_looks_at_the_signals() -> None:
    before = RunStatus(10.0, 0.0, (STREAM,), preflight=2.6)
    assert "checking signals, 3 s" in shown(before)
    assert "nan" not in shown(before)


def test_what_is_said_afterwards_begins_a_line() -> None:
    event = Event(0.0, EventKind.LOST, "chest", "gone")
    assert shown(STATUS, event).endswith("gone\n")
    assert not shown(STATUS, event).endswith("\n\n")
