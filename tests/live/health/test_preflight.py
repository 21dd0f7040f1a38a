"""Before a run: what the pre-flight finds, what becomes of it, and that it leaves no trace."""

from __future__ import annotations

import asyncio
import logging
import shutil
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from biosense.acquisition.simulated import SimulatedSource
from biosense.acquisition.xdf.reader import XdfReader
from biosense.acquisition.xdf.recording_folder import read_sidecar
from biosense.core.device_state import ClockState, DeviceState
from biosense.core.errors import BiosenseError, DeviceLost, StreamNotFound
from biosense.core.types import Chunk, Event, EventKind, Modality
from biosense.live import run as run_module
from biosense.live.config.preflight_settings import OnProblem, PreflightSettings
from biosense.live.config.run_settings import RunSettings
from biosense.live.health.preflight import NotReady
from biosense.live.run import Run
from biosense.models.deployment.checkpoint import Loaded
from tests.support.recorded_runs import Outcome, carry_out, compare, recorded, sensor
from tests.support.scripted import Scripted, Step, chunked, foreign_clock, info
from tests.support.virtual_clock import START, VirtualClock

LOOK = PreflightSettings(seconds=5.0)
REFUSE = PreflightSettings(seconds=5.0, on_problem=OnProblem.REFUSE)


def person(clock: VirtualClock, *modalities: Modality, seconds: float = 12.0) -> SimulatedSource:
    return SimulatedSource(
        1, clock=clock, modalities=modalities, seconds=seconds, sleep=clock.sleep
    )


def flat(clock: VirtualClock, seconds: float = 12.0) -> Scripted:
    described = info("dead", Modality.ECG)
    times = START + np.arange(round(seconds * 128)) / 128
    whole = Chunk.of(described, times, np.zeros((len(times), 1)))
    return Scripted(clock, [described], chunked(whole))


def said(outcome: Outcome) -> list[str]:
    events = [each for each in outcome.events if "pre-flight" in each.text]
    return [f"{each.kind} {each.stream}: {each.text}" for each in events]


def test_a_run_begins_behind_the_preflight_with_its_findings(
    clock: VirtualClock, tmp_path: Path
) -> None:
    sources = [person(clock, Modality.ECG, Modality.EDA)]
    outcome = carry_out(sources, clock, record=tmp_path, preflight=LOOK)
    assert said(outcome) == [
        "info sim-ecg: pre-flight ok: 512.0 of 512 Hz",
        "info sim-eda: pre-flight ok: 128.0 of 128 Hz",
    ]
    items = list(XdfReader(outcome.folder).items())
    assert [item for item in items if isinstance(item, Event)] == outcome.events
    kept = recorded(outcome.folder)
    first = [kept[name][0].times[0] - START for name in ("sim-ecg", "sim-eda")]
    assert first == pytest.approx([5.0, 5.0], abs=0.2), "what came before is not recorded"
    assert outcome.summary.seconds == pytest.approx(7.0, abs=0.3)
    assert outcome.summary.streams["sim-ecg"].samples == pytest.approx(7 * 512, abs=100)


def test_meanwhile_it_says_that_it_looks(clock: VirtualClock, tmp_path: Path) -> None:
    outcome = carry_out([person(clock, Modality.EDA)], clock, preflight=LOOK, participant="P1")
    first, last = outcome.statuses[0], outcome.statuses[-1]
    assert first.preflight == pytest.approx(5.0)
    assert (first.elapsed, first.participant, first.streams[0].name) == (0.0, "P1", "sim-eda")
    assert last.preflight is None
    assert first.run == last.run != ""


def test_estimates_are_the_same_offline_though_the_clock_was_known_before(
    clock: VirtualClock, loaded: Loaded, tmp_path: Path
) -> None:
    """The source's own fit has seen samples and offsets that came before the recording."""
    ecg = sensor(Modality.ECG, 40.0)
    # A late measurement moves the fit back: times of its source must wait for its earlier ones.
    items = [
        replace(item, offset=item.offset - (0.02 if item.time > 9052 else 0.0))
        if hasattr(item, "offset")
        else item
        for item in foreign_clock(chunked(ecg), 8050.0, 150e-6)
    ]
    source = Scripted(clock, [ecg.info], items)
    find_problems = replace(LOOK, seconds=12.0)
    outcome = carry_out([source], clock, loaded=loaded, record=tmp_path, preflight=find_problems)
    found = compare(outcome.folder, loaded)
    assert found.recorded == found.same_times > 90
    assert found.largest_difference == 0.0


@pytest.mark.parametrize("optional", [True, False])
@pytest.mark.parametrize("settings", [LOOK, REFUSE], ids=["warn", "refuse"])
def test_a_stream_that_cannot_be_used_is_refused_or_said(
    clock: VirtualClock, tmp_path: Path, settings: PreflightSettings, optional: bool
) -> None:
    dead = flat(clock)
    sources = [dead, person(clock, Modality.EDA)]

    def whole() -> Outcome:
        return carry_out(
            sources,
            clock,
            record=tmp_path,
            preflight=settings,
            optional=[dead] if optional else [],
        )

    if settings is REFUSE and not optional:
        with pytest.raises(NotReady, match="found 1 problem, nothing is recorded") as caught:
            whole()
        assert caught.value.problems == ("dead: flat: dead",)
        assert list(tmp_path.iterdir()) == []
        assert dead.closed
        return
    outcome = whole()
    assert said(outcome)[0] == "error dead: pre-flight fail: flat: dead"
    assert len(recorded(outcome.folder)["dead"]) > 0


def test_findings_go_to_the_log(clock: VirtualClock, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "biosense.live.run")
    with pytest.raises(NotReady):
        carry_out([flat(clock)], clock, preflight=REFUSE)
    assert "pre-flight fail: dead: flat: dead" in caplog.text


class Absent(Scripted):
    async def __aenter__(self) -> Absent:
        raise StreamNotFound(f"no such {self._infos[0].name}")


def test_an_optional_source_that_is_missing_is_said_and_the_run_goes_on(
    clock: VirtualClock, tmp_path: Path
) -> None:
    absent = Absent(clock, [info("strap")], [])
    outcome = carry_out(
        [absent, person(clock, Modality.EDA)],
        clock,
        record=tmp_path,
        optional=[absent],
        republish=[absent],
    )
    (text,) = outcome.said("")
    assert text == (
        "lost: the run goes on without an optional source, and looks for it no more: no such strap"
    )
    assert list(outcome.summary.streams) == ["sim-eda"]


def test_required_sources_that_are_missing_are_all_named(clock: VirtualClock) -> None:
    absent = [Absent(clock, [info(f"strap {n}")], []) for n in range(3)]
    again = Absent(clock, [info("strap 1")], [])
    with pytest.raises(StreamNotFound, match="no such strap 1") as caught:
        carry_out([*absent, again], clock, optional=absent[:1])
    assert caught.value.__notes__ == ["and: no such strap 2"]
    with pytest.raises(StreamNotFound, match="no such strap 0") as caught:
        carry_out(absent, clock, optional=absent)
    assert caught.value.__notes__ == ["and: no such strap 1", "and: no such strap 2"]


def test_a_device_that_is_lost_meanwhile_is_a_problem(clock: VirtualClock) -> None:
    stream = sensor(Modality.ECG, 2.0)
    steps: list[Step] = [*chunked(stream), DeviceLost("the strap fell off")]
    sources = [Scripted(clock, [stream.info], steps), person(clock, Modality.EDA)]
    with pytest.raises(NotReady) as caught:
        carry_out(sources, clock, preflight=REFUSE)
    assert caught.value.problems == ("sim-ecg: lost: nothing comes for 3 s",)


def test_an_error_meanwhile_is_raised(clock: VirtualClock, tmp_path: Path) -> None:
    steps: list[Step] = [*chunked(sensor(Modality.ECG, 2.0)), ZeroDivisionError("a bug")]
    with pytest.raises(ZeroDivisionError, match="a bug"):
        carry_out(
            [Scripted(clock, [sensor(Modality.ECG, 1.0).info], steps)],
            clock,
            preflight=LOOK,
            record=tmp_path,
        )
    assert list(tmp_path.iterdir()) == []


def test_stop_ends_the_preflight_and_nothing_is_recorded(
    clock: VirtualClock, tmp_path: Path
) -> None:
    runs: list[Run] = []
    described = sensor(Modality.EDA, 4.0)
    steps: list[Step] = [*chunked(described)]
    steps.insert(10, lambda: runs[0].stop())
    with pytest.raises(BiosenseError, match="stopped during the pre-flight"):
        carry_out(
            [Scripted(clock, [described.info], steps)],
            clock,
            record=tmp_path,
            preflight=LOOK,
            prepare=runs.append,
        )
    assert list(tmp_path.iterdir()) == []


class Talking(Scripted):
    """Says how its device is."""

    def __init__(self, *arguments: Any, state: DeviceState) -> None:
        super().__init__(*arguments)
        self._state = state

    async def __aiter__(self):
        yield self._state
        async for item in super().__aiter__():
            yield item


def test_what_was_said_before_is_known_to_the_run(clock: VirtualClock, tmp_path: Path) -> None:
    stream = sensor(Modality.EDA, 8.0)
    connected = Event(START, EventKind.CONNECTED, "sim-eda", "over Bluetooth")
    state = DeviceState(START, "sim-eda", "streaming", "Wrist 2", "1.7", battery=0.5)
    source = Talking(clock, [stream.info], [connected, *chunked(stream)], state=state)
    outcome = carry_out([source], clock, record=tmp_path, preflight=LOOK)
    assert outcome.events[0] == connected
    assert outcome.statuses[-1].streams[0].battery == 0.5
    assert read_sidecar(outcome.folder).devices == {"sim-eda": "Wrist 2 1.7"}


def test_the_clock_of_a_device_is_judged(clock: VirtualClock) -> None:
    state = DeviceState(START, "sim-eda", clock=ClockState(5.0, 800.0, 0.002, START))
    stream = sensor(Modality.EDA, 8.0)
    outcome = carry_out(
        [Talking(clock, [stream.info], chunked(stream), state=state)], clock, preflight=LOOK
    )
    assert said(outcome) == [
        "low-quality sim-eda: pre-flight warn: drifting: its clock is off by 800 ppm"
    ]


def test_a_disk_without_room_refuses(
    clock: VirtualClock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=100_000))
    with pytest.raises(NotReady) as caught:
        carry_out([person(clock, Modality.EDA)], clock, record=tmp_path / "new", preflight=REFUSE)
    (problem,) = caught.value.problems
    assert problem.startswith(f"the disk of {tmp_path} has room for 1 min (0 MB)")


def test_raw_packets_are_not_judged(clock: VirtualClock) -> None:
    packets = replace(
        info("strap packets", None), dtype="str", sfreq=0.0, content_type="BLE packets"
    )
    steps = [Chunk.of(packets, [START + 1.0], [["2a37 163c"]])]
    sources = [Scripted(clock, [packets], steps), person(clock, Modality.EDA)]
    outcome = carry_out(sources, clock, preflight=LOOK)
    assert [text.split()[1] for text in said(outcome)] == ["sim-eda:"]


def test_room_is_judged_by_what_came(
    clock: VirtualClock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Within a tenth of what the recording then takes."""
    rates: list[float] = []
    monkeypatch.setattr(run_module, "check_disk", lambda _, rate, __: rates.append(rate) or [])
    sources = [person(clock, Modality.EEG, seconds=9.0)]
    outcome = carry_out(sources, clock, record=tmp_path, preflight=LOOK)
    size = (outcome.folder / "recording.xdf").stat().st_size
    assert rates == pytest.approx([size / 4.0], rel=0.1)


def test_a_preflight_in_real_time(tmp_path: Path) -> None:
    from biosense.core.clock import SystemClock

    clock = SystemClock()
    source = SimulatedSource(1, clock=clock, modalities=[Modality.EDA])
    settings = RunSettings(
        seconds=0.3, record=tmp_path, preflight=PreflightSettings(0.5, OnProblem.REFUSE)
    )
    began = clock.now()
    summary = asyncio.run(Run([source], settings=settings, clock=clock, loaded=None).run())
    assert 0.8 <= clock.now() - began < 10.0
    assert 0.3 <= summary.seconds < 5.0
