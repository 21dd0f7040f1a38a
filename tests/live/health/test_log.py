"""Health as a stream of text: in the recording, on the network, and in nobody's way."""

from __future__ import annotations

import json
import logging
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from biosense.acquisition.lsl import find_streams
from biosense.core.device_state import ClockState, DeviceState
from biosense.core.own_streams import own_source_id
from biosense.core.stream_status import StreamState, StreamStatus
from biosense.core.types import Chunk, Modality
from biosense.estimation.estimate_stream import estimate_info
from biosense.estimation.stream_health import StreamHealth
from biosense.live.health.log import EVERY_S, HEALTH, HealthLog
from biosense.live.output.publisher import MARKERS, Publisher
from biosense.live.run import Run
from biosense.recordings.inspect import inspect
from tests.support.recorded_runs import WholeRun, carry_out, recorded, sensor
from tests.support.scripted import Scripted, chunked, info
from tests.support.virtual_clock import START, VirtualClock

ECG = StreamHealth(info("chest")).status(0.0)


def said(chunks: list[Chunk]) -> list[dict[str, Any]]:
    def refuse(constant: str) -> None:
        raise AssertionError(f"{constant} is no JSON")

    return [json.loads(chunk.data[0, 0], parse_constant=refuse) for chunk in chunks]


def test_it_speaks_every_5_s_and_when_a_state_changes() -> None:
    log, eda = HealthLog(), replace(ECG, name="wrist")
    lost = replace(ECG, state=StreamState.LOST)

    def names(streams: list[StreamStatus], now: float) -> list[str]:
        return [each["name"] for each in said(log.push(streams, now))]

    assert names([ECG, eda], 0.0) == ["chest", "wrist"]
    assert names([ECG, eda], 0.25) == []
    assert names([lost, eda], 0.5) == ["chest"]
    assert names([lost, eda], EVERY_S - 0.01) == []
    assert names([lost, eda], EVERY_S) == ["chest", "wrist"]
    flat_battery = replace(lost, battery=0.1)
    assert names([flat_battery, replace(eda, contact=False)], 6.0) == ["chest", "wrist"]
    assert names([replace(flat_battery, link="scanning"), replace(eda, contact=False)], 6.5) == [
        "chest"
    ]
    assert names([], 99.0) == []
    assert [chunk.times[0] for chunk in log.finish([ECG], 7.0)] == [7.0]


def test_what_is_not_known_is_null_and_the_rest_is_there() -> None:
    known = replace(ECG, rate_hz=99.87654321, battery=0.5, contact=True, firmware="5.0.0", rssi=-61)
    (values,) = said(HealthLog().push([known], 1.0))
    assert values["rate_hz"] == 99.876543
    assert (values["battery"], values["contact"], values["rssi"]) == (0.5, True, -61)
    assert values["firmware"] == "5.0.0"
    assert values["quality"] is values["clock_age"] is values["age"] is None
    assert values["state"] == "waiting"


def test_it_goes_to_the_log(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "biosense.live.health.log")
    HealthLog().push([ECG], 1.0)
    assert 'health {"name": "chest"' in caplog.text


def test_markers_have_no_health() -> None:
    assert HealthLog().push([StreamHealth(MARKERS).status(0.0)], 1.0) == []


def test_every_recording_begins_and_ends_with_it(whole: WholeRun) -> None:
    health = said(recorded(whole.outcome.folder)["biosense-health"])
    streams = whole.outcome.summary.streams
    assert [each["name"] for each in health[: len(streams)]] == list(streams)
    last = {each["name"]: each for each in health[-len(streams) :]}
    for name, counted in streams.items():
        assert last[name]["samples"] == counted.samples
        assert last[name]["state"] == "ended"
    assert abs(last["sim-ecg (2)"]["offset"]) > 40
    assert last["sim-ecg (2)"]["clock_age"] < 8


def test_check_does_not_choke_on_it(whole: WholeRun) -> None:
    found = inspect(whole.outcome.folder)
    assert found.streams["biosense-health"].kind == "Health"
    assert not [text for text in found.problems if "biosense-health" in text]


def test_what_a_device_says_is_in_the_status() -> None:
    health = StreamHealth(info("chest"))
    clock = ClockState(offset=-3.0, slope_ppm=12.0, residual=0.004, updated=97.5)
    health.add(
        DeviceState(98.0, "chest", "streaming", "H10", "5.0.0", 0.81, contact=True, clock=clock)
    )
    status = health.status(100.0)
    assert (status.offset, status.drift_ppm, status.residual) == (-3.0, 12.0, 0.004)
    assert status.clock_age == 2.5
    assert (status.battery, status.contact, status.link) == (0.81, True, "streaming")
    assert (status.device, status.firmware) == ("H10", "5.0.0")
    health.add(Chunk.of(info("chest"), [99.0], [[1.0]], arrived=99.9))
    assert health.status(100.0).state is StreamState.GOOD
    health.add(DeviceState(99.0, "chest", contact=False))
    assert health.status(100.0).state is StreamState.POOR
    assert math.isclose(health.status(100.0).age, 0.1)


def test_raw_packets_are_recorded_but_neither_shown_nor_published(
    clock: VirtualClock, tmp_path: Path
) -> None:
    packets = info("strap packets", None, dtype="str", sfreq=0.0, content_type="BLE packets")
    eda = sensor(Modality.EDA, 3.0)
    runs: list[Run] = []
    outlets: set[str] = set()

    def look() -> None:
        active = runs[0]._active
        assert active is not None
        outlets.update(active._publisher._outlets)

    steps = [Chunk.of(packets, [START + 1.0], [["2a37 163c"]]), *chunked(eda), look]
    source = Scripted(clock, [eda.info, packets], steps)
    outcome = carry_out([source], clock, record=tmp_path, republish=[source], prepare=runs.append)
    assert recorded(outcome.folder)["strap packets"][0].data[0, 0] == "2a37 163c"
    assert list(outcome.summary.streams) == ["sim-eda"]
    assert [s.name for s in outcome.statuses[-1].streams] == ["sim-eda", "biosense-markers"]
    assert [s.published for s in outcome.statuses[-1].streams] == [True, True]
    names = {json.loads(c.data[0, 0])["name"] for c in recorded(outcome.folder)["biosense-health"]}
    assert names == {"sim-eda"}
    assert outlets == {"sim-eda", "biosense-events", "biosense-markers", "biosense-health"}
    assert inspect(outcome.folder).streams["strap packets"].kind == "BLE packets"


def test_two_runs_do_not_mix_what_they_publish() -> None:
    eda = info("wrist", source_id="wrist-7")
    both = [Publisher("one"), Publisher("two")]
    both[0].open([HEALTH, estimate_info([Modality.EDA]), eda])
    both[1].open([HEALTH, estimate_info([Modality.EDA])])
    found = {(each.name, each.source_id) for each in find_streams(0.5)}
    for publisher in both:
        publisher.close()
    ours = {pair for pair in found if pair[0].startswith("biosense-") or pair[0] == "wrist"}
    assert ours == {
        (name, own_source_id(name, run))
        for name in ("biosense-health", "biosense-affect")
        for run in ("one", "two")
    } | {("wrist", "wrist-7")}
