"""What goes wrong in a run: each fault is said, and takes nothing else down with it."""

from __future__ import annotations

import asyncio
import errno
import os
import threading
from itertools import chain
from pathlib import Path

import numpy as np
import pytest

from biosense.acquisition.xdf import append_file
from biosense.acquisition.xdf.reader import XdfReader
from biosense.core.errors import BadInput, DeviceLost, StreamNotFound
from biosense.core.types import Chunk, Event, EventKind, Modality
from biosense.estimation.processor import Processor
from biosense.live import processing_thread as worker_module
from biosense.live.config.run_settings import RunSettings
from biosense.live.run import Run
from biosense.models.deployment.checkpoint import Loaded
from tests.support.recorded_runs import Outcome, carry_out, compare, recorded, sensor
from tests.support.scripted import Scripted, Step, Tap, chunked, info
from tests.support.virtual_clock import START, VirtualClock

SECONDS = 12.0


def eda(clock: VirtualClock, seconds: float = SECONDS) -> Tap:
    stream = sensor(Modality.EDA, seconds)
    return Tap(Scripted(clock, [stream.info], chunked(stream)))


def ecg_until(clock: VirtualClock, end: Step | None, **exit: Exception) -> Scripted:
    """Make an ECG that ends after 5 s, by an error or in peace."""
    stream = sensor(Modality.ECG, 5.0)
    return Scripted(clock, [stream.info], chain(chunked(stream), [end] if end else []), **exit)


def kept(outcome: Outcome | Path, name: str) -> int:
    folder = outcome if isinstance(outcome, Path) else outcome.folder
    return sum(chunk.n for chunk in recorded(folder)[name])


@pytest.mark.parametrize("required", [True, False])
def test_a_lost_device_is_reported_and_the_others_go_on(
    clock: VirtualClock, loaded: Loaded, tmp_path: Path, required: bool
) -> None:
    lost = DeviceLost("the strap is out of battery")
    strap = ecg_until(clock, lost, at_exit=lost)
    optional = [] if required else [strap]
    sources = [strap, eda(clock)]
    outcome = carry_out(sources, clock, loaded=loaded, record=tmp_path, optional=optional)
    assert outcome.said("sim-ecg") == ["lost: the strap is out of battery"]
    assert outcome.statuses[-1].streams[0].state == "lost"
    assert outcome.summary.errors == (("sim-ecg: the strap is out of battery",) * required)
    assert (kept(outcome, "sim-ecg"), kept(outcome, "sim-eda")) == (5 * 512, 12 * 128)
    assert outcome.summary.estimate_hz == pytest.approx(4.0)
    assert outcome.summary.estimates > 4 * (SECONDS - 3)
    assert compare(outcome.folder, loaded).largest_difference == 0.0


def test_a_source_that_ends_early_ends_nothing_else(
    clock: VirtualClock, loaded: Loaded, tmp_path: Path
) -> None:
    outcome = carry_out([ecg_until(clock, None), eda(clock)], clock, loaded=loaded, record=tmp_path)
    (end, _) = (event for event in outcome.events if event.kind is EventKind.ENDED)
    assert (end.stream, end.text) == ("sim-ecg", "its source has come to its end")
    assert end.time - START == pytest.approx(5.0, abs=0.2)
    assert [stream.state for stream in outcome.statuses[-1].streams[:2]] == ["ended", "ended"]
    assert kept(outcome, "sim-eda") == 12 * 128
    assert outcome.summary.seconds == pytest.approx(SECONDS, abs=0.1)
    assert outcome.summary.estimates > 4 * (SECONDS - 3)
    found = compare(outcome.folder, loaded)
    assert (found.recorded, found.largest_difference) == (found.same_times, 0.0)


def test_a_bug_in_a_source_ends_the_run_by_name_and_keeps_the_recording(
    clock: VirtualClock, loaded: Loaded, tmp_path: Path
) -> None:
    other = eda(clock)
    with pytest.raises(ZeroDivisionError) as caught:
        carry_out(
            [ecg_until(clock, ZeroDivisionError("by zero")), other],
            clock,
            loaded=loaded,
            record=tmp_path,
        )
    assert caught.value.__notes__ == ["while reading 'sim-ecg'"]
    (folder,) = tmp_path.iterdir()
    assert XdfReader(folder).complete
    assert kept(folder, "sim-ecg") == 5 * 512
    assert kept(folder, "sim-eda") == len(other.times("sim-eda")) > 4 * 128


def test_a_bug_in_processing_ends_the_run_and_keeps_the_recording(
    clock: VirtualClock, loaded: Loaded, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    push, calls = Processor.push, iter(range(1000))

    def broken(self: Processor, item: Chunk) -> object:
        if next(calls) == 50:
            raise FloatingPointError("a bug in a stage")
        return push(self, item)

    monkeypatch.setattr(Processor, "push", broken)
    source = eda(clock)
    with pytest.raises(FloatingPointError, match="a bug in a stage"):
        carry_out([source], clock, loaded=loaded, record=tmp_path)
    (folder,) = tmp_path.iterdir()
    assert XdfReader(folder).complete
    assert kept(folder, "sim-eda") == len(source.times("sim-eda"))


def test_a_full_disk_is_an_error_in_the_end_and_estimates_go_on(
    clock: VirtualClock, loaded: Loaded, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write, free = os.write, [8000]

    def refuse(file: int, data: bytes) -> int:
        if free[0] <= 0:
            raise OSError(errno.ENOSPC, "No space left on device")
        free[0] -= len(data)
        return write(file, data)

    monkeypatch.setattr(append_file.os, "write", refuse)
    source = eda(clock)
    outcome = carry_out([source], clock, loaded=loaded, record=tmp_path)
    assert len(outcome.summary.errors) >= 1
    assert "No space left on device" in outcome.summary.errors[0]
    assert "No space left" in outcome.statuses[-1].recording_failed
    assert any("No space left" in text for text in outcome.said(""))
    assert outcome.summary.estimates > 4 * (SECONDS - 3)
    assert 0 < kept(outcome, "sim-eda") < len(source.times("sim-eda"))


def test_slow_processing_is_announced_once_and_the_recording_is_complete(
    clock: VirtualClock, loaded: Loaded, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    push, overrun = Processor.push, threading.Event()

    def slow(self: Processor, item: Chunk) -> object:
        assert overrun.wait(10)
        return push(self, item)

    monkeypatch.setattr(Processor, "push", slow)
    monkeypatch.setattr(worker_module, "QUEUED_ITEMS", 20)
    source = eda(clock)
    source.at[100] = overrun.set
    outcome = carry_out([source], clock, loaded=loaded, record=tmp_path)
    overruns = [event for event in outcome.events if event.kind is EventKind.OVERRUN]
    assert [event.text for event in overruns] == [
        "processing is too slow: the recording is complete, estimates miss some samples"
    ]
    assert kept(outcome, "sim-eda") == 12 * 128
    assert Event in {type(item) for item in XdfReader(outcome.folder).items()}


def test_a_source_that_is_not_there_ends_the_run_before_it_records(
    clock: VirtualClock, tmp_path: Path
) -> None:
    class Absent(Scripted):
        async def __aenter__(self) -> Absent:
            raise StreamNotFound("no such strap")

    there = Scripted(clock, [info("ecg")], [])
    with pytest.raises(StreamNotFound, match="no such strap"):
        carry_out([there, Absent(clock, [info("other")], [])], clock, record=tmp_path)
    assert there.closed
    assert list(tmp_path.iterdir()) == []


def test_a_run_without_streams_is_refused(clock: VirtualClock) -> None:
    with pytest.raises(BadInput, match="at least one stream"):
        carry_out([], clock)


def test_stop_ends_the_run_in_good_order(
    clock: VirtualClock, loaded: Loaded, tmp_path: Path
) -> None:
    source = eda(clock)

    def prepare(run: Run) -> None:
        source.at[50] = run.stop

    outcome = carry_out([source], clock, loaded=loaded, record=tmp_path, prepare=prepare)
    assert outcome.summary.seconds < 8
    assert XdfReader(outcome.folder).complete
    assert kept(outcome, "sim-eda") == outcome.summary.streams["sim-eda"].samples


def test_seconds_limit_a_run(loaded: Loaded, tmp_path: Path) -> None:
    from biosense.acquisition.simulated import SimulatedSource
    from biosense.core.clock import SystemClock

    clock = SystemClock()
    source = SimulatedSource(1, clock=clock, modalities=[Modality.EDA])
    settings = RunSettings(seconds=0.6, record=tmp_path)
    summary = asyncio.run(Run([source], settings=settings, clock=clock, loaded=loaded).run())
    assert 0.6 <= summary.seconds < 5.0, "however busy the machine is"
    assert summary.streams["sim-eda"].samples == pytest.approx(128 * summary.seconds, abs=64)
    assert summary.recording is not None
    assert kept(Path(summary.recording), "sim-eda") == summary.streams["sim-eda"].samples


def test_a_marker_outside_of_a_run_is_refused_not_lost(clock: VirtualClock) -> None:
    runs: list[Run] = []

    def prepare(run: Run) -> None:
        runs.append(run)
        with pytest.raises(BadInput, match="has not begun"):
            run.mark("too early")

    carry_out([eda(clock, 2.0)], clock, prepare=prepare)
    with pytest.raises(BadInput, match="is over"):
        runs[0].mark("too late")
    runs[0].stop()  # of a run that is over: nothing to do


def test_events_that_the_last_samples_bring_are_recorded(
    clock: VirtualClock, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Processing lags behind the sources; what it finds after their end is still taken."""
    stream = sensor(Modality.ECG, 30.0)
    noise = np.random.default_rng(1).normal(0, 5e-3, stream.data.shape)
    noisy = Chunk.of(stream.info, stream.times, noise)
    outcome = carry_out([Scripted(clock, [noisy.info], chunked(noisy))], clock, record=tmp_path)
    (event,) = (event for event in outcome.events if event.kind is EventKind.LOW_QUALITY)
    assert event in list(XdfReader(outcome.folder).items())
    assert "Exception in callback" not in caplog.text


def test_names_are_unique_whatever_senders_call_their_streams(
    clock: VirtualClock, tmp_path: Path
) -> None:
    def one(name: str, value: float) -> Scripted:
        described = info(name, None)
        return Scripted(clock, [described], [Chunk.of(described, [START + 0.1], [[value]])])

    names = ["a", "a (2)", "a", "biosense-affect", "biosense-events"]
    outcome = carry_out([one(n, i) for i, n in enumerate(names)], clock, record=tmp_path)
    expected = ["a", "a (2)", "a (3)", "biosense-affect (2)", "biosense-events (2)"]
    assert list(outcome.summary.streams) == expected
    kept = recorded(outcome.folder)
    assert [kept[name][0].data[0, 0] for name in expected] == [0.0, 1.0, 2.0, 3.0, 4.0]
